"""Event handler: the launch shuts down."""

from typing import TYPE_CHECKING, Any

from ..event import Event
from ..event_handler import BaseEventHandler
from ..events import Shutdown
from ..some_entities_type import SomeEntitiesType
from .on_action_event_base import Reaction, checked_reaction, react

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class OnShutdown(BaseEventHandler):
    """React when the launch shuts down."""

    def __init__(self, *, on_shutdown: Reaction, **kwargs: Any) -> None:
        """Create a handler.

        Args:
            on_shutdown: Entities, or a callable (event, context) that may return some.
            kwargs: Those of BaseEventHandler.
        """
        super().__init__(matcher=lambda event: isinstance(event, Shutdown), **kwargs)
        self.__reaction = checked_reaction(on_shutdown, "on_shutdown")

    def describe(self) -> tuple[str, list[SomeEntitiesType]]:
        """Return the handler in words, and its entities if they are fixed."""
        text, _ = super().describe()
        return text, [] if callable(self.__reaction) else [self.__reaction]

    def handle(self, event: Event, context: "LaunchContext") -> SomeEntitiesType | None:
        """Return the entities, or what the callable returns."""
        super().handle(event, context)
        return react(self.__reaction, event, context)
