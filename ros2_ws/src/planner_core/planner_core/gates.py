"""What a plan must satisfy before it may move a robot.

A gate refuses; it never repairs. A plan with one bad number is as wrong as one with a hundred, and
what a repaired plan would do is nobody's intention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from planner_core.clock import seconds
from planner_core.errors import (
    AccelerationLimitError,
    ExecutionError,
    FrameError,
    JerkLimitError,
    JointOrderError,
    NonFiniteError,
    PlanAgeError,
    PositionLimitError,
    VelocityLimitError,
)
from planner_core.plan import Array, Plan
from planner_core.robot import Robot
from planner_core.timed_plan import TimedPlan

MAX_SAMPLES: Final = 1000
MAX_DURATION_S: Final = 60.0
"""A longer plan would keep a robot busy long after its planner has died."""


@dataclass(frozen=True, slots=True)
class PlanGate:
    """The checks on one plan, in the order of their codes.

    Attributes:
        robot: Whose limits and degrees of freedom hold.
        max_age_s: Greatest age of the measurement behind a plan.
        max_ahead_s: How long before its start a plan may come.
        margin: Share by which a plan may exceed the limits of velocity, acceleration and jerk;
            commands are held to the limits themselves afterwards.
    """

    robot: Robot
    max_age_s: float = 0.5
    max_ahead_s: float = 1.0
    margin: float = 0.1

    def check(
        self,
        timed: TimedPlan,
        *,
        robot: str,
        names: Sequence[str],
        frame_id: str,
        now_ns: int,
    ) -> None:
        """Refuse a plan that the robot must not follow.

        Args:
            timed: The plan.
            robot: Robot that it was made for.
            names: Degrees of freedom, in the order of its columns.
            frame_id: Frame of its positions.
            now_ns: ROS time [ns].

        Raises:
            ExecutionError: The subclass names the check that failed.
        """
        own, plan = self.robot, timed.plan
        if robot != own.name or tuple(names) != own.names or plan.position.shape[1] != own.n_q:
            raise JointOrderError(
                "plan for other degrees of freedom",
                got=f"{robot}: {list(names)}, {plan.position.shape[1]} columns",
                expected=f"{own.name}: {list(own.names)}",
            )
        if frame_id != own.frame_id:
            raise FrameError(
                "plan in another frame", got=repr(frame_id), expected=repr(own.frame_id)
            )
        for quantity in ("position", "velocity", "acceleration"):
            finite = np.isfinite(getattr(plan, quantity))
            if not finite.all():
                i, j = np.argwhere(~finite)[0]
                raise NonFiniteError(
                    f"plan {quantity} at sample {i}, {own.names[j]}",
                    got=getattr(plan, quantity)[i, j],
                )
        self._check_times(timed, now_ns)
        self._check_motion(plan)

    def _check_times(self, timed: TimedPlan, now_ns: int) -> None:
        age_s = seconds(now_ns - timed.measured_ns)
        if not 0 <= age_s <= self.max_age_s:
            raise PlanAgeError(
                "age of the measurement behind the plan",
                got=f"{age_s:.3f} s",
                expected=f"0 to {self.max_age_s} s",
            )
        if timed.until_ns <= now_ns:
            raise PlanAgeError(
                "plan that is over", got=f"it ended {seconds(now_ns - timed.until_ns):.3f} s ago"
            )
        plan = timed.plan
        duration_s = seconds(plan.end_ns - plan.start_ns)
        if plan.horizon > MAX_SAMPLES or duration_s > MAX_DURATION_S:
            raise PlanAgeError(
                "plan of absurd length", got=f"{plan.horizon} samples, {duration_s:.4g} s",
                expected=f"at most {MAX_SAMPLES} samples and {MAX_DURATION_S:g} s",
            )  # fmt: skip
        ahead_s = seconds(plan.start_ns - now_ns)
        if ahead_s > self.max_ahead_s:
            raise PlanAgeError(
                "plan that starts too late", got=f"in {ahead_s:.3f} s",
                expected=f"within {self.max_ahead_s} s",
            )  # fmt: skip

    def _check_motion(self, plan: Plan) -> None:
        """Hold the samples, and the cubics between them, to the limits.

        A cubic's acceleration is linear, so the greatest is at one of its ends. Samples whose
        positions and velocities contradict each other are found here: the curve through them is
        what the robot would be asked to fly.
        """
        own, h = self.robot, plan.dt_s
        slack = 1e-6 * np.maximum(1.0, np.abs(own.upper))
        self._limit(plan.position, own.lower - slack, own.upper + slack, PositionLimitError)
        bound = own.velocity * (1 + self.margin)
        self._limit(plan.velocity, -bound, bound, VelocityLimitError)
        with np.errstate(over="ignore", invalid="ignore"):
            step = np.diff(plan.position, axis=0)
            v0, v1 = plan.velocity[:-1], plan.velocity[1:]
            first = (6 * step / h - 4 * v0 - 2 * v1) / h
            last = (-6 * step / h + 2 * v0 + 4 * v1) / h
        bound = own.acceleration * (1 + self.margin)
        for acceleration in (plan.acceleration, first, last):
            self._limit(acceleration, -bound, bound, AccelerationLimitError)
        bound = own.jerk * (1 + self.margin)
        for change in (np.diff(plan.acceleration, axis=0), last - first):
            self._limit(change / h, -bound, bound, JerkLimitError)

    def _limit(
        self,
        values: Array,
        lower: Array,
        upper: Array,
        error: type[ExecutionError],
    ) -> None:
        outside = ~((values >= lower) & (values <= upper))
        if outside.any():
            i, j = np.argwhere(outside)[0]
            raise error(
                f"plan beyond the limit at sample {i}, {self.robot.names[j]}",
                got=f"{values[i, j]:.4g}",
                expected=f"in [{lower[j]:.4g}, {upper[j]:.4g}]",
            )
