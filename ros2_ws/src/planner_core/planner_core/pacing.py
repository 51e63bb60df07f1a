"""When the periods of a control loop are due, and how well it keeps to them."""

from __future__ import annotations

from planner_core.clock import nanoseconds, seconds
from planner_core.latency import LatencyWindow


class Pacer:
    """Absolute deadlines: a period that begins late does not delay those after it.

    Args:
        period_s: Time between two periods [s].
        steady_ns: Steady time at which the first one is due [ns].
    """

    def __init__(self, period_s: float, steady_ns: int) -> None:
        self.due_ns = steady_ns
        """Steady time at which the next period is due [ns]."""
        self.periods = 0
        self.missed = 0
        """Periods that began more than half a period late, or not at all."""
        self.error = LatencyWindow()
        """How much the time between two periods differed from the period."""
        self.max_gap_s = 0.0
        self._period_ns = nanoseconds(period_s)
        self._last_ns: int | None = None

    def begin(self, steady_ns: int) -> None:
        """Count the period that begins now, and those that passed without one.

        Args:
            steady_ns: Steady time, not before `due_ns` [ns].
        """
        passed, late_ns = divmod(max(0, steady_ns - self.due_ns), self._period_ns)
        self.periods += passed + 1
        self.missed += passed + (late_ns > self._period_ns // 2)
        self.due_ns += (passed + 1) * self._period_ns
        if self._last_ns is not None:
            gap_s = seconds(steady_ns - self._last_ns)
            self.max_gap_s = max(self.max_gap_s, gap_s)
            self.error.add(abs(gap_s - seconds(self._period_ns)))
        self._last_ns = steady_ns

    def pause(self) -> None:
        """Expect a gap: what follows is not measured against what was before."""
        self._last_ns = None
