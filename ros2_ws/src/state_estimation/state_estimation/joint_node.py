"""Estimation of a robot with joints, and of the objects around it.

Readings of the joints in, their state out, each time a reading comes; sightings of objects in,
their places out as the sensor ``objects``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import PoseStamped
from planner_core.errors import (
    EstimationError,
    InvalidMeasurementError,
    MeasurementFrameError,
)
from planner_core.joint_filter import JointFilter, JointFilterSettings
from planner_core.object_filter import ObjectFilter
from planner_core.parameters import parameter
from planner_core.plan import Array
from planner_core.robots import load_robot
from planner_core.stamps import require_timely
from planner_interfaces.msg import Quantities, RobotState
from planner_ros.clock import RosClock, nanoseconds, steady_timer
from planner_ros.conversions import quantities_msg, state_msg
from planner_ros.lifecycle import ManagedNode
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATEST
from rclpy.timer import Timer
from sensor_msgs.msg import JointState


@dataclass(frozen=True, slots=True)
class JointStateEstimationParameters(JointFilterSettings):
    """Parameters of joint_state_estimation."""

    robot: str = parameter("so100", "Which robot is estimated.", read_only=True)
    objects: tuple[str, ...] = parameter(
        (), "Objects that a camera sees, on camera/<object>/pose.", read_only=True
    )
    objects_rate_hz: float = parameter(
        60.0, "How often the objects' places are published.", minimum=1.0, maximum=500.0,
        read_only=True,
    )  # fmt: skip
    object_deviation_m: float = parameter(
        0.001, "Noise of a sighting: larger follows objects more slowly, and smoother.",
        minimum=1e-5, maximum=1.0, read_only=True,
    )  # fmt: skip
    object_timeout_s: float = parameter(
        1.0, "Without a sighting of every object for so long, nothing is said of them.",
        minimum=0.05, maximum=60.0, read_only=True,
    )  # fmt: skip
    autostart: bool = parameter(
        True, "Configure and activate at start; false leaves it to a lifecycle manager.",
        read_only=True,
    )  # fmt: skip


class JointStateEstimation(ManagedNode):
    """Filters joints and objects."""

    def __init__(self) -> None:
        super().__init__("joint_state_estimation")
        self._time = RosClock(self)
        self._settings = NodeParameters(self, JointStateEstimationParameters)
        values = self._settings.values
        self._robot = load_robot(values.robot)
        self._joints = JointFilter(self._robot.n_q, values)
        self._objects = ObjectFilter(values.object_deviation_m)
        self._runs = False
        self._period: Timer | None = None
        self._state = self.create_publisher(RobotState, "state", LATEST)
        self._places = self.create_publisher(Quantities, "sensor/objects", LATEST)
        self.create_subscription(JointState, "joint_states", self._on_joints, LATEST)
        for name in values.objects:
            self.create_subscription(
                PoseStamped, f"camera/{name}/pose",
                lambda msg, name=name: self._on_sighting(name, msg), LATEST,
            )  # fmt: skip
        if values.autostart:
            self.bring_up()

    # Lifecycle.

    def set_up(self) -> None:
        """Nothing to load."""

    def start(self) -> None:
        # What was measured before a pause says nothing about now.
        self._joints.reset()
        self._objects.reset()
        self._runs = True
        if self._settings.values.objects:
            rate_hz = self._settings.values.objects_rate_hz
            self._period = steady_timer(self, 1.0 / rate_hz, self._publish_objects)

    def halt(self) -> None:
        self._runs = False
        if self._period is not None:
            self.destroy_timer(self._period)
            self._period = None

    def take_down(self) -> None:
        """Nothing to release."""

    # Readings.

    def _on_joints(self, msg: JointState) -> None:
        if not self._runs:
            return
        try:
            position, velocity = self._in_order(msg)
            stamp_ns = nanoseconds(msg.header.stamp)
            self._joints.take(stamp_ns, position, velocity)
            if self._settings.values.objects:
                self._objects.take_joints(stamp_ns, position)
        except EstimationError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=1.0)
            return
        now_ns = self._time.now_ns()
        estimate = self._joints.estimate(now_ns)
        assert estimate is not None
        self._state.publish(
            state_msg(
                self._robot, now_ns, estimate.position, estimate.velocity,
                status=RobotState.VALID, measured_ns=estimate.measured_ns,
                position_deviation=estimate.position_deviation,
                velocity_deviation=estimate.velocity_deviation,
            )
        )  # fmt: skip

    def _in_order(self, msg: JointState) -> tuple[Array, Array | None]:
        """Position and velocity in the robot's order; other joints do not matter.

        Raises:
            InvalidMeasurementError: A joint is missing, or has no position.
        """
        index = {name: i for i, name in enumerate(msg.name)}
        if not set(self._robot.names) <= set(index) or len(msg.position) != len(msg.name):
            raise InvalidMeasurementError(
                "joint reading", got=f"{list(msg.name)}, {len(msg.position)} positions",
                expected=f"a position for each of {list(self._robot.names)}",
            )  # fmt: skip
        order = [index[name] for name in self._robot.names]
        has_velocity = len(msg.velocity) == len(msg.name)
        return (
            np.array(msg.position)[order],
            np.array(msg.velocity)[order] if has_velocity else None,
        )

    def _on_sighting(self, name: str, msg: PoseStamped) -> None:
        if not self._runs:
            return
        p, q = msg.pose.position, msg.pose.orientation
        try:
            if msg.header.frame_id != self._robot.frame_id:
                raise MeasurementFrameError(
                    f"frame of {name}", got=repr(msg.header.frame_id),
                    expected=repr(self._robot.frame_id),
                )  # fmt: skip
            stamp_ns = nanoseconds(msg.header.stamp)
            # An object ahead of now would count as seen for as long after the camera's silence.
            require_timely(name, stamp_ns, self._time.now_ns(), oldest_ns=None)
            self._objects.take(
                name, stamp_ns, np.array([p.x, p.y, p.z]), np.array([q.x, q.y, q.z, q.w]),
            )  # fmt: skip
        except EstimationError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=1.0)

    def _publish_objects(self) -> None:
        now_ns, values = self._time.now_ns(), self._settings.values
        stamp_ns, places = self._objects.stamp_ns(), self._objects.values(now_ns)
        seen = all(f"{name}_x" in places for name in values.objects)
        if stamp_ns is None or not seen or now_ns - stamp_ns > values.object_timeout_s * 1e9:
            return
        self._places.publish(quantities_msg(self._robot.frame_id, now_ns, places))


def main() -> int:
    """Entry of the process."""
    return run(JointStateEstimation)
