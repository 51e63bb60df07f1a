"""Goals of actions, from the side of who gives them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from planner_core.errors import RobotError
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle

ANSWER_S = 3.0
"""A server answers at once; on a busy machine within a second."""
ATTEMPTS = 5


def give_goal(
    client: ActionClient, goal: Any, wait: Callable[[Callable[[], object], str], object]
) -> ClientGoalHandle:
    """Give a goal until it is answered.

    The answer of a server that has not discovered yet where the client listens is lost, although
    the client sees the server (rclpy warns that it "failed to send response"): the goal is pursued,
    and nobody holds it. Given again, it replaces the one that was lost.

    Args:
        client: Client of an action whose new goals replace older ones; its server is there.
        goal: Goal.
        wait: Spins until a condition holds, given with its name.

    Returns:
        The answer: accepted or not.

    Raises:
        RobotError: No goal was answered.
    """
    for _ in range(ATTEMPTS):
        answer = client.send_goal_async(goal)
        end = time.monotonic() + ANSWER_S
        wait(lambda: answer.done() or time.monotonic() > end, "an answer to the goal")  # noqa: B023
        if answer.done():
            return answer.result()
    raise RobotError(f"no answer to {ATTEMPTS} goals within {ANSWER_S:g} s each")
