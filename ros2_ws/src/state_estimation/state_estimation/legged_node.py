"""State estimation of a legged robot: its joints as they are measured, and how its trunk moves."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np
from ament_index_python.packages import get_package_share_directory
from planner_core.bundle import load_bundle
from planner_core.clock import nanoseconds as to_nanoseconds
from planner_core.errors import InvalidMeasurementError
from planner_core.plan import Array
from planner_core.robots import load_robot
from planner_core.trunk_velocity import TrunkVelocity, gravity_direction, heading
from planner_core.walking_task import BODY, HEADING, MEASURED
from planner_interfaces.msg import Quantities, RobotState
from planner_ros.clock import nanoseconds
from planner_ros.conversions import quantities_msg, state_msg
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATEST
from rclpy.node import Node
from sensor_msgs.msg import Imu, JointState

from state_estimation.legged_parameters import LeggedEstimationParameters

BASE_FRAME = "base_link"
AXES = ("x", "y", "z")


class LeggedEstimation(Node):
    """Publishes a state and the trunk's motion with every sample of the joints."""

    def __init__(self) -> None:
        super().__init__("legged_estimation", automatically_declare_parameters_from_overrides=True)
        self._settings = NodeParameters(self, LeggedEstimationParameters)
        values = self._settings.values
        self._robot = load_robot(values.robot)
        bundle = load_bundle(_model_folder(values.model))
        bundle.require_robot(self._robot)
        self._velocity = TrunkVelocity(bundle)
        self._joints: tuple[int, Array, Array] | None = None
        self._stride: deque[tuple[int, Array]] = deque()
        self._state = self.create_publisher(RobotState, "state", LATEST)
        self._body = self.create_publisher(Quantities, f"sensor/{BODY}", LATEST)
        self.create_subscription(JointState, "joint_states", self._on_joints, LATEST)
        self.create_subscription(Imu, "imu", self._on_imu, LATEST)

    def _on_joints(self, msg: JointState) -> None:
        try:
            order = [msg.name.index(name) for name in self._robot.names]
            position = np.array(msg.position)[order]
            velocity = np.array(msg.velocity)[order]
        except (ValueError, IndexError):
            self._refuse("joint_states", f"{len(msg.position)} values for {list(msg.name)}")
            return
        if not (np.isfinite(position).all() and np.isfinite(velocity).all()):
            self._refuse("joint_states", "a number that is not finite")
            return
        stamp_ns = nanoseconds(msg.header.stamp)
        self._joints = stamp_ns, position, velocity
        self._state.publish(
            state_msg(
                self._robot, stamp_ns, position, velocity, status=RobotState.VALID,
                measured_ns=stamp_ns,
            )
        )  # fmt: skip

    def _on_imu(self, msg: Imu) -> None:
        # The bridge sends both parts of a sample, the joints first.
        stamp_ns = nanoseconds(msg.header.stamp)
        limit_ns = to_nanoseconds(self._settings.values.source_timeout_s)
        if self._joints is None or abs(stamp_ns - self._joints[0]) > limit_ns:
            return
        q, w = msg.orientation, msg.angular_velocity
        quaternion, rates = np.array([q.w, q.x, q.y, q.z]), np.array([w.x, w.y, w.z])
        whole = np.isfinite(quaternion).all() and np.isfinite(rates).all()
        if not whole or np.linalg.norm(quaternion) < 0.5:
            self._refuse("imu", "no orientation, or a number that is not finite")
            return
        gravity = gravity_direction(quaternion)
        _, position, velocity = self._joints
        self._velocity.take(stamp_ns, rates, gravity, position, velocity)
        moved = self._velocity.estimate()
        assert moved is not None
        mean = self._over_a_stride(stamp_ns, np.array([moved[0], moved[1], rates[2]]))
        values = {
            **_named("rate", rates), **_named("gravity", gravity), **_named("velocity", moved),
            **dict(zip(MEASURED.values(), mean.tolist(), strict=True)),
            HEADING: heading(quaternion),
        }  # fmt: skip
        self._body.publish(quantities_msg(BASE_FRAME, stamp_ns, values))

    def _over_a_stride(self, stamp_ns: int, motion: Array) -> Array:
        if self._stride and stamp_ns < self._stride[-1][0]:
            self._stride.clear()
        elif self._stride and stamp_ns == self._stride[-1][0]:
            self._stride.pop()  # a clock that stands still must not fill the memory
        self._stride.append((stamp_ns, motion))
        since_ns = stamp_ns - to_nanoseconds(self._settings.values.stride_s)
        while self._stride[0][0] < since_ns:
            self._stride.popleft()
        return np.asarray(np.mean([motion for _, motion in self._stride], axis=0))

    def _refuse(self, source: str, got: str) -> None:
        error = InvalidMeasurementError(source, got=got)
        self.get_logger().warning(str(error), throttle_duration_sec=1.0)


def _named(quantity: str, values: Array) -> dict[str, float]:
    return {f"{quantity}_{axis}": float(v) for axis, v in zip(AXES, values, strict=True)}


def _model_folder(model: str) -> Path:
    """The folder of a model: a path as it is, a name in the share folder of the planner."""
    path = Path(model)
    if path.is_dir() or "/" in model:
        return path
    return Path(get_package_share_directory("planner")) / "models" / model


def main() -> int:
    """Entry of the process."""
    return run(LeggedEstimation)
