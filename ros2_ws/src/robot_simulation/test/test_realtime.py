"""The real-time loop on a clock of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from crazyflie_pilot import room
from planner_core.clock import NS_PER_S, ManualClock
from robot_simulation.crazyflie.simulation import CrazyflieSimulation
from robot_simulation.errors import SimulationError
from robot_simulation.realtime import MAX_BACKLOG_S, RealTimeLoop


class SilentRadio:
    """A radio without a socket; waiting lets the manual clock run on."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock

    def wait(self, timeout_s: float) -> None:
        self.clock.advance(timeout_s)

    def serve(self) -> None:
        pass


def run_until(
    end_s: float, speed: float = 1.0, each_chunk: Callable[[ManualClock], None] | None = None
) -> tuple[RealTimeLoop, CrazyflieSimulation]:
    """A loop that has run until a time of its clock, and its simulation."""
    clock = ManualClock()
    simulation = CrazyflieSimulation(room())

    def after_chunk() -> None:
        if each_chunk is not None:
            each_chunk(clock)
        if clock.steady_ns() >= end_s * NS_PER_S:
            loop.stop()

    loop = RealTimeLoop(simulation, SilentRadio(clock), clock, speed, after_chunk)
    loop.run()
    return loop, simulation


def one_delay(delay_s: float) -> Callable[[ManualClock], None]:
    """Something that takes long, once, half a second after the start."""
    delays = [delay_s]

    def act(clock: ManualClock) -> None:
        if delays and clock.steady_ns() > NS_PER_S // 2:
            clock.advance(delays.pop())

    return act


@pytest.mark.parametrize("speed", [0.5, 1.0, 4.0])
def test_simulated_time_follows_the_clock(speed: float) -> None:
    loop, simulation = run_until(2.0, speed)
    assert simulation.time_s == pytest.approx(2.0 * speed, abs=0.01)
    assert loop.real_time_factor == pytest.approx(1.0, abs=0.01)
    assert loop.abandoned_s == 0.0


def test_a_short_delay_is_caught_up() -> None:
    loop, simulation = run_until(1.0, each_chunk=one_delay(MAX_BACKLOG_S / 2))
    assert simulation.time_s == pytest.approx(1.0, abs=0.01)
    assert loop.abandoned_s == 0.0


def test_a_long_delay_is_given_up_and_reported() -> None:
    loop, simulation = run_until(2.0, each_chunk=one_delay(1.0))
    assert simulation.time_s == pytest.approx(1.0, abs=0.02)
    assert loop.abandoned_s == pytest.approx(1.0, abs=0.02)


def test_a_slow_machine_shows_in_the_real_time_factor() -> None:
    # Each 4 ms of simulation take 8 ms.
    loop, _ = run_until(3.0, each_chunk=lambda clock: clock.advance(0.008))
    assert loop.real_time_factor == pytest.approx(0.5, abs=0.03)


def test_calls_run_in_the_loops_thread_and_return() -> None:
    clock, simulation = ManualClock(), CrazyflieSimulation(room())
    loop = RealTimeLoop(simulation, SilentRadio(clock), clock)
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        assert loop.call(threading.get_ident).result(timeout=5) == thread.ident
        with pytest.raises(ZeroDivisionError):
            loop.call(lambda: 1 / 0).result(timeout=5)
        assert loop.call(lambda: "alive").result(timeout=5) == "alive"
    finally:
        loop.stop()
        thread.join()


def test_calls_after_the_end_are_cancelled() -> None:
    clock = ManualClock()
    loop = RealTimeLoop(CrazyflieSimulation(room()), SilentRadio(clock), clock)
    loop.stop()
    late = loop.call(lambda: None)
    loop.run()
    assert late.cancelled()


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), 1e6])
def test_impossible_speeds_are_refused(speed: float) -> None:
    clock = ManualClock()
    with pytest.raises(SimulationError, match="speed"):
        RealTimeLoop(CrazyflieSimulation(room()), SilentRadio(clock), clock, speed)
