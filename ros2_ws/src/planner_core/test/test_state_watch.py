"""Frozen, delayed and future states, and clocks that jump."""

from __future__ import annotations

import numpy as np
import pytest
from planner_core.clock import ManualClock, nanoseconds
from planner_core.errors import NoStateError
from planner_core.state_watch import StateWatch

HOME = np.array([0.0, 0.0, 1.0, 0.0])


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now_ns=10**12)


@pytest.fixture
def watch(clock: ManualClock) -> StateWatch:
    return StateWatch(clock, lambda: 0.5)


def test_silence_makes_a_state_stale(watch: StateWatch, clock: ManualClock) -> None:
    assert not watch.fresh
    watch.take(HOME, clock.now_ns())
    clock.advance(0.49)
    assert watch.fresh
    clock.advance(0.02)
    assert not watch.fresh
    assert watch.position is HOME


def test_a_frozen_state_becomes_stale_though_it_keeps_coming(
    watch: StateWatch, clock: ManualClock
) -> None:
    stamp_ns = clock.now_ns()
    for _ in range(51):
        watch.take(HOME, stamp_ns)
        clock.advance(0.01)
    for _ in range(50):
        with pytest.raises(NoStateError):
            watch.take(HOME, stamp_ns)
        clock.advance(0.01)
    assert not watch.fresh


@pytest.mark.parametrize("age_s", [0.51, 10.0, -0.06, -10.0])
def test_delayed_and_future_states_are_refused(
    watch: StateWatch, clock: ManualClock, age_s: float
) -> None:
    with pytest.raises(NoStateError, match="age of the measurement"):
        watch.take(HOME, clock.now_ns() - nanoseconds(age_s))
    assert not watch.fresh


@pytest.mark.parametrize("jump_s", [-100.0, 100.0])
def test_a_clock_that_jumps_is_followed_without_restart(
    watch: StateWatch, clock: ManualClock, jump_s: float
) -> None:
    watch.take(HOME, clock.now_ns())
    before_ns = clock.now_ns()
    clock.jump(jump_s)
    # Steady time has not jumped: what was received is as fresh as it was.
    assert watch.fresh
    with pytest.raises(NoStateError):
        watch.take(HOME, before_ns)
    watch.take(HOME, clock.now_ns())
    assert watch.fresh
