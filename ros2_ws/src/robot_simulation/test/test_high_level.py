"""Trajectories of the high-level commander."""

from __future__ import annotations

import errno
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from robot_simulation.crazyflie.high_level import (
    HighLevelCommander,
    HighLevelState,
    Segment,
)
from robot_simulation.crazyflie.setpoint import MOTORS_OFF
from robot_simulation.crazyflie.state import Estimate

NUMBER = st.floats(-3, 3)


@given(NUMBER, NUMBER, NUMBER, NUMBER, st.floats(0.2, 10))
def test_segment_keeps_its_boundary_values(x, v, a, end, duration) -> None:
    segment = Segment.to_rest((x, v, a), end, duration)
    assert segment.at(0.0) == pytest.approx((x, v, a), abs=1e-6)
    assert segment.at(duration * (1 - 1e-9)) == pytest.approx((end, 0.0, 0.0), abs=1e-4)
    assert segment.at(2 * duration) == pytest.approx((end, 0.0, 0.0), abs=1e-9)


@given(NUMBER, NUMBER, NUMBER, NUMBER, st.floats(0.5, 5), st.floats(0.1, 0.9))
def test_segment_derivatives_are_derivatives(x, v, a, end, duration, share) -> None:
    segment, t, h = Segment.to_rest((x, v, a), end, duration), share * duration, 1e-5
    before, now, after = segment.at(t - h), segment.at(t), segment.at(t + h)
    assert (after[0] - before[0]) / (2 * h) == pytest.approx(now[1], abs=1e-3)
    assert (after[1] - before[1]) / (2 * h) == pytest.approx(now[2], abs=1e-2)


def test_linear_segment() -> None:
    segment = Segment.linear(1.0, 3.0, 4.0)
    assert segment.at(1.0) == (1.5, 0.5, 0.0)
    assert segment.at(5.0) == (3.0, 0.0, 0.0)


def test_yaw_takes_the_short_way() -> None:
    commander = HighLevelCommander()
    now = Estimate(attitude=(math.cos(1.5), 0.0, 0.0, math.sin(1.5)))  # Heading 3.0 rad.
    commander.go_to((0, 0, 1), -3.0, 1.0, 0.0, now)
    assert commander.setpoint(2.0).yaw_rad == pytest.approx(2 * math.pi - 3.0)


def test_take_off_keeps_the_heading_if_asked_to() -> None:
    commander = HighLevelCommander()
    now = Estimate(attitude=(math.cos(0.5), 0.0, 0.0, math.sin(0.5)))
    commander.take_off(1.0, None, 1.0, 0.0, now)
    assert commander.setpoint(2.0).yaw_rad == pytest.approx(1.0)


def test_a_new_command_continues_smoothly() -> None:
    commander = HighLevelCommander()
    commander.go_to((2.0, 0.0, 1.0), 0.0, 2.0, 0.0, Estimate())
    before = commander.setpoint(1.0)
    commander.go_to((0.0, 2.0, 1.0), 0.0, 2.0, 1.0, Estimate())
    after = commander.setpoint(1.0)
    assert after.position == pytest.approx(before.position)
    assert after.velocity == pytest.approx(before.velocity)
    assert after.acceleration == pytest.approx(before.acceleration)


def test_landing_ends_with_motors_off() -> None:
    commander = HighLevelCommander()
    commander.take_off(1.0, 0.0, 1.0, 0.0, Estimate())
    commander.land(0.0, 0.0, 1.0, 2.0, Estimate())
    assert commander.setpoint(2.9) is not MOTORS_OFF
    assert commander.setpoint(3.1) is MOTORS_OFF
    assert commander.state is HighLevelState.STOPPED


def test_commands_that_are_refused() -> None:
    commander = HighLevelCommander()
    assert commander.take_off(1.0, 0.0, 0.0, 0.0, Estimate()) == errno.EINVAL
    commander.blocked = True
    assert commander.take_off(1.0, 0.0, 1.0, 0.0, Estimate()) == errno.ENOEXEC
    commander.blocked = False
    commander.disable()
    assert commander.stop() == errno.ENOEXEC
    assert commander.go_to((0, 0, 1), 0.0, 1.0, 0.0, Estimate()) == errno.ENOEXEC
    assert commander.setpoint(0.0) is None
    commander.enable()
    assert commander.setpoint(0.0) is None, "nothing was asked yet"
    assert commander.go_to((0, 0, 1), 0.0, 1.0, 0.0, Estimate()) == 0
