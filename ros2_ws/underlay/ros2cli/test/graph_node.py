"""The graph that the tests look at: one process with a plain node and a lifecycle node."""

import sys

import rclpy
from geometry_msgs.msg import PointStamped
from rcl_interfaces.msg import (
    FloatingPointRange,
    ParameterDescriptor,
    ParameterType,
    SetParametersResult,
)
from rclpy.action import ActionServer, CancelResponse
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool
from tf2_msgs.action import LookupTransform

RATE_HZ = 20.0


class GraphNode(Node):
    """Offers one of everything."""

    def __init__(self) -> None:
        super().__init__("fixture", namespace="/arm")
        self._chatter = self.create_publisher(String, "/chatter", 10)
        self._hidden = self.create_publisher(String, "/_secret", 10)
        self._stamped = self.create_publisher(PointStamped, "/stamped", 10)
        self._joints = self.create_publisher(JointState, "/joints", qos_profile_sensor_data)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._latched = self.create_publisher(String, "/latched", latched)
        self._latched.publish(String(data="kept"))
        self.create_subscription(String, "/heard", self._repeat, 10)
        self._repeated = self.create_publisher(String, "/repeated", 10)
        self.create_service(SetBool, "/set_flag", self._set_flag)
        self._declare_parameters()
        self.add_on_set_parameters_callback(self._check_parameters)
        self._action = ActionServer(
            self,
            LookupTransform,
            "/look_up",
            self._look_up,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )
        self.create_timer(1.0 / RATE_HZ, self._publish)

    def _declare_parameters(self) -> None:
        bounds = FloatingPointRange(from_value=1.0, to_value=100.0)
        self.declare_parameter(
            "rate_hz",
            50.0,
            ParameterDescriptor(description="Control rate", floating_point_range=[bounds]),
        )
        self.declare_parameter("frame", "base", ParameterDescriptor(read_only=True))
        self.declare_parameter("limits.velocity", [0.5, 1.5])
        self.declare_parameter("limits.count", 3)
        self.declare_parameter("enabled", True)
        self.declare_parameter(
            "spare",
            1,
            ParameterDescriptor(type=ParameterType.PARAMETER_INTEGER, dynamic_typing=True),
        )

    def _check_parameters(self, parameters: list) -> SetParametersResult:
        for parameter in parameters:
            if parameter.name == "limits.count" and parameter.value == 13:
                return SetParametersResult(successful=False, reason="13 is unlucky")
        return SetParametersResult(successful=True)

    def _publish(self) -> None:
        self._chatter.publish(String(data="hello"))
        self._hidden.publish(String(data="hidden"))
        point = PointStamped()
        point.header.stamp = self.get_clock().now().to_msg()
        point.header.frame_id = "map"
        point.point.x = 1.5
        self._stamped.publish(point)
        self._joints.publish(JointState(name=["a", "b"], position=[0.25, -0.5]))

    def _repeat(self, message: String) -> None:
        self._repeated.publish(message)

    def _set_flag(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success = request.data
        response.message = "on" if request.data else "off"
        return response

    async def _look_up(self, handle):
        if handle.request.target_frame == "forever":
            # Polled on the executor: a blocking wait would stop the cancel request from coming.
            while not handle.is_cancel_requested:
                await self._next_turn()
            handle.canceled()
        else:
            handle.publish_feedback(LookupTransform.Feedback())
            handle.succeed()
        result = LookupTransform.Result()
        result.transform.child_frame_id = handle.request.target_frame
        return result

    async def _next_turn(self) -> None:
        future = rclpy.task.Future()
        timer = self.create_timer(0.02, lambda: future.set_result(None))
        await future
        self.destroy_timer(timer)


def main() -> None:
    """Serve until SIGTERM."""
    rclpy.init()
    node, managed = GraphNode(), LifecycleNode("managed")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    executor.add_node(managed)
    print("ready", flush=True)
    try:
        executor.spin()
    except (ExternalShutdownException, KeyboardInterrupt):
        pass
    finally:
        executor.shutdown()
        node.destroy_node()
        managed.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    sys.exit(main())
