"""Angles: yaw at its wrap, and its rate from turns of the body."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from planner_core.estimation_rotations import from_euler, nearest_turn, to_euler, turned, yaw_row

angles = st.floats(-1.4, 1.4)


@given(angles, angles, st.floats(-3.1, 3.1))
def test_euler_round_trip(roll: float, pitch: float, yaw: float) -> None:
    assert to_euler(from_euler(roll, pitch, yaw)) == pytest.approx((roll, pitch, yaw), abs=1e-9)


@given(st.floats(-100.0, 100.0), st.floats(-100.0, 100.0))
def test_nearest_turn_is_near_and_the_same_angle(angle: float, reference: float) -> None:
    found = nearest_turn(angle, reference)
    assert abs(found - reference) <= math.pi + 1e-9
    assert math.cos(found - angle) == pytest.approx(1.0)


@given(angles, angles, st.floats(-3.0, 3.0), st.tuples(angles, angles, angles))
def test_yaw_row_is_the_derivative_of_yaw(
    roll: float, pitch: float, yaw: float, rate: tuple[float, float, float]
) -> None:
    assume(abs(pitch) < 1.2)
    q, step = from_euler(roll, pitch, yaw), 1e-6
    ahead = to_euler(turned(q, np.array(rate) * step))[2]
    behind = to_euler(turned(q, np.array(rate) * -step))[2]
    numeric = math.remainder(ahead - behind, 2 * math.pi) / (2 * step)
    assert float(yaw_row(q) @ rate) == pytest.approx(numeric, abs=1e-4)


def test_yaw_row_stays_finite_when_pitched_up() -> None:
    assert np.isfinite(yaw_row(from_euler(0.3, math.pi / 2, 0.0))).all()
