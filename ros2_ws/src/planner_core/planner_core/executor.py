"""Follows plans at absolute times, joins them smoothly, and brakes when they run out.

The executor is the mechanism between a planner, whose plans come when they come, and a robot, which
needs a command every period. Time belongs to the plans: a sample is used at its own time, so a late
plan is entered in its middle and an early one waits for its start.

Joins are C1. At the moment of a splice the new plan differs from what was commanded so far by an
offset in position and velocity; the offset is carried on and decays along a quintic, so that
neither position nor velocity steps. Where plan and offset together ask for more than the robot's
acceleration, the command falls behind, and what is missing is one more offset to join from.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from planner_core.clock import NS_PER_S, seconds
from planner_core.ensembling import Ensemble
from planner_core.errors import (
    DriftpilotError,
    MotionEndError,
    NoPlanError,
    NoStateError,
    PlanAgeError,
    PlanOrderError,
    PositionLimitError,
    SpliceError,
    TimeJumpError,
)
from planner_core.joining import BLEND_SHARE, Offset, braking_plan
from planner_core.limiter import Setpoint, limited, reachable
from planner_core.plan import Array
from planner_core.robot import Robot
from planner_core.timed_plan import Source, TimedPlan

__all__ = ["Mode", "PlanExecutor", "Source", "TimedPlan"]

JUMP_BACK_NS: Final = NS_PER_S // 10
"""ROS time that goes back by less is taken to stand still."""
JUMP_AHEAD_NS: Final = NS_PER_S // 5
"""After a longer time without a setpoint, the robot is no longer where a plan says."""

ENGAGE_TOLERANCE_S: Final = 0.1
"""A robot may stand so far outside its range, in time at its velocity limit: sensors have noise."""

FAR_NS: Final = 2**63
"""A time that does not come."""


class Mode(IntEnum):
    """What the executor is doing; the numbers are those of ``ExecutionStatus``."""

    IDLE = 0
    TRACKING = 1
    HOLDING = 2
    RESTING = 3
    STOPPED = 4


class PlanExecutor:
    """Turns a stream of plans into a setpoint for every instant.

    Not thread-safe: all calls belong to one thread.

    Args:
        robot: Degrees of freedom and limits.
        max_splice: Greatest offset of a join, as a multiple of what the robot covers in one second
            at its velocity limit; a larger one is a mistake, not a join.
        hold_s: How long the robot stands still without plans before it ends the motion.
        ensemble: Averages overlapping plans; None follows the newest alone.
    """

    def __init__(
        self,
        robot: Robot,
        *,
        max_splice: float = 0.5,
        hold_s: float = 2.0,
        ensemble: Ensemble | None = None,
    ) -> None:
        self.robot = robot
        self.hold_s = hold_s
        self.ensemble = ensemble
        self.mode = Mode.IDLE
        self.epoch = 0
        self.splice: tuple[float, float] = (0.0, 0.0)
        """Largest position and velocity offset of the last join."""
        self.entry_delay_s = 0.0
        """How late after its start the last plan was first followed [s]."""
        self.cause: DriftpilotError | None = None
        """Why no plan is followed; None where nobody asked for more."""
        self._max_splice = max_splice * robot.velocity
        self._current: TimedPlan | None = None
        # By start, and by age too: a newer plan makes those void that would start after it.
        self._pending: list[TimedPlan] = []
        self._newest: dict[Source, tuple[int, int]] = {}
        self._offset: Offset | None = None
        self._last: Setpoint | None = None
        self._last_ns = 0
        self._since_ns = 0
        self._held_since_ns: int | None = None

    @property
    def current(self) -> TimedPlan | None:
        """The plan in execution, if one is."""
        return self._current if self.mode is Mode.TRACKING else None

    @property
    def last(self) -> Setpoint | None:
        """The last setpoint that was given out."""
        return self._last

    def follows(self, source: Source) -> bool:
        """Whether a plan of this source is in execution or waits for its start."""
        plans = [*self._pending, *([self.current] if self.current else [])]
        return any(plan.source is source for plan in plans)

    def engage(self, position: Array, now_ns: int) -> None:
        """Stand at a position, ready to follow plans.

        Raises:
            NoStateError: The position is not finite.
            PositionLimitError: It is outside the robot's range by more than the robot covers in
                `ENGAGE_TOLERANCE_S`: its first command would be a jump to the fence.
        """
        if not np.isfinite(position).all():
            raise NoStateError("position to stand at", got=position, expected="finite numbers")
        robot = self.robot
        beyond = np.maximum(robot.lower - position, position - robot.upper) / robot.velocity
        if beyond.max() > ENGAGE_TOLERANCE_S:
            j = int(np.argmax(beyond))
            raise PositionLimitError(
                f"{robot.names[j]} to stand at", got=f"{position[j]:.4g} {robot.units[j]}",
                expected=f"in [{robot.lower[j]:.4g}, {robot.upper[j]:.4g}]",
            )  # fmt: skip
        self._clear()
        self._last = limited(Setpoint.at_rest(position), self.robot)
        self._last_ns = self._since_ns = self._held_since_ns = now_ns
        self.mode = Mode.HOLDING

    def begin(self, epoch: int, now_ns: int) -> None:
        """Expect plans of a new goal; those of earlier goals become void.

        A robot that stands still goes on waiting for the first plan, but not for ever: a planner
        that dies before it makes one must not leave the robot in the air.
        """
        self.epoch = max(self.epoch, epoch)
        self._pending = [plan for plan in self._pending if plan.epoch >= self.epoch]
        if self.mode is Mode.HOLDING:
            self._held_since_ns = now_ns

    def accept(self, plan: TimedPlan, now_ns: int) -> None:
        """Take a plan that passed the gates.

        Args:
            plan: The plan, which may start earlier or later than now.
            now_ns: ROS time [ns].

        Raises:
            PlanOrderError: It belongs to an earlier goal, or is not newer than the last one of its
                source, or nothing may be followed in the present mode.
            PlanAgeError: What may be executed of it is over.
            SpliceError: It starts too far from where the robot is asked to be.
        """
        self.advance(now_ns)
        if self.mode not in (Mode.TRACKING, Mode.HOLDING):
            raise PlanOrderError("plan while no plan may be followed", got=self.mode.name)
        if plan.epoch < self.epoch:
            raise PlanOrderError(
                "plan of an earlier goal", got=plan.epoch, expected=f"epoch {self.epoch} or later"
            )
        newest = self._newest.get(plan.source, (-1, -1))
        if (plan.epoch, plan.sequence) <= newest:
            raise PlanOrderError(
                "plan that is not newer", got=f"sequence {plan.sequence} of epoch {plan.epoch}",
                expected=f"a sequence above {newest[1]}, or a goal after {newest[0]}",
            )  # fmt: skip
        if plan.until_ns <= now_ns:
            raise PlanAgeError(
                "plan that is over", got=f"it ended {seconds(now_ns - plan.until_ns):.3f} s ago"
            )
        self._check_distance(plan, max(now_ns, plan.plan.start_ns))
        self.epoch = plan.epoch
        self._newest[plan.source] = plan.epoch, plan.sequence
        if self.ensemble is not None:
            plan = self.ensemble.blend(plan)
        start_ns = plan.plan.start_ns
        self._pending = [p for p in self._pending if p.plan.start_ns < start_ns]
        self._pending.append(plan)
        self.advance(now_ns)

    def hold(self, now_ns: int) -> None:
        """Brake and stand still."""
        self.advance(now_ns)
        self._pending.clear()
        if self.mode is Mode.TRACKING:
            self._brake(max(now_ns, self._last_ns), None)
        self.cause = None

    def rest(self, now_ns: int, cause: DriftpilotError | None = None) -> None:
        """End the motion: brake, and let the robot land, stay or damp.

        Args:
            now_ns: ROS time [ns].
            cause: What forces the end, None where it was asked for.
        """
        if self.mode in (Mode.TRACKING, Mode.HOLDING):
            self.hold(now_ns)
            self.mode, self.cause = Mode.RESTING, cause

    def idle(self) -> None:
        """Send nothing more, after the robot came to rest."""
        if self.mode is not Mode.STOPPED:
            self._clear()
            self.mode = Mode.IDLE

    def stop(self) -> None:
        """Emergency stop, latched until `release`."""
        self._clear()
        self.mode = Mode.STOPPED

    def release(self) -> None:
        """End the emergency stop; motion needs `engage` again."""
        if self.mode is Mode.STOPPED:
            self.mode = Mode.IDLE

    def setpoint(self, now_ns: int) -> Setpoint | None:
        """What the robot is asked to be doing now.

        Args:
            now_ns: ROS time [ns]. Where it jumped, the robot brakes from where it was.

        Returns:
            The setpoint within the limits, or None in the modes that command no position.
        """
        if self.mode in (Mode.IDLE, Mode.STOPPED) or self._last is None:
            return None
        self.advance(now_ns)
        time_ns = max(now_ns, self._last_ns)
        held_since_ns = time_ns if self._held_since_ns is None else self._held_since_ns
        # A plan that waits for its start is not waited for in vain.
        over = time_ns - held_since_ns > self.hold_s * NS_PER_S and not self._pending
        if self.mode is Mode.HOLDING and over:
            self.mode = Mode.RESTING
            self.cause = MotionEndError("without a plan for too long", got=f"{self.hold_s:g} s")
        desired = self._reference(time_ns)
        command = reachable(self._last, desired, seconds(time_ns - self._last_ns), self.robot)
        if command is not desired:
            self._join_from(command, time_ns)
        self._last = limited(command, self.robot)
        self._last_ns = time_ns
        return self._last

    def advance(self, now_ns: int) -> None:
        """Do all that was due until now, in the order of its times: joins, and ends of plans."""
        if self.mode not in (Mode.TRACKING, Mode.HOLDING, Mode.RESTING):
            return
        if not -JUMP_BACK_NS <= now_ns - self._last_ns <= JUMP_AHEAD_NS:
            self._restart(now_ns)
        while True:
            current = self.current
            over_ns = FAR_NS if current is None else current.until_ns
            start_ns = self._pending[0].plan.start_ns if self._pending else FAR_NS
            if start_ns <= min(now_ns, over_ns):
                self._splice(self._pending.pop(0), now_ns)
            elif over_ns <= now_ns:
                cause = NoPlanError("plan ran out", expected="a newer one by then")
                self._brake(max(over_ns, self._last_ns, self._since_ns), cause)
            else:
                return

    def _reference(self, time_ns: int) -> Setpoint:
        """The setpoint that the plan in execution gives for a time, offset included."""
        assert self._last is not None
        if self._current is None:
            return self._last
        position, velocity, acceleration = self._current.plan.sample(time_ns)
        if self._offset is not None:
            dp, dv, da = self._offset.sample(time_ns)
            position, velocity, acceleration = position + dp, velocity + dv, acceleration + da
        return Setpoint(position, velocity, acceleration)

    def _check_distance(self, plan: TimedPlan, join_ns: int) -> None:
        distance = np.abs(plan.plan.sample(join_ns)[0] - self._reference(join_ns).position)
        if (distance > self._max_splice).any():
            j = int(np.argmax(distance / self._max_splice))
            raise SpliceError(
                f"plan starts away from the commanded {self.robot.names[j]}",
                got=f"{distance[j]:.3f} {self.robot.units[j]}",
                expected=f"at most {self._max_splice[j]:.3f}",
            )

    def _splice(self, plan: TimedPlan, now_ns: int) -> None:
        # A late plan is joined now; one that waited, when it began: the robot is never sent back.
        time_ns = max(plan.plan.start_ns, self._last_ns, self._since_ns)
        before = self._reference(time_ns)
        self.entry_delay_s = seconds(now_ns - plan.plan.start_ns)
        self._current, self._since_ns = plan, time_ns
        self._join_from(before, time_ns)
        self._held_since_ns, self.cause = None, None
        self.mode = Mode.TRACKING
        offset = self._offset
        self.splice = (0.0, 0.0)
        if offset is not None:
            self.splice = (
                float(np.abs(offset.position).max()), float(np.abs(offset.velocity).max())
            )  # fmt: skip

    def _join_from(self, before: Setpoint, time_ns: int) -> None:
        """Carry on from a setpoint: its difference to the plan in execution decays."""
        self._offset = None
        if self._current is None:
            return
        position, velocity, _ = self._current.plan.sample(time_ns)
        dp, dv = before.position - position, before.velocity - velocity
        if dp.any() or dv.any():
            limit = BLEND_SHARE * self.robot.acceleration
            self._offset = Offset.joining(time_ns, dp, dv, limit)

    def _brake(self, time_ns: int, cause: DriftpilotError | None) -> None:
        before = limited(self._reference(time_ns), self.robot)
        self._stand_from(before, time_ns, cause)

    def _stand_from(self, before: Setpoint, time_ns: int, cause: DriftpilotError | None) -> None:
        self._current = TimedPlan(braking_plan(time_ns, before, self.robot), 0, 0, time_ns)
        self._offset = None
        self._since_ns = self._held_since_ns = time_ns
        self.cause = cause
        self.mode = Mode.HOLDING
        if self.ensemble is not None:
            # What was averaged before the stop is no part of the motion after it.
            self.ensemble.clear()

    def _restart(self, now_ns: int) -> None:
        """Brake from where the robot was told to be: the times of the plans mean nothing now."""
        assert self._last is not None
        mode, cause = self.mode, self.cause
        step_s = seconds(now_ns - self._last_ns)
        jump = TimeJumpError("ROS time between two setpoints", got=f"{step_s:.3f} s")
        self._pending.clear()
        self._stand_from(self._last, now_ns, jump if mode is Mode.TRACKING else cause)
        self._last_ns = now_ns
        if mode is Mode.RESTING:
            self.mode = mode

    def _clear(self) -> None:
        self._current = self._offset = self._held_since_ns = self.cause = None
        self._pending.clear()
        self._newest.clear()
        if self.ensemble is not None:
            self.ensemble.clear()
