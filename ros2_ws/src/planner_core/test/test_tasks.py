"""What a robot can be asked for, whichever robot it is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from planner_core.clock import ManualClock
from planner_core.errors import (
    GoalError,
    GoalOutsideFenceError,
    InvalidObservationError,
    UnknownPluginError,
)
from planner_core.manipulation import CUBE_M, GOAL, JOINTS, OBJECT
from planner_core.navigation_task import NavigationTask, Outcome, View, check_goal
from planner_core.observing import ObservationBuffer
from planner_core.plan import GeneratorSpec
from planner_core.robots import crazyflie, go2, so100
from planner_core.scripted_manipulation import HOME
from planner_core.tasks import REACH, Request, load_task

SEEN = {
    "cube_0_x": 0.2, "cube_0_y": 0.05, "cube_0_z": CUBE_M / 2, "cube_0_yaw": 0.1,
    "cube_1_x": 0.18, "cube_1_y": -0.06, "cube_1_z": CUBE_M / 2, "cube_1_yaw": 0.0,
}  # fmt: skip


def test_every_robot_reaches_values_of_its_degrees_of_freedom() -> None:
    for robot in (crazyflie(), so100(), go2()):
        asked = {robot.names[1]: float(robot.lower[1] + robot.upper[1]) / 2}
        REACH.check(robot, asked)
        position = dict.fromkeys(robot.names, 0.25)
        assert REACH.complete(asked, position) == {**position, **asked}
        assert REACH.progress(asked, {**position, **asked}, {}).distance == pytest.approx(0.0)
        with pytest.raises(GoalOutsideFenceError):
            REACH.check(robot, {robot.names[1]: float(robot.upper[1]) + 1})


def test_an_unknown_task_lists_those_that_exist() -> None:
    with pytest.raises(UnknownPluginError, match="stack"):
        load_task("juggle")


def test_a_place_on_the_table_is_the_goal_of_pick_place() -> None:
    task = load_task("pick_place")
    asked = {"object_x": 0.2, "object_y": -0.1}
    task.check(so100(), asked)
    goal = Request(task, task.complete(asked, {})).target(GOAL, SEEN)
    assert goal == pytest.approx([0.2, -0.1, CUBE_M / 2])


def test_the_goal_of_stack_follows_the_lower_cube() -> None:
    request = Request(load_task("stack"), {})
    assert request.target(GOAL, SEEN) == pytest.approx([0.18, -0.06, 1.5 * CUBE_M])
    moved = {**SEEN, "cube_1_x": 0.22}
    assert request.target(GOAL, moved) == pytest.approx([0.22, -0.06, 1.5 * CUBE_M])
    with pytest.raises(InvalidObservationError, match="cube_1_x"):
        request.target(GOAL, {name: SEEN[name] for name in OBJECT})


@pytest.mark.parametrize(
    ("name", "robot", "asked"),
    [
        ("pick_place", crazyflie(), {"object_x": 0.2, "object_y": 0.0}),
        ("pick_place", so100(), {"object_x": 0.2}),
        ("pick_place", so100(), {"object_x": 0.9, "object_y": 0.0}),
        ("pick_place", so100(), {"object_x": 0.2, "object_y": 0.0, "colour": 1.0}),
        ("stack", so100(), {"object_x": 0.2}),
        ("stack", go2(), {}),
    ],
)
def test_what_cannot_be_done_is_refused(name: str, robot: object, asked: dict[str, float]) -> None:
    values = np.array(list(asked.values()))
    with pytest.raises(GoalError):
        check_goal(robot, tuple(asked), values, "", None, 0.0, load_task(name))  # type: ignore[arg-type]


def test_an_object_is_placed_when_the_open_gripper_has_left_it() -> None:
    clock, task = ManualClock(), load_task("pick_place")
    there = {"object_x": SEEN["cube_0_x"], "object_y": SEEN["cube_0_y"]}
    running = NavigationTask(
        so100(), there, clock, task, tolerance=0.015, settle_s=0.5, time_limit_s=30.0,
        engage_limit_s=5.0, state_timeout_s=1.0,
    )  # fmt: skip

    def view(gripper: float, seen: dict[str, float]) -> View:
        position = HOME.copy()
        position[5] = gripper
        return View(position, np.zeros(6), 0.0, True, quantities=seen)

    running.update(view(0.6, {}))
    running.update(view(0.6, {}))
    assert math.isnan(running.distance)
    for gripper, seen in (
        (-0.1, SEEN),  # not open
        (0.6, {**SEEN, "cube_0_x": 0.22}),  # not there
    ):
        running.update(view(gripper, seen))
        clock.advance(1.0)
        running.update(view(gripper, seen))
        assert running.outcome is None
    running.update(view(0.6, SEEN))
    clock.advance(0.6)
    running.update(view(0.6, SEEN))
    assert running.outcome is Outcome.SUCCESS


def buffer_of(spec: GeneratorSpec) -> ObservationBuffer:
    clock = ManualClock(now_ns=10**12)
    buffer = ObservationBuffer(clock, 0.3)
    n_q = len(spec.dof_names)
    buffer.take_state(clock.now_ns(), np.zeros(n_q), np.zeros(n_q), clock.now_ns())
    buffer.take_goal(Request(load_task("stack"), {}), 1, clock.now_ns())
    buffer.take_sensor("objects", clock.now_ns(), SEEN)
    return buffer


def test_a_planner_gets_the_numbers_that_it_names_in_its_order() -> None:
    names = ("cube_1_y", "cube_0_x")
    spec = GeneratorSpec("test", "so100", JOINTS, 2, 0.1, 1, {"objects": names}, ("object_z",))
    snapshot = buffer_of(spec).snapshot(spec)
    assert snapshot is not None
    assert snapshot.observation.sensors["objects"].tolist() == [-0.06, 0.2]
    assert snapshot.observation.goal == pytest.approx([1.5 * CUBE_M])


@pytest.mark.parametrize(
    ("sensors", "goal"),
    [
        ({"objects": ("cube_7_x",)}, GOAL),  # a number that nobody measures
        ({"objects": 8}, GOAL),  # an array where there are names
        ({"objects": OBJECT}, ("velocity_x",)),  # a goal of another task
    ],
)
def test_what_a_planner_misses_is_named(
    sensors: dict[str, int | tuple[str, ...]], goal: tuple[str, ...]
) -> None:
    spec = GeneratorSpec("test", "so100", JOINTS, 2, 0.1, 1, sensors, goal)
    with pytest.raises(InvalidObservationError):
        buffer_of(spec).snapshot(spec)
