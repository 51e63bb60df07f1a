from __future__ import annotations

import numpy as np
import pytest
from planner_core.errors import ConfigurationError, UnknownPluginError
from planner_core.plugins import load_plugin, plugin_names
from planner_core.robot import Robot, StopBehaviour
from planner_core.robots import crazyflie, load_robot


@pytest.mark.parametrize("name", ["crazyflie", "so100", "go2"])
def test_built_in_robots_register_as_plugins(name: str) -> None:
    robot = load_robot(name)
    assert robot.name == name
    assert len(robot.units) == robot.n_q


def test_an_unknown_robot_lists_those_that_exist() -> None:
    with pytest.raises(UnknownPluginError, match=r"spot.*crazyflie.*go2.*so100"):
        load_robot("spot")


def test_planners_are_plugins() -> None:
    assert {"one_step", "grid_search", "straight_line"} <= set(plugin_names("planner.planners"))
    assert callable(load_plugin("planner.planners", "straight_line"))


def test_a_fence_only_tightens() -> None:
    fenced = crazyflie().fenced([-1, -1, -1, -10], [1, 1, 99, 10])
    assert fenced.upper[2] == crazyflie().upper[2]
    assert fenced.lower[0] == -1
    with pytest.raises(ConfigurationError, match="limits"):
        crazyflie().fenced([2, 0, 0, 0], [1, 1, 1, 1])


@pytest.mark.parametrize(
    "change",
    [
        {"lower": np.zeros(3)},
        {"upper": np.array([np.inf, 1.0])},
        {"velocity": np.array([0.0, 1.0])},
        {"acceleration": np.array([-1.0, 1.0])},
        {"jerk": np.array([1.0, 0.0])},
        {"names": ("x", "x")},
        {"units": ("m",)},
    ],
)
def test_bad_robots_are_refused(change: dict[str, object]) -> None:
    good: dict[str, object] = {
        "name": "r", "frame_id": "map", "names": ("x", "y"), "units": ("m", "m"),
        "lower": np.zeros(2), "upper": np.ones(2), "velocity": np.ones(2),
        "acceleration": np.ones(2), "jerk": np.ones(2), "stop": StopBehaviour.HOLD,
    }  # fmt: skip
    Robot(**good)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError):
        Robot(**(good | change))  # type: ignore[arg-type]


def test_a_fence_may_leave_one_side_open() -> None:
    robot = crazyflie()
    fenced = robot.fenced((), [1, 1, 1, 10])
    assert fenced.lower.tolist() == robot.lower.tolist()
    assert fenced.upper[2] == 1
    with pytest.raises(ConfigurationError, match="4 numbers"):
        robot.fenced([-1], ())
