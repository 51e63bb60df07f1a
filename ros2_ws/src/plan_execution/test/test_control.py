"""The control thread, with a real clock: what must hold on any machine, however loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from plan_execution.control import ControlThread
from planner_core.clock import SystemClock

Wait = Callable[..., None]


class Loop:
    """A control thread, and what it did."""

    def __init__(self) -> None:
        self.periods: list[int] = []
        self.calls: list[int] = []
        self.thread = ControlThread(0.005, SystemClock(), self.on_period)
        self.failing = False

    def on_period(self) -> None:
        if self.failing:
            raise RuntimeError("a mistake in the loop")
        self.periods.append(threading.get_ident())


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.thread.stop()


def test_periods_come_at_their_deadlines(loop: Loop, wait_until: Wait) -> None:
    clock = SystemClock()
    first_due_ns = loop.thread.pacer.due_ns
    loop.thread.start()
    wait_until(lambda: len(loop.periods) >= 50, "fifty periods")
    loop.thread.stop()
    pacer, passed_ns = loop.thread.pacer, clock.steady_ns() - first_due_ns
    # Never early, and never more of them than there was time for.
    assert pacer.due_ns - first_due_ns == pacer.periods * 5_000_000
    assert (pacer.periods - 1) * 5_000_000 <= passed_ns
    assert pacer.periods >= len(loop.periods) >= pacer.periods - pacer.missed
    assert len(set(loop.periods)) == 1
    assert loop.periods[0] != threading.get_ident()


def test_what_is_posted_is_done_in_order_and_by_the_same_thread(
    loop: Loop, wait_until: Wait
) -> None:
    done: list[tuple[int, int]] = []
    loop.thread.start()
    for i in range(1000):
        loop.thread.post(lambda i=i: done.append((i, threading.get_ident())))
    wait_until(lambda: len(done) == 1000, "all that was posted")
    wait_until(lambda: loop.periods, "a period")
    assert [i for i, _ in done] == list(range(1000))
    assert {ident for _, ident in done} == set(loop.periods)


def test_a_failure_is_raised_in_the_thread_that_asks(loop: Loop, wait_until: Wait) -> None:
    loop.thread.start()
    loop.thread.check()
    loop.failing = True

    def failed() -> bool:
        try:
            loop.thread.check()
        except RuntimeError as error:
            return "a mistake in the loop" in str(error)
        return False

    wait_until(failed, "the failure")


def test_a_posted_call_that_fails_is_raised_as_well(loop: Loop, wait_until: Wait) -> None:
    def fail() -> None:
        raise ValueError("a mistake in a message")

    def failed() -> bool:
        try:
            loop.thread.check()
        except ValueError:
            return True
        return False

    loop.thread.start()
    loop.thread.post(fail)
    wait_until(failed, "the failure")


def test_it_ends_when_asked_also_twice_and_also_before_it_began(loop: Loop) -> None:
    loop.thread.start()
    loop.thread.stop()
    loop.thread.stop()
    never = Loop()
    never.thread.stop()
    assert loop.thread.priority
    assert not never.thread.priority
