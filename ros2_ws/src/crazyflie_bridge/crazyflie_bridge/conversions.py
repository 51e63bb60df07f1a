"""Samples as messages, and external poses as what the robot takes."""

from __future__ import annotations

import math

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from planner_core.errors import FrameError, NonFiniteError
from planner_core.stamps import require_timely
from planner_ros.clock import nanoseconds
from sensor_msgs.msg import BatteryState, Imu

from crazyflie_bridge.telemetry import ImuSample, Quaternion, StateSample, Vector, Vitals

BODY_FRAME = "base_link"
UNIT_TOLERANCE = 1e-2


def in_body(quaternion: Quaternion, vector: Vector) -> Vector:
    """A vector of the world frame in body axes."""
    x, y, z, w = quaternion
    vx, vy, vz = vector
    # Rotation by the conjugate: v + 2 w (v x u) + 2 u x (u x v) with u = (x, y, z).
    cx, cy, cz = y * vz - z * vy, z * vx - x * vz, x * vy - y * vx
    return (
        vx + 2 * (-w * cx + y * cz - z * cy),
        vy + 2 * (-w * cy + z * cx - x * cz),
        vz + 2 * (-w * cz + x * cy - y * cx),
    )


def odometry(sample: StateSample, stamp: Time, frame_id: str) -> Odometry:
    """The on-board estimate; the twist is in body axes, as the message defines it."""
    message = Odometry()
    message.header.stamp, message.header.frame_id = stamp, frame_id
    message.child_frame_id = BODY_FRAME
    position, attitude = message.pose.pose.position, message.pose.pose.orientation
    position.x, position.y, position.z = sample.position
    attitude.x, attitude.y, attitude.z, attitude.w = sample.quaternion
    linear = message.twist.twist.linear
    linear.x, linear.y, linear.z = in_body(sample.quaternion, sample.velocity)
    return message


def imu(sample: ImuSample, stamp: Time) -> Imu:
    """The inertial sensor; the message's way to say that it knows no attitude is a -1."""
    message = Imu()
    message.header.stamp, message.header.frame_id = stamp, BODY_FRAME
    message.orientation_covariance[0] = -1.0
    force, rates = message.linear_acceleration, message.angular_velocity
    force.x, force.y, force.z = sample.acceleration
    rates.x, rates.y, rates.z = sample.rates
    return message


def battery(vitals: Vitals, stamp: Time) -> BatteryState:
    """The battery; what the robot does not measure is NaN."""
    message = BatteryState()
    message.header.stamp, message.header.frame_id = stamp, BODY_FRAME
    message.voltage, message.percentage = vitals.voltage_v, vitals.battery
    for name in ("current", "charge", "capacity", "design_capacity", "temperature"):
        setattr(message, name, math.nan)
    message.power_supply_status = BatteryState.POWER_SUPPLY_STATUS_DISCHARGING
    message.power_supply_technology = BatteryState.POWER_SUPPLY_TECHNOLOGY_LIPO
    message.present = True
    return message


def external_pose(message: PoseStamped, frame_id: str, now_ns: int) -> tuple[Vector, Quaternion]:
    """Position [m] and attitude (x, y, z, w) of a pose in the world frame.

    Args:
        message: The pose.
        frame_id: The world frame.
        now_ns: ROS time [ns].

    Raises:
        FrameError: It is in another frame.
        NonFiniteError: A number is not finite, or the attitude is no rotation.
        LateMeasurementError: It says where the robot was, not where it is.
        FutureMeasurementError: Its clock is not ours.
    """
    if message.header.frame_id != frame_id:
        raise FrameError(
            "frame of an external pose", got=repr(message.header.frame_id), expected=repr(frame_id)
        )
    p, q = message.pose.position, message.pose.orientation
    position, quaternion = (p.x, p.y, p.z), (q.x, q.y, q.z, q.w)
    unit = abs(math.hypot(*quaternion) - 1.0) < UNIT_TOLERANCE
    if not (unit and all(map(math.isfinite, position))):
        raise NonFiniteError(
            "external pose", got=f"{position}, {quaternion}",
            expected="finite numbers and a unit quaternion",
        )  # fmt: skip
    # The robot takes a pose for where it is now.
    require_timely("external pose", nanoseconds(message.header.stamp), now_ns)
    return position, quaternion
