"""Percentiles of a duration over a sliding window."""

from __future__ import annotations

from collections import deque

import numpy as np


class LatencyWindow:
    """The last durations, and what they say.

    A spike leaves the statistics when its window has passed; nothing is remembered as "the worst
    ever", because a delay that is over must not slow the robot down.

    Args:
        size: Durations kept.
    """

    def __init__(self, size: int = 1000) -> None:
        self._values: deque[float] = deque(maxlen=size)

    def __len__(self) -> int:
        return len(self._values)

    def add(self, duration_s: float) -> None:
        """Keep one more duration [s]."""
        self._values.append(duration_s)

    def clear(self) -> None:
        """Forget all durations."""
        self._values.clear()

    def percentile(self, q: float) -> float:
        """The ``q``-th percentile [s], a duration that was measured; 0 where none was.

        The lower of two neighbours is taken: of two durations, a spike and a usual one, the usual
        one counts.
        """
        return float(np.percentile(self._values, q, method="lower")) if self._values else 0.0
