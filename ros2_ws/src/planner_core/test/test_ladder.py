"""Every way down the ladder and up again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planner_core.clock import NS_PER_S
from planner_core.errors import (
    DriftpilotError,
    MotionEndError,
    NonFiniteError,
    NoPlanError,
    NoStateError,
    PlanOrderError,
    SpliceError,
    StandbyError,
)
from planner_core.executor import Mode, PlanExecutor
from planner_core.ladder import Ladder, Rung, Step
from planner_core.plan import Plan
from planner_core.robots import crazyflie
from planner_core.timed_plan import Source, TimedPlan

MS = 1_000_000
PERIOD_NS = 10 * MS
ROBOT = crazyflie()
HOME = np.array([0.0, 0.0, 1.0, 0.0])
BAD = NonFiniteError("plan position", got="nan")


class Flight:
    """A ladder, a planner and a standby planner that speak every 20 ms, and time."""

    def __init__(self, **settings: float) -> None:
        self.executor = PlanExecutor(ROBOT, hold_s=1.0)
        self.ladder = Ladder(self.executor, **settings)  # type: ignore[arg-type]
        self.executor.engage(HOME, 0)
        self.now_ns = 0
        self.sequence = {Source.PRIMARY: 0, Source.STANDBY: 0}
        self.steps: list[Step] = []
        self.modes: list[Mode] = []

    def plan(self, source: Source, epoch: int = 0) -> TimedPlan:
        """Standing, for two seconds, 0.1 s of which may be executed."""
        self.sequence[source] += 1
        still = np.zeros((21, 4))
        plan = Plan(self.now_ns, 0.1, still + HOME, still, still)
        return TimedPlan(plan, epoch, self.sequence[source], self.now_ns, 1, source)

    def fly(self, seconds: float, *sources: Source, refused: bool = False) -> None:
        """Let these sources send plans; ``refused``: the planner's do not pass the gates."""
        for _ in range(round(seconds * NS_PER_S) // PERIOD_NS):
            self.now_ns += PERIOD_NS
            before = self.ladder.refused
            if self.now_ns % (2 * PERIOD_NS) == 0:
                if refused:
                    self.ladder.refuse(Source.PRIMARY, BAD, self.now_ns)
                for source in sources:
                    self.ladder.take(self.plan(source), self.now_ns)
                if not refused:
                    assert self.ladder.refused == before
            self.ladder.setpoint(self.now_ns)
            self.steps += self.ladder.steps()
            self.modes.append(self.executor.mode)

    def rungs(self) -> list[Rung]:
        return [step.after for step in self.steps]

    def codes(self) -> list[int]:
        return [step.code for step in self.steps]


PRIMARY, STANDBY = Source.PRIMARY, Source.STANDBY


def test_without_a_standby_the_robot_holds_within_a_period_and_then_ends() -> None:
    flight = Flight()
    flight.fly(1.0, PRIMARY)
    assert flight.ladder.rung is Rung.PLAN
    current = flight.executor.current
    assert current is not None
    # The generator hangs from here on.
    flight.modes.clear()
    began_ns = flight.now_ns
    flight.fly(0.2)
    held_ns = began_ns + PERIOD_NS * (1 + flight.modes.index(Mode.HOLDING))
    print(f"hang: held {(held_ns - current.until_ns) / MS:.1f} ms after the plan's end")
    assert 0 <= held_ns - current.until_ns <= PERIOD_NS
    flight.fly(10.0)
    assert flight.rungs() == [Rung.PLAN, Rung.HOLD, Rung.END]
    assert flight.codes() == [0, NoPlanError.code, MotionEndError.code]
    # It stays down: a planner that wakes up late does not lift a landing robot.
    flight.ladder.take(flight.plan(PRIMARY), flight.now_ns)
    assert isinstance(flight.ladder.refusal, PlanOrderError)
    assert flight.ladder.rung is Rung.END


def test_a_plan_in_time_recovers_from_holding() -> None:
    flight = Flight()
    flight.fly(0.5, PRIMARY)
    flight.fly(0.3)
    flight.fly(0.5, PRIMARY)
    assert flight.rungs() == [Rung.PLAN, Rung.HOLD, Rung.PLAN]
    up = flight.steps[-1]
    assert not up.down
    assert up.code == NoPlanError.code
    assert up.text == "plan; E514 is over"


def test_the_standby_is_followed_while_the_planner_is_silent() -> None:
    flight = Flight()
    flight.fly(1.0, PRIMARY, STANDBY)
    assert flight.rungs() == [Rung.PLAN]
    flight.modes.clear()
    flight.fly(1.0, STANDBY)
    # Without a period in between that had nothing to follow.
    assert set(flight.modes) == {Mode.TRACKING}
    assert flight.rungs() == [Rung.PLAN, Rung.STANDBY]
    assert flight.codes()[-1] == StandbyError.code
    flight.fly(1.0, PRIMARY, STANDBY)
    assert flight.rungs() == [Rung.PLAN, Rung.STANDBY, Rung.PLAN]
    assert "E513 is over" in flight.steps[-1].text
    # Both silent: all the way down.
    flight.fly(3.0)
    assert flight.rungs()[3:] == [Rung.HOLD, Rung.END]


def test_the_standby_can_fail_as_well_and_come_back() -> None:
    flight = Flight()
    flight.fly(0.5, PRIMARY, STANDBY)
    flight.fly(0.5, STANDBY)
    flight.fly(0.3)
    flight.fly(0.3, STANDBY)
    assert flight.rungs() == [Rung.PLAN, Rung.STANDBY, Rung.HOLD, Rung.STANDBY]


def test_enough_refused_plans_bring_the_standby_in_before_the_last_one_ends() -> None:
    flight = Flight(max_consecutive_errors=3)
    flight.fly(0.5, PRIMARY, STANDBY)
    began_ns = flight.now_ns
    flight.fly(0.04, STANDBY, refused=True)
    assert flight.ladder.consecutive_errors == 2
    assert flight.ladder.rung is Rung.PLAN
    flight.fly(0.02, STANDBY, refused=True)
    assert flight.ladder.rung is Rung.STANDBY
    assert flight.now_ns - began_ns < 100 * MS
    assert "3 refused plans" in flight.steps[-1].text
    # One valid plan of the planner counts more than all that was refused.
    flight.fly(0.04, PRIMARY, STANDBY)
    assert flight.ladder.consecutive_errors == 0
    assert flight.ladder.rung is Rung.PLAN
    assert flight.ladder.refused == 3


def test_after_a_new_goal_the_standby_waits_for_the_planner() -> None:
    flight = Flight(patience_s=0.2)
    flight.ladder.begin(1, flight.now_ns)
    for _ in range(40):
        flight.now_ns += PERIOD_NS
        flight.ladder.take(flight.plan(STANDBY, epoch=1), flight.now_ns)
        flight.ladder.setpoint(flight.now_ns)
        expected = Rung.HOLD if flight.now_ns < 200 * MS else Rung.STANDBY
        assert flight.ladder.rung is expected, flight.now_ns


def test_a_standby_plan_from_far_away_is_refused_like_any_other() -> None:
    flight = Flight(patience_s=0.0)
    far = flight.plan(STANDBY)
    still = np.zeros((21, 4))
    plan = Plan(0, 0.1, still + np.array([5.0, 0.0, 1.0, 0.0]), still, still)
    flight.ladder.take(replace(far, plan=plan), flight.now_ns)
    assert isinstance(flight.ladder.refusal, SpliceError)
    assert (flight.ladder.refused, flight.ladder.consecutive_errors) == (1, 0)
    flight.fly(0.1)
    assert flight.ladder.rung is Rung.HOLD


def test_a_standby_plan_of_an_earlier_goal_is_not_followed() -> None:
    flight = Flight(patience_s=0.0)
    flight.fly(0.5, PRIMARY, STANDBY)
    flight.ladder.begin(3, flight.now_ns)
    flight.fly(0.5, STANDBY)
    assert flight.rungs() == [Rung.PLAN, Rung.HOLD]


def test_plans_that_were_on_their_way_do_not_count_as_errors() -> None:
    flight = Flight()
    flight.fly(0.5, PRIMARY)
    flight.ladder.begin(1, flight.now_ns)
    flight.ladder.take(flight.plan(PRIMARY, epoch=0), flight.now_ns)
    assert isinstance(flight.ladder.refusal, PlanOrderError)
    assert flight.ladder.consecutive_errors == 0
    assert flight.ladder.refused == 1


@pytest.mark.parametrize("cause", [None, NoStateError("no valid state")])
def test_an_end_has_the_code_of_its_cause(cause: DriftpilotError | None) -> None:
    flight = Flight()
    flight.fly(0.5, PRIMARY)
    flight.executor.rest(flight.now_ns, cause)
    flight.fly(0.1)
    assert flight.rungs() == [Rung.PLAN, Rung.END]
    assert flight.codes()[-1] == (0 if cause is None else 511)


def test_a_goal_to_hold_is_no_failure() -> None:
    flight = Flight()
    flight.fly(0.5, PRIMARY)
    flight.executor.hold(flight.now_ns)
    flight.fly(0.1)
    assert flight.codes() == [0, 0]
    assert flight.steps[-1].text == "hold: as asked"


def test_an_emergency_stop_and_the_next_flight_are_no_steps() -> None:
    flight = Flight()
    flight.fly(0.5, PRIMARY)
    flight.steps.clear()
    flight.executor.stop()
    flight.fly(0.1)
    assert flight.ladder.rung is Rung.END
    flight.executor.release()
    flight.executor.engage(HOME, flight.now_ns)
    flight.fly(0.1)
    assert flight.ladder.rung is Rung.HOLD
    assert not flight.steps


def test_random_failures_never_leave_the_robot_without_a_command() -> None:
    rng = np.random.default_rng(3)
    flight = Flight(max_consecutive_errors=3)
    for _ in range(200):
        alive = [source for source in Source if rng.random() < 0.5]
        flight.fly(0.1, *alive, refused=PRIMARY not in alive and rng.random() < 0.5)
        if flight.executor.mode is Mode.RESTING:
            flight.executor.engage(HOME, flight.now_ns)
        expected = {
            Mode.TRACKING: (Rung.PLAN, Rung.STANDBY), Mode.HOLDING: (Rung.HOLD,),
        }  # fmt: skip
        flight.ladder.setpoint(flight.now_ns)
        assert flight.ladder.rung in expected[flight.executor.mode]
    print(f"ladder: {len(flight.steps)} steps")
    assert {step.after for step in flight.steps} >= {Rung.PLAN, Rung.STANDBY, Rung.HOLD}
    for step in flight.steps:
        assert step.down == (step.after > step.before)
        if step.down:
            assert step.code in (513, 514, 515)


def test_a_standby_plan_that_waited_too_long_is_not_followed() -> None:
    flight = Flight(max_age_s=0.3)
    flight.fly(0.2, Source.PRIMARY)
    old = replace(flight.plan(Source.STANDBY), chunk=0)
    flight.ladder.take(old, flight.now_ns)
    flight.fly(0.5, Source.PRIMARY)
    flight.fly(0.3)
    assert flight.rungs()[-1] is Rung.HOLD
    assert Rung.STANDBY not in flight.rungs()
