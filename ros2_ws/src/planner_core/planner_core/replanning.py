"""One cycle of receding-horizon planning: predict, generate, choose, place in time.

A plan takes time to make. It is therefore made for the moment at which it will be executed, from
the state that the robot will be in then: that of the plan it is following, corrected by how far it
is from it now.
"""

from __future__ import annotations

import copy
import math
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from planner_core.clock import Clock, nanoseconds, seconds
from planner_core.delay import DelayEstimate
from planner_core.errors import (
    DriftpilotError,
    InvalidPlanError,
    PlannerExceptionError,
    StaleObservationError,
)
from planner_core.plan import Array, Observation, Plan, PlanBatch, TrajectoryGenerator
from planner_core.selection import BudgetedSelection, Choice
from planner_core.timed_plan import TimedPlan

FAR_NS: Final = 2**62
AHEAD_SHARE: Final = 0.1
"""Stamps of another process may be ahead of ours by this share of the greatest age, not more."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Everything that a planning cycle starts from, taken at one instant.

    Attributes:
        observation: The newest state, goal and sensors.
        measured_ns: ROS time of the newest measurement in the state [ns].
        epoch: Which goal it is.
        following: The plan that the robot is following, None where it stands.
    """

    observation: Observation
    measured_ns: int
    epoch: int
    following: TimedPlan | None


@dataclass(frozen=True, slots=True, eq=False)
class Cycle:
    """What a planning cycle gave.

    Attributes:
        plan: The chosen candidate, placed in time.
        batch: All candidates.
        choice: Which one was chosen, and why.
        remaining: What is left of the task's budget; None without one.
        duration_s: Time that the generator took [s].
        late: Whether it took longer than it was given.
    """

    plan: TimedPlan
    batch: PlanBatch
    choice: Choice
    remaining: float | None
    duration_s: float
    late: bool


