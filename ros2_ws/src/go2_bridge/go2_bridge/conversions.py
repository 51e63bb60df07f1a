"""Samples as messages."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time
from nav_msgs.msg import Odometry
from sensor_msgs.msg import BatteryState, Imu, JointState

from go2_bridge.wire import Array, LowState, SportState

BODY_FRAME = "base_link"
ODOMETRY_FRAME = "odom"


def joint_state(state: LowState, names: Sequence[str], stamp: Time) -> JointState:
    """Positions, velocities and torques of the joints."""
    message = JointState()
    message.header.stamp, message.name = stamp, list(names)
    message.position, message.velocity = state.q.tolist(), state.dq.tolist()
    message.effort = state.torque.tolist()
    return message


def imu(state: LowState, stamp: Time) -> Imu:
    """The inertial sensor, with the robot's own estimate of its attitude."""
    message = Imu()
    message.header.stamp, message.header.frame_id = stamp, BODY_FRAME
    q = message.orientation
    q.w, q.x, q.y, q.z = state.quaternion.tolist()
    rates, force = message.angular_velocity, message.linear_acceleration
    rates.x, rates.y, rates.z = state.rates.tolist()
    force.x, force.y, force.z = state.acceleration.tolist()
    return message


def battery(state: LowState, stamp: Time) -> BatteryState:
    """The battery; what the robot does not measure is NaN."""
    message = BatteryState()
    message.header.stamp, message.header.frame_id = stamp, BODY_FRAME
    message.voltage, message.percentage = state.voltage_v, state.charge
    message.current = state.current_a
    for name in ("charge", "capacity", "design_capacity", "temperature"):
        setattr(message, name, math.nan)
    message.power_supply_status = BatteryState.POWER_SUPPLY_STATUS_DISCHARGING
    message.power_supply_technology = BatteryState.POWER_SUPPLY_TECHNOLOGY_LION
    message.present = True
    return message


def odometry(sport: SportState, stamp: Time) -> Odometry:
    """The built-in locomotion's own estimate; the twist is in body axes."""
    message = Odometry()
    message.header.stamp, message.header.frame_id = stamp, ODOMETRY_FRAME
    message.child_frame_id = BODY_FRAME
    pose, twist = message.pose.pose, message.twist.twist
    pose.position.x, pose.position.y, pose.position.z = sport.position.tolist()
    q = pose.orientation
    q.w, q.x, q.y, q.z = sport.quaternion.tolist()
    velocity = in_body(sport.quaternion, sport.velocity)
    twist.linear.x, twist.linear.y, twist.linear.z = velocity.tolist()
    twist.angular.x, twist.angular.y, twist.angular.z = sport.rates.tolist()
    return message


def in_body(quaternion: Array, vector: Array) -> Array:
    """A vector (3,) of the odometry frame in body axes, by a quaternion (4,) w, x, y, z."""
    w, axis = quaternion[0], -quaternion[1:]
    turned = 2.0 * np.cross(axis, vector)
    return np.asarray(vector + w * turned + np.cross(axis, turned))
