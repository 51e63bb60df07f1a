"""What a launch tells the nodes that it starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from ament_index_python.packages import get_package_share_directory
from planner.launching import RobotLaunch
from planner.planner_parameters import PlannerParameters
from planner_core.parameters import parse
from planner_core.plain_data import read_yaml

MODELS = Path(get_package_share_directory("planner")) / "models"


@pytest.mark.parametrize(
    ("robot", "model", "age_s"),
    [
        ("crazyflie", "crazyflie_navigation", 0.3),
        ("so100", "so100_pick_place", 0.3),
        ("go2", "go2_velocity", 0.1),
    ],
)
def test_a_standby_goes_by_its_robots_configuration(robot: str, model: str, age_s: float) -> None:
    """It would refuse to run, or plan from data that are too old for its robot."""
    settings = RobotLaunch(robot, {"seed": "0"}).standby_settings()
    values = parse(PlannerParameters, settings)
    assert values.replan_rate_hz == 20.0
    assert values.max_observation_age_s == age_s
    assert not values.publish_candidates
    values.check_chunk(read_yaml((MODELS / model / "manifest.yaml").read_text())["dt_s"])


def test_a_standby_of_a_soft_robot_plans_from_where_it_is() -> None:
    assert RobotLaunch("go2", {"seed": "0"}).standby_settings()["follow_tolerance"] == 0.0
