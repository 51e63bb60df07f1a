"""Substitution: the path of the launch file."""

from typing import TYPE_CHECKING

from ..substitution import Substitution
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class ThisLaunchFile(Substitution):
    """The path of the launch file that is being visited."""

    def describe(self) -> str:
        """Describe the substitution."""
        return "ThisLaunchFile()"

    def perform(self, context: "LaunchContext") -> str:
        """Return the path.

        Raises:
            SubstitutionFailure: No launch file is being visited.
        """
        value = context.get_locals_as_dict().get("current_launch_file_path")
        if value is None:
            raise SubstitutionFailure("ThisLaunchFile outside of a launch file")
        return str(value)
