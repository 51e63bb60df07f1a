from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planner_core.classical import StraightLinePlanner
from planner_core.clock import ManualClock, nanoseconds
from planner_core.errors import InvalidPlanError, PlannerExceptionError, StaleObservationError
from planner_core.latency import LatencyWindow
from planner_core.plan import Observation, Plan, PlanBatch
from planner_core.replanning import Replanner, Snapshot
from planner_core.robots import crazyflie
from planner_core.timed_plan import TimedPlan


class TimedPlanner(StraightLinePlanner):
    """Takes as long as it is told to."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(crazyflie())
        self.clock = clock
        self.takes_s = 0.02
        self.cost: np.ndarray | None = None
        self.offset = 0.0
        self.mistake: Exception | None = None

    def plan(
        self, observation: Observation, previous: Plan | None, deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:  # fmt: skip
        self.seen, self.previous, self.deadline_ns = observation, previous, deadline_ns
        self.clock.advance(self.takes_s)
        if self.mistake is not None:
            raise self.mistake
        batch = super().plan(observation, previous, deadline_ns, rng)
        return replace(batch, cost=self.cost, velocity=batch.velocity + self.offset)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now_ns=10**12)


def make(clock: ManualClock) -> tuple[Replanner, TimedPlanner]:
    planner = TimedPlanner(clock)
    return Replanner(planner, clock, np.random.default_rng(0), max_age_s=0.3), planner


def snapshot(clock: ManualClock, following: TimedPlan | None = None, x: float = 0.0,
             age_s: float = 0.01) -> Snapshot:  # fmt: skip
    observation = Observation(
        clock.now_ns() - nanoseconds(age_s), np.array([x, 0, 1, 0]), np.array([0.5, 0, 0, 0]),
        np.array([4.0, 0, 1, 0]),
    )  # fmt: skip
    return Snapshot(observation, observation.stamp_ns, 7, following)


def test_the_plan_is_made_for_the_moment_at_which_it_is_ready(clock: ManualClock) -> None:
    replanner, planner = make(clock)
    replanner.cycle(snapshot(clock))
    for _ in range(20):
        before = clock.now_ns()
        cycle = replanner.cycle(snapshot(clock))
        assert not cycle.late
        assert cycle.plan.plan.start_ns >= clock.now_ns()
        assert cycle.plan.plan.start_ns == before + nanoseconds(0.02)
    assert cycle.plan.epoch == 7
    assert cycle.plan.sequence == replanner.sequence
    # 0.5 m/s over the age of the measurement and the lead.
    assert planner.seen.position[0] == pytest.approx(0.5 * (0.01 + 0.02))


def test_a_robot_near_its_plan_is_planned_for_as_if_on_it(clock: ManualClock) -> None:
    replanner, planner = make(clock)
    first = replanner.cycle(snapshot(clock)).plan
    for distance, on_it in ((0.1, True), (0.5, False)):
        true_x = float(first.plan.sample(clock.now_ns() - nanoseconds(0.01))[0][0])
        cycle = replanner.cycle(snapshot(clock, first, x=true_x + distance))
        reference = first.plan.sample(cycle.plan.plan.start_ns)[0][0]
        expected = reference if on_it else reference + distance
        assert planner.seen.position[0] == pytest.approx(expected, abs=1e-6)


def test_old_and_future_observations_are_refused(clock: ManualClock) -> None:
    replanner, _ = make(clock)
    for age_s in (0.31, 5.0, -0.1):
        with pytest.raises(StaleObservationError, match="age"):
            replanner.cycle(snapshot(clock, age_s=age_s))
    assert replanner.sequence == 0


def test_numbers_go_on_when_the_generator_or_the_process_is_exchanged(clock: ManualClock) -> None:
    replanner, _ = make(clock)
    first = replanner.cycle(snapshot(clock)).plan.sequence
    replanner.generator = TimedPlanner(clock)
    second = replanner.cycle(snapshot(clock)).plan.sequence
    assert second > first
    restarted, _ = make(clock)
    assert restarted.cycle(snapshot(clock)).plan.sequence > second
    clock.jump(-100.0)
    assert replanner.cycle(snapshot(clock)).plan.sequence == second + 1


def test_a_plan_from_before_a_clock_jump_predicts_nothing(clock: ManualClock) -> None:
    replanner, planner = make(clock)
    following = replanner.cycle(snapshot(clock)).plan
    for jump_s in (60.0, -120.0):
        clock.jump(jump_s)
        replanner.cycle(snapshot(clock, following, x=2.0))
        ahead_s = (planner.seen.stamp_ns - clock.now_ns()) * 1e-9 + planner.takes_s + 0.01
        assert planner.seen.position[0] == pytest.approx(2.0 + 0.5 * ahead_s)
        assert planner.previous is None, "nor does the next one lead over from it"


def test_nothing_is_predicted_beyond_a_chunk(clock: ManualClock) -> None:
    replanner, planner = make(clock)
    following = replanner.cycle(snapshot(clock), chunk=1).plan
    planner.takes_s = 0.5
    for _ in range(60):
        replanner.cycle(snapshot(clock))
    clock.jump(-60 * 0.5)
    at = following.plan.sample(clock.now_ns() - nanoseconds(0.01))[0][0]
    replanner.cycle(snapshot(clock, following, x=float(at)))
    end = following.plan.sample(following.until_ns)[0][0]
    assert planner.seen.position[0] == pytest.approx(end)


def test_the_previous_plan_is_handed_on_for_warm_starts(clock: ManualClock) -> None:
    replanner, planner = make(clock)
    following = replanner.cycle(snapshot(clock)).plan
    assert planner.previous is None
    replanner.cycle(snapshot(clock, following))
    assert planner.previous is following.plan


def test_the_budget_of_a_task_is_spent_as_plans_are_executed(clock: ManualClock) -> None:
    replanner, planner = make(clock)
    planner.cost = np.array([3.1])
    first = replanner.cycle(snapshot(clock), budget=10.0)
    assert first.remaining == 10.0
    clock.advance(1.0 - planner.takes_s)
    # A second of a plan of 3.1 s: a third of its cost.
    second = replanner.cycle(snapshot(clock), budget=10.0)
    began_s = (second.plan.plan.start_ns - first.plan.plan.start_ns) * 1e-9
    assert second.remaining == pytest.approx(10.0 - began_s, abs=1e-6)
    replanner.reset()
    assert replanner.cycle(snapshot(clock), budget=10.0).remaining == 10.0


def test_a_planner_that_is_left_behind_leaves_the_account_open(clock: ManualClock) -> None:
    replanner, planner = make(clock)
    planner.cost = np.array([3.1])
    first = replanner.cycle(snapshot(clock), budget=10.0)
    clock.advance(1.0 - planner.takes_s)
    other = TimedPlanner(clock)
    other.cost = planner.cost
    second = replanner.successor(other).cycle(snapshot(clock), budget=10.0)
    began_s = (second.plan.plan.start_ns - first.plan.plan.start_ns) * 1e-9
    assert second.remaining == pytest.approx(10.0 - began_s, abs=1e-6)
    assert second.plan.sequence > first.plan.sequence
    # What the one left behind still does changes nothing of it.
    replanner.cycle(snapshot(clock), budget=10.0)
    assert second.remaining == pytest.approx(10.0 - began_s, abs=1e-6)


@pytest.mark.parametrize("spoil", [np.nan, np.inf])
def test_a_plan_that_is_none_is_refused(clock: ManualClock, spoil: float) -> None:
    replanner, planner = make(clock)
    planner.offset = spoil
    with pytest.raises(InvalidPlanError):
        replanner.cycle(snapshot(clock))


def test_a_mistake_in_a_planner_is_an_error_with_a_code(clock: ManualClock) -> None:
    replanner, planner = make(clock)
    planner.mistake = KeyError("scan")
    with pytest.raises(PlannerExceptionError, match="KeyError") as info:
        replanner.cycle(snapshot(clock))
    assert info.value.__cause__ is planner.mistake


def test_late_plans_are_counted(clock: ManualClock) -> None:
    replanner, planner = make(clock)
    assert not replanner.cycle(snapshot(clock), deadline_s=0.05).late
    planner.takes_s = 0.1
    assert replanner.cycle(snapshot(clock), deadline_s=0.05).late
    assert planner.deadline_ns == clock.steady_ns() - nanoseconds(0.1 - 0.05)


def test_latency_window() -> None:
    window = LatencyWindow(size=3)
    assert window.percentile(50) == 0.0
    for value in (1.0, 2.0, 3.0, 4.0):
        window.add(value)
    assert len(window) == 3
    assert window.percentile(50) == 3.0
    window.clear()
    assert len(window) == 0
