"""Event handler: a launch description is included."""

from typing import TYPE_CHECKING, Any

from ..event_handler import BaseEventHandler
from ..events import IncludeLaunchDescription
from ..some_entities_type import SomeEntitiesType

if TYPE_CHECKING:
    from ..launch_context import LaunchContext
    from ..launch_description import LaunchDescription


class OnIncludeLaunchDescription(BaseEventHandler):
    """Visit the launch description that an event carries; the launch service registers it."""

    def __init__(self, **kwargs: Any) -> None:
        """Create a handler; ``kwargs`` are those of BaseEventHandler."""
        super().__init__(
            matcher=lambda event: isinstance(event, IncludeLaunchDescription), **kwargs
        )

    def handle(self, event: Any, context: "LaunchContext") -> SomeEntitiesType:
        """Return the launch description."""
        super().handle(event, context)
        description: LaunchDescription = event.launch_description
        return description
