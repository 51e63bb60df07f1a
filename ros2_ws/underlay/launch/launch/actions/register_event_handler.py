"""Action: register an event handler."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..event_handler import BaseEventHandler
from ..launch_description_entity import LaunchDescriptionEntity
from ..utilities import normalize_to_list_of_entities

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class RegisterEventHandler(Action):
    """Register an event handler."""

    def __init__(self, event_handler: BaseEventHandler, **kwargs: Any) -> None:
        """Create the action for ``event_handler``; ``kwargs`` are those of Action."""
        super().__init__(**kwargs)
        self.__event_handler = event_handler

    @property
    def event_handler(self) -> BaseEventHandler:
        """The event handler."""
        return self.__event_handler

    def describe_conditional_sub_entities(
        self,
    ) -> list[tuple[str, Iterable[LaunchDescriptionEntity]]]:
        """Return what the handler may return."""
        text, entities = self.__event_handler.describe()
        described = [item for some in entities for item in normalize_to_list_of_entities(some)]
        return [(text, described)] if described else []

    def execute(self, context: "LaunchContext") -> None:
        """Register the handler."""
        context.register_event_handler(self.__event_handler)
