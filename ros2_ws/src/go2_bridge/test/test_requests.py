"""Answers find their calls, and calls without an answer end."""

from __future__ import annotations

import pytest
from go2_bridge.requests import TIMED_OUT, Call, Function, Requests, Sport, Switcher
from planner_core.clock import ManualClock


@pytest.fixture
def sent() -> list[tuple[int, Function, str, bool]]:
    return []


def test_an_answer_finds_its_call(sent: list[tuple[int, Function, str, bool]]) -> None:
    requests = Requests(lambda *request: sent.append(request), ManualClock())
    first, second = requests.call(Switcher.CHECK_MODE), requests.call(Sport.STAND_UP)
    requests.answer(sent[0][0], 0, '{"form": "0", "name": "normal"}')
    assert first.succeeded
    assert first.mode == "normal"
    assert not second.done
    requests.answer(sent[1][0], 4201, "")
    assert second.done
    assert not second.succeeded
    assert str(second) == "STAND_UP was refused with code 4201"
    requests.answer(12345, 0, "")  # another client's


def test_a_call_without_an_answer_ends(sent: list[tuple[int, Function, str, bool]]) -> None:
    clock = ManualClock()
    requests = Requests(lambda *request: sent.append(request), clock)
    call = requests.call(Sport.DAMP)
    clock.advance(0.9)
    requests.expire()
    assert not call.done
    clock.advance(0.2)
    requests.expire()
    assert call.code == TIMED_OUT
    assert str(call) == "DAMP was not answered"
    requests.answer(sent[0][0], 0, "")  # too late to count
    assert call.code == TIMED_OUT


def test_what_is_told_wants_no_answer(sent: list[tuple[int, Function, str, bool]]) -> None:
    requests = Requests(lambda *request: sent.append(request), ManualClock())
    requests.tell(Sport.MOVE, x=0.5, y=0.0, z=0.0)
    number, function, parameter, reply = sent[0]
    assert (function, parameter, reply) == (Sport.MOVE, '{"x": 0.5, "y": 0.0, "z": 0.0}', False)
    requests.answer(number, 0, "")


@pytest.mark.parametrize(
    "data", ["", "not json", "[]", "3", "{}", '{"name": null}', "1" * 5000, "[" * 100_000]
)
def test_an_unreadable_mode_is_not_taken_for_none(data: str) -> None:
    assert Call(Switcher.CHECK_MODE, 0, 0, data).mode == "unreadable"
