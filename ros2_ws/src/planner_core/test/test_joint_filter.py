"""Velocities of joints from positions in steps."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from planner_core.errors import InvalidMeasurementError, MeasurementOrderError
from planner_core.joint_filter import JointFilter, JointFilterSettings

STEP_RAD = 2 * np.pi / 4096
PERIOD_NS = 10_000_000


RATE = np.array([3.0, 2.0])
AMPLITUDE_RAD = 0.5
LEAD_S = 0.005


def swinging(t: float) -> tuple[np.ndarray, np.ndarray]:
    return AMPLITUDE_RAD * np.sin(RATE * t), AMPLITUDE_RAD * RATE * np.cos(RATE * t)


def expected_velocity_error(reported: bool) -> float:
    """Root mean square [rad/s] that the filter's gains leave of the noise and of the swing.

    The gains are the stationary ones of the settings. What they are applied to has other noise: an
    encoder rounds by up to half a step, evenly, and a velocity that is reported here is exact. What
    the swing's acceleration does to a filter that knows of none is its lag.

    **Source**: Y. Bar-Shalom et al., "Estimation with applications to tracking and navigation",
    2001, section 6.5: without a reported velocity this is the alpha-beta filter.
    """
    settings, dt = JointFilterSettings(), PERIOD_NS * 1e-9
    rows = np.eye(2)[: 1 + reported]
    step, push = np.array([[1.0, dt], [0.0, 1.0]]), np.array([dt**2 / 2, dt])
    assumed = np.array([settings.position_deviation_rad, settings.velocity_deviation_rad_s]) ** 2
    grown = scipy.linalg.solve_discrete_are(
        step.T, rows.T, settings.acceleration_rad_s2**2 * np.outer(push, push),
        np.diag(assumed[: len(rows)]),
    )  # fmt: skip
    spread = rows @ grown @ rows.T + np.diag(assumed[: len(rows)])
    gain = grown @ rows.T @ np.linalg.inv(spread)
    kept = np.eye(2) - gain @ rows
    rounding = STEP_RAD**2 / 12
    noise = scipy.linalg.solve_discrete_lyapunov(
        kept @ step, rounding * np.outer(gain[:, 0], gain[:, 0])
    )
    lag_s = np.linalg.solve(np.eye(2) - kept @ step, kept @ push)[1] + LEAD_S
    acceleration = AMPLITUDE_RAD * RATE**2 / np.sqrt(2)
    return float(np.sqrt(noise[1, 1] + np.mean((lag_s * acceleration) ** 2)))


@pytest.mark.parametrize("reported", [True, False], ids=["with velocities", "without"])
def test_the_error_of_a_velocity_is_what_the_noise_leaves(reported: bool) -> None:
    joints, errors = JointFilter(2, JointFilterSettings()), []
    for i in range(1000):
        position, velocity = swinging(i * 0.01)
        read = np.round(position / STEP_RAD) * STEP_RAD
        joints.take(i * PERIOD_NS, read, velocity if reported else None)
        estimate = joints.estimate(i * PERIOD_NS + round(LEAD_S * 1e9))
        assert estimate is not None
        if i > 50:
            true_position, true_velocity = swinging(i * 0.01 + LEAD_S)
            errors.append(estimate.velocity - true_velocity)
            assert estimate.position == pytest.approx(true_position, abs=0.003)
    rms = float(np.sqrt(np.mean(np.square(errors))))
    # The rounding of a joint that turns round is not white: a tenth is left for that.
    assert rms == pytest.approx(expected_velocity_error(reported), rel=0.1)


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
