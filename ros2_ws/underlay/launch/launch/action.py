"""Base class of the actions."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .condition import Condition
from .events import ExecutionComplete
from .launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class Action(LaunchDescriptionEntity):
    """An entity that does something, if its condition holds."""

    def __init__(self, *, condition: Condition | None = None) -> None:
        """Create the action.

        Args:
            condition: Evaluated at each visit; without one the action always executes.

        Raises:
            TypeError: ``condition`` is not a Condition.
        """
        if condition is not None and not isinstance(condition, Condition):
            raise TypeError(
                f"{type(self).__name__}: condition must be a launch.Condition, "
                f"got {type(condition).__name__}"
            )
        self.__condition = condition

    @property
    def condition(self) -> Condition | None:
        """The condition under which the action executes."""
        return self.__condition

    def describe(self) -> str:
        """Describe the action by its class."""
        return f"{type(self).__name__}({hex(id(self))})"

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the entities that the action may return when it executes."""
        return []

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the sub-entities of an unconditional action."""
        return self.get_sub_entities() if self.condition is None else []

    def describe_conditional_sub_entities(
        self,
    ) -> list[tuple[str, Iterable[LaunchDescriptionEntity]]]:
        """Return the sub-entities of a conditional action."""
        if self.condition is None:
            return []
        return [(f"Conditionally included by {self.describe()}", self.get_sub_entities())]

    def visit(self, context: "LaunchContext") -> list[LaunchDescriptionEntity] | None:
        """Execute if the condition holds, and announce completion to whoever listens."""
        if self.condition is not None and not self.condition.evaluate(context):
            return None
        try:
            return self.execute(context)
        finally:
            event = ExecutionComplete(action=self)
            if context.would_handle_event(event):
                future = self.get_asyncio_future()
                if future is None:
                    context.emit_event_sync(event)
                else:
                    future.add_done_callback(lambda _: context.emit_event_sync(event))

    def execute(self, context: "LaunchContext") -> list[LaunchDescriptionEntity] | None:
        """Do the work; return entities to visit next, or None."""
        raise NotImplementedError(f"{type(self).__name__}.execute()")
