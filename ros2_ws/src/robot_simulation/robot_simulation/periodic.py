"""Something that happens at a fixed rate of simulated time."""

from __future__ import annotations


class Periodic:
    """Tells when it is time again.

    The rate is kept on average even where the steps of time do not divide the period; missed
    instants are not made up for, and a time that jumps back starts the count anew.

    Args:
        rate_hz: Times a second.
    """

    def __init__(self, rate_hz: float) -> None:
        self._period_s = 1.0 / rate_hz
        self._next_s = 0.0

    def due(self, now_s: float) -> bool:
        """Whether it is time at ``now_s``; true once an instant."""
        if now_s < self._next_s - self._period_s:
            self._next_s = now_s
        # A nanosecond: times are sums of rounded steps, and 0.1 must not come after 0.1.
        if now_s < self._next_s - 1e-9:
            return False
        self._next_s += self._period_s
        if self._next_s < now_s:
            self._next_s = now_s + self._period_s
        return True
