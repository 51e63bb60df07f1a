"""Whether the robot's state is known: received lately, and measured lately."""

from __future__ import annotations

from collections.abc import Callable

from planner_core.clock import Clock, seconds
from planner_core.errors import NoStateError
from planner_core.plan import Array


class StateWatch:
    """Keeps the newest state that may be acted upon.

    Two ages count, and they are of two clocks. A state that is received counts by the steady clock
    for as long as the timeout; whether it is received at all depends on the age of its measurement
    in ROS time. A source that repeats its last state, that lags, or whose clock runs ahead, thus
    becomes stale like one that is silent, and is believed again when its stamps are right again.

    Args:
        clock: ROS time for stamps, steady time for silence.
        timeout_s: Greatest age; read each time, so that changes take effect at once.
    """

    def __init__(self, clock: Clock, timeout_s: Callable[[], float]) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._steady_ns: int | None = None
        self.position: Array | None = None
        """(n_q,) position of the newest state."""

    def take(self, position: Array, measured_ns: int) -> None:
        """Keep a state.

        Args:
            position: (n_q,) positions.
            measured_ns: ROS time of the newest measurement in it [ns].

        Raises:
            NoStateError: The measurement is too old, or from the future.
        """
        age_s, limit_s = seconds(self._clock.now_ns() - measured_ns), self._timeout_s()
        # A tenth of the limit forward: stamps of another process may be that far ahead, not more.
        if not -0.1 * limit_s <= age_s <= limit_s:
            raise NoStateError(
                "age of the measurement behind the state", got=f"{age_s:.3f} s",
                expected=f"up to {limit_s} s",
            )  # fmt: skip
        self.position = position
        self._steady_ns = self._clock.steady_ns()

    @property
    def fresh(self) -> bool:
        """Whether a state came within the timeout."""
        if self._steady_ns is None:
            return False
        return seconds(self._clock.steady_ns() - self._steady_ns) <= self._timeout_s()
