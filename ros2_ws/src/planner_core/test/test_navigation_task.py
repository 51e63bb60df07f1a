from __future__ import annotations

import numpy as np
import pytest
from planner_core.clock import ManualClock
from planner_core.errors import (
    GoalError,
    GoalFrameError,
    GoalInObstacleError,
    GoalOutsideFenceError,
)
from planner_core.navigation_task import NavigationTask, Outcome, Stage, View, check_goal
from planner_core.robots import crazyflie
from planner_core.world import random_world

ROBOT = crazyflie()
WORLD = random_world(1)
GOAL = np.array([2.0, 0.0, 1.0])


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def task(clock: ManualClock) -> NavigationTask:
    return NavigationTask(
        ROBOT, dict(zip("xyz", GOAL, strict=True)), clock,
        tolerance=0.25, settle_s=0.5, time_limit_s=10.0, engage_limit_s=5.0, state_timeout_s=1.0,
    )  # fmt: skip


def view(x: float = 0.0, **changes: object) -> View:
    arguments: dict[str, object] = {
        "position": np.array([x, 0.0, 1.0, 0.0]), "velocity": np.zeros(4),
        "state_age_s": 0.0, "active": True,
    }  # fmt: skip
    return View(**(arguments | changes))  # type: ignore[arg-type]


def test_success_needs_to_stay(task: NavigationTask, clock: ManualClock) -> None:
    assert task.update(view(active=False)) is Stage.ENGAGING
    clock.advance(2.0)
    assert task.update(view()) is Stage.MOVING
    clock.advance(3.0)
    assert task.update(view(1.9)) is Stage.SETTLING
    clock.advance(0.2)
    assert task.update(view(1.0)) is Stage.MOVING
    clock.advance(1.0)
    task.update(view(2.1))
    clock.advance(0.6)
    assert task.update(view(2.1)) is Stage.DONE
    assert task.outcome is Outcome.SUCCESS
    # Take-off and settling are not part of the time to success.
    assert task.elapsed_s == pytest.approx(4.2)
    assert task.distance == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("seen", "wait_s", "outcome"),
    [
        (view(crashed=True, fault="hit a wall"), 0.1, Outcome.CRASHED),
        (view(stopped=True), 0.1, Outcome.STOPPED),
        (view(active=False), 0.1, Outcome.LOST),
        (view(position=None), 0.1, Outcome.LOST),
        (view(state_age_s=1.5), 0.1, Outcome.LOST),
        (view(), 10.1, Outcome.TIMED_OUT),
    ],
)
def test_each_way_to_fail(
    task: NavigationTask, clock: ManualClock, seen: View, wait_s: float, outcome: Outcome
) -> None:
    task.update(view())
    clock.advance(wait_s)
    task.update(seen)
    assert task.outcome is outcome
    task.finish(Outcome.CANCELLED)
    assert task.outcome is outcome


def test_a_robot_that_never_becomes_active(task: NavigationTask, clock: ManualClock) -> None:
    task.update(view(active=False))
    clock.advance(5.1)
    task.update(view(active=False, fault="battery low"))
    assert task.outcome is Outcome.NOT_READY
    assert task.reason == "battery low"


def test_goals_are_checked() -> None:
    names = ("x", "y", "z")
    good = WORLD.goal[:3]
    check_goal(ROBOT, names, good, "map", WORLD, 0.2)
    check_goal(ROBOT, names, good, "", None, 0.2)
    obstacle = np.array([*WORLD.cylinders[0, :2], 1.0])
    cases: list[tuple[tuple[str, ...], np.ndarray, str, type[GoalError]]] = [
        (("x", "y"), good, "map", GoalError),
        (("x", "y", "height"), good, "map", GoalError),
        ((), np.array([]), "map", GoalError),
        (names, np.array([0.0, np.nan, 1.0]), "map", GoalError),
        (names, good, "odom", GoalFrameError),
        (names, np.array([0.0, 0.0, 9.0]), "map", GoalOutsideFenceError),
        (names, np.array([5.5, 0.0, 1.0]), "map", GoalOutsideFenceError),
        (names, obstacle, "map", GoalInObstacleError),
    ]
    for dof, values, frame, error in cases:
        with pytest.raises(error) as caught:
            check_goal(ROBOT, dof, values, frame, WORLD, 0.2)
        assert type(caught.value) is error
