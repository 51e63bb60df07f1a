from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from planner_core.clock import SystemClock
from planner_core.errors import PlannerBusyError
from planner_core.planning_thread import PlanningThread, Stopped

Wait = Callable[..., None]


class Work:
    """Counts its steps; a step hangs until it is released."""

    def __init__(self, period_s: float = 0.001) -> None:
        self.period_s = period_s
        self.steps = 0
        self.released = threading.Event()
        self.released.set()
        self.wanted: list[bool] = []

    def step(self, stopped: Stopped) -> float:
        self.steps += 1
        self.released.wait(20.0)
        self.wanted.append(not stopped())
        return self.period_s


def test_it_begins_ends_and_begins_again(wait_until: Wait) -> None:
    work = Work()
    thread = PlanningThread(SystemClock(), work.step)
    for _ in range(3):
        before = work.steps
        thread.start()
        wait_until(lambda before=before: work.steps > before + 3, "steps")
        assert thread.running
        assert thread.halt(limit_s=10.0)
        assert not thread.running
        assert thread.halt()


def test_a_call_that_hangs_is_left_behind_and_blocks_the_next_start(wait_until: Wait) -> None:
    work = Work()
    work.released.clear()
    thread = PlanningThread(SystemClock(), work.step)
    thread.start()
    wait_until(lambda: work.steps == 1, "the step")
    wait_until(lambda: thread.busy_s > 0.05, "the step to take a while")
    assert not thread.halt(limit_s=0.01)
    with pytest.raises(PlannerBusyError, match="hangs"):
        thread.start()
    work.released.set()
    wait_until(lambda: not thread.running, "the end of the step")
    # Its result is not wanted any more, and it does no second one.
    assert work.wanted == [False]
    thread.start()
    wait_until(lambda: work.steps > 2, "steps after it")
    assert thread.halt(limit_s=10.0)


def test_a_wait_is_cut_short(wait_until: Wait) -> None:
    work = Work(period_s=100.0)
    thread = PlanningThread(SystemClock(), work.step)
    thread.start()
    wait_until(lambda: work.steps == 1 and thread.busy_s == 0.0, "the first step")
    thread.wake()
    wait_until(lambda: work.steps == 2, "the second step")
    assert thread.halt(limit_s=10.0)
