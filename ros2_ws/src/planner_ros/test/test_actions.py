"""Goals whose answers get lost."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from planner_core.errors import RobotError
from planner_ros import actions
from rclpy.task import Future


class Client:
    """Answers from one goal on."""

    def __init__(self, from_goal: int) -> None:
        self.given: list[object] = []
        self._from_goal = from_goal

    def send_goal_async(self, goal: object) -> Future:
        self.given.append(goal)
        answer = Future()
        if len(self.given) >= self._from_goal:
            answer.set_result("handle")
        return answer


def wait(condition: Callable[[], object], what: str) -> None:
    while not condition():
        time.sleep(0.001)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "ANSWER_S", 0.01)


def test_a_goal_is_given_again_until_it_is_answered() -> None:
    client = Client(from_goal=3)
    assert actions.give_goal(client, "goal", wait) == "handle"
    assert client.given == ["goal"] * 3


def test_an_answered_goal_is_given_once() -> None:
    client = Client(from_goal=1)
    assert actions.give_goal(client, "goal", wait) == "handle"
    assert client.given == ["goal"]


def test_no_answer_at_all_is_an_error() -> None:
    with pytest.raises(RobotError, match="no answer to 5 goals"):
        actions.give_goal(Client(from_goal=99), "goal", wait)