class Replanner:
    """Runs planning cycles. Belongs to one thread.

    The generator may be exchanged between two cycles: numbers, delays and budget go on.

    Args:
        generator: Warmed up already.
        clock: ROS time and steady time.
        rng: The only source of randomness.
        max_age_s: An older state is not planned from.
        delay: What was executed, and when; told of commands by whoever hears them.
        follow_tolerance: A robot closer than this to the plan it follows, in the units of its
            degrees of freedom, is planned for as if it were on it, so that plans join seamlessly.
    """

    def __init__(
        self,
        generator: TrajectoryGenerator,
        clock: Clock,
        rng: np.random.Generator,
        *,
        max_age_s: float,
        delay: DelayEstimate | None = None,
        follow_tolerance: float = 0.3,
    ) -> None:
        self.generator = generator
        self.delay = delay or DelayEstimate()
        self.sequence = 0
        self._clock = clock
        self._rng = rng
        self._max_age_s = max_age_s
        self._follow_tolerance = follow_tolerance
        self._task: tuple[int, float | None, float] | None = None
        self._selection = BudgetedSelection()
        self._last: tuple[TimedPlan, float] | None = None

    def cycle(
        self,
        snapshot: Snapshot,
        *,
        chunk: int = 0,
        deadline_s: float = math.inf,
        budget: float | None = None,
        discount: float = 1.0,
    ) -> Cycle:
        """Make one plan.

        Args:
            snapshot: What to plan from.
            chunk: Periods of the plan that may be executed; 0 for all.
            deadline_s: Time that the generator is given; it may use it to stop early.
            budget: Cost that the whole task may have; None for no limit. Another value, or another
                goal, begins a new account.
            discount: See `BudgetedSelection`.

        Raises:
            StaleObservationError: The state is too old, or from the future.
            PlannerExceptionError: The generator raised something that is not a `DriftpilotError`.
            InvalidPlanError: The generator's plan is not one.
            DriftpilotError: The generator has no plan for this observation.
        """
        now_ns = self._clock.now_ns()
        age_s = seconds(now_ns - snapshot.measured_ns)
        if not -AHEAD_SHARE * self._max_age_s <= age_s <= self._max_age_s:
            raise StaleObservationError(
                "age of the observation",
                got=f"{age_s:.3f} s",
                expected=f"up to {self._max_age_s} s",
            )
        start_ns = now_ns + nanoseconds(self.delay.lead_s)
        following = snapshot.following
        if following is not None and not self._covers(following, snapshot.observation.stamp_ns):
            following = None
        position, velocity = self._predict(snapshot.observation, following, start_ns)
        observation = Observation(
            start_ns, position, velocity, snapshot.observation.goal, snapshot.observation.sensors
        )
        previous = None if following is None else following.plan
        self._open_account(snapshot.epoch, budget, discount)
        began_ns = self._clock.steady_ns()
        deadline_ns = FAR_NS if deadline_s == math.inf else began_ns + nanoseconds(deadline_s)
        try:
            batch = self.generator.plan(observation, previous, deadline_ns, self._rng)
        except DriftpilotError:
            raise
        except Exception as error:  # whatever a plugin raises must not end the server
            where = traceback.extract_tb(error.__traceback__)[-1]
            raise PlannerExceptionError(
                f"planner {self.generator.spec.name} raised {type(error).__name__}",
                got=f"{error} ({where.name}, line {where.lineno} of {Path(where.filename).name})",
            ) from error
        choice, chosen = self._choose(batch, start_ns)
        duration_s = seconds(self._clock.steady_ns() - began_ns)
        ready_ns = self._clock.now_ns()
        # Above the numbers of an earlier process, whose last plan the robot may still follow, and
        # never the number of another planner.
        self.sequence = max(self.sequence + 1, ready_ns // 1000)
        self.delay.planned(
            self.sequence, duration_s, snapshot_ns=now_ns, ready_ns=ready_ns, start_ns=start_ns
        )
        plan = TimedPlan(chosen, snapshot.epoch, self.sequence, snapshot.measured_ns, chunk)
        self._last = plan, choice.cost
        return Cycle(
            plan, batch, choice, self._selection.remaining, duration_s, duration_s > deadline_s
        )

    def successor(self, generator: TrajectoryGenerator) -> Replanner:
        """Another one, which goes on with the task while a call of this one hangs.

        It shares nothing that this one would change if its call returned after all.

        Args:
            generator: Warmed up already.
        """
        other = copy.copy(self)
        other.generator = generator
        other._selection = copy.copy(self._selection)
        (other._rng,) = self._rng.spawn(1)
        return other

    def reset(self) -> None:
        """Forget the task: a new goal has come."""
        self.generator.reset()
        self._last = self._task = None

    def _open_account(self, epoch: int, budget: float | None, discount: float) -> None:
        if self._task != (epoch, budget, discount):
            self._selection = BudgetedSelection(budget, discount)
            self._task = epoch, budget, discount
            self._last = None

    def _choose(self, batch: PlanBatch, start_ns: int) -> tuple[Choice, Plan]:
        if self._last is not None and self._last[1] > 0:
            # Of the last plan's cost, the share that was executed until this plan begins.
            timed, cost = self._last
            until_ns, last = min(start_ns, timed.until_ns), timed.plan
            share = seconds(until_ns - last.start_ns) / seconds(last.end_ns - last.start_ns)
            self._selection.spend(cost * min(max(share, 0.0), 1.0))
        # Spent once, whatever becomes of this plan.
        self._last = None
        name, width = self.generator.spec.name, len(self.generator.spec.dof_names)
        try:
            choice = self._selection.choose(batch.value, batch.cost, batch.feasible)
            plan = batch.plan(choice.index)
        except DriftpilotError:
            raise
        except Exception as error:  # whatever a plugin's batch lacks
            raise InvalidPlanError(f"plan of {name}", got=repr(error)) from error
        if plan.position.shape[1] != width:
            raise InvalidPlanError(
                f"plan of {name}: degrees of freedom", got=plan.position.shape[1], expected=width
            )
        if not all(np.isfinite(a).all() for a in (plan.position, plan.velocity, plan.acceleration)):
            raise InvalidPlanError(
                f"plan of {name}", got="NaN or infinity", expected="finite numbers"
            )
        return choice, plan

    def _predict(
        self, now: Observation, following: TimedPlan | None, start_ns: int
    ) -> tuple[Array, Array]:
        """Position and velocity at the start of the plan, each (n_q,)."""
        if following is None:
            ahead_s = seconds(start_ns - now.stamp_ns)
            return now.position + now.velocity * ahead_s, now.velocity
        then = following.plan.sample(now.stamp_ns)
        # Not further than the plan may be executed: the robot stands still from there.
        start = following.plan.sample(min(start_ns, following.until_ns))
        error_position = now.position - then[0]
        if np.abs(error_position).max() <= self._follow_tolerance:
            return start[0], start[1]
        return start[0] + error_position, start[1] + (now.velocity - then[1])

    def _covers(self, following: TimedPlan, stamp_ns: int) -> bool:
        """Whether a plan says where the robot was: not where ROS time has jumped since."""
        slack_ns = nanoseconds(self._max_age_s)
        earliest_ns, latest_ns = following.plan.start_ns - slack_ns, following.until_ns + slack_ns
        return earliest_ns <= stamp_ns <= latest_ns
