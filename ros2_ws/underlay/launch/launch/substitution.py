"""Base class of everything that becomes a string when the launch runs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class Substitution:
    """A string that is only known in a LaunchContext."""

    def describe(self) -> str:
        """Describe the substitution for a reader of the launch description."""
        return f"{type(self).__name__}()"

    def perform(self, context: "LaunchContext") -> str:
        """Evaluate to a string."""
        raise NotImplementedError(f"{type(self).__name__}.perform()")
