"""Event handler: a node has changed its state."""

from collections.abc import Callable
from typing import Any

from launch import BaseEventHandler, Event, LaunchContext, SomeEntitiesType
from launch.event_handlers.on_action_event_base import checked_reaction

from ..actions import LifecycleNode
from ..events.lifecycle import StateTransition


class OnStateTransition(BaseEventHandler):
    """React when a node with a lifecycle has changed its state."""

    def __init__(
        self,
        *,
        entities: SomeEntitiesType,
        target_lifecycle_node: LifecycleNode | None = None,
        transition: str | None = None,
        start_state: str | None = None,
        goal_state: str | None = None,
        matcher: Callable[[Event], bool] | None = None,
        **kwargs: Any,
    ) -> None:
        """Create a handler; None accepts any.

        Args:
            entities: What is visited.
            target_lifecycle_node: The node.
            transition: Label of the transition.
            start_state: Label of the state before.
            goal_state: Label of the state after.
            matcher: A predicate over events, instead of all the others.
            kwargs: Those of BaseEventHandler.

        Raises:
            TypeError: ``target_lifecycle_node`` is no LifecycleNode.
            ValueError: ``matcher`` is combined with another condition.
        """
        conditions = {
            "action": target_lifecycle_node,
            "transition": transition,
            "start_state": start_state,
            "goal_state": goal_state,
        }
        wanted = {name: value for name, value in conditions.items() if value is not None}
        if target_lifecycle_node is not None and not isinstance(
            target_lifecycle_node, LifecycleNode
        ):
            raise TypeError(
                "target_lifecycle_node must be a LifecycleNode, "
                f"got {type(target_lifecycle_node).__name__}"
            )
        if matcher is not None and wanted:
            raise ValueError("matcher cannot be combined with other conditions")

        def matches(event: Event) -> bool:
            return isinstance(event, StateTransition) and all(
                getattr(event, name) == value for name, value in wanted.items()
            )

        super().__init__(matcher=matcher or matches, **kwargs)
        if callable(entities):
            raise TypeError("entities must be entities, not a callable")
        checked_reaction(entities, "entities")
        self.__entities = entities

    def describe(self) -> tuple[str, list[SomeEntitiesType]]:
        """Return the handler in words, and its entities."""
        text, _ = super().describe()
        return text, [self.__entities]

    def handle(self, event: Event, context: LaunchContext) -> SomeEntitiesType | None:
        """Return the entities."""
        super().handle(event, context)
        return self.__entities
