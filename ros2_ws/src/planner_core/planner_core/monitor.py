"""What a planner server knows of its own work, shared between its threads."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from enum import IntEnum

from planner_core.delay import DelayEstimate
from planner_core.errors import DriftpilotError
from planner_core.latency import LatencyWindow
from planner_core.replanning import Cycle


class PlannerState(IntEnum):
    """What a planner server is doing; the numbers are those of ``PlannerStatus``."""

    IDLE = 0
    PLANNING = 1
    WAITING = 2
    LOADING = 3
    FAILED = 4


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Percentiles of a duration.

    Attributes:
        count: Durations in the window.
        p50_s: Median [s].
        p90_s: 90th percentile [s].
        p99_s: 99th percentile [s].
        max_s: Greatest [s].
    """

    count: int = 0
    p50_s: float = 0.0
    p90_s: float = 0.0
    p99_s: float = 0.0
    max_s: float = 0.0

    @classmethod
    def of(cls, window: LatencyWindow) -> LatencySummary:
        """The percentiles of a window."""
        return cls(len(window), *(window.percentile(q) for q in (50, 90, 99, 100)))


@dataclass(frozen=True, slots=True)
class PlannerReport:
    """The state of the planner's work at one instant.

    Attributes:
        state: What it is doing.
        epoch: Goal of the last plan.
        candidates: ``K`` of the last call.
        feasible: How many of them keep all constraints.
        best_value: What the ranker gave the best.
        replan_rate_hz: Achieved over the last plans.
        observation_age_s: Of the last plan when it was ready.
        plans: Since the start.
        deadlines_missed: Plans that were ready late.
        consecutive_errors: Refusals since the last plan.
        error_code: Of the last refusal, 0 after a plan.
        error: Its message.
        loading: What is being warmed up in the background, empty for nothing.
        change: How the last change of planner or parameters ended.
        chunk: Periods of the last plan that may be executed; 0 for all.
        lead_s: How far ahead of now plans are made for.
        delay_s: From snapshot to first command, as executed; 90th percentile.
        selection: How the last plan was chosen.
        cost: Of the last plan; NaN where the planner has no cost model.
        remaining_budget: Of the task; NaN where there is no budget.
        planning: Duration of a call of the generator.
        end_to_end: From measurement to published plan.
    """

    state: PlannerState = PlannerState.LOADING
    epoch: int = 0
    candidates: int = 0
    feasible: int = 0
    best_value: float = 0.0
    replan_rate_hz: float = 0.0
    observation_age_s: float = 0.0
    plans: int = 0
    deadlines_missed: int = 0
    consecutive_errors: int = 0
    error_code: int = 0
    error: str = ""
    loading: str = ""
    change: str = ""
    chunk: int = 0
    lead_s: float = 0.0
    delay_s: float = 0.0
    selection: str = ""
    cost: float = math.nan
    remaining_budget: float = math.nan
    planning: LatencySummary = field(default_factory=LatencySummary)
    end_to_end: LatencySummary = field(default_factory=LatencySummary)


class PlannerMonitor:
    """Counts plans and refusals. May be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._report = PlannerReport()
        self._planning = LatencyWindow()
        self._end_to_end = LatencyWindow()
        self._finished_ns: deque[int] = deque(maxlen=50)

    def planned(
        self, cycle: Cycle, delay: DelayEstimate, published_ns: int, steady_ns: int
    ) -> None:
        """Count a plan.

        Args:
            cycle: The cycle that made it.
            delay: What is known of delays by now.
            published_ns: ROS time at which it was published [ns].
            steady_ns: Steady time at which it was published [ns].
        """
        age_s = (published_ns - cycle.plan.measured_ns) * 1e-9
        with self._lock:
            self._planning.add(cycle.duration_s)
            self._end_to_end.add(age_s)
            self._finished_ns.append(steady_ns)
            self._report = replace(
                self._report,
                state=PlannerState.PLANNING,
                epoch=cycle.plan.epoch,
                candidates=len(cycle.batch.value),
                feasible=int(cycle.batch.feasible.sum()),
                best_value=cycle.plan.plan.value,
                observation_age_s=age_s,
                plans=self._report.plans + 1,
                deadlines_missed=self._report.deadlines_missed + cycle.late,
                consecutive_errors=0,
                error_code=0,
                error="",
                chunk=cycle.plan.chunk,
                lead_s=delay.lead_s,
                delay_s=delay.executed_s,
                selection=cycle.choice.reason.value,
                cost=cycle.choice.cost,
                remaining_budget=math.nan if cycle.remaining is None else cycle.remaining,
            )

    def refused(self, error: DriftpilotError, state: PlannerState = PlannerState.FAILED) -> None:
        """Count a plan that was not made, and say what the planner does about it."""
        with self._lock:
            self._report = replace(
                self._report,
                state=state,
                consecutive_errors=self._report.consecutive_errors + 1,
                error_code=error.code,
                error=str(error),
            )

    def enter(self, state: PlannerState) -> None:
        """Note what the planner is doing; without a goal the replanning rate means nothing."""
        with self._lock:
            self._report = replace(self._report, state=state)
            if state is PlannerState.IDLE:
                self._finished_ns.clear()

    def changing(self, loading: str = "", change: str | None = None) -> None:
        """Note what is being loaded, and how the last change ended where one did."""
        with self._lock:
            self._report = replace(
                self._report,
                loading=loading,
                change=self._report.change if change is None else change,
            )

    def report(self) -> PlannerReport:
        """The state of the work now."""
        with self._lock:
            rate_hz = 0.0
            if len(self._finished_ns) > 1:
                span_s = (self._finished_ns[-1] - self._finished_ns[0]) * 1e-9
                rate_hz = (len(self._finished_ns) - 1) / span_s
            return replace(
                self._report,
                replan_rate_hz=rate_hz,
                planning=LatencySummary.of(self._planning),
                end_to_end=LatencySummary.of(self._end_to_end),
            )
