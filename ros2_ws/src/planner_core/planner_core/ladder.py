"""What is followed when the planner fails: its last plan, a standby planner's, nothing, the ground.

The ladder goes down by itself and up by itself; what it never does is go up by waiting. Each rung
is reached because of something that is named: a plan that passed the gates, a plan that ran out,
plans that were refused, a time without any.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from planner_core.clock import nanoseconds
from planner_core.errors import DriftpilotError, PlanOrderError, StandbyError
from planner_core.executor import Mode, PlanExecutor
from planner_core.limiter import Setpoint
from planner_core.timed_plan import Source, TimedPlan


class Rung(IntEnum):
    """How far down the execution is; the numbers are those of ``ExecutionStatus``."""

    PLAN = 0
    STANDBY = 1
    HOLD = 2
    END = 3


MOVING: Final = frozenset((Mode.TRACKING, Mode.HOLDING, Mode.RESTING))


@dataclass(frozen=True, slots=True)
class Step:
    """A change of rung.

    Attributes:
        before: The rung that was left.
        after: The rung that was reached.
        code: Of what forced the way down, or of what is over on the way up; 0 where somebody asked.
        text: For people.
    """

    before: Rung
    after: Rung
    code: int
    text: str

    @property
    def down(self) -> bool:
        """Whether it leads down."""
        return self.after > self.before


class Ladder:
    """Chooses between planner, standby planner and standing still.

    Belongs to the thread of its executor.

    Args:
        executor: Follows what is chosen.
        max_consecutive_errors: So many refused plans in a row, and the standby takes over at once
            instead of when the last valid plan runs out.
        patience_s: For so long after a new goal the standby leaves the first plan to the planner.
        max_age_s: Of the measurement behind a standby plan when it is needed: it may have waited.
    """

    def __init__(
        self,
        executor: PlanExecutor,
        *,
        max_consecutive_errors: int = 5,
        patience_s: float = 0.5,
        max_age_s: float = 0.5,
    ) -> None:
        self.executor = executor
        self.rung = Rung.END
        self.consecutive_errors = 0
        """Plans of the planner that were refused since its last valid one."""
        self.refused = 0
        """Plans of any source that were refused."""
        self.refusal: DriftpilotError | None = None
        """Why the last one of them was."""
        self._max_consecutive_errors = max_consecutive_errors
        self.max_age_s = max_age_s
        self._patience_ns = nanoseconds(patience_s)
        self._patient_until_ns = 0
        self._standby: TimedPlan | None = None
        self._moving = False
        self._code = 0
        self._steps: list[Step] = []

    def begin(self, epoch: int, now_ns: int) -> None:
        """Expect plans of a new goal; the planner is asked first."""
        if epoch > self.executor.epoch:
            self._patient_until_ns = now_ns + self._patience_ns
            self.consecutive_errors = 0
        self.executor.begin(epoch, now_ns)

    def take(self, plan: TimedPlan, now_ns: int) -> None:
        """Follow a plan that passed the gates, or keep it in reserve."""
        if plan.source is Source.STANDBY:
            self._standby = plan
            self._fall_back(now_ns)
            return
        try:
            self.executor.accept(plan, now_ns)
        except DriftpilotError as error:
            self.refuse(plan.source, error, now_ns)
        else:
            self.consecutive_errors = 0

    def refuse(self, source: Source, error: DriftpilotError, now_ns: int) -> None:
        """Count a plan that must not be followed; enough of them bring the standby in."""
        self.refused += 1
        self.refusal = error
        # A plan that was on its way when its goal ended is late, not wrong.
        if source is Source.PRIMARY and not isinstance(error, PlanOrderError):
            self.consecutive_errors += 1
            self._fall_back(now_ns)

    def setpoint(self, now_ns: int) -> Setpoint | None:
        """What the robot is asked to be doing now; see `PlanExecutor.setpoint`."""
        self.executor.advance(now_ns)
        self._fall_back(now_ns)
        setpoint = self.executor.setpoint(now_ns)
        self._observe()
        return setpoint

    def steps(self) -> list[Step]:
        """The changes of rung since the last call."""
        self._observe()
        steps, self._steps = self._steps, []
        return steps

    def _fall_back(self, now_ns: int) -> None:
        """Follow the standby's newest plan where the planner's cannot be."""
        plan, executor = self._standby, self.executor
        # After ROS time went back, the patience must not last for as long as it did.
        self._patient_until_ns = min(self._patient_until_ns, now_ns + self._patience_ns)
        if self.consecutive_errors < self._max_consecutive_errors and (
            executor.follows(Source.PRIMARY) or now_ns < self._patient_until_ns
        ):
            return
        if plan is None or executor.mode not in (Mode.TRACKING, Mode.HOLDING):
            return
        self._standby = None
        if plan.epoch < executor.epoch or plan.until_ns <= now_ns:
            return
        if not 0 <= now_ns - plan.measured_ns <= nanoseconds(self.max_age_s):
            return
        try:
            executor.accept(plan, now_ns)
        except DriftpilotError as error:
            self.refuse(plan.source, error, now_ns)

    def _observe(self) -> None:
        """Note a change of rung, with what brought it about."""
        executor, mode = self.executor, self.executor.mode
        moving, self._moving = self._moving, mode in MOVING
        if not (moving and self._moving):
            # Neither a failure nor a recovery: the robot is engaged or let go by its bridge.
            self._code, self.rung = 0, Rung.HOLD if self._moving else Rung.END
        before, after = self.rung, self._present(mode)
        if after is before:
            return
        self.rung = after
        if after > before:
            cause = executor.cause
            if after is Rung.STANDBY:
                count = self.consecutive_errors
                cause = StandbyError(
                    "the standby planner is followed",
                    got=f"{count} refused plans" if count else "no valid plan in time",
                )
            self._code = 0 if cause is None else cause.code
            text = f"{after.name.lower()}: {cause or 'as asked'}"
            self._steps.append(Step(before, after, self._code, text))
        else:
            over = f"; E{self._code} is over" if self._code else ""
            self._steps.append(Step(before, after, self._code, f"{after.name.lower()}{over}"))
            self._code = 0 if after is Rung.PLAN else self._code

    def _present(self, mode: Mode) -> Rung:
        if mode is Mode.TRACKING:
            current = self.executor.current
            assert current is not None
            return Rung.PLAN if current.source is Source.PRIMARY else Rung.STANDBY
        return Rung.HOLD if mode is Mode.HOLDING else Rung.END
