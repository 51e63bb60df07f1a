from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planner_core.clock import NS_PER_S
from planner_core.errors import (
    NoPlanError,
    NoStateError,
    PlanAgeError,
    PlanOrderError,
    PositionLimitError,
    SpliceError,
    TimeJumpError,
)
from planner_core.executor import Mode, PlanExecutor, TimedPlan
from planner_core.joining import Offset, braking_plan
from planner_core.limiter import Setpoint
from planner_core.plan import Array, Plan
from planner_core.robot import Robot, StopBehaviour

MS = 1_000_000
PERIOD_NS = 10 * MS
ROBOT = Robot(
    "drone", "map", ("x", "y"), ("m", "m"), np.full(2, -50.0), np.full(2, 50.0),
    np.full(2, 2.0), np.full(2, 4.0), np.full(2, 100.0), StopBehaviour.LAND,
)  # fmt: skip


def straight(start_ns: int, position: Array, velocity: Array, horizon: int = 20) -> Plan:
    t = np.arange(horizon)[:, None] * 0.1
    still = np.zeros((horizon, 2))
    return Plan(start_ns, 0.1, position + t * velocity, still + velocity, still)


def timed(plan: Plan, sequence: int, epoch: int = 0) -> TimedPlan:
    return TimedPlan(plan, epoch, sequence, plan.start_ns)


def standing(position: tuple[float, float] = (0.0, 0.0)) -> PlanExecutor:
    executor = PlanExecutor(ROBOT)
    executor.engage(np.array(position), 0)
    return executor


def run(executor: PlanExecutor, until_ns: int, start_ns: int = 0) -> Setpoint:
    """The setpoint after a period every 10 ms until a time."""
    setpoint = None
    for now_ns in [*range(start_ns, until_ns, PERIOD_NS), until_ns]:
        setpoint = executor.setpoint(now_ns)
    assert setpoint is not None
    return setpoint


def test_nothing_is_commanded_before_engaging() -> None:
    executor = PlanExecutor(ROBOT)
    assert executor.setpoint(0) is None
    with pytest.raises(PlanOrderError, match="IDLE"):
        executor.accept(timed(straight(0, np.zeros(2), np.zeros(2)), 1), 0)
    with pytest.raises(NoStateError):
        executor.engage(np.array([np.nan, 0.0]), 0)


def test_a_plan_is_followed_at_its_own_times() -> None:
    executor = standing()
    executor.accept(timed(straight(100 * MS, np.zeros(2), np.array([0.2, 0.0])), 1), 0)
    assert run(executor, 50 * MS).position[0] == 0.0
    assert executor.mode is Mode.HOLDING
    later = run(executor, 1_100 * MS, 50 * MS)
    # The join from standing is over, and the plan is where it says it is.
    assert later.position[0] == pytest.approx(0.2)
    assert executor.mode is Mode.TRACKING


def test_a_late_plan_is_entered_in_its_middle() -> None:
    executor = standing((0.5, 0.0))
    run(executor, 500 * MS)
    executor.accept(timed(straight(0, np.array([0.4, 0]), np.array([0.2, 0])), 1), 500 * MS)
    assert executor.entry_delay_s == pytest.approx(0.5)
    setpoint = run(executor, 1_800 * MS, 500 * MS)
    assert setpoint.position[0] == pytest.approx(0.4 + 0.2 * 1.8)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_joins_are_smooth(seed: int) -> None:
    """Late, early and overlapping plans: no step in position, no step in velocity, no return."""
    rng = np.random.default_rng(seed)
    executor = standing()
    now, sequence = 0, 0
    last: Setpoint | None = None
    # A blend may use half of the limit; the plans themselves are straight.
    velocity_step = ROBOT.acceleration[0] * PERIOD_NS * 1e-9
    while now < 2 * NS_PER_S:
        if rng.random() < 0.1:
            sequence += 1
            reference = executor.last
            assert reference is not None
            start = now + int(rng.integers(-200, 200)) * MS
            velocity = rng.uniform(-1, 1, size=2)
            offset = rng.uniform(-0.1, 0.1, size=2)
            plan = straight(start, reference.position + offset, velocity)
            try:
                executor.accept(timed(plan, sequence), now)
            except SpliceError:
                sequence -= 1
        setpoint = executor.setpoint(now)
        assert setpoint is not None
        if last is not None:
            step = setpoint.position - last.position
            mean = (setpoint.velocity + last.velocity) / 2
            assert np.abs(step - mean * PERIOD_NS * 1e-9).max() < 5e-4
            assert np.abs(setpoint.velocity - last.velocity).max() <= velocity_step
        last = setpoint
        now += PERIOD_NS


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=2),
    st.lists(st.floats(-2, 2), min_size=2, max_size=2),
)
def test_offsets_start_where_they_are_and_end_at_rest(p: list[float], v: list[float]) -> None:
    limit = np.full(2, 2.0)
    offset = Offset.joining(0, np.array(p), np.array(v), limit)
    position, velocity, acceleration = offset.sample(0)
    assert position == pytest.approx(p)
    assert velocity == pytest.approx(v)
    assert acceleration == pytest.approx([0.0, 0.0])
    end = round(offset.duration_s * NS_PER_S)
    assert np.abs(np.array(offset.sample(end))).max() == pytest.approx(0.0, abs=1e-6)
    for t in np.linspace(0, end, 50):
        assert np.abs(offset.sample(int(t))[2]).max() <= 2.0 * (1 + 1e-6)


