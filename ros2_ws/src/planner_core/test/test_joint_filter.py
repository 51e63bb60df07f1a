"""Velocities of joints from positions in steps."""

from __future__ import annotations

import numpy as np
import pytest
from planner_core.errors import InvalidMeasurementError, MeasurementOrderError
from planner_core.joint_filter import JointFilter, JointFilterSettings

STEP_RAD = 2 * np.pi / 4096
PERIOD_NS = 10_000_000


def swinging(t: float) -> tuple[np.ndarray, np.ndarray]:
    rate = np.array([3.0, 2.0])
    return 0.5 * np.sin(rate * t), 0.5 * rate * np.cos(rate * t)


@pytest.mark.parametrize("reported", [True, False], ids=["with velocities", "without"])
def test_velocity_from_an_encoder(reported: bool) -> None:
    joints, errors = JointFilter(2, JointFilterSettings()), []
    for i in range(400):
        position, velocity = swinging(i * 0.01)
        read = np.round(position / STEP_RAD) * STEP_RAD
        joints.take(i * PERIOD_NS, read, velocity if reported else None)
        estimate = joints.estimate(i * PERIOD_NS + 5_000_000)
        assert estimate is not None
        if i > 50:
            true_position, true_velocity = swinging(i * 0.01 + 0.005)
            errors.append(np.abs(estimate.velocity - true_velocity).max())
            assert estimate.position == pytest.approx(true_position, abs=0.003)
    # A difference of two readings is wrong by up to 0.15 rad/s.
    assert np.percentile(errors, 95) < (0.08 if reported else 0.12)


def test_readings_are_checked() -> None:
    joints = JointFilter(2, JointFilterSettings())
    assert joints.estimate(0) is None
    for bad in (np.zeros(3), np.array([0.0, np.nan])):
        with pytest.raises(InvalidMeasurementError):
            joints.take(0, bad, None)
    joints.take(PERIOD_NS, np.zeros(2), None)
    with pytest.raises(MeasurementOrderError):
        joints.take(PERIOD_NS, np.zeros(2), None)


def test_after_a_pause_it_starts_anew() -> None:
    joints = JointFilter(1, JointFilterSettings())
    for i in range(50):
        joints.take(i * PERIOD_NS, np.array([i * 0.01]), None)
    moving = joints.estimate(49 * PERIOD_NS)
    assert moving is not None
    assert moving.velocity[0] == pytest.approx(1.0, abs=0.1)
    joints.take(10**10, np.array([0.0]), None)
    joints.take(10**9, np.array([0.2]), None)  # a clock that jumped back
    estimate = joints.estimate(10**9)
    assert estimate is not None
    assert estimate.position[0] == pytest.approx(0.2)
    assert estimate.velocity[0] == pytest.approx(0.0)
