"""The emergency stop over random schedules: when it comes, what is under way, who asks what."""

from __future__ import annotations

import numpy as np
import pytest
from planner_core.clock import ManualClock, seconds
from planner_core.errors import DriftpilotError, EmergencyStopError
from planner_core.executor import Mode, PlanExecutor
from planner_core.plan import Plan
from planner_core.robots import crazyflie
from planner_core.timed_plan import TimedPlan
from robot_bridge.guard import CommandGuard, outside

MS = 1_000_000
ROBOT = crazyflie()
HOME = np.array([0.0, 0.0, 1.0, 0.0])
REACTION_S = 0.020
"""A motion command must not leave the execution later than this after a stop."""


def moving_plan(now_ns: int, sequence: int) -> TimedPlan:
    t = np.arange(10)[:, None] * 0.1
    velocity = np.array([0.3, 0.0, 0.0, 0.0])
    still = np.zeros((10, 4))
    return TimedPlan(
        Plan(now_ns, 0.1, HOME + t * velocity, still + velocity, still), 0, sequence, now_ns, 2
    )


def fly_and_stop(rng: np.random.Generator) -> tuple[float, int]:
    """One flight with a stop at a random instant, in steps of a millisecond.

    Commands take up to 30 ms to the bridge, the news of the stop up to 10 ms to the execution.

    Returns:
        How late after the stop the last motion command left the execution [s], and how many were
        let through to the robot after it.
    """
    clock = ManualClock(now_ns=10**12)
    guard = CommandGuard(ROBOT, clock, timeout_s=0.2)
    executor = PlanExecutor(ROBOT)
    executor.engage(HOME, clock.now_ns())
    guard.arm()
    stop_at, news_after = int(rng.integers(1, 300)), int(rng.integers(0, 10))
    reset_at = stop_at + int(rng.integers(1, 100))
    phase, delay = int(rng.integers(10)), int(rng.integers(30))
    under_way = []
    last_s, let_through = 0.0, 0
    for now in range(stop_at + 150):
        clock.advance(0.001)
        if now == stop_at:
            guard.stop("a person asked")
        if now == stop_at + news_after:
            executor.stop()
        if now == reset_at:
            # Neither a second stop nor a reset with the cause still there releases it.
            guard.stop("another cause")
            with pytest.raises(EmergencyStopError):
                guard.reset("still upside down")
        if now % 20 == phase and executor.mode in (Mode.TRACKING, Mode.HOLDING):
            executor.accept(moving_plan(clock.now_ns(), now + 1), clock.now_ns())
        if now % 10 == phase:
            setpoint = executor.setpoint(clock.now_ns())
            if setpoint is not None:
                under_way.append((now + int(rng.integers(0, delay + 1)), setpoint, clock.now_ns()))
                last_s = max(last_s, (now - stop_at) * 1e-3)
        for arrival, setpoint, stamp_ns in under_way:
            if arrival != now:
                continue
            try:
                guard.admit(setpoint, stamp_ns)
            except DriftpilotError:
                assert now >= stop_at
            else:
                let_through += now >= stop_at
    assert guard.stopped
    return last_s, let_through


def test_a_thousand_stops() -> None:
    rng = np.random.default_rng(0)
    flights = [fly_and_stop(rng) for _ in range(1000)]
    last_s, let_through = max(s for s, _ in flights), sum(n for _, n in flights)
    print(f"emergency stop: {len(flights)} of {len(flights)}, last command {last_s * 1e3:.0f} ms "
          f"after it, {let_through} let through")  # fmt: skip
    assert last_s <= REACTION_S
    assert let_through == 0


def test_no_time_releases_a_stop() -> None:
    clock = ManualClock(now_ns=10**12)
    guard = CommandGuard(ROBOT, clock, timeout_s=0.2)
    guard.stop("a person asked")
    for _ in range(100):
        clock.advance(3600.0)
        assert guard.stopped
        assert not guard.overdue
    clock.jump(-1e6)
    assert guard.stopped
    assert seconds(clock.steady_ns()) == pytest.approx(360_000.0)


@pytest.mark.parametrize(
    ("position", "says"),
    [
        (HOME, None),
        # It lies on the ground, by an estimate that is a little off.
        (np.array([0.0, 0.0, -0.05, 0.0]), None),
        (np.array([0.0, 0.0, -0.15, 0.0]), "z at -0.15 m, outside 0 to 3"),
        (np.array([-7.0, 0.0, 1.0, 0.0]), "x at -7 m"),
        (np.array([0.0, np.nan, 1.0, 0.0]), "y at nan m"),
        (np.array([0.0, np.inf, 1.0, 0.0]), "y at inf m"),
    ],
)
def test_outside_is_said_in_words(position: np.ndarray, says: str | None) -> None:
    text = outside(position, ROBOT)
    assert (text is None) if says is None else (says in str(text))
