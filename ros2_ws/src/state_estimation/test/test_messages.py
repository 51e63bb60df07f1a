"""Messages and estimates: frames, axes, covariances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geometry_msgs.msg import Point, PoseStamped, Quaternion, Vector3
from nav_msgs.msg import Odometry
from planner_core.errors import InvalidMeasurementError, MeasurementFrameError
from planner_core.estimation import EstimatorStatus, StateEstimate
from planner_core.estimation_rotations import from_euler
from planner_core.robots import crazyflie
from sensor_msgs.msg import Imu
from state_estimation import messages
from state_estimation.parameters import StateEstimationParameters

ROBOT, VALUES = crazyflie(), StateEstimationParameters()
QUARTER_TURN = Quaternion(w=math.sqrt(0.5), z=math.sqrt(0.5))


def estimate(yaw: float = math.pi / 2) -> StateEstimate:
    covariance = np.diag(np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9]) ** 2)
    return StateEstimate(
        time_ns=2_500_000_000,
        measured_ns=2_400_000_000,
        status=EstimatorStatus.VALID,
        position=np.array([1.0, 2.0, 3.0]),
        velocity=np.array([0.5, 0.0, 0.0]),
        orientation=from_euler(0.0, 0.0, yaw),
        rate=np.array([0.1, 0.2, 0.3]),
        acceleration=np.zeros(3),
        covariance=covariance,
        rate_deviation=np.array([0.01, 0.02, 0.03]),
    )


def odometry(frame: str = "map", child: str = "base_link") -> Odometry:
    msg = Odometry(child_frame_id=child)
    msg.header.frame_id = frame
    msg.pose.pose.position = Point(x=1.0, y=2.0, z=3.0)
    msg.pose.pose.orientation = QUARTER_TURN
    msg.twist.twist.linear = Vector3(x=1.0)
    return msg


def test_odometry_twist_is_in_body_axes() -> None:
    measurement = messages.odometry_measurement(odometry(), ROBOT, VALUES)
    assert measurement.velocity == pytest.approx([0.0, 1.0, 0.0])
    assert measurement.position == pytest.approx([1.0, 2.0, 3.0])


@pytest.mark.parametrize(("frame", "child"), [("odom", "base_link"), ("map", "map"), ("", "")])
def test_odometry_of_another_frame(frame: str, child: str) -> None:
    with pytest.raises(MeasurementFrameError) as refusal:
        messages.odometry_measurement(odometry(frame, child), ROBOT, VALUES)
    assert refusal.value.code == 435


def test_pose_of_another_frame() -> None:
    msg = PoseStamped()
    msg.header.frame_id = "vicon"
    with pytest.raises(MeasurementFrameError, match="vicon"):
        messages.pose_measurement(msg, ROBOT, VALUES)


def test_a_pose_that_nobody_filled_in() -> None:
    msg = PoseStamped()
    msg.header.frame_id, msg.pose.orientation.w = "map", 0.0
    with pytest.raises(InvalidMeasurementError, match="quaternion"):
        messages.pose_measurement(msg, ROBOT, VALUES)
    markers = StateEstimationParameters(pose_has_orientation=False)
    assert messages.pose_measurement(msg, ROBOT, markers).orientation is None


def test_a_reading_without_acceleration() -> None:
    msg = Imu()
    msg.linear_acceleration_covariance[0] = -1.0
    with pytest.raises(InvalidMeasurementError):
        messages.imu_sample(msg)


def test_state_carries_the_estimate() -> None:
    msg = messages.robot_state(estimate(), ROBOT, last_yaw=0.0)
    assert list(msg.names) == ["x", "y", "z", "yaw"]
    assert list(msg.position) == pytest.approx([1.0, 2.0, 3.0, math.pi / 2])
    assert list(msg.velocity) == pytest.approx([0.5, 0.0, 0.0, 0.3])
    assert list(msg.position_deviation) == pytest.approx([1.0, 2.0, 3.0, 9.0])
    assert list(msg.velocity_deviation) == pytest.approx([4.0, 5.0, 6.0, 0.03])
    assert (msg.header.stamp.sec, msg.header.stamp.nanosec) == (2, 500_000_000)
    assert (msg.measured.sec, msg.measured.nanosec) == (2, 400_000_000)
    assert msg.status == msg.VALID


def test_yaw_of_the_state_does_not_wrap() -> None:
    yaw = 3.0
    for _ in range(100):
        true = yaw + 0.2
        msg = messages.robot_state(estimate(math.remainder(true, 2 * math.pi)), ROBOT, yaw)
        yaw = msg.position[3]
        assert yaw == pytest.approx(true)


def test_odometry_covariances_are_in_their_own_axes() -> None:
    """After a quarter turn, the body's x is the world's y."""
    msg = messages.odometry_msg(estimate(), "map", "base_link")
    pose = np.array(msg.pose.covariance).reshape(6, 6)
    twist = np.array(msg.twist.covariance).reshape(6, 6)
    assert np.sqrt(pose.diagonal()) == pytest.approx([1, 2, 3, 8, 7, 9])
    assert np.sqrt(twist.diagonal()) == pytest.approx([5, 4, 6, 0.01, 0.02, 0.03])
    assert msg.twist.twist.linear.y == pytest.approx(-0.5)
    back = messages.odometry_measurement(msg, ROBOT, VALUES)
    assert back.velocity == pytest.approx([0.5, 0.0, 0.0])
