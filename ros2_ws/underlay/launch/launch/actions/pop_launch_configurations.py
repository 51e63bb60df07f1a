"""Action: restore the launch configurations of the last push."""

from typing import TYPE_CHECKING

from ..action import Action

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class PopLaunchConfigurations(Action):
    """Restore the launch configurations of the last push."""

    def execute(self, context: "LaunchContext") -> None:
        """Restore the launch configurations of the last push."""
        context._pop_launch_configurations()
