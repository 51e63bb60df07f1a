"""Action: restore the environment of the last PushEnvironment."""

from typing import TYPE_CHECKING

from ..action import Action

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class PopEnvironment(Action):
    """Restore the environment of the last PushEnvironment."""

    def execute(self, context: "LaunchContext") -> None:
        """Restore the environment of the last PushEnvironment."""
        context._pop_environment()
