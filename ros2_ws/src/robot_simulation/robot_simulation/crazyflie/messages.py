"""ROS messages about a simulated vehicle and its world."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from geometry_msgs.msg import PointStamped, Pose, PoseStamped
from nav_msgs.msg import Odometry
from numpy.typing import NDArray
from robot_simulation.crazyflie.dynamics import BodyState, Collision
from robot_simulation.crazyflie.rotation import (
    Quaternion,
    Vector,
    conjugate,
    rotated,
)
from robot_simulation.crazyflie.sensors import CapturedPose, RangeScannerSettings
from sensor_msgs.msg import LaserScan

WORLD_FRAME = "map"
BODY_FRAME = "base_link"
SCAN_FRAME = "base_stabilized"
"""The body frame without roll and pitch."""


def _pose(position: Vector, attitude: Quaternion) -> Pose:
    pose = Pose()
    pose.position.x, pose.position.y, pose.position.z = position
    q = pose.orientation
    q.w, q.x, q.y, q.z = attitude
    return pose


def pose_message(captured: CapturedPose, stamp: Time) -> PoseStamped:
    """A pose of the motion capture, stamped with its exposure."""
    message = PoseStamped()
    message.header.stamp, message.header.frame_id = stamp, WORLD_FRAME
    message.pose = _pose(captured.position, captured.attitude)
    return message


def odometry_message(body: BodyState, stamp: Time) -> Odometry:
    """The true state; the twist is in body axes, as the message defines it."""
    message = Odometry()
    message.header.stamp, message.header.frame_id = stamp, WORLD_FRAME
    message.child_frame_id = BODY_FRAME
    message.pose.pose = _pose(body.position, body.attitude)
    linear, angular = message.twist.twist.linear, message.twist.twist.angular
    linear.x, linear.y, linear.z = rotated(conjugate(body.attitude), body.velocity)
    angular.x, angular.y, angular.z = body.rates
    return message


def scan_message(
    ranges: NDArray[np.float32], settings: RangeScannerSettings, stamp: Time
) -> LaserScan:
    """A scan whose first ray points forward and whose rays go round to the left."""
    message = LaserScan()
    message.header.stamp, message.header.frame_id = stamp, SCAN_FRAME
    message.angle_increment = 2.0 * math.pi / settings.rays
    message.angle_max = message.angle_increment * (settings.rays - 1)
    message.scan_time = 1.0 / settings.rate_hz
    message.range_min, message.range_max = settings.min_range_m, settings.max_range_m
    message.ranges = ranges.tolist()
    return message


def collision_message(collision: Collision, stamp: Time) -> PointStamped:
    """Where a flight ended."""
    message = PointStamped()
    message.header.stamp, message.header.frame_id = stamp, WORLD_FRAME
    message.point.x, message.point.y, message.point.z = collision.position_m
    return message


def status_message(
    name: str, collision: Collision | None, values: Mapping[str, object]
) -> DiagnosticStatus:
    """How the simulation does: an error after a collision."""
    message = DiagnosticStatus(name=name, level=DiagnosticStatus.OK, message="flight goes on")
    if collision is not None:
        message.level = DiagnosticStatus.ERROR
        message.message = f"crashed into {collision.surface}"
        values = {
            **values,
            "collision.surface": collision.surface,
            "collision.time_s": f"{collision.time_s:.3f}",
            "collision.speed_m_s": f"{collision.speed_m_s:.3f}",
        }
    message.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    return message
