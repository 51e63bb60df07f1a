"""Event: nodes are to change their state."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from launch import Event
from lifecycle_msgs.msg import Transition

if TYPE_CHECKING:
    from ...actions import LifecycleNode


class ChangeState(Event):
    """Ask nodes with a lifecycle for a transition."""

    name = "launch_ros.events.lifecycle.ChangeState"

    valid_transitions: ClassVar[Mapping[int, str]] = {
        getattr(Transition, name): name
        for name in (
            "TRANSITION_CONFIGURE",
            "TRANSITION_CLEANUP",
            "TRANSITION_ACTIVATE",
            "TRANSITION_DEACTIVATE",
            "TRANSITION_UNCONFIGURED_SHUTDOWN",
            "TRANSITION_INACTIVE_SHUTDOWN",
            "TRANSITION_ACTIVE_SHUTDOWN",
        )
    }

    def __init__(
        self,
        *,
        lifecycle_node_matcher: Callable[["LifecycleNode"], bool],
        transition_id: int,
    ) -> None:
        """Create the event.

        Args:
            lifecycle_node_matcher: Says which nodes are meant.
            transition_id: A constant of lifecycle_msgs/msg/Transition.

        Raises:
            ValueError: A user cannot ask for this transition.
        """
        if transition_id not in self.valid_transitions:
            names = ", ".join(self.valid_transitions.values())
            raise ValueError(f"transition {transition_id!r} is none of {names}")
        self.__lifecycle_node_matcher = lifecycle_node_matcher
        self.__transition_id = transition_id

    @property
    def lifecycle_node_matcher(self) -> Callable[["LifecycleNode"], bool]:
        """Says which nodes are meant."""
        return self.__lifecycle_node_matcher

    @property
    def transition_id(self) -> int:
        """The transition."""
        return self.__transition_id
