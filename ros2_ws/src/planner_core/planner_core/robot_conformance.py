"""What the description of a robot must say to be usable here, as checks that its author runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from planner_core.conformance_rules import Finding, finding, require
from planner_core.robot import Robot, StopBehaviour


def check_robot(name: str, create: Callable[[], Robot]) -> list[Finding]:
    """Check the description of a robot.

    Args:
        name: Under which it is registered.
        create: The function that the entry point names.
    """
    return [finding(check, (name, create)) for check in ROBOT_CHECKS]


def robot_is_described(subject: tuple[str, Callable[[], Robot]]) -> None:
    """The function takes no arguments and returns a Robot, named as it is registered."""
    name, create = subject
    robot = create()
    require(isinstance(robot, Robot), f"returns {type(robot).__name__}")
    require(robot.name == name, f"the robot is named {robot.name!r}, registered as {name!r}")
    require(robot.frame_id and all(robot.names), "frame and degrees of freedom need names")


def robot_is_the_same_each_time(subject: tuple[str, Callable[[], Robot]]) -> None:
    """Two calls describe the same robot: every process makes its own."""
    one, other = subject[1](), subject[1]()
    for field in Robot.__slots__:
        same = np.array_equal(getattr(one, field), getattr(other, field))
        require(same, f"{field} differs between calls")


def robot_has_si_units(subject: tuple[str, Callable[[], Robot]]) -> None:
    """Units are m or rad (REP-103), or 1 for what has none."""
    robot = subject[1]()
    require(set(robot.units) <= {"m", "rad", "1"}, f"got {robot.units}")


def robot_can_stop_within_its_limits(subject: tuple[str, Callable[[], Robot]]) -> None:
    """From its greatest speed it brakes within the range of each degree of freedom."""
    robot = subject[1]()
    # Braking at the limit of acceleration, which is reached at the limit of jerk.
    ramp_s = robot.acceleration / robot.jerk
    distance = robot.velocity * (robot.velocity / robot.acceleration + ramp_s) / 2
    for j, name in enumerate(robot.names):
        span = robot.upper[j] - robot.lower[j]
        require(distance[j] < span, f"{name} brakes within {distance[j]:.3g}, of {span:.3g}")


def landing_robot_has_a_height(subject: tuple[str, Callable[[], Robot]]) -> None:
    """A robot that lands has its height as its third degree of freedom."""
    robot = subject[1]()
    lands = robot.stop is StopBehaviour.LAND
    require(not lands or robot.names[2:3] == ("z",), f"got {robot.names}")


ROBOT_CHECKS: Final = (
    robot_is_described,
    robot_is_the_same_each_time,
    robot_has_si_units,
    robot_can_stop_within_its_limits,
    landing_robot_has_a_height,
)
