"""Error of a launch file that no loader accepts."""

from collections.abc import Sequence


class InvalidLaunchFileError(Exception):
    """A launch file could not be read as one."""

    def __init__(self, extension: str = "", *, likely_errors: Sequence[BaseException] = ()) -> None:
        """Create the error.

        Args:
            extension: Extension of the file.
            likely_errors: What the loaders said.
        """
        causes = "; ".join(f"{type(error).__name__}: {error}" for error in likely_errors)
        super().__init__(
            f"The launch file may have a syntax error, or its format ({extension!r}) is unknown"
            + (f": {causes}" if causes else "")
        )
        self.likely_errors = tuple(likely_errors)
