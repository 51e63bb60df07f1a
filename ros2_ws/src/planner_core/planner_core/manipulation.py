"""Placing an object: the tasks ``pick_place`` and ``stack``, and what they are judged by.

Both move ``cube_0``: to a place on the table, or onto ``cube_1``. Planners of either aim at the
same: where the object's centre is to be. Where ``cube_1`` stands is seen anew for every plan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from planner_core.arm_kinematics import reach, tool_of
from planner_core.errors import (
    GoalError,
    GoalOutsideFenceError,
    InvalidObservationError,
    NoPathError,
)
from planner_core.robot import Robot
from planner_core.tasks import Progress, Values

OBJECTS: Final = "objects"
"""The sensor that says where the objects are."""
CUBE_M: Final = 0.025
OBJECT: Final = ("cube_0_x", "cube_0_y", "cube_0_z", "cube_0_yaw")
GOAL: Final = ("object_x", "object_y", "object_z")
"""Where the object's centre is to be [m]."""
JOINTS: Final = (
    "shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper",
)  # fmt: skip
OPEN_RAD: Final = 0.3
"""A gripper that is further open does not hold the object."""
CLEAR_M: Final = 0.05
"""The task is done when the tool is further from the object."""


@dataclass(frozen=True, slots=True)
class PlaceObject:
    """Put ``cube_0`` to a place on the table.

    A goal gives ``object_x`` and ``object_y`` [m]; the object is done when it is there and the open
    gripper has left it.
    """

    sensors: tuple[str, ...] = (OBJECTS,)

    def check(self, robot: Robot, asked: Values) -> None:
        """See `planner_core.tasks.Task.check`."""
        _require_arm(robot)
        if not {"object_x", "object_y"} <= set(asked) <= set(GOAL):
            raise GoalError(
                "goal of pick_place", got=list(asked), expected="object_x and object_y [m]"
            )
        try:
            reach(asked["object_x"], asked["object_y"], asked.get("object_z", CUBE_M / 2))
        except NoPathError as error:
            raise GoalOutsideFenceError("goal of pick_place", got=error) from error

    def complete(self, asked: Values, position: Values) -> Values:
        """On the table, where no height is asked for."""
        return {"object_z": CUBE_M / 2, **asked}

    def target(self, asked: Values, quantities: Values) -> Values:
        """See `planner_core.tasks.Task.target`."""
        return asked

    def progress(self, asked: Values, position: Values, quantities: Values) -> Progress:
        """Distance of the object from its place."""
        return _progress(self.complete(asked, position), position, quantities)


@dataclass(frozen=True, slots=True)
class StackObject:
    """Put ``cube_0`` onto ``cube_1``; a goal gives no values."""

    sensors: tuple[str, ...] = (OBJECTS,)

    def check(self, robot: Robot, asked: Values) -> None:
        """See `planner_core.tasks.Task.check`."""
        _require_arm(robot)
        if asked:
            raise GoalError("goal of stack", got=list(asked), expected="no values")

    def complete(self, asked: Values, position: Values) -> Values:
        """Nothing to fill in."""
        return asked

    def target(self, asked: Values, quantities: Values) -> Values:
        """On top of ``cube_1``, wherever it is now."""
        names = [f"cube_1_{axis}" for axis in "xyz"]
        if missing := [name for name in names if name not in quantities]:
            raise InvalidObservationError(
                f"sensor {OBJECTS!r} without {missing}", got=sorted(quantities)
            )
        x, y, z = (quantities[name] for name in names)
        return dict(zip(GOAL, (x, y, z + CUBE_M), strict=True))

    def progress(self, asked: Values, position: Values, quantities: Values) -> Progress:
        """Distance of the object from the top of the other one."""
        try:
            target = self.target(asked, quantities)
        except InvalidObservationError:
            return Progress(math.nan, complete=False)
        return _progress(target, position, quantities)


def _require_arm(robot: Robot) -> None:
    if robot.names != JOINTS:
        raise GoalError(f"objects for robot {robot.name}", got=robot.names, expected=JOINTS)


def _progress(target: Values, position: Values, quantities: Values) -> Progress:
    if not set(OBJECT) <= set(quantities):
        return Progress(math.nan, complete=False)
    place = np.array([quantities[name] for name in OBJECT[:3]])
    distance = float(np.linalg.norm(place - [target[name] for name in GOAL]))
    tool = tool_of(np.array([position[name] for name in JOINTS]))
    clear = float(np.linalg.norm(tool - place)) > CLEAR_M
    return Progress(distance, clear and position["gripper"] > OPEN_RAD)
