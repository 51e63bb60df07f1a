"""Event: a node has changed its state."""

from typing import TYPE_CHECKING

from launch import Event
from lifecycle_msgs.msg import TransitionEvent

if TYPE_CHECKING:
    from ...actions import LifecycleNode


class StateTransition(Event):
    """A node with a lifecycle has changed its state."""

    name = "launch_ros.events.lifecycle.StateTransition"

    def __init__(self, *, action: "LifecycleNode", msg: TransitionEvent) -> None:
        """Create the event from the node's action and its message."""
        self.__action = action
        self.__msg = msg

    @property
    def action(self) -> "LifecycleNode":
        """The action that runs the node."""
        return self.__action

    @property
    def msg(self) -> TransitionEvent:
        """The message."""
        return self.__msg

    @property
    def timestamp(self) -> int:
        """Time of the transition [ns]."""
        return int(self.__msg.timestamp)

    @property
    def transition(self) -> str:
        """Label of the transition."""
        return str(self.__msg.transition.label)

    @property
    def start_state(self) -> str:
        """Label of the state before."""
        return str(self.__msg.start_state.label)

    @property
    def goal_state(self) -> str:
        """Label of the state after."""
        return str(self.__msg.goal_state.label)
