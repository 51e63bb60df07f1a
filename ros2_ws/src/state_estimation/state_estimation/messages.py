"""Between messages and the types of planner_core.estimation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import Point, PoseStamped, Quaternion, TransformStamped, Vector3
from nav_msgs.msg import Odometry
from planner_core.errors import InvalidMeasurementError, MeasurementFrameError
from planner_core.estimation import EstimatorStatus, ImuSample, Measurement, StateEstimate
from planner_core.estimation_rotations import matrix, nearest_turn, to_euler, yaw_row
from planner_core.plan import Array
from planner_core.robot import Robot
from planner_interfaces.msg import RobotState
from planner_ros.clock import nanoseconds, time_msg
from planner_ros.conversions import state_msg
from sensor_msgs.msg import Imu

from state_estimation.parameters import StateEstimationParameters

DEGREES_OF_FREEDOM = ("x", "y", "z", "yaw")
"""Those of the robots that this package estimates."""


def imu_sample(msg: Imu) -> ImuSample:
    """A reading from its message.

    Raises:
        InvalidMeasurementError: It lacks a part, or a number is not finite or absurd.
    """
    # A message says so of a part that it does not carry (sensor_msgs/Imu).
    if msg.linear_acceleration_covariance[0] == -1 or msg.angular_velocity_covariance[0] == -1:
        raise InvalidMeasurementError("IMU reading without acceleration or turn rate")
    return ImuSample(
        nanoseconds(msg.header.stamp),
        _vector(msg.linear_acceleration),
        _vector(msg.angular_velocity),
    )


def pose_measurement(
    msg: PoseStamped, robot: Robot, values: StateEstimationParameters
) -> Measurement:
    """An external pose from its message.

    Raises:
        EstimationError: Another frame, or numbers that cannot be a pose.
    """
    _require_frame("mocap/pose", msg.header.frame_id, robot.frame_id)
    return Measurement(
        nanoseconds(msg.header.stamp),
        "mocap/pose",
        position=_vector(msg.pose.position),
        orientation=_quaternion(msg.pose.orientation) if values.pose_has_orientation else None,
        position_deviation=values.pose_position_deviation_m,
        orientation_deviation=values.pose_orientation_deviation_rad,
    )


def odometry_measurement(
    msg: Odometry, robot: Robot, values: StateEstimationParameters
) -> Measurement:
    """The robot's own estimate from its message, whose twist is in body axes (nav_msgs/Odometry).

    Raises:
        EstimationError: Another frame, or numbers that cannot be a state.
    """
    source = "robot/odometry"
    _require_frame(source, msg.header.frame_id, robot.frame_id)
    _require_frame(f"{source} twist", msg.child_frame_id, values.base_frame)
    pose = Measurement(
        nanoseconds(msg.header.stamp),
        source,
        position=_vector(msg.pose.pose.position),
        orientation=_quaternion(msg.pose.pose.orientation),
    )
    assert pose.orientation is not None
    return Measurement(
        pose.stamp_ns,
        source,
        position=pose.position,
        orientation=pose.orientation,
        velocity=matrix(pose.orientation) @ _vector(msg.twist.twist.linear),
        position_deviation=values.odometry_position_deviation_m,
        orientation_deviation=values.odometry_orientation_deviation_rad,
        velocity_deviation=values.odometry_velocity_deviation_m_s,
    )


def robot_state(estimate: StateEstimate, robot: Robot, last_yaw: float) -> RobotState:
    """An estimate as the robot's state.

    Args:
        estimate: Of position and attitude.
        robot: Its degrees of freedom are x, y, z and yaw.
        last_yaw: The yaw continues from here without a jump at half a turn [rad].
    """
    row = yaw_row(estimate.orientation)
    yaw = nearest_turn(to_euler(estimate.orientation)[2], last_yaw)
    yaw_deviation = np.sqrt(row @ estimate.covariance[6:, 6:] @ row)
    deviation = np.sqrt(estimate.covariance.diagonal())
    return state_msg(
        robot,
        estimate.time_ns,
        np.append(estimate.position, yaw),
        np.append(estimate.velocity, row @ estimate.rate),
        status=int(estimate.status),
        measured_ns=estimate.measured_ns,
        position_deviation=np.append(deviation[:3], yaw_deviation),
        velocity_deviation=np.append(deviation[3:6], np.linalg.norm(row * estimate.rate_deviation)),
    )


def odometry_msg(estimate: StateEstimate, frame_id: str, base_frame: str) -> Odometry:
    """An estimate as odometry: the twist and its covariance in body axes."""
    msg = Odometry()
    msg.header.stamp, msg.header.frame_id = time_msg(estimate.time_ns), frame_id
    msg.child_frame_id = base_frame
    rotation, covariance = matrix(estimate.orientation), estimate.covariance
    x, y, z = estimate.position.tolist()
    msg.pose.pose.position = Point(x=x, y=y, z=z)
    msg.pose.pose.orientation = _quaternion_msg(estimate.orientation)
    vx, vy, vz = (rotation.T @ estimate.velocity).tolist()
    p, q, r = estimate.rate.tolist()
    msg.twist.twist.linear = Vector3(x=vx, y=vy, z=vz)
    msg.twist.twist.angular = Vector3(x=p, y=q, z=r)
    # Rotation errors about the axes of the world, as geometry_msgs/PoseWithCovariance has them.
    to_world = np.eye(6)
    to_world[3:, 3:] = rotation
    pose_errors = [0, 1, 2, 6, 7, 8]
    pose = to_world @ covariance[np.ix_(pose_errors, pose_errors)] @ to_world.T
    twist = np.zeros((6, 6))
    twist[:3, :3] = rotation.T @ covariance[3:6, 3:6] @ rotation
    twist[3:, 3:] = np.diag(estimate.rate_deviation**2)
    msg.pose.covariance, msg.twist.covariance = pose.ravel(), twist.ravel()
    return msg


def transform_msg(odometry: Odometry) -> TransformStamped:
    """The same pose as a transform."""
    msg = TransformStamped(header=odometry.header, child_frame_id=odometry.child_frame_id)
    position = odometry.pose.pose.position
    msg.transform.translation = Vector3(x=position.x, y=position.y, z=position.z)
    msg.transform.rotation = odometry.pose.pose.orientation
    return msg


def diagnostics_msg(
    name: str, now_ns: int, status: EstimatorStatus, values: Mapping[str, object]
) -> DiagnosticArray:
    """How the estimator does."""
    level = {
        EstimatorStatus.VALID: DiagnosticStatus.OK,
        EstimatorStatus.DIVERGED: DiagnosticStatus.ERROR,
    }.get(status, DiagnosticStatus.WARN)
    entry = DiagnosticStatus(name=name, level=level, message=status.name.lower())
    entry.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    msg = DiagnosticArray(status=[entry])
    msg.header.stamp = time_msg(now_ns)
    return msg


def _require_frame(what: str, got: str, expected: str) -> None:
    if got != expected:
        raise MeasurementFrameError(f"frame of {what}", got=repr(got), expected=repr(expected))


def _vector(msg: Point | Vector3) -> Array:
    return np.array([msg.x, msg.y, msg.z])


def _quaternion(msg: Quaternion) -> Array:
    return np.array([msg.w, msg.x, msg.y, msg.z])


def _quaternion_msg(q: Array) -> Quaternion:
    w, x, y, z = q.tolist()
    return Quaternion(w=w, x=x, y=y, z=z)
