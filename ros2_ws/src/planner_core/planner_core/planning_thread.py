"""The thread that plans: begins, skips what it cannot keep up with, and ends although a call hangs.

Nobody can end a generator that hangs. Its thread is left behind: it is no longer listened to, and
as long as it runs, no other may begin.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from planner_core.clock import Clock, nanoseconds, seconds
from planner_core.errors import PlannerBusyError

HALT_S: Final = 0.05
"""How long a call may take to end; services of the node are not answered meanwhile."""

Stopped = Callable[[], bool]
Step = Callable[[Stopped], float]


class PlanningThread:
    """Calls a step again and again. `start` and `halt` belong to one thread.

    Args:
        clock: Steady time.
        step: Does one cycle and returns its period [s]; 0 for the next cycle at once. It is given
            a function that says whether its result is still wanted.
    """

    def __init__(self, clock: Clock, step: Step) -> None:
        self._clock = clock
        self._step = step
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._step_began_ns: int | None = None

    @property
    def busy_s(self) -> float:
        """How long the present step has taken so far; 0 between two steps [s]."""
        began_ns = self._step_began_ns
        return 0.0 if began_ns is None else seconds(self._clock.steady_ns() - began_ns)

    @property
    def running(self) -> bool:
        """Whether a thread plans, or one that was left behind still hangs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin.

        Raises:
            PlannerBusyError: A call of the thread before hangs.
        """
        if self.running:
            raise PlannerBusyError(
                "a call of the planner has not ended", got="a thread that hangs",
                remedy="Wait until it returns, or restart the process.",
            )  # fmt: skip
        self._stop = threading.Event()
        # A daemon: a call that hangs must not keep the process from ending.
        self._thread = threading.Thread(
            target=self._run, args=(self._stop,), name="planning", daemon=True
        )
        self._thread.start()

    def wake(self) -> None:
        """Cut the present wait short: there is something to do."""
        self._wake.set()

    def halt(self, limit_s: float = HALT_S) -> bool:
        """End, or leave a call that hangs behind. May be called twice.

        Returns:
            Whether the thread has ended.
        """
        self._stop.set()
        self._wake.set()
        if self._thread is None:
            return True
        self._thread.join(limit_s)
        if self._thread.is_alive():
            return False
        self._thread = None
        return True

    def _run(self, stop: threading.Event) -> None:
        due_ns = self._clock.steady_ns()
        while not stop.is_set():
            self._step_began_ns = self._clock.steady_ns()
            period_s = self._step(stop.is_set)
            self._step_began_ns = None
            # A slow generator skips periods instead of falling behind.
            due_ns = max(due_ns + nanoseconds(period_s), self._clock.steady_ns())
            wait_s = seconds(due_ns - self._clock.steady_ns())
            if wait_s > 0:
                self._wake.wait(wait_s)
                if self._wake.is_set():
                    self._wake.clear()
                    due_ns = min(due_ns, self._clock.steady_ns())
