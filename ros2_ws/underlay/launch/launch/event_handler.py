"""Event handlers: which events, and what follows from them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from .event import Event
from .some_entities_type import SomeEntitiesType

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class BaseEventHandler:
    """A matcher, and a ``handle`` that a subclass fills."""

    def __init__(self, *, matcher: Callable[[Event], bool], handle_once: bool = False) -> None:
        """Create a handler.

        Args:
            matcher: Says whether an event concerns this handler.
            handle_once: Unregister at the first event that matches.
        """
        self.__matcher = matcher
        self.__handle_once = handle_once

    @property
    def handle_once(self) -> bool:
        """Whether the handler unregisters at its first event."""
        return self.__handle_once

    @property
    def handler_description(self) -> str:
        """What the handler does, in words."""
        return f"{type(self).__name__}.handle()"

    @property
    def matcher_description(self) -> str:
        """What the handler waits for, in words."""
        return getattr(self.__matcher, "__name__", repr(self.__matcher))

    def matches(self, event: Event) -> bool:
        """Say whether the event concerns this handler."""
        return self.__matcher(event)

    def describe(self) -> tuple[str, list[SomeEntitiesType]]:
        """Return the handler in words, and the entities that it may return."""
        return f"{type(self).__name__}(matcher={self.matcher_description})", []

    def handle(self, event: Event, context: "LaunchContext") -> SomeEntitiesType | None:
        """Return what is to be visited because of the event."""
        context.extend_locals({"event": event})
        if self.handle_once:
            context.unregister_event_handler(self)
        return None


class EventHandler(BaseEventHandler):
    """Return fixed entities whenever an event matches."""

    def __init__(
        self,
        *,
        matcher: Callable[[Event], bool],
        entities: SomeEntitiesType | None = None,
        handle_once: bool = False,
    ) -> None:
        """Create a handler that returns ``entities``."""
        super().__init__(matcher=matcher, handle_once=handle_once)
        self.__entities = entities

    @property
    def entities(self) -> SomeEntitiesType | None:
        """The entities that the handler returns."""
        return self.__entities

    def describe(self) -> tuple[str, list[SomeEntitiesType]]:
        """Return the handler in words, and its entities."""
        text, _ = super().describe()
        return text, [] if self.__entities is None else [self.__entities]

    def handle(self, event: Event, context: "LaunchContext") -> SomeEntitiesType | None:
        """Return the entities."""
        super().handle(event, context)
        return self.__entities
