"""Lifecycle services and topics of a node, as events of the launch."""

import asyncio
import functools
from typing import TYPE_CHECKING

from launch import LaunchContext
from launch.actions import OpaqueFunction
from launch.event_handler import EventHandler
from launch.logging import get_logger

from ..events.lifecycle import ChangeState, StateTransition
from .ros_thread import RosThread, get_ros_thread

if TYPE_CHECKING:
    from lifecycle_msgs.msg import TransitionEvent
    from lifecycle_msgs.srv import ChangeState as ChangeStateService
    from rclpy.task import Future

    from ..actions import LifecycleNode


class LifecycleEventManager:
    """Turns ChangeState events into service calls, and transitions into StateTransition events."""

    def __init__(self, lifecycle_node: "LifecycleNode") -> None:
        """Create a manager for the node that an action runs."""
        self._action = lifecycle_node
        self._name = lifecycle_node.node_name
        self._heard = False

    def setup_lifecycle_manager(self, context: LaunchContext) -> None:
        """Listen to the node, and to the events that concern it."""
        self._ros = get_ros_thread(context)
        loop = asyncio.get_running_loop()
        self._ros.call(functools.partial(self._create_entities, context, loop))

        context.register_event_handler(
            EventHandler(
                matcher=lambda event: isinstance(event, ChangeState),
                entities=[OpaqueFunction(function=self._request_if_meant)],
            )
        )

    def _request_if_meant(self, context: LaunchContext) -> None:
        event = context.locals.event
        if event.lifecycle_node_matcher(self._action):
            self._ros.call(functools.partial(self._call_service, event.transition_id))

    # -- in the ROS thread -------------------------------------------------------------------

    def _create_entities(
        self, context: LaunchContext, loop: asyncio.AbstractEventLoop, ros: RosThread
    ) -> None:
        from lifecycle_msgs.msg import TransitionEvent
        from lifecycle_msgs.srv import ChangeState as ChangeStateService

        def on_transition(message: "TransitionEvent") -> None:
            event = StateTransition(action=self._action, msg=message)
            loop.call_soon_threadsafe(context.emit_event_sync, event)

        self._topic = f"{self._name}/transition_event"
        ros.node.create_subscription(TransitionEvent, self._topic, on_transition, 10)
        self._client = ros.node.create_client(ChangeStateService, f"{self._name}/change_state")

    def _call_service(self, transition_id: int, ros: RosThread) -> None:
        from lifecycle_msgs.srv import ChangeState as ChangeStateService

        if not (self._client.service_is_ready() and ros.node.count_publishers(self._topic)):
            # The node may still be starting.
            ros.call_later(functools.partial(self._call_service, transition_id))
            return
        if not self._heard:
            # The node's side of the topic is matched a little later than ours, and an event that
            # nobody hears is lost: what waits for the transition would wait for ever.
            self._heard = True
            ros.call_later(functools.partial(self._call_service, transition_id))
            return
        request = ChangeStateService.Request()
        request.transition.id = transition_id
        response = self._client.call_async(request)
        response.add_done_callback(functools.partial(self._on_response, transition_id))

    def _on_response(self, transition_id: int, response: "Future") -> None:
        result: ChangeStateService.Response = response.result()  # type: ignore[no-untyped-call]
        if not result.success:
            get_logger("launch_ros").error(
                f"Failed to make transition '{ChangeState.valid_transitions[transition_id]}' for "
                f"LifecycleNode '{self._name}'"
            )