def test_the_chunk_is_the_end_of_a_plan() -> None:
    executor = standing()
    plan = straight(0, np.zeros(2), np.array([0.1, 0.0]))
    executor.accept(TimedPlan(plan, 0, 1, 0, chunk=2), 0)
    run(executor, 199 * MS)
    assert executor.mode is Mode.TRACKING
    assert executor.current is not None
    assert executor.current.until_ns == 200 * MS
    executor.setpoint(200 * MS)
    assert executor.mode is Mode.HOLDING
    assert isinstance(executor.cause, NoPlanError)
    with pytest.raises(PlanAgeError, match="over"):
        executor.accept(TimedPlan(plan, 0, 2, 0, chunk=1), 200 * MS)
    # More periods than the plan has: all of it.
    assert TimedPlan(plan, 0, 3, 0, chunk=99).until_ns == plan.end_ns


def test_plans_wait_for_their_starts_and_newer_ones_replace_them() -> None:
    executor = standing()

    def send(sequence: int, start_ms: int) -> None:
        plan = straight(start_ms * MS, np.zeros(2), np.zeros(2))
        executor.accept(timed(plan, sequence), 0)

    for sequence, start_ms in ((1, 100), (2, 200), (3, 300), (4, 200)):
        send(sequence, start_ms)
    followed = []
    for now_ns in range(0, 400 * MS, PERIOD_NS):
        executor.setpoint(now_ns)
        followed.append(executor.current.sequence if executor.current else 0)
        if executor.current is not None:
            assert executor.entry_delay_s == 0.0
    # The second and third are void: the fourth is newer, and starts no later.
    assert followed == [0] * 10 + [1] * 10 + [4] * 20


def test_a_planner_that_starts_again_needs_a_new_goal() -> None:
    """Its numbers begin at one; that it lives is no reason to move on."""
    executor = standing()
    plan = straight(0, np.zeros(2), np.zeros(2))
    executor.accept(timed(plan, 500, epoch=1), 0)
    with pytest.raises(PlanOrderError):
        executor.accept(timed(plan, 1, epoch=1), 0)
    executor.accept(timed(plan, 1, epoch=2), 0)


def test_a_gap_between_setpoints_ends_the_plan() -> None:
    executor = standing()
    executor.accept(timed(straight(0, np.zeros(2), np.array([0.2, 0.0])), 1), 0)
    before = run(executor, NS_PER_S)
    after = executor.setpoint(NS_PER_S + 300 * MS)
    assert after is not None
    # Where the robot was told to be, not where the plan has gone on to.
    assert (after.position == before.position).all()
    assert isinstance(executor.cause, TimeJumpError)


def test_order_is_kept() -> None:
    executor = standing()
    plan = straight(0, np.zeros(2), np.zeros(2))
    executor.begin(epoch=2, now_ns=0)
    executor.accept(timed(plan, 5, epoch=2), 0)
    for sequence, epoch, says in ((5, 2, "not newer"), (4, 2, "not newer"), (9, 1, "earlier goal")):
        with pytest.raises(PlanOrderError, match=says):
            executor.accept(timed(plan, sequence, epoch), 0)
    executor.accept(timed(plan, 6, epoch=3), 0)
    assert executor.epoch == 3


def test_a_plan_of_an_earlier_goal_does_not_start() -> None:
    executor = standing()
    executor.accept(timed(straight(100 * MS, np.zeros(2), np.ones(2)), 1), 0)
    executor.begin(epoch=1, now_ns=0)
    executor.setpoint(200 * MS)
    assert executor.mode is Mode.HOLDING


def test_a_goal_without_plans_does_not_keep_the_robot_in_the_air() -> None:
    executor = standing()
    run(executor, NS_PER_S)
    executor.begin(epoch=1, now_ns=NS_PER_S)
    hold_ns = round(executor.hold_s * NS_PER_S)
    run(executor, NS_PER_S + hold_ns - PERIOD_NS, NS_PER_S)
    assert executor.mode is Mode.HOLDING
    executor.setpoint(NS_PER_S + hold_ns + PERIOD_NS)
    assert executor.mode is Mode.RESTING


