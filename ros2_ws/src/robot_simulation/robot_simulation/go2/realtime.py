"""Steps a simulation in real time and keeps its DDS topics served.

One thread does everything, so nothing in the simulation needs a lock: other threads hand in calls,
which run between two ticks.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Protocol, TypeVar

from planner_core.clock import NS_PER_S, Clock
from robot_simulation.errors import SimulationError
from robot_simulation.go2.simulation import TICK_S, Go2Simulation

Result = TypeVar("Result")

MAX_BACKLOG_S: Final = 0.1
"""A delay beyond this is given up: catching up on it would only make the next delay longer."""
REPORT_TICKS: Final = round(1.0 / TICK_S)


class Server(Protocol):
    """What exchanges samples with the world."""

    def serve(self) -> None:
        """Take what has arrived and publish the present state."""


class RealTimeLoop:
    """Runs a simulation in real time.

    Args:
        simulation: What to step.
        server: Its network.
        clock: Gives steady time.
        speed: Simulated seconds per second.
        after_tick: Called after every tick, in the loop's thread.
        sleep: Waits for a number of seconds.

    Attributes:
        real_time_factor: Of the last second of simulated time: 1 where the machine keeps up.
        abandoned_s: Steady time that was given up since the start because the machine was late.

    Raises:
        SimulationError: The speed is not positive.
    """

    def __init__(
        self,
        simulation: Go2Simulation,
        server: Server,
        clock: Clock,
        speed: float = 1.0,
        after_tick: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not 0.0 < speed <= 100.0:
            raise SimulationError("speed of the simulation", got=speed, expected="0 to 100")
        self._simulation = simulation
        self._server = server
        self._steady = clock
        self._speed = speed
        self._after_tick = after_tick
        self._sleep = sleep
        self._calls: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._stopping = threading.Event()
        self.real_time_factor = 1.0
        self.abandoned_s = 0.0

    def call(self, function: Callable[[], Result]) -> Future[Result]:
        """Have a function run in the loop's thread, between two ticks; from any thread."""
        future: Future[Result] = Future()
        self._calls.append((function, future))
        return future

    def stop(self) -> None:
        """Ask `run` to return; from any thread or signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Step until `stop`; calls that came too late are cancelled."""
        tick_ns = round(TICK_S / self._speed * NS_PER_S)
        due = window_start = self._steady.steady_ns()
        ticks = 0
        while not self._stopping.is_set():
            now = self._steady.steady_ns()
            if now < due:
                self._sleep((due - now) / NS_PER_S)
                continue
            if now - due > MAX_BACKLOG_S * NS_PER_S:
                self.abandoned_s += (now - due) / NS_PER_S
                due = now
            self._run_calls()
            self._simulation.step()
            self._server.serve()
            self._after_tick()
            due += tick_ns
            ticks += 1
            if ticks == REPORT_TICKS:
                self.real_time_factor = ticks * tick_ns / max(1, now - window_start)
                window_start, ticks = now, 0
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
