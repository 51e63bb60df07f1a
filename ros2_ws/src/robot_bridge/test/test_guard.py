from __future__ import annotations

import numpy as np
import pytest
from planner_core.clock import ManualClock, nanoseconds
from planner_core.errors import EmergencyStopError, NonFiniteError, PlanAgeError
from planner_core.limiter import Setpoint
from planner_core.robots import crazyflie
from robot_bridge.guard import CommandGuard

STANDING = Setpoint.at_rest(np.array([0.0, 0.0, 1.0, 0.0]))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now_ns=10**12)


@pytest.fixture
def guard(clock: ManualClock) -> CommandGuard:
    return CommandGuard(crazyflie(), clock, timeout_s=0.2)


def test_good_commands_pass_unchanged(guard: CommandGuard, clock: ManualClock) -> None:
    assert guard.admit(STANDING, clock.now_ns()) is STANDING


def test_commands_are_bounded(guard: CommandGuard, clock: ManualClock) -> None:
    wild = Setpoint(np.full(4, 1e6), np.full(4, 1e6), np.full(4, -1e6))
    bounded = guard.admit(wild, clock.now_ns())
    assert (bounded.position == crazyflie().upper).all()
    assert (np.abs(bounded.acceleration) <= crazyflie().acceleration).all()


@pytest.mark.parametrize("age_s", [0.21, 5.0, -0.21])
def test_old_and_future_commands_are_refused(
    guard: CommandGuard, clock: ManualClock, age_s: float
) -> None:
    with pytest.raises(PlanAgeError):
        guard.admit(STANDING, clock.now_ns() - nanoseconds(age_s))


@pytest.mark.parametrize("field", range(3))
def test_absurd_commands_are_refused(guard: CommandGuard, clock: ManualClock, field: int) -> None:
    for value in (np.nan, np.inf):
        arrays = np.zeros((3, 4))
        arrays[field, 2] = value
        with pytest.raises(NonFiniteError):
            guard.admit(Setpoint(*arrays), clock.now_ns())


def test_absence_is_noticed(guard: CommandGuard, clock: ManualClock) -> None:
    clock.advance(10.0)
    assert not guard.overdue
    guard.arm()
    clock.advance(2.9)
    assert not guard.overdue
    guard.followed()
    clock.advance(0.19)
    assert not guard.overdue
    clock.advance(0.02)
    assert guard.overdue
    guard.disarm()
    assert not guard.overdue


def test_the_first_command_has_more_time_but_not_for_ever(
    guard: CommandGuard, clock: ManualClock
) -> None:
    guard.arm()
    clock.advance(3.1)
    assert guard.overdue


def test_refused_commands_do_not_keep_a_robot_going(
    guard: CommandGuard, clock: ManualClock
) -> None:
    guard.arm()
    guard.followed()
    clock.advance(0.15)
    with pytest.raises(NonFiniteError):
        guard.admit(Setpoint.at_rest(np.full(4, np.nan)), clock.now_ns())
    clock.advance(0.1)
    assert guard.overdue


def test_the_emergency_stop_is_latched(guard: CommandGuard, clock: ManualClock) -> None:
    guard.stop("a person asked")
    guard.stop("another cause")
    clock.advance(3600.0)
    with pytest.raises(EmergencyStopError, match="a person asked"):
        guard.admit(STANDING, clock.now_ns())
    with pytest.raises(EmergencyStopError, match="still upside down"):
        guard.reset("still upside down")
    assert guard.stopped
    guard.reset()
    assert guard.admit(STANDING, clock.now_ns()) is STANDING


def test_time_that_jumps_is_a_wrong_age_not_a_motion(
    guard: CommandGuard, clock: ManualClock
) -> None:
    stamp = clock.now_ns()
    clock.jump(-100.0)
    with pytest.raises(PlanAgeError):
        guard.admit(STANDING, stamp)
