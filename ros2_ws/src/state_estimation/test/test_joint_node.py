"""The node for joints and objects in process: what it hears, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import rclpy
from geometry_msgs.msg import PoseStamped
from planner_core.robots import so100
from planner_interfaces.msg import Quantities, RobotState
from planner_ros.qos import LATEST
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState
from state_estimation.joint_node import JointStateEstimation

ROBOT = so100()
Wait = Callable[..., None]


class Arm(Node):
    """Stands, and says its joints in an order of its own; sees a cube."""

    def __init__(self) -> None:
        super().__init__("arm")
        self.states: list[RobotState] = []
        self.places: list[Quantities] = []
        self.names = list(reversed(ROBOT.names))
        self.frame = ROBOT.frame_id
        self.sees = True
        self.camera_ahead_s = 0.0
        self._joints = self.create_publisher(JointState, "joint_states", LATEST)
        self._cube = self.create_publisher(PoseStamped, "camera/cube_0/pose", LATEST)
        self.create_subscription(RobotState, "state", self.states.append, LATEST)
        self.create_subscription(Quantities, "sensor/objects", self.places.append, LATEST)
        self.create_timer(0.01, self._say)

    def _say(self) -> None:
        stamp = self.get_clock().now().to_msg()
        joints = JointState(name=self.names, position=[0.1 * i for i in range(len(self.names))])
        joints.header.stamp = stamp
        self._joints.publish(joints)
        if self.sees:
            cube = PoseStamped()
            ahead = Duration(seconds=self.camera_ahead_s)
            cube.header.stamp = (self.get_clock().now() + ahead).to_msg()
            cube.header.frame_id = self.frame
            cube.pose.position.x, cube.pose.position.z = 0.2, 0.0125
            cube.pose.orientation.w = 1.0
            self._cube.publish(cube)


@pytest.fixture
def arm(ros_domain: int, wait_until: Wait) -> Iterator[Arm]:
    arguments = ["--ros-args", "-p", "objects:=[cube_0]", "-p", "object_timeout_s:=0.5"]
    rclpy.init(domain_id=ros_domain, args=arguments)
    executor = SingleThreadedExecutor()
    arm, node = Arm(), JointStateEstimation()
    for each in (arm, node):
        executor.add_node(each)

    def until(condition: Callable[[], object], what: str) -> None:
        wait_until(condition, what, 20.0, lambda: executor.spin_once(timeout_sec=0.02))

    arm.until = until  # type: ignore[attr-defined]
    yield arm
    executor.shutdown()
    node.shut_down()
    for each in (arm, node):
        each.destroy_node()
    rclpy.shutdown()


def test_joints_come_in_the_order_of_the_robot(arm: Arm) -> None:
    arm.until(lambda: len(arm.states) > 5, "states")  # type: ignore[attr-defined]
    state = arm.states[-1]
    assert tuple(state.names) == ROBOT.names
    assert list(state.position) == pytest.approx([0.5, 0.4, 0.3, 0.2, 0.1, 0.0], abs=1e-3)
    assert list(state.velocity) == pytest.approx([0.0] * 6, abs=0.05)
    assert state.status == RobotState.VALID


def test_a_reading_without_a_joint_is_not_used(arm: Arm) -> None:
    arm.until(lambda: arm.states, "states")  # type: ignore[attr-defined]
    arm.names[0] = "tail"
    arm.states.clear()
    arm.places.clear()
    arm.until(lambda: len(arm.places) > 20, "places")  # type: ignore[attr-defined]
    assert len(arm.states) < 10, "readings that were under way, and no others"


def test_an_object_is_told_of_while_it_is_seen(arm: Arm) -> None:
    arm.until(lambda: arm.places, "places")  # type: ignore[attr-defined]
    values = dict(zip(arm.places[-1].names, arm.places[-1].values, strict=True))
    assert values["cube_0_x"] == pytest.approx(0.2, abs=1e-6)
    arm.sees = False
    count = [len(arm.states)]

    def silent() -> bool:
        if arm.places:
            arm.places.clear()
            count[0] = len(arm.states)
        return len(arm.states) - count[0] > 50  # half a second without a word

    arm.until(silent, "silence")  # type: ignore[attr-defined]


def test_pictures_from_the_future_are_not_used(arm: Arm) -> None:
    """A camera whose clock runs ahead would be believed long after it has gone blind."""
    arm.camera_ahead_s = 5.0
    arm.until(lambda: len(arm.states) > 50, "states")  # type: ignore[attr-defined]
    assert not arm.places
    arm.camera_ahead_s = 0.0
    arm.until(lambda: arm.places, "places")  # type: ignore[attr-defined]
