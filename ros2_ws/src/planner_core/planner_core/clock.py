"""The two clocks of a robot, behind one protocol.

ROS time stamps data and can jump (simulation, bag playback, clock synchronisation); steady time
measures durations and never jumps. The two are never subtracted from each other: that mistake turns
a clock jump into a control command.
"""

from __future__ import annotations

import time
from typing import Final, Protocol

NS_PER_S: Final = 1_000_000_000


class Clock(Protocol):
    """What every component asks for the time."""

    def now_ns(self) -> int:
        """ROS time [ns], comparable with message stamps only."""
        ...

    def steady_ns(self) -> int:
        """Steady time [ns], comparable with other steady times of this process only."""
        ...


class SystemClock:
    """The machine's own clocks, for programs that run without ROS."""

    def now_ns(self) -> int:
        """Wall-clock time [ns]."""
        return time.time_ns()

    def steady_ns(self) -> int:
        """Monotonic time [ns]."""
        return time.monotonic_ns()


class ManualClock:
    """A clock that stands still until it is told to move, for tests and faster-than-real studies.

    Args:
        now_ns: ROS time at the start [ns].
        steady_ns: Steady time at the start [ns].
    """

    def __init__(self, now_ns: int = 0, steady_ns: int = 0) -> None:
        self._now_ns = now_ns
        self._steady_ns = steady_ns

    def now_ns(self) -> int:
        """ROS time [ns]."""
        return self._now_ns

    def steady_ns(self) -> int:
        """Steady time [ns]."""
        return self._steady_ns

    def advance(self, seconds: float) -> None:
        """Let both clocks run on.

        Raises:
            ValueError: ``seconds`` is negative; only ROS time may jump back, with `jump`.
        """
        if seconds < 0:
            raise ValueError(f"time cannot advance by {seconds} s")
        step = round(seconds * NS_PER_S)
        self._now_ns += step
        self._steady_ns += step

    def jump(self, seconds: float) -> None:
        """Move ROS time alone, as a simulator reset or a clock synchronisation does."""
        self._now_ns += round(seconds * NS_PER_S)


def seconds(nanoseconds: int) -> float:
    """A duration in seconds."""
    return nanoseconds / NS_PER_S


def nanoseconds(seconds: float) -> int:
    """A duration in whole nanoseconds."""
    return round(seconds * NS_PER_S)
