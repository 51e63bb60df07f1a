"""When a packet was made: the robot's millisecond counter on the host's steady clock."""

from __future__ import annotations

from typing import Final

COUNTER: Final = 1 << 24
"""Log packets carry 24 bits of milliseconds, which run over every 4.7 hours."""
REORDERED_MS: Final = 200
"""A step back further than late packets arrive is a reboot."""
_NS_PER_MS: Final = 1_000_000


class RobotClock:
    """Maps robot time to host time by the packet that was under way the shortest.

    Delays on a link vary and are never negative, so the smallest difference of arrival and
    departure within a window is the offset of the two clocks plus the shortest transport time. A
    short window follows the drift of the clocks, and a robot that stood still for a while.

    Args:
        window_s: An offset counts for at least half of this time, and at most for all of it.
    """

    def __init__(self, window_s: float = 2.0) -> None:
        self._half_ns = round(window_s * 0.5e9)
        self.reset()

    def reset(self) -> None:
        """Forget everything: another robot, or the same after a reboot."""
        self._last_ms: int | None = None
        self._began_ns = 0
        self._current: int | None = None
        self._previous: int | None = None

    def host_ns(self, robot_ms: int, received_ns: int) -> int:
        """Steady time at which the robot's counter stood at a value.

        Args:
            robot_ms: Counter of a packet, modulo 2^24 [ms].
            received_ns: Steady time at which the packet arrived [ns].

        Returns:
            At most ``received_ns`` [ns].
        """
        if self._last_ms is None:
            self._last_ms = robot_ms
        half = COUNTER // 2
        step = (robot_ms - self._last_ms + half) % COUNTER - half
        if step < -REORDERED_MS:
            self.reset()
            step, self._last_ms = 0, robot_ms
        robot_ms = self._last_ms + step
        self._last_ms = max(self._last_ms, robot_ms)
        offset = received_ns - robot_ms * _NS_PER_MS
        if self._current is None or received_ns - self._began_ns > self._half_ns:
            self._previous, self._current = self._current, offset
            self._began_ns = received_ns
        self._current = min(self._current, offset)
        smallest = self._current if self._previous is None else min(self._previous, self._current)
        return robot_ms * _NS_PER_MS + smallest
