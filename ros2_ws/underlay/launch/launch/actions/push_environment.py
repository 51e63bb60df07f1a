"""Action: remember the environment, for PopEnvironment to restore."""

from typing import TYPE_CHECKING

from ..action import Action

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class PushEnvironment(Action):
    """Remember the environment, for PopEnvironment to restore."""

    def execute(self, context: "LaunchContext") -> None:
        """Remember the environment, for PopEnvironment to restore."""
        context._push_environment()
