"""How long it takes from a snapshot to the first command made of it, as it was executed.

A plan is made for the moment at which it will be executed, so the delay has to be known
beforehand. It has two parts. Planning is measured exactly. Transport, from the finished plan to the
first command, can be measured only with plans that were followed when they arrived; one that came
early waited for its start, and says no more than an upper bound. Its sample is therefore a little
below the present estimate: an estimate that is too long sinks until plans are a little late again,
instead of confirming itself for ever.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from planner_core.clock import seconds
from planner_core.latency import LatencyWindow

WINDOW: Final = 50
"""Plans whose delays count: a second at 50 Hz. A spike is gone when so many plans have followed."""
WAITED_S: Final = 0.02
"""A first command no later than this after a plan's start may have waited for the start, or for the
next period of the control loop."""
SINK: Final = 0.9
SLACK_S: Final = 0.005
"""Transport that a plan is not made ahead for. A plan that is a little late is entered a little
after its beginning, at once; one that is a little early waits for the control loop's next period.
"""


class DelayEstimate:
    """Planning and transport of the last plans. May be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planning = LatencyWindow(WINDOW)
        self._transport = LatencyWindow(WINDOW)
        self._executed = LatencyWindow(WINDOW)
        self._open: deque[tuple[int, int, int, int]] = deque(maxlen=WINDOW)

    @property
    def lead_s(self) -> float:
        """How far ahead of now a plan is to start: when it usually is executed [s]."""
        with self._lock:
            transport_s = max(self._transport.percentile(50) - SLACK_S, 0.0)
            return self._planning.percentile(50) + transport_s

    @property
    def executed_s(self) -> float:
        """From snapshot to first command, 90th percentile; 0 where no plan was executed [s]."""
        with self._lock:
            return self._executed.percentile(90)

    def planned(
        self, sequence: int, duration_s: float, *, snapshot_ns: int, ready_ns: int, start_ns: int
    ) -> None:
        """Count a finished plan.

        Args:
            sequence: Its number.
            duration_s: What planning took, in steady time.
            snapshot_ns: ROS time of the snapshot [ns].
            ready_ns: ROS time at which it was ready [ns].
            start_ns: ROS time of its first sample [ns].
        """
        with self._lock:
            self._planning.add(duration_s)
            self._open.append((sequence, snapshot_ns, ready_ns, start_ns))

    def followed(self, sequence: int, stamp_ns: int) -> None:
        """Count a command; only the first one of each plan says anything.

        Args:
            sequence: Plan that it follows; one of another planner is passed over.
            stamp_ns: ROS time of the command [ns].
        """
        with self._lock:
            plan = next((entry for entry in self._open if entry[0] == sequence), None)
            if plan is None:
                return
            _, snapshot_ns, ready_ns, start_ns = plan
            # The plans before it will not be followed any more.
            while self._open.popleft()[0] != sequence:
                pass
            if stamp_ns < ready_ns:
                return  # ROS time went back in between
            self._executed.add(seconds(stamp_ns - snapshot_ns))
            transport_s = seconds(stamp_ns - ready_ns)
            if ready_ns < start_ns and seconds(stamp_ns - start_ns) <= WAITED_S:
                transport_s = min(transport_s, SINK * self._transport.percentile(50))
            self._transport.add(transport_s)
