"""The real-time loop on a clock of the test's own."""

from __future__ import annotations

import threading

import pytest
from planner_core.clock import NS_PER_S, ManualClock
from robot_simulation.errors import SimulationError
from robot_simulation.go2.realtime import MAX_BACKLOG_S, RealTimeLoop
from robot_simulation.go2.simulation import Go2Simulation


class Nobody:
    """A network without anyone on it."""

    def serve(self) -> None:
        pass


def run_until(end_s: float, *, delay_at_half_s: float = 0.0, per_tick_s: float = 0.0) -> tuple:
    """A loop that has run until a time of its clock, and its simulation."""
    clock, simulation = ManualClock(), Go2Simulation()
    delays = [delay_at_half_s]

    def after_tick() -> None:
        clock.advance(per_tick_s)
        if delays and clock.steady_ns() > end_s / 2 * NS_PER_S:
            clock.advance(delays.pop())
        if clock.steady_ns() >= end_s * NS_PER_S:
            loop.stop()

    loop = RealTimeLoop(simulation, Nobody(), clock, after_tick=after_tick, sleep=clock.advance)
    loop.run()
    return loop, simulation


def test_simulated_time_follows_the_clock() -> None:
    loop, simulation = run_until(1.5)
    assert simulation.time_s == pytest.approx(1.5, abs=0.01)
    assert loop.real_time_factor == pytest.approx(1.0, abs=0.01)
    assert loop.abandoned_s == 0.0


def test_a_short_delay_is_caught_up_and_a_long_one_given_up() -> None:
    loop, simulation = run_until(1.0, delay_at_half_s=MAX_BACKLOG_S / 2)
    assert simulation.time_s == pytest.approx(1.0, abs=0.01)
    assert loop.abandoned_s == 0.0
    loop, simulation = run_until(2.0, delay_at_half_s=0.8)
    assert simulation.time_s == pytest.approx(1.2, abs=0.02)
    assert loop.abandoned_s == pytest.approx(0.8, abs=0.02)


def test_a_slow_machine_shows_in_the_real_time_factor() -> None:
    loop, _ = run_until(4.5, per_tick_s=0.004)
    assert loop.real_time_factor == pytest.approx(0.5, abs=0.05)


def test_calls_run_in_the_loops_thread_and_late_ones_are_cancelled() -> None:
    clock = ManualClock()
    loop = RealTimeLoop(Go2Simulation(), Nobody(), clock, sleep=clock.advance)
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        assert loop.call(threading.get_ident).result(timeout=5) == thread.ident
        with pytest.raises(ZeroDivisionError):
            loop.call(lambda: 1 / 0).result(timeout=5)
    finally:
        loop.stop()
        thread.join()
    late = loop.call(lambda: None)
    loop.run()
    assert late.cancelled()


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), 1e6])
def test_impossible_speeds_are_refused(speed: float) -> None:
    with pytest.raises(SimulationError, match="speed"):
        RealTimeLoop(Go2Simulation(), Nobody(), ManualClock(), speed)
