"""What a planner must do to be usable here, as checks that its author runs.

Letters: ``H`` samples of a plan, ``K`` candidates, ``n_q`` degrees of freedom.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from planner_core.clock import nanoseconds
from planner_core.conformance_rules import Finding, NonconformityError, finding, require
from planner_core.errors import DriftpilotError
from planner_core.gates import MAX_DURATION_S, MAX_SAMPLES, PlanGate
from planner_core.plan import GeneratorSpec, Observation, Plan, PlanBatch, TrajectoryGenerator
from planner_core.planners import PlannerRequest
from planner_core.timed_plan import TimedPlan

FAR_NS: Final = 2**62
"""A deadline that nothing misses."""
START_TOLERANCE: Final = 1e-3
"""A plan begins where the robot is to this, in the units of its degrees of freedom."""

Maker = Callable[[PlannerRequest], TrajectoryGenerator]


def check_planner(
    request: PlannerRequest,
    create: Maker,
    observations: Sequence[Observation] | None = None,
) -> list[Finding]:
    """Check a planner.

    Args:
        request: What it is made from: robot, model, world.
        create: The function that the entry point names.
        observations: What it is asked to plan from, the first one at rest; None for states and
            goals within the robot's limits, or the start and goal of the request's world.

    Returns:
        A finding for each rule, in an order in which the first failure explains those after it.
    """
    trial = PlannerTrial(request, create, observations)
    return [finding(check, trial) for check in PLANNER_CHECKS]


class PlannerTrial:
    """A planner, and what it is asked.

    Args:
        request: What it is made from.
        create: The function that the entry point names.
        observations: See `check_planner`.
    """

    def __init__(
        self, request: PlannerRequest, create: Maker, observations: Sequence[Observation] | None
    ) -> None:
        self.request, self._create, self._observations = request, create, observations

    @cached_property
    def generator(self) -> TrajectoryGenerator:
        """One that several checks share."""
        return self.make()

    def make(self) -> TrajectoryGenerator:
        """A new one, warmed up."""
        generator = self._create(self.request)
        generator.warm_up()
        return generator

    def observations(self, spec: GeneratorSpec) -> list[Observation]:
        """What to plan from, the first one at rest."""
        if self._observations is not None:
            return list(self._observations)
        robot, world, rng = self.request.robot, self.request.world, np.random.default_rng(0)
        middle = np.clip(0.0, 0.75 * robot.lower + 0.25 * robot.upper,
                         0.25 * robot.lower + 0.75 * robot.upper)  # fmt: skip
        reach = np.minimum((robot.upper - robot.lower) / 4, math.pi / 2)
        found = []
        for i in range(8):
            position, goal = middle + reach * rng.uniform(-1, 1, (2, robot.n_q))
            velocity = 0.2 * (i % 2) * robot.velocity * rng.uniform(-1, 1, robot.n_q)
            if world is not None:
                position, goal = world.start, world.goal
            goal = rng.uniform(-0.3, 0.3, len(spec.goal)) if spec.goal else goal
            sensors = {
                name: rng.uniform(1.0, 3.0, _length(numbers))
                for name, numbers in spec.sensors.items()
            }
            found.append(Observation(nanoseconds(1.0 + i), position, velocity, goal, sensors))
        return found

    def plan(
        self, generator: TrajectoryGenerator, observation: Observation, previous: Plan | None = None
    ) -> PlanBatch:
        """One call with randomness of its own, which is the same in every call."""
        return generator.plan(observation, previous, FAR_NS, np.random.default_rng(7))

    @cached_property
    def answers(self) -> list[tuple[GeneratorSpec, Observation, PlanBatch]]:
        """The plans from all observations, each of them a new task."""
        generator, found, refusals = self.generator, [], []
        for observation in self.observations(generator.spec):
            generator.reset()
            try:
                batch = self.plan(generator, observation)
            except DriftpilotError as error:
                refusals.append(str(error))  # not every state has a plan
            else:
                found.append((generator.spec, observation, batch))
        require(len(refusals) < 4, f"no plan from {len(refusals)} states: {refusals[:1]}")
        return found


def _length(numbers: int | tuple[str, ...]) -> int:
    return numbers if isinstance(numbers, int) else len(numbers)


def _arrays(batch: PlanBatch) -> list[np.ndarray[Any, Any]]:
    return [np.array(a) for a in (batch.position, batch.velocity, batch.acceleration, batch.value)]


def _equal(one: PlanBatch, other: PlanBatch) -> bool:
    return all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True)
        for a, b in zip(_arrays(one), _arrays(other), strict=True)
    )


def spec_fits(trial: PlannerTrial) -> None:
    """The spec names the robot, its degrees of freedom in order, and a horizon within bounds."""
    spec, robot = trial.generator.spec, trial.request.robot
    got, expected = (spec.robot, tuple(spec.dof_names)), (robot.name, robot.names)
    require(got == expected, f"got {got}, expected {expected}")
    require(2 <= spec.horizon <= MAX_SAMPLES, f"horizon {spec.horizon}, of 2 to {MAX_SAMPLES}")
    duration_s = (spec.horizon - 1) * spec.dt_s
    require(0 < duration_s <= MAX_DURATION_S, f"a plan of {duration_s} s, of {MAX_DURATION_S} s")
    require(spec.candidates >= 1, f"{spec.candidates} candidates")
    lengths = [_length(numbers) for numbers in spec.sensors.values()]
    require(all(n >= 1 for n in lengths), f"sensors {dict(spec.sensors)}")


def shapes_fit(trial: PlannerTrial) -> None:
    """A call gives (K, H, n_q) arrays, (K,) values, and begins at the observation's time."""
    for spec, observation, batch in trial.answers:
        shape = (spec.candidates, spec.horizon, len(spec.dof_names))
        for name in ("position", "velocity", "acceleration"):
            got = np.shape(getattr(batch, name))
            require(got == shape, f"{name} is {got}, expected {shape}")
        require(np.shape(batch.value) == shape[:1], f"value is {np.shape(batch.value)}")
        feasible = np.asarray(batch.feasible)
        require(feasible.shape == shape[:1] and feasible.dtype == np.bool_, "feasible: (K,) bool")
        require(batch.cost is None or np.shape(batch.cost) == shape[:1], "cost: (K,) or None")
        require(batch.dt_s == spec.dt_s, f"dt_s {batch.dt_s}, the spec says {spec.dt_s}")
        require(
            batch.start_ns == observation.stamp_ns,
            f"starts at {batch.start_ns} ns, the observation is of {observation.stamp_ns} ns",
        )


