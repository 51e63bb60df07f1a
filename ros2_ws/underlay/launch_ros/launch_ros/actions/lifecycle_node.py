"""Action: run a ROS node that has a lifecycle."""

from typing import Any

from launch import LaunchContext, LaunchDescriptionEntity, SomeSubstitutionsType
from launch.actions import EmitEvent
from launch.event_handler import EventHandler
from launch.events import matches_action
from lifecycle_msgs.msg import Transition

from ..events.lifecycle import ChangeState, StateTransition
from ..utilities.lifecycle_event_manager import LifecycleEventManager
from .node import Node


class LifecycleNode(Node):
    """Run a node with a lifecycle.

    Emits StateTransition when the node changes its state, and handles ChangeState.
    """

    def __init__(
        self,
        *,
        name: SomeSubstitutionsType,
        namespace: SomeSubstitutionsType,
        autostart: bool = False,
        **kwargs: Any,
    ) -> None:
        """Create the action.

        Args:
            name: Name of the node.
            namespace: Namespace of the node.
            autostart: Configure the node when it has started, then activate it.
            kwargs: Those of Node.
        """
        super().__init__(name=name, namespace=namespace, **kwargs)
        self.__autostart = autostart

    @property
    def node_autostart(self) -> bool:
        """Whether the node is configured and activated by itself."""
        return self.__autostart

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity] | None:
        """Start the node, and listen to its transitions before it makes any."""
        entities = super().execute(context)
        if self.get_asyncio_future() is None:
            return entities  # the launch shuts down, nothing was started
        LifecycleEventManager(self).setup_lifecycle_manager(context)
        if self.__autostart:
            self.__start(context)
        return entities

    def __start(self, context: LaunchContext) -> None:
        def request(transition_id: int) -> ChangeState:
            return ChangeState(
                lifecycle_node_matcher=matches_action(self), transition_id=transition_id
            )

        context.register_event_handler(
            EventHandler(
                matcher=lambda event: (
                    isinstance(event, StateTransition)
                    and event.action is self
                    and event.start_state == "configuring"
                    and event.goal_state == "inactive"
                ),
                entities=[EmitEvent(event=request(Transition.TRANSITION_ACTIVATE))],
                handle_once=True,
            )
        )
        context.emit_event_sync(request(Transition.TRANSITION_CONFIGURE))
