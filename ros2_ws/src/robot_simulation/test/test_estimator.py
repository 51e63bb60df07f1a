"""The on-board estimator: it converges, drifts, and knows which of the two it does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from crazyflie_pilot import Pilot, Positioning
from robot_simulation.crazyflie.airframe import GRAVITY_M_S2
from robot_simulation.crazyflie.estimator import (
    MAX_POSITION_M,
    MAX_VARIANCE,
    Estimator,
    EstimatorSettings,
)
from robot_simulation.crazyflie.imu import ImuSample
from robot_simulation.crazyflie.rotation import from_euler, to_euler

STEP_S = 0.002
REST = ImuSample((0.0, 0.0, 0.0), (0.0, 0.0, GRAVITY_M_S2))


def feed(estimator: Estimator, sample: ImuSample, duration_s: float) -> None:
    for step in range(round(duration_s / STEP_S)):
        estimator.propagate(sample, STEP_S)
        if step % 5 == 4:
            estimator.propagate_covariance(5 * STEP_S)


def test_integrates_acceleration_and_rotation() -> None:
    estimator = Estimator(EstimatorSettings())
    feed(estimator, ImuSample((0.0, 0.0, 0.5), (0.0, 0.0, GRAVITY_M_S2 + 1.0)), 1.0)
    assert estimator.estimate.position[2] == pytest.approx(0.5, abs=1e-6)
    assert estimator.estimate.velocity[2] == pytest.approx(1.0, abs=1e-6)
    assert estimator.estimate.yaw_rad == pytest.approx(0.5, abs=1e-6)


def test_a_new_filter_is_uncertain_and_poses_make_it_certain() -> None:
    estimator = Estimator(EstimatorSettings())
    assert min(estimator.position_variance) >= 1.0
    for _ in range(50):
        feed(estimator, REST, 0.01)
        estimator.correct_pose((1.0, -2.0, 0.5), from_euler(0.0, 0.0, 1.0))
    assert max(estimator.position_variance) < 1e-3
    assert estimator.estimate.position == pytest.approx((1.0, -2.0, 0.5), abs=1e-3)
    assert estimator.estimate.yaw_rad == pytest.approx(1.0, abs=0.01)


def test_positions_alone_correct_a_wrong_tilt() -> None:
    estimator = Estimator(EstimatorSettings())
    estimator.estimate.attitude = from_euler(0.05, -0.03, 0.0)
    for _ in range(800):
        feed(estimator, REST, 0.01)
        estimator.correct_position((0.0, 0.0, 0.0))
    roll, pitch, _ = to_euler(estimator.estimate.attitude)
    assert abs(roll) < 0.01
    assert abs(pitch) < 0.01


def test_either_quaternion_of_a_rotation_is_the_same_pose() -> None:
    ends = []
    for sign in (1.0, -1.0):
        estimator = Estimator(EstimatorSettings())
        attitude = tuple(sign * part for part in from_euler(0.0, 0.0, 0.3))
        estimator.correct_pose((0.0, 0.0, 0.0), attitude)
        ends.append(estimator.estimate.attitude)
    assert ends[0] == pytest.approx(ends[1])


def test_variance_grows_without_poses_up_to_the_ceiling() -> None:
    estimator = Estimator(EstimatorSettings())
    for _ in range(20):
        feed(estimator, REST, 0.01)
        estimator.correct_pose((0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0))
    variances = [max(estimator.position_variance)]
    for _ in range(3):
        feed(estimator, REST, 1.0)
        variances.append(max(estimator.position_variance))
    assert np.all(np.diff(variances) > 0)
    feed(estimator, REST, 60.0)
    assert max(estimator.position_variance) == pytest.approx(MAX_VARIANCE, rel=1e-6)


def test_a_lost_filter_starts_anew() -> None:
    estimator = Estimator(EstimatorSettings(initial_x_m=1.0))
    estimator.estimate.position = (MAX_POSITION_M + 1, 0.0, 0.0)
    estimator.propagate_covariance(0.01)
    assert estimator.estimate.position == (1.0, 0.0, 0.0)
    estimator.estimate.velocity = (math.nan, 0.0, 0.0)
    estimator.propagate_covariance(0.01)
    assert estimator.estimate.velocity == (0.0, 0.0, 0.0)


def test_true_error_stays_within_the_stated_deviation_in_flight() -> None:
    pilot = Pilot.in_room()
    pilot.hover()
    estimator = pilot.simulation.firmware.estimator
    pilot.go_to(2.0, 1.0, 1.0, 4.0)
    errors, deviations = [], []
    for _ in range(400):
        pilot.simulation.run(0.01)
        errors.append(np.abs(pilot.position - estimator.estimate.position))
        deviations.append(np.sqrt(estimator.position_variance))
    assert np.max(errors) < 0.03
    assert np.mean(np.array(errors) < 3 * np.array(deviations)) > 0.95


def test_lost_poses_let_the_vehicle_drift_and_the_variance_tells() -> None:
    pilot = Pilot.in_room()
    pilot.hover()
    estimator = pilot.simulation.firmware.estimator
    before = max(estimator.position_variance)
    pilot.simulation.inject("pose_loss", 1, duration_s=2.0)
    pilot.simulation.run(1.99)
    drift = np.linalg.norm(pilot.position - estimator.estimate.position)
    assert max(estimator.position_variance) > 100 * before
    assert drift > 0.01
    pilot.simulation.run(1.0)
    assert max(estimator.position_variance) < 2 * before


def test_external_positioning_depends_on_the_client() -> None:
    pilot = Pilot.in_room(positioning=Positioning.EXTERNAL)
    estimator = pilot.simulation.firmware.estimator
    assert max(estimator.position_variance) > 1.0
    delivered = []
    pilot.simulation.on_pose = delivered.append
    pilot.simulation.run(0.5)
    assert len(delivered) in (49, 50, 51)
    assert max(estimator.position_variance) > 1.0
