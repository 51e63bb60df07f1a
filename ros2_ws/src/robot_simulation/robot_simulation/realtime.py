"""Steps a simulation in real time and keeps its link served.

One thread does everything, so nothing in the simulation needs a lock: other threads hand in calls,
which run between two steps.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Protocol, TypeVar

from planner_core.clock import NS_PER_S, Clock
from robot_simulation.errors import SimulationError

Result = TypeVar("Result")

STEP_S: Final = 0.002
"""Time step of the models that this loop runs."""
CHUNK_S: Final = 0.004
"""Simulated time between two looks at the clock, unless a robot says otherwise."""
MAX_BACKLOG_S: Final = 0.1
"""A delay beyond this is given up: catching up on it would only make the next delay longer."""
REPORT_S: Final = 1.0
"""Window of the real-time factor."""


class Simulation(Protocol):
    """A robot in its world."""

    def step(self) -> None:
        """Go on by :data:`STEP_S`."""
        ...


class Link(Protocol):
    """What a client reaches the robot through: a radio, a serial port, a network."""

    def wait(self, timeout_s: float) -> None:
        """Wait for so long, or until something comes that is answered at once."""
        ...

    def serve(self) -> None:
        """Answer what has come, and send what is due after a chunk."""
        ...


class RealTimeLoop:
    """Runs a simulation at a multiple of real time.

    Args:
        simulation: What to step.
        link: Its radio or port.
        clock: Gives steady time.
        speed: Simulated seconds per second.
        after_chunk: Called after every chunk, in the loop's thread.
        chunk_s: Simulated time between two looks at the clock.

    Attributes:
        real_time_factor: Simulated over steady time in the last second, over ``speed``: 1 where
            the machine keeps up.
        abandoned_s: Steady time that was given up since the start because the machine was late.

    Raises:
        SimulationError: The speed is not positive.
    """

    def __init__(
        self,
        simulation: Simulation,
        link: Link,
        clock: Clock,
        speed: float = 1.0,
        after_chunk: Callable[[], None] | None = None,
        chunk_s: float = CHUNK_S,
    ) -> None:
        if not 0.0 < speed <= 100.0:
            raise SimulationError("speed of the simulation", got=speed, expected="0 to 100")
        self._simulation = simulation
        self._link = link
        self._clock = clock
        self._speed = speed
        self._after_chunk = after_chunk
        self._chunk_s = chunk_s
        self._calls: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._stopping = threading.Event()
        self.real_time_factor = 1.0
        self.abandoned_s = 0.0

    def call(self, function: Callable[[], Result]) -> Future[Result]:
        """Have a function run in the loop's thread, between two steps; from any thread."""
        future: Future[Result] = Future()
        self._calls.append((function, future))
        return future

    def stop(self) -> None:
        """Ask :meth:`run` to return; from any thread or signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Step until :meth:`stop`; calls that came too late are cancelled."""
        chunk_ns = round(self._chunk_s / self._speed * NS_PER_S)
        steps = round(self._chunk_s / STEP_S)
        backlog_ns = round(MAX_BACKLOG_S * NS_PER_S)
        due = window_start = self._clock.steady_ns()
        chunks = 0
        while not self._stopping.is_set():
            now = self._clock.steady_ns()
            if now < due:
                self._link.wait((due - now) / NS_PER_S)
                continue
            if now - due > backlog_ns:
                self.abandoned_s += (now - due) / NS_PER_S
                due = now
            self._run_calls()
            for _ in range(steps):
                self._simulation.step()
            self._link.serve()
            if self._after_chunk is not None:
                self._after_chunk()
            due += chunk_ns
            chunks += 1
            if now - window_start >= REPORT_S * NS_PER_S:
                self.real_time_factor = chunks * chunk_ns / (now - window_start)
                window_start, chunks = now, 0
        while self._calls:
            self._calls.popleft()[1].cancel()

    def _run_calls(self) -> None:
        while self._calls:
            function, future = self._calls.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function())
            except Exception as error:
                # The caller waits for the result in another thread and gets the exception there.
                future.set_exception(error)
