"""Action: shut the launch down."""

from typing import TYPE_CHECKING, Any

from ..action import Action
from ..events import Shutdown as ShutdownEvent

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class Shutdown(Action):
    """Shut the launch down."""

    def __init__(self, *, reason: str = "reason not given", **kwargs: Any) -> None:
        """Create the action with its reason; ``kwargs`` are those of Action."""
        super().__init__(**kwargs)
        self.__reason = reason

    def execute(self, context: "LaunchContext") -> None:
        """Ask for shutdown; a launch that shuts down already ignores it."""
        context.emit_event_sync(ShutdownEvent(reason=self.__reason))
