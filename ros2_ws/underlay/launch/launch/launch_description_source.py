"""Where launch descriptions come from."""

from typing import TYPE_CHECKING, Optional

from .some_substitutions_type import SomeSubstitutionsType
from .substitution import Substitution
from .utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from .launch_context import LaunchContext
    from .launch_description import LaunchDescription


class LaunchDescriptionSource:
    """A launch description, or the location to load one from."""

    def __init__(
        self,
        launch_description: Optional["LaunchDescription"] = None,
        location: SomeSubstitutionsType = "<programmatically-created>",
        method: str = "unspecified mechanism from a script",
    ) -> None:
        """Create a source.

        Args:
            launch_description: The description, None if it is to be loaded.
            location: Path of the launch file.
            method: How the description comes to be, in words.
        """
        self.__launch_description = launch_description
        self.__location: list[Substitution] = normalize_to_list_of_substitutions(location)
        self.__expanded_location: str | None = (
            None
            if launch_description is None
            else " + ".join(part.describe() for part in self.__location)
        )
        self.__method = method

    def try_get_launch_description_without_context(self) -> Optional["LaunchDescription"]:
        """Return the description if its location is plain text, else None."""
        from .substitutions import TextSubstitution

        if self.__launch_description is not None:
            return self.__launch_description
        texts = [part.text for part in self.__location if isinstance(part, TextSubstitution)]
        if len(texts) < len(self.__location):
            return None
        return self._get_launch_description("".join(texts))

    def get_launch_description(self, context: "LaunchContext") -> "LaunchDescription":
        """Load the description, once."""
        if self.__launch_description is None or self.__expanded_location is None:
            self.__expanded_location = perform_substitutions(context, self.__location)
            self.__launch_description = self._get_launch_description(self.__expanded_location)
        return self.__launch_description

    def _get_launch_description(self, location: str) -> "LaunchDescription":
        """Load the description from a path; a subclass fills this in."""
        raise NotImplementedError(f"{type(self).__name__} does not load files")

    @property
    def location(self) -> str:
        """The path, or its description before it is known."""
        if self.__expanded_location is not None:
            return self.__expanded_location
        return " + ".join(part.describe() for part in self.__location)

    @property
    def method(self) -> str:
        """How the description comes to be, in words."""
        return self.__method
