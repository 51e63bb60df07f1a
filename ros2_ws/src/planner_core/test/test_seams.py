"""What the robot is sent, over ten thousand joins of random plans at random times."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from planner_core.clock import NS_PER_S, seconds
from planner_core.ensembling import Ensemble
from planner_core.errors import ExecutionError, SpliceError
from planner_core.executor import Mode, PlanExecutor, TimedPlan
from planner_core.gates import PlanGate
from planner_core.limiter import Setpoint
from planner_core.plan import Array, Plan
from planner_core.robot import Robot, StopBehaviour

MS = 1_000_000
ROBOT = Robot(
    "drone", "map", ("x", "y"), ("m", "m"), np.full(2, -2.0), np.full(2, 2.0),
    np.full(2, 2.0), np.full(2, 4.0), np.full(2, 100.0), StopBehaviour.LAND,
)  # fmt: skip
GATE = PlanGate(ROBOT, max_age_s=1.0)
ROUNDING = 1e-8


def random_plan(rng: np.random.Generator, start_ns: int, position: Array, velocity: Array) -> Plan:
    """Linear accelerations between random samples, integrated exactly, from near a state."""
    horizon, h = 8, 0.1
    position = position + rng.uniform(-0.1, 0.1, size=2)
    velocity = velocity + rng.uniform(-0.3, 0.3, size=2)
    # Mostly towards the middle, so that streams of plans stay in the fence.
    a = rng.uniform(-3, 3, size=(horizon, 2)) - 0.5 * position - 0.5 * velocity
    p, v = np.empty_like(a), np.empty_like(a)
    p[0], v[0] = position, velocity
    for i in range(horizon - 1):
        v[i + 1] = v[i] + h * (a[i] + a[i + 1]) / 2
        p[i + 1] = p[i] + h * v[i] + h * h * (2 * a[i] + a[i + 1]) / 6
    return Plan(start_ns, h, p, v, a)


@dataclass
class Stream:
    """An executor, and the worst of all that it gave out.

    Attributes:
        executor: Under test.
        jump: Greatest difference of position at one instant before and after a join.
        velocity_excess: Greatest change of velocity beyond what the acceleration limit allows.
        acceleration_step: Greatest change of the acceleration between two setpoints.
    """

    executor: PlanExecutor
    now_ns: int = 0
    jump: float = 0.0
    velocity_jump: float = 0.0
    velocity_excess: float = -np.inf
    speed: float = 0.0
    acceleration: float = 0.0
    acceleration_step: float = 0.0
    joins: int = 0
    modes: set[Mode] = field(default_factory=set)

    def command(self, step_ns: int) -> Setpoint:
        """The setpoint after some time, held against the one before."""
        before = self.executor.last
        self.now_ns += step_ns
        command = self.executor.setpoint(self.now_ns)
        assert before is not None
        assert command is not None
        dt_s = seconds(step_ns)
        change = np.abs(command.velocity - before.velocity)
        self.velocity_excess = max(
            self.velocity_excess, float((change - ROBOT.acceleration * dt_s).max())
        )
        moved = np.abs(command.position - before.position)
        assert (moved <= ROBOT.velocity * dt_s + ROUNDING).all()
        assert (command.position >= ROBOT.lower).all()
        assert (command.position <= ROBOT.upper).all()
        self.speed = max(self.speed, float(np.abs(command.velocity).max()))
        self.acceleration = max(self.acceleration, float(np.abs(command.acceleration).max()))
        self.acceleration_step = max(
            self.acceleration_step,
            float(np.abs(command.acceleration - before.acceleration).max()),
        )
        self.modes.add(self.executor.mode)
        return command

    def at_the_seam(self, before: Setpoint, after: Setpoint) -> None:
        """Two setpoints of one instant."""
        self.joins += 1
        self.jump = max(self.jump, float(np.abs(after.position - before.position).max()))
        self.velocity_jump = max(
            self.velocity_jump, float(np.abs(after.velocity - before.velocity).max())
        )


def follow_random_plans(stream: Stream, rng: np.random.Generator, joins: int) -> None:
    """Late and early plans, longer and shorter chunks, gaps, and periods that vary."""
    executor, sequence = stream.executor, 0
    while stream.joins < joins:
        before = stream.command(int(rng.integers(1, 20)) * MS)
        if executor.mode is Mode.RESTING:
            executor.engage(before.position, stream.now_ns)
        if rng.random() < 0.2:
            continue
        start_ns = stream.now_ns + int(rng.integers(-60, 60)) * MS
        plan = random_plan(rng, start_ns, before.position, before.velocity)
        sequence += 1
        timed = TimedPlan(plan, 0, sequence, stream.now_ns, chunk=int(rng.integers(0, 4)))
        try:
            GATE.check(
                timed, robot="drone", names=ROBOT.names, frame_id="map", now_ns=stream.now_ns
            )
            executor.accept(timed, stream.now_ns)
        except SpliceError:
            continue
        except ExecutionError:
            # Random plans may leave the fence: those must not be followed at all.
            continue
        if start_ns > stream.now_ns:
            before = stream.command(start_ns - 1 - stream.now_ns)
            after = stream.command(1)
        else:
            after = stream.command(0)
        if executor.current is not None and executor.current.sequence == sequence:
            stream.at_the_seam(before, after)


def check(stream: Stream, title: str) -> None:
    print(
        f"{title}: {stream.joins} joins, position jump {stream.jump:.1e} m, velocity step "
        f"{stream.velocity_excess:+.1e} m/s beyond a dt, speed {stream.speed:.3f} of 2 m/s, "
        f"acceleration {stream.acceleration:.3f} of 4 m/s^2, its step "
        f"{stream.acceleration_step:.2f} m/s^2"
    )
    assert stream.jump <= 1e-6
    # A nanosecond passes at most.
    assert stream.velocity_jump <= 1e-8
    assert stream.velocity_excess <= ROUNDING
    assert stream.speed <= ROBOT.velocity[0]
    assert stream.acceleration <= ROBOT.acceleration[0]
    assert {Mode.TRACKING, Mode.HOLDING} <= stream.modes


def test_ten_thousand_joins() -> None:
    executor = PlanExecutor(ROBOT)
    executor.engage(np.zeros(2), 0)
    stream = Stream(executor)
    follow_random_plans(stream, np.random.default_rng(4), 10_000)
    check(stream, "seam")


def test_joins_of_averaged_plans() -> None:
    executor = PlanExecutor(ROBOT, ensemble=Ensemble(decay=0.1))
    executor.engage(np.zeros(2), 0)
    stream = Stream(executor)
    follow_random_plans(stream, np.random.default_rng(5), 1_000)
    check(stream, "seam of averages")


def test_time_never_runs_backwards() -> None:
    """A setpoint for an earlier time is the last one; a later plan is used at its own times."""
    rng = np.random.default_rng(6)
    executor = PlanExecutor(ROBOT)
    executor.engage(np.zeros(2), 0)
    t = np.arange(30)[:, None] * 0.1
    still = np.zeros((30, 2))
    velocity = np.array([0.3, 0.0])
    last_x, latest_ns = 0.0, 0
    for sequence in range(1, 1000):
        now_ns = latest_ns + int(rng.integers(-30, 40)) * MS
        start_ns = now_ns - int(rng.integers(0, 400)) * MS
        # All plans are one motion, cut at different times; x says how far along it the robot is.
        position = velocity * (start_ns / NS_PER_S)
        x = executor.last.position[0] if executor.last is not None else 0.0
        shift = np.array([x - velocity[0] * latest_ns / NS_PER_S, 0.0]) if sequence == 1 else 0.0
        plan = Plan(start_ns, 0.1, position + t * velocity + shift, still + velocity, still)
        if abs(plan.position[:, 0]).max() < 1.9:
            executor.accept(TimedPlan(plan, 0, sequence, now_ns), now_ns)
        setpoint = executor.setpoint(now_ns)
        assert setpoint is not None
        assert setpoint.position[0] >= last_x - ROUNDING
        if now_ns <= latest_ns:
            assert setpoint.position[0] == last_x
        last_x, latest_ns = setpoint.position[0], max(now_ns, latest_ns)
    assert last_x > 1.0
