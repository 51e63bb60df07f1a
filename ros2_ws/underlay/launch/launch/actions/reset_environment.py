"""Action: restore the environment with which the launch began."""

from typing import TYPE_CHECKING

from ..action import Action

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class ResetEnvironment(Action):
    """Restore the environment with which the launch began."""

    def execute(self, context: "LaunchContext") -> None:
        """Restore the environment with which the launch began."""
        context._reset_environment()
