from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from planner_core.classical import StraightLinePlanner
from planner_core.clock import ManualClock, nanoseconds, seconds
from planner_core.errors import EarlierGoalError, StaleObservationError
from planner_core.observing import ObservationBuffer
from planner_core.plan import GeneratorSpec
from planner_core.replanning import Replanner
from planner_core.robots import crazyflie

MAX_AGE_S = 0.3
SPEC = GeneratorSpec("test", "crazyflie", crazyflie().names, 32, 0.1, 1, {"scan": 4})


class World:
    """State and scan as a robot sends them, with clocks that can be disturbed."""

    def __init__(self) -> None:
        self.clock = ManualClock(now_ns=10**12)
        self.buffer = ObservationBuffer(self.clock, MAX_AGE_S)
        self.buffer.take_goal(np.array([4.0, 0, 1, 0]), 1, self.clock.now_ns())
        rng = np.random.default_rng(0)
        self.replanner = Replanner(
            StraightLinePlanner(crazyflie()), self.clock, rng, max_age_s=MAX_AGE_S
        )

    def send(self, state_s: float = 0.0, measured_s: float = 0.0, scan_s: float = 0.0) -> None:
        """State and scan whose stamps are off by so much from now."""
        now = self.clock.now_ns()
        stamp, measured = now + nanoseconds(state_s), now + nanoseconds(measured_s)
        self.buffer.take_state(stamp, np.array([0.0, 0, 1, 0]), np.zeros(4), measured)
        self.buffer.take_sensor("scan", now + nanoseconds(scan_s), np.full(4, 3.0))

    def plan(self) -> int:
        snapshot = self.buffer.snapshot(SPEC)
        assert snapshot is not None
        return self.replanner.cycle(snapshot).plan.measured_ns


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_is_planned_before_everything_has_come(world: World) -> None:
    with pytest.raises(StaleObservationError, match="no state"):
        world.plan()
    world.buffer.take_state(world.clock.now_ns(), np.zeros(4), np.zeros(4), world.clock.now_ns())
    with pytest.raises(StaleObservationError, match="scan"):
        world.plan()
    world.send()
    world.plan()


def frozen(world: World) -> None:
    """The same state again and again."""
    world.clock.advance(MAX_AGE_S + 0.01)


def frozen_measurement(world: World) -> None:
    """States that are only extrapolated."""
    world.send(measured_s=-MAX_AGE_S - 0.01)


def delayed_state(world: World) -> None:
    world.send(state_s=-MAX_AGE_S - 0.01, measured_s=-MAX_AGE_S - 0.01)


def future_state(world: World) -> None:
    world.send(state_s=1.0, measured_s=1.0)


def future_measurement(world: World) -> None:
    world.send(measured_s=0.05)


def delayed_scan(world: World) -> None:
    world.send(scan_s=-MAX_AGE_S - 0.01)


def future_scan(world: World) -> None:
    world.send(scan_s=0.05)


def clock_back(world: World) -> None:
    world.clock.jump(-100.0)


def clock_ahead(world: World) -> None:
    world.clock.jump(100.0)


@pytest.mark.parametrize(
    "disturb",
    [
        frozen, frozen_measurement, delayed_state, future_state, future_measurement, delayed_scan,
        future_scan, clock_back, clock_ahead,
    ],
)  # fmt: skip
def test_no_plan_from_bad_data_and_a_plan_from_the_next_good_ones(
    world: World, disturb: Callable[[World], None]
) -> None:
    world.send()
    world.plan()
    disturb(world)
    with pytest.raises(StaleObservationError, match="age"):
        world.plan()
    world.send()
    world.plan()


def test_random_disturbances_never_give_a_plan_from_old_data(world: World) -> None:
    rng = np.random.default_rng(3)
    plans = 0
    for _ in range(2000):
        kind = rng.integers(4)
        if kind == 0:
            world.clock.jump(float(rng.uniform(-2, 2)))
        elif kind == 1:
            world.send(*rng.uniform(-0.6, 0.1, 3).tolist())
        else:
            world.clock.advance(0.02)
            world.send()
        try:
            measured_ns = world.plan()
        except StaleObservationError:
            continue
        plans += 1
        assert world.clock.now_ns() - measured_ns <= nanoseconds(MAX_AGE_S)
    print(f"{plans} plans of 2000 attempts, none from data older than {MAX_AGE_S} s")
    assert plans > 900


def test_a_goal_from_before_the_start_waits_for_a_newer_one(world: World) -> None:
    world.send()
    world.clock.advance(0.1)
    world.buffer.open(standing_goal=False)
    with pytest.raises(EarlierGoalError, match="E404"):
        world.plan()
    world.buffer.take_goal(np.array([3.0, 0, 1, 0]), 2, world.clock.now_ns())
    world.plan()


@pytest.mark.parametrize("back_s", [0.5, 5.0, 3600.0])
def test_a_clock_that_is_set_back_makes_no_new_goal_an_earlier_one(
    world: World, back_s: float
) -> None:
    world.clock.advance(0.1)
    world.buffer.open(standing_goal=False)
    old_ns = world.clock.now_ns() - nanoseconds(2.0)
    world.buffer.take_goal(np.array([4.0, 0, 1, 0]), 2, old_ns)
    world.clock.jump(-back_s)
    world.send()
    for _ in range(2):
        # The old one stays what it was, also where it is heard again.
        with pytest.raises(EarlierGoalError, match="E404"):
            world.buffer.snapshot(SPEC)
        world.buffer.take_goal(np.array([4.0, 0, 1, 0]), 2, old_ns)
    world.buffer.take_goal(np.array([3.0, 0, 1, 0]), 3, world.clock.now_ns())
    assert world.buffer.snapshot(SPEC) is not None


def test_a_start_before_the_first_clock_message_takes_up_no_goal_either() -> None:
    """With simulated time a restarted server hears of the old goal while its clock is at zero."""
    world = World()
    clock = ManualClock(now_ns=0)
    world.buffer = ObservationBuffer(clock, MAX_AGE_S)
    world.buffer.open(standing_goal=False)
    world.buffer.take_goal(np.array([4.0, 0, 1, 0]), 1, world.clock.now_ns())
    clock.advance(seconds(world.clock.now_ns()) + 1.0)
    world.clock = clock
    world.send()
    with pytest.raises(EarlierGoalError, match="E404"):
        world.buffer.snapshot(SPEC)
    clock.advance(0.01)
    world.buffer.take_goal(np.array([3.0, 0, 1, 0]), 2, clock.now_ns())
    assert world.buffer.snapshot(SPEC) is not None


def test_a_start_on_request_takes_up_the_goal_that_stands(world: World) -> None:
    world.send()
    world.clock.advance(0.1)
    world.buffer.open(standing_goal=True)
    world.plan()


def test_without_a_goal_there_is_nothing_to_plan(world: World) -> None:
    world.send()
    world.buffer.take_goal(None, 2)
    assert world.buffer.snapshot(SPEC) is None
    assert not world.buffer.has_goal


@pytest.mark.timeout(30)
def test_a_fresh_state_is_not_waited_for(world: World) -> None:
    world.send()
    world.buffer.wait_for_state(1000.0, fresh_s=0.01)  # returns at once, or the test times out
    world.buffer.snapshot(SPEC)
    world.buffer.wait_for_state(0.001, fresh_s=0.01)
