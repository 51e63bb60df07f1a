"""Flights with a planner that takes its time: replanning, execution and the delay between them.

The same `Replanner` and `PlanExecutor` as on the robot, a clock that is moved by hand, and a robot
that is where it is asked to be. What is left are the effects of delay and of chunk length.

Letters: ``n`` periods of the control loop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from planner_core.clock import ManualClock, nanoseconds, seconds
from planner_core.errors import DriftpilotError
from planner_core.executor import PlanExecutor
from planner_core.plan import (
    Array,
    GeneratorSpec,
    Observation,
    Plan,
    PlanBatch,
    TrajectoryGenerator,
)
from planner_core.replanning import Replanner, Snapshot
from planner_core.robot import Robot
from planner_core.timed_plan import TimedPlan
from planner_core.world import World

CONTROL_S: Final = 0.01
ROBOT_RADIUS_M: Final = 0.07
GOAL_TOLERANCE_M: Final = 0.25
TIME_LIMIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class DelayedFlight:
    """How a flight went.

    Attributes:
        outcome: ``success``, ``collision`` or ``timed_out``.
        duration_s: Until then.
        rms_jerk: Root mean square over the flight of the commanded jerk [m/s^3].
        held_share: Share of the flight without a plan to follow.
        largest_splice_m: Greatest offset at which one plan followed another.
    """

    outcome: str
    duration_s: float
    rms_jerk: float
    held_share: float
    largest_splice_m: float


class DelayedGenerator:
    """A generator whose calls take a given time of a manual clock.

    Args:
        generator: Makes the plans.
        clock: Moved on by each call.
        delay_s: Time of a call.
    """

    def __init__(self, generator: TrajectoryGenerator, clock: ManualClock, delay_s: float) -> None:
        self._generator, self._clock, self._delay_s = generator, clock, delay_s

    @property
    def spec(self) -> GeneratorSpec:
        """What it takes and gives."""
        return self._generator.spec

    def warm_up(self) -> None:
        """Warm the generator up; takes no time of the clock."""
        self._generator.warm_up()

    def plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        """Plan, and take the time; see `TrajectoryGenerator.plan`."""
        batch = self._generator.plan(observation, previous, deadline_ns, rng)
        self._clock.advance(self._delay_s)
        return batch

    def reset(self) -> None:
        """Forget the task."""
        self._generator.reset()


@dataclass(slots=True)
class _Flight:
    """The control loop, and what it has seen."""

    world: World
    executor: PlanExecutor
    replanner: Replanner
    now_ns: int = 0
    arriving: list[tuple[int, TimedPlan]] = field(default_factory=list)
    acceleration: list[Array] = field(default_factory=list)
    splice_m: float = 0.0
    held: int = 0
    outcome: str = ""

    def period(self) -> None:
        """One period of the control loop."""
        self.now_ns += nanoseconds(CONTROL_S)
        while self.arriving and self.arriving[0][0] <= self.now_ns:
            _, plan = self.arriving.pop(0)
            try:
                self.executor.accept(plan, self.now_ns)
            except DriftpilotError:
                continue  # too late to be followed: the robot holds, which is what is measured
        setpoint = self.executor.setpoint(self.now_ns)
        assert setpoint is not None
        current = self.executor.current
        if current is None:
            self.held += 1
        else:
            self.replanner.delay.followed(current.sequence, self.now_ns)
            self.splice_m = max(self.splice_m, self.executor.splice[0])
        self.acceleration.append(setpoint.acceleration[:3])
        position = setpoint.position[:3]
        if float(self.world.clearance(position)) < ROBOT_RADIUS_M:
            self.outcome = "collision"
        elif np.linalg.norm(position - self.world.goal[:3]) < GOAL_TOLERANCE_M:
            self.outcome = "success"
        elif self.now_ns > nanoseconds(TIME_LIMIT_S):
            self.outcome = "timed_out"


def fly(
    robot: Robot,
    world: World,
    generator: TrajectoryGenerator,
    *,
    chunk: int,
    delay_s: float,
    seed: int = 0,
    scan_range_m: float = 6.0,
) -> DelayedFlight:
    """Fly through a world with a planner that takes ``delay_s`` for each plan.

    Args:
        robot: Position and yaw, with limits.
        world: From its start to its goal.
        generator: Makes the plans; warmed up already.
        chunk: Periods of a plan that are executed before the next one begins.
        delay_s: Time of a planning call.
        seed: Of the planner's noise.
        scan_range_m: Longest ray of the scan.
    """
    planning_clock = ManualClock()
    delayed = DelayedGenerator(generator, planning_clock, delay_s)
    rng = np.random.default_rng(seed)
    replanner = Replanner(delayed, planning_clock, rng, max_age_s=1.0)
    executor = PlanExecutor(robot, hold_s=math.inf)
    flight = _Flight(world, executor, replanner)
    start = np.concatenate([world.start[:3], [0.0]])
    goal = np.concatenate([world.goal[:3], [0.0]])
    executor.engage(start, 0)
    executor.begin(1, 0)
    generator.reset()
    every_ns = nanoseconds(chunk * generator.spec.dt_s)
    due_ns = 0
    while not flight.outcome:
        flight.period()
        if flight.now_ns < due_ns:
            continue
        planning_clock.advance(seconds(flight.now_ns - planning_clock.now_ns()))
        last = executor.last
        assert last is not None
        sensors = {
            name: world.scan(last.position[:3], np.arange(rays) * 2 * np.pi / rays, scan_range_m)
            for name in generator.spec.sensors
            for rays in (generator.spec.width(name),)
        }
        observation = Observation(flight.now_ns, last.position, last.velocity, goal, sensors)
        snapshot = Snapshot(observation, flight.now_ns, 1, executor.current)
        plan = replanner.cycle(snapshot, chunk=chunk).plan
        flight.arriving.append((planning_clock.now_ns(), plan))
        due_ns = max(due_ns + every_ns, planning_clock.now_ns())
    jerk = np.diff(np.array(flight.acceleration), axis=0) / CONTROL_S
    return DelayedFlight(
        flight.outcome,
        seconds(flight.now_ns),
        float(np.sqrt((jerk**2).sum(axis=1).mean())) if len(jerk) else 0.0,
        flight.held / max(len(flight.acceleration), 1),
        flight.splice_m,
    )
