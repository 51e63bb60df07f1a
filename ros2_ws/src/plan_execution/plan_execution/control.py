"""The thread of the control loop: one period after another, whatever else the process does.

A timer of the executor comes when the callbacks before it are done, and its next period counts from
there. This thread sleeps until an absolute deadline, and is woken before only for what cannot wait.
It owns all that the loop touches; other threads hand their work over instead of sharing a lock with
it, so that none of them can be preempted while it holds something that the loop needs.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from planner_core.clock import Clock, nanoseconds, seconds
from planner_core.pacing import Pacer

CONTROL_PRIORITY: Final = 50
PROCESS_PRIORITY: Final = 40
NICENESS: Final = -10


class ControlThread:
    """Calls a function every period, and what others post between.

    Args:
        period_s: Time between two periods [s].
        clock: Steady time.
        on_period: Called in this thread when a period begins.
    """

    def __init__(self, period_s: float, clock: Clock, on_period: Callable[[], None]) -> None:
        self.pacer = Pacer(period_s, clock.steady_ns() + nanoseconds(period_s))
        self.priority = ""
        """What the machine allowed: words for the log, empty until the thread runs."""
        self._steady = clock
        self._on_period = on_period
        self._posted: deque[Callable[[], None]] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present period, and wait for that; may be called twice."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def post(self, call: Callable[[], None]) -> None:
        """Have something done in this thread, at once. May be called from any thread."""
        self._posted.append(call)
        self._wake.set()

    def check(self) -> None:
        """Raise here what ended the thread: a process without its control loop must not live on."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self.priority = raise_priority(CONTROL_PRIORITY)
            while not self._stopping:
                self._wake.wait(max(0.0, seconds(self.pacer.due_ns - self._steady.steady_ns())))
                self._wake.clear()
                # As many as there are now: a flood of them must not keep a period from beginning.
                for _ in range(len(self._posted)):
                    self._posted.popleft()()
                if self._posted:
                    self._wake.set()
                steady_ns = self._steady.steady_ns()
                if steady_ns >= self.pacer.due_ns:
                    self.pacer.begin(steady_ns)
                    self._on_period()
        except BaseException as error:  # raised again by `check`
            self._failure = error


def raise_priority(real_time: int) -> str:
    """Take the best scheduling that the machine allows this thread, and those it starts.

    Every thread of the process that takes the interpreter's lock needs it: one that waits for a
    processor while it holds that lock makes the control loop wait as well.

    Args:
        real_time: Priority among real-time threads; most machines allow none to ordinary users.

    Returns:
        What was allowed, in words.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(real_time))
    except PermissionError:
        pass
    else:
        return f"real-time priority {real_time}"
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    except PermissionError:
        return "ordinary priority: the machine grants no other"
    return f"niceness {NICENESS}"
