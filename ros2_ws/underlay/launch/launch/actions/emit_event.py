"""Action: emit an event."""

from typing import TYPE_CHECKING, Any

from ..action import Action
from ..event import Event

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class EmitEvent(Action):
    """Emit an event."""

    def __init__(self, *, event: Event, **kwargs: Any) -> None:
        """Create the action for ``event``; ``kwargs`` are those of Action."""
        super().__init__(**kwargs)
        if not isinstance(event, Event):
            raise TypeError(f"event must be a launch.Event, got {type(event).__name__}")
        self.__event = event

    @property
    def event(self) -> Event:
        """The event."""
        return self.__event

    def describe(self) -> str:
        """Describe the action by its event."""
        return f"Emitting event '{self.__event.name}'"

    def execute(self, context: "LaunchContext") -> None:
        """Emit the event."""
        context.emit_event_sync(self.__event)
