from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from planner_core.errors import BundleFileError, PlannerBusyError, PlannerExceptionError
from planner_core.hot_swap import HotSwap

LONG_S = 10.0
Wait = Callable[..., None]


def fail() -> str:
    raise BundleFileError("no such bundle")


def test_the_new_one_is_taken_once() -> None:
    swap: HotSwap[str] = HotSwap()
    swap.begin("new", lambda: "new", LONG_S)
    assert swap.take() == "new"
    assert swap.take() is None
    assert swap.loading == ""


def test_a_quick_refusal_is_the_answer() -> None:
    swap: HotSwap[str] = HotSwap()
    with pytest.raises(BundleFileError, match="no such bundle"):
        swap.begin("new", fail, LONG_S)
    assert swap.take() is None
    assert swap.failure() is None
    swap.begin("next", lambda: "next", LONG_S)


def test_what_fails_later_is_told_once(wait_until: Wait) -> None:
    swap: HotSwap[str] = HotSwap()
    released = threading.Event()

    def slow() -> str:
        released.wait(LONG_S)
        raise BundleFileError("too late")

    swap.begin("slow", slow, 0.0)
    assert swap.failure() is None
    assert swap.loading == "slow"
    with pytest.raises(PlannerBusyError, match="slow"):
        swap.begin("second", lambda: "second", 0.0)
    released.set()
    failures: list[BaseException] = []
    wait_until(lambda: failures.extend(filter(None, [swap.failure()])) or failures, "the failure")
    assert isinstance(failures[0], BundleFileError)
    assert swap.take() is None
    assert swap.loading == ""


def test_a_mistake_in_a_plugin_is_an_error_with_a_code() -> None:
    swap: HotSwap[str] = HotSwap()
    with pytest.raises(PlannerExceptionError, match="ZeroDivisionError"):
        swap.begin("new", lambda: str(1 // 0), LONG_S)


def test_what_is_abandoned_never_arrives() -> None:
    swap: HotSwap[str] = HotSwap()
    released, made = threading.Event(), threading.Event()

    def slow() -> str:
        released.wait(LONG_S)
        made.set()
        return "old"

    swap.begin("slow", slow, 0.0)
    swap.abandon()
    released.set()
    assert made.wait(LONG_S)
    swap.begin("new", lambda: "new", LONG_S)
    assert swap.take() == "new"
