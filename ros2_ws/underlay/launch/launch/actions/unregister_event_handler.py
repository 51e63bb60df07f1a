"""Action: unregister an event handler."""

from typing import TYPE_CHECKING, Any

from ..action import Action
from ..event_handler import BaseEventHandler

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class UnregisterEventHandler(Action):
    """Unregister an event handler."""

    def __init__(self, event_handler: BaseEventHandler, **kwargs: Any) -> None:
        """Create the action for ``event_handler``; ``kwargs`` are those of Action."""
        super().__init__(**kwargs)
        self.__event_handler = event_handler

    @property
    def event_handler(self) -> BaseEventHandler:
        """The event handler."""
        return self.__event_handler

    def execute(self, context: "LaunchContext") -> None:
        """Unregister the handler."""
        context.unregister_event_handler(self.__event_handler)