def calls_repeat(trial: PlannerTrial) -> None:
    """The same observation and the same rng give the same plans; there is no other randomness."""
    one, other = trial.make(), trial.make()
    observation = trial.observations(one.spec)[0]
    before = np.random.get_state()
    first = trial.plan(one, observation)
    np.random.seed(1)
    second = trial.plan(other, observation)
    following = np.random.random()
    np.random.set_state(before)
    require(_equal(first, second), "two planners gave different plans")
    untouched = following == np.random.RandomState(1).random()
    require(untouched, "numpy's global generator was used")


def earlier_plans_stay(trial: PlannerTrial) -> None:
    """A batch stays as it is when the next call is made."""
    generator = trial.make()
    observations = trial.observations(generator.spec)
    batch, twin = (trial.plan(g, observations[0]) for g in (generator, trial.make()))
    # Not looked into before the next call: a batch may be lazy.
    later = replace(observations[0], goal=observations[-1].goal)
    generator.plan(later, None, FAR_NS, np.random.default_rng(8))
    require(_equal(batch, twin), "the next call wrote into the arrays of the one before")


def numbers_are_finite(trial: PlannerTrial) -> None:
    """No candidate holds NaN or infinity."""
    for _, observation, batch in trial.answers:
        finite = all(np.isfinite(array).all() for array in _arrays(batch))
        require(finite, f"planned from {observation.position.tolist()}")


def plans_begin_at_the_robot(trial: PlannerTrial) -> None:
    """Every candidate begins at the position that was observed."""
    for _, observation, batch in trial.answers:
        gap = float(np.abs(np.asarray(batch.position)[:, 0] - observation.position).max())
        require(gap <= START_TOLERANCE, f"begins {gap:.3g} away")


