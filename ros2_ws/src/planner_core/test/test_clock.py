from __future__ import annotations

import pytest
from planner_core.clock import ManualClock, SystemClock, nanoseconds, seconds


def test_manual_clock_stands_still_until_told() -> None:
    clock = ManualClock(now_ns=5, steady_ns=7)
    assert (clock.now_ns(), clock.steady_ns()) == (5, 7)
    clock.advance(0.25)
    assert (clock.now_ns(), clock.steady_ns()) == (250_000_005, 250_000_007)


def test_a_jump_moves_ros_time_alone() -> None:
    clock = ManualClock(now_ns=10**9)
    clock.jump(-1.0)
    assert (clock.now_ns(), clock.steady_ns()) == (0, 0)


def test_steady_time_never_runs_back() -> None:
    with pytest.raises(ValueError, match="cannot advance"):
        ManualClock().advance(-1e-9)


def test_system_clock_advances() -> None:
    clock = SystemClock()
    assert clock.steady_ns() <= clock.steady_ns()
    assert clock.now_ns() > 1_600_000_000 * 10**9


@pytest.mark.parametrize("value", [0, 1, -1, 1_500_000_000])
def test_seconds_and_nanoseconds_are_inverse(value: int) -> None:
    assert nanoseconds(seconds(value)) == value
