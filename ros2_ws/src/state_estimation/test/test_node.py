"""The node in process: what it hears, what it says, and when it warns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from planner_core.errors import ConfigurationError, UnknownPluginError
from planner_interfaces.msg import RobotState
from planner_ros.qos import LATEST, ORDERED
from rclpy.clock import ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Imu
from state_estimation.node import STREAM, StateEstimation
from tf2_msgs.msg import TFMessage

TURN_RATE = 2.0
"""[rad/s]: past half a turn within a test."""


class Robot(Node):
    """Hovers at (1, 2, 1), turns about z, and measures that perfectly."""

    def __init__(self) -> None:
        super().__init__("robot")
        self.frame, self.says = "map", {"imu", "pose"}
        self.states: list[RobotState] = []
        self.odometry: list[Odometry] = []
        self.transforms: list[TFMessage] = []
        self.diagnostics: list[DiagnosticArray] = []
        self._begin = self.get_clock().now()
        self._imu = self.create_publisher(Imu, "imu", STREAM)
        self._pose = self.create_publisher(PoseStamped, "mocap/pose", STREAM)
        self._own = self.create_publisher(Odometry, "robot/odometry", STREAM)
        self.create_subscription(RobotState, "state", self.states.append, LATEST)
        self.create_subscription(Odometry, "odometry", self.odometry.append, LATEST)
        self.create_subscription(TFMessage, "/tf", self.transforms.append, ORDERED)
        self.create_subscription(DiagnosticArray, "/diagnostics", self.diagnostics.append, ORDERED)
        self.create_timer(0.01, self._measure)

    @property
    def status(self) -> int | None:
        return self.states[-1].status if self.states else None

    def yaw(self, nanoseconds: int) -> float:
        return TURN_RATE * (nanoseconds - self._begin.nanoseconds) * 1e-9

    def _measure(self) -> None:
        now = self.get_clock().now()
        yaw = self.yaw(now.nanoseconds)
        if "imu" in self.says:
            imu = Imu()
            imu.header.stamp = now.to_msg()
            imu.linear_acceleration.z, imu.angular_velocity.z = 9.80665, TURN_RATE
            self._imu.publish(imu)
        pose = PoseStamped()
        pose.header.stamp, pose.header.frame_id = now.to_msg(), self.frame
        pose.pose.position.x, pose.pose.position.y, pose.pose.position.z = 1.0, 2.0, 1.0
        pose.pose.orientation.z, pose.pose.orientation.w = math.sin(yaw / 2), math.cos(yaw / 2)
        if "pose" in self.says:
            self._pose.publish(pose)
        if "odometry" in self.says:
            odometry = Odometry(header=pose.header, child_frame_id="base_link")
            odometry.pose.pose = pose.pose
            self._own.publish(odometry)


Start = Callable[..., tuple[Robot, SingleThreadedExecutor]]


@pytest.fixture
def start(ros_domain: int) -> Iterator[Start]:
    """Starts the robot and the node with some parameters."""
    nodes: list[Node] = []
    executors: list[SingleThreadedExecutor] = []

    def begin(*parameters: str) -> tuple[Robot, SingleThreadedExecutor]:
        rclpy.init(args=["--ros-args", *[word for p in parameters for word in ("-p", p)]],
                   domain_id=ros_domain)  # fmt: skip
        executor = SingleThreadedExecutor()
        executors.append(executor)
        node = StateEstimation()
        nodes.append(node)
        robot = Robot()
        nodes.append(robot)
        for each in (node, robot):
            executor.add_node(each)
        return robot, executor

    yield begin
    for node in nodes:
        if isinstance(node, StateEstimation):
            node.shut_down()
    for executor in executors:
        executor.shutdown()
    for node in nodes:
        node.destroy_node()
    rclpy.try_shutdown()


def seconds(stamp: object) -> float:
    return stamp.sec + stamp.nanosec * 1e-9  # type: ignore[attr-defined,no-any-return]


def test_imu_and_poses_become_the_state(start: Start, wait_until: Callable[..., None]) -> None:
    robot, executor = start()

    def spin() -> None:
        executor.spin_once(timeout_sec=0.05)

    wait_until(lambda: robot.status == RobotState.VALID, "a valid state", step=spin)
    # Long enough to pass half a turn, where the yaw of the state goes on.
    wait_until(lambda: robot.states[-1].position[3] > 4.0, "more than half a turn", step=spin)
    state = robot.states[-1]
    assert list(state.position[:3]) == pytest.approx([1.0, 2.0, 1.0], abs=0.01)
    stamp_ns = state.header.stamp.sec * 10**9 + state.header.stamp.nanosec
    assert state.position[3] == pytest.approx(robot.yaw(stamp_ns), abs=0.05)
    assert state.velocity[3] == pytest.approx(TURN_RATE, abs=0.1)
    assert all(0 < d < 0.05 for d in state.position_deviation)
    age_s = seconds(state.header.stamp) - seconds(state.measured)
    assert 0.0 <= age_s < 0.2

    odometry, transform = robot.odometry[-1], robot.transforms[-1].transforms[0]
    assert (odometry.header.frame_id, odometry.child_frame_id) == ("map", "base_link")
    assert (transform.header.frame_id, transform.child_frame_id) == ("map", "base_link")
    assert odometry.pose.pose.position.y == pytest.approx(2.0, abs=0.01)
    assert odometry.twist.twist.angular.z == pytest.approx(TURN_RATE, abs=0.1)

    robot.says = {"imu"}
    wait_until(lambda: robot.status == RobotState.DEGRADED, "degraded without poses", step=spin)
    wait_until(lambda: robot.status == RobotState.DIVERGED, "diverged in the end", step=spin)
    robot.says = {"imu", "pose"}
    wait_until(lambda: robot.status == RobotState.VALID, "valid again", step=spin)


def test_odometry_alone_is_enough(start: Start, wait_until: Callable[..., None]) -> None:
    robot, executor = start("use_robot_odometry:=true")
    robot.says = {"odometry"}
    wait_until(
        lambda: robot.status == RobotState.VALID and len(robot.states) > 50, "a valid state",
        step=lambda: executor.spin_once(timeout_sec=0.05),
    )  # fmt: skip
    state = robot.states[-1]
    assert list(state.position[:3]) == pytest.approx([1.0, 2.0, 1.0], abs=0.02)
    assert state.velocity[3] == pytest.approx(TURN_RATE, abs=0.5)


def test_poses_of_another_frame_are_refused_and_counted(
    start: Start, wait_until: Callable[..., None]
) -> None:
    robot, executor = start()
    robot.frame = "vicon"
    wait_until(
        lambda: robot.diagnostics and "vicon" in str(robot.diagnostics[-1]), "a diagnosis",
        step=lambda: executor.spin_once(timeout_sec=0.05),
    )  # fmt: skip
    assert not robot.states
    status = robot.diagnostics[-1].status[0]
    assert (status.level, status.message) == (status.WARN, "converging")
    values = {entry.key: entry.value for entry in status.values}
    assert int(values["refused"]) > 0
    assert "[E435]" in values["last refusal"]


def test_it_goes_on_while_ros_time_stands_still(
    start: Start, wait_until: Callable[..., None]
) -> None:
    """As after a step back of the clock, when whatever waits for ROS time waits as long."""
    robot, executor = start("state_estimation:use_sim_time:=true")
    robot.says = set()
    wait_until(
        lambda: robot.diagnostics, "a diagnosis",
        step=lambda: executor.spin_once(timeout_sec=0.05),
    )  # fmt: skip
    (node,) = (node for node in executor.get_nodes() if isinstance(node, StateEstimation))
    assert {timer.clock.clock_type for timer in node.timers} == {ClockType.STEADY_TIME}


def test_a_robot_that_does_not_fly(start: Start) -> None:
    with pytest.raises(ConfigurationError, match="flies"):
        start("robot:=so100")


def test_an_unknown_estimator(start: Start) -> None:
    with pytest.raises(UnknownPluginError, match="error_state_filter"):
        start("estimator:=oracle")


def test_a_misspelt_parameter(start: Start) -> None:
    with pytest.raises(ConfigurationError, match="sorce_timeout_s"):
        start("sorce_timeout_s:=1.0")