def best_plans_pass_the_gate(trial: PlannerTrial) -> None:
    """The best candidate keeps the robot's limits, which plan_execution refuses plans beyond."""
    robot = trial.request.robot
    for spec, observation, batch in trial.answers:
        plan, now_ns = batch.plan(batch.best), observation.stamp_ns
        timed = TimedPlan(plan, epoch=1, sequence=1, measured_ns=now_ns)
        names, frame_id = spec.dof_names, robot.frame_id
        PlanGate(robot).check(
            timed, robot=spec.robot, names=names, frame_id=frame_id, now_ns=now_ns
        )


def previous_plan_is_taken(trial: PlannerTrial) -> None:
    """It replans with the plan in execution at hand, also from its middle and after its end."""
    generator = trial.generator
    spec, observation = generator.spec, trial.observations(generator.spec)[0]
    batch = trial.plan(generator, observation)
    previous = batch.plan(batch.best)
    for share in (0.3, 1.5):
        ahead_ns = nanoseconds(share * spec.horizon * spec.dt_s)
        position, velocity, _ = previous.sample(observation.stamp_ns + ahead_ns)
        later = Observation(
            observation.stamp_ns + ahead_ns, position, velocity, observation.goal,
            observation.sensors,
        )  # fmt: skip
        following = trial.plan(generator, later, previous)
        finite = all(np.isfinite(array).all() for array in _arrays(following))
        require(finite, f"{share:g} of the previous plan passed")


def reset_forgets(trial: PlannerTrial) -> None:
    """After a reset it plans as one that was just made."""
    used, new = trial.make(), trial.make()
    observations = trial.observations(used.spec)
    for observation in observations[1:4]:
        try:
            batch = trial.plan(used, observation)
            trial.plan(used, observation, batch.plan(batch.best))
        except DriftpilotError:
            continue
    used.reset()
    same = _equal(trial.plan(used, observations[0]), trial.plan(new, observations[0]))
    require(same, "what it planned before shows in the next task")


def missed_deadlines_return(trial: PlannerTrial) -> None:
    """A call whose deadline has passed returns what it has, or raises a DriftpilotError."""
    generator = trial.generator
    observation = trial.observations(generator.spec)[0]
    try:
        batch = generator.plan(observation, None, 1, np.random.default_rng(7))
    except DriftpilotError:
        return
    require(np.isfinite(batch.position).all(), "the plan holds NaN or infinity")


def calls_end_in_time(trial: PlannerTrial) -> None:
    """A call takes less time than its plan; the quickest of three counts."""
    generator = trial.generator
    spec, observation = generator.spec, trial.observations(generator.spec)[0]
    durations_s = []
    for _ in range(3):
        began = time.perf_counter()
        trial.plan(generator, observation)
        durations_s.append(time.perf_counter() - began)
    length_s = (spec.horizon - 1) * spec.dt_s
    require(
        min(durations_s) < length_s, f"a call takes {min(durations_s):.2f} s, a plan {length_s} s"
    )


def threads_may_differ(trial: PlannerTrial) -> None:
    """It may be made and warmed up in one thread, and plan in another."""
    with ThreadPoolExecutor(max_workers=1) as other:
        generator = other.submit(trial.make).result()
    trial.plan(generator, trial.observations(generator.spec)[0])


def bad_observations_are_refused(trial: PlannerTrial) -> None:
    """What is not finite, of the wrong width or incomplete is refused with a DriftpilotError."""
    generator = trial.generator
    good = trial.observations(generator.spec)[0]
    bad = {
        f"NaN in {name}": replace(good, **{name: np.full_like(getattr(good, name), np.nan)})
        for name in ("position", "velocity", "goal")
    }
    bad |= {
        f"one {name} less": replace(good, **{name: getattr(good, name)[:-1]})
        for name in ("position", "velocity")
    }
    if generator.spec.sensors:
        bad["no sensors"] = replace(good, sensors={})
    for name, observation in bad.items():
        try:
            trial.plan(generator, observation)
        except DriftpilotError:
            continue
        raise NonconformityError(f"planned with {name}")


PLANNER_CHECKS: Final = (
    spec_fits,
    shapes_fit,
    calls_repeat,
    earlier_plans_stay,
    numbers_are_finite,
    plans_begin_at_the_robot,
    best_plans_pass_the_gate,
    previous_plan_is_taken,
    reset_forgets,
    missed_deadlines_return,
    calls_end_in_time,
    threads_may_differ,
    bad_observations_are_refused,
)