def test_a_plan_from_far_away_is_refused() -> None:
    executor = standing()
    with pytest.raises(SpliceError, match="commanded x"):
        executor.accept(timed(straight(0, np.array([3.0, 0.0]), np.zeros(2)), 1), 0)


def test_when_plans_end_the_robot_brakes_holds_and_rests() -> None:
    executor = standing()
    velocity = np.array([0.4, -0.2])
    executor.accept(timed(straight(0, np.zeros(2), velocity, horizon=11), 1), 0)
    last: Setpoint | None = None
    modes = []
    for now in range(0, 4 * NS_PER_S, PERIOD_NS):
        setpoint = executor.setpoint(now)
        assert setpoint is not None
        if last is not None:
            change = np.abs(setpoint.velocity - last.velocity).max()
            assert change <= ROBOT.acceleration[0] * PERIOD_NS * 1e-9
        last = setpoint
        modes.append(executor.mode)
    assert [m for i, m in enumerate(modes) if i == 0 or modes[i - 1] is not m] == [
        Mode.TRACKING, Mode.HOLDING, Mode.RESTING,
    ]  # fmt: skip
    assert last is not None
    assert not last.velocity.any()
    # v^2 / 2a past the end of the plan, with half of the limit.
    assert last.position == pytest.approx([0.4 + 0.04, -0.2 - 0.01], abs=1e-3)


def test_braking_respects_each_limit() -> None:
    plan = braking_plan(0, Setpoint(np.zeros(2), np.array([2.0, -1.0]), np.zeros(2)), ROBOT)
    assert plan.velocity[-1] == pytest.approx([0, 0])
    assert np.abs(plan.acceleration).max() <= 0.5 * ROBOT.acceleration[0]
    assert (np.diff(np.abs(plan.velocity), axis=0) <= 1e-12).all()


def test_stop_is_latched() -> None:
    executor = standing()
    executor.stop()
    assert executor.setpoint(PERIOD_NS) is None
    with pytest.raises(PlanOrderError, match="STOPPED"):
        executor.accept(timed(straight(0, np.zeros(2), np.zeros(2)), 1), 0)
    executor.idle()
    assert executor.mode is Mode.STOPPED
    executor.release()
    assert executor.mode is Mode.IDLE
    assert executor.setpoint(PERIOD_NS) is None


def test_when_ros_time_jumps_back_the_robot_stands_where_it_was() -> None:
    executor = standing()
    executor.accept(timed(straight(0, np.zeros(2), np.array([1.0, 0.0])), 1), 0)
    before = run(executor, NS_PER_S)
    after = executor.setpoint(-5 * NS_PER_S)
    assert after is not None
    assert (after.position == before.position).all()
    assert (after.velocity == before.velocity).all()
    assert executor.mode is Mode.HOLDING
    # v^2 / 2a from there, with half of the limit, or the rest of a sample of 20 ms more.
    stands = run(executor, -4 * NS_PER_S, -5 * NS_PER_S)
    assert not stands.velocity.any()
    assert stands.position[0] == pytest.approx(
        before.position[0] + before.velocity[0] ** 2 / ROBOT.acceleration[0], abs=0.02
    )


def test_setpoints_stay_inside_the_fence() -> None:
    robot = ROBOT.fenced(np.full(2, -1.0), np.full(2, 1.0))
    executor = PlanExecutor(robot)
    executor.engage(np.array([0.9, 0.0]), 0)
    executor.accept(timed(straight(0, np.array([0.9, 0.0]), np.array([1.0, 0.0])), 1), 0)
    for now in range(0, 3 * NS_PER_S, PERIOD_NS):
        setpoint = executor.setpoint(now)
        assert setpoint is not None
        assert (np.abs(setpoint.position) <= 1.0).all()
        if setpoint.position[0] == 1.0 and executor.mode is Mode.TRACKING:
            assert setpoint.velocity[0] <= 0.0


def test_a_plan_that_waits_for_its_start_is_not_waited_for_in_vain() -> None:
    executor = PlanExecutor(ROBOT, hold_s=0.3)
    executor.engage(np.zeros(2), 0)
    run(executor, 250 * MS)
    executor.accept(timed(straight(400 * MS, np.zeros(2), np.zeros(2)), 1), 250 * MS)
    run(executor, 390 * MS, 250 * MS)
    assert executor.mode is Mode.HOLDING
    run(executor, 450 * MS, 390 * MS)
    assert executor.mode is Mode.TRACKING


def test_a_robot_outside_its_fence_is_not_engaged() -> None:
    executor = PlanExecutor(ROBOT)
    with pytest.raises(PositionLimitError, match=r"x to stand at; got 51 m"):
        executor.engage(np.array([51.0, 0.0]), 0)
    assert executor.setpoint(0) is None
    # A little outside is noise; the command is at the fence.
    executor.engage(np.array([50.1, 0.0]), 0)
    assert run(executor, 10 * MS).position[0] == 50.0
