"""Base class of handlers for events of one action, some actions or any action."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..event import Event
from ..event_handler import BaseEventHandler
from ..launch_description_entity import LaunchDescriptionEntity
from ..some_entities_type import SomeEntitiesType

if TYPE_CHECKING:
    from ..action import Action
    from ..launch_context import LaunchContext

Reaction = SomeEntitiesType | Callable[[Any, "LaunchContext"], SomeEntitiesType | None]


def checked_reaction(reaction: Reaction, keyword: str) -> Reaction:
    """Return ``reaction``: a callable, an entity, or a list of entities.

    Raises:
        TypeError: It is something else; ``keyword`` is named.
    """
    if callable(reaction) or isinstance(reaction, LaunchDescriptionEntity):
        return reaction
    entities = list(reaction) if isinstance(reaction, Iterable) else [reaction]
    for entity in entities:
        if not isinstance(entity, LaunchDescriptionEntity):
            raise TypeError(
                f"{keyword} must be a callable, an entity or a list of entities, "
                f"got {type(entity).__name__}"
            )
    return entities


def react(reaction: Reaction, event: Event, context: "LaunchContext") -> SomeEntitiesType | None:
    """Return what ``reaction`` says is to be visited."""
    return reaction(event, context) if callable(reaction) else reaction


class OnActionEventBase(BaseEventHandler):
    """React to events whose ``action`` is the target."""

    def __init__(
        self,
        *,
        action_matcher: Any,
        on_event: Reaction,
        target_event_cls: type[Event],
        target_action_cls: type["Action"],
        **kwargs: Any,
    ) -> None:
        """Create a handler.

        Args:
            action_matcher: The action, a predicate over actions, or None for any.
            on_event: Entities, or a callable (event, context) that may return some.
            target_event_cls: Class of the events.
            target_action_cls: Class that a target must have.
            kwargs: Those of BaseEventHandler.

        Raises:
            TypeError: The target or the reaction has the wrong type.
        """
        if not (
            action_matcher is None
            or callable(action_matcher)
            or isinstance(action_matcher, target_action_cls)
        ):
            raise TypeError(
                f"{type(self).__name__}: the target must be a {target_action_cls.__name__}, a "
                f"predicate over actions or None, got {type(action_matcher).__name__}"
            )
        self.__reaction = checked_reaction(on_event, type(self).__name__)

        def matches(event: Event) -> bool:
            if not isinstance(event, target_event_cls):
                return False
            if action_matcher is None:
                return True
            action = event.action  # type: ignore[attr-defined]  # every such class has one
            if callable(action_matcher):
                return bool(action_matcher(action))
            return action is action_matcher

        super().__init__(matcher=matches, **kwargs)

    def describe(self) -> tuple[str, list[SomeEntitiesType]]:
        """Return the handler in words, and its entities if they are fixed."""
        text, _ = super().describe()
        return text, [] if callable(self.__reaction) else [self.__reaction]

    def handle(self, event: Event, context: "LaunchContext") -> SomeEntitiesType | None:
        """Return the entities, or what the callable returns."""
        super().handle(event, context)
        return react(self.__reaction, event, context)
