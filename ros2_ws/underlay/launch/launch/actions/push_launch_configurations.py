"""Action: remember the launch configurations, for PopLaunchConfigurations."""

from typing import TYPE_CHECKING

from ..action import Action

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class PushLaunchConfigurations(Action):
    """Remember the launch configurations, for PopLaunchConfigurations."""

    def execute(self, context: "LaunchContext") -> None:
        """Remember the launch configurations, for PopLaunchConfigurations."""
        context._push_launch_configurations()
