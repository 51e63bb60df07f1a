"""What a robot can be asked for: what a goal may name, what planners aim at, when it is reached.

A task of one's own is a function without arguments that returns a `Task`, registered by its package
under the entry point group ``planner.tasks``; the built-in ones register the same way. Planner
server and navigator use tasks through this protocol, and know neither task nor robot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from planner_core.errors import (
    GoalError,
    GoalOutsideFenceError,
    InvalidObservationError,
)
from planner_core.plan import Array
from planner_core.plugins import load_plugin
from planner_core.robot import Robot

Values = Mapping[str, float]
"""Numbers by name: degrees of freedom, quantities of a task, readings of a sensor."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task has come.

    Attributes:
        distance: Left, in the units of the goal; NaN where it is not known.
        complete: Whether everything holds that distance does not say, such as an open gripper.
    """

    distance: float
    complete: bool = True


class Task(Protocol):
    """One kind of goal."""

    @property
    def sensors(self) -> tuple[str, ...]:
        """Sensors of named quantities without which the task cannot be judged."""
        ...

    def check(self, robot: Robot, asked: Values) -> None:
        """Refuse what the robot cannot be asked for.

        Args:
            robot: Whose limits hold.
            asked: Values of the goal, finite already.

        Raises:
            GoalError: The subclass says why.
        """
        ...

    def complete(self, asked: Values, position: Values) -> Values:
        """What is asked, with what it leaves open: filled in once, when the goal comes.

        Args:
            asked: Values of the goal.
            position: Degrees of freedom of the robot when the goal came.
        """
        ...

    def target(self, asked: Values, quantities: Values) -> Values:
        """What a planner is to aim at now.

        Args:
            asked: As completed.
            quantities: Newest readings of the task's sensors, by their names.

        Raises:
            InvalidObservationError: A reading is missing.
        """
        ...

    def progress(self, asked: Values, position: Values, quantities: Values) -> Progress:
        """How far it has come.

        Args:
            asked: Values of the goal.
            position: Degrees of freedom of the robot.
            quantities: Newest readings of the task's sensors; some may be missing yet.
        """
        ...


class Reach:
    """Values of degrees of freedom to go to and to stay at: what every robot can be asked for."""

    sensors: tuple[str, ...] = ()

    def check(self, robot: Robot, asked: Values) -> None:
        """See `Task.check`."""
        if not asked or not set(asked) <= set(robot.names):
            raise GoalError(
                "goal", got=f"values for {list(asked)}",
                expected=f"values for some of {list(robot.names)}",
            )  # fmt: skip
        for name, value in asked.items():
            i = robot.names.index(name)
            if not robot.lower[i] <= value <= robot.upper[i]:
                raise GoalOutsideFenceError(
                    f"goal outside the limits in {name}",
                    got=f"{value:.3g} {robot.units[i]}",
                    expected=f"{robot.lower[i]:.3g} to {robot.upper[i]:.3g}",
                )

    def complete(self, asked: Values, position: Values) -> Values:
        """What the goal leaves open stays as it is."""
        return {**position, **asked}

    def target(self, asked: Values, quantities: Values) -> Values:
        """See `Task.target`."""
        return asked

    def progress(self, asked: Values, position: Values, quantities: Values) -> Progress:
        """Distance over what is asked; a heading counts only where nothing else is asked."""
        names = [name for name in asked if name != "yaw"] or list(asked)
        return Progress(math.sqrt(sum((position[n] - asked[n]) ** 2 for n in names)))


REACH: Final = Reach()


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What a planner is asked for: a task, and its values.

    Attributes:
        task: The task.
        asked: Its values, completed.
    """

    task: Task
    asked: Values

    def target(self, names: Sequence[str], quantities: Values) -> Array:
        """(n,) what to aim at, for the names in a planner's order.

        Raises:
            InvalidObservationError: The task says nothing about one of them.
        """
        target = self.task.target(self.asked, quantities)
        return select(target, names, "goal")


def select(values: Values, names: Sequence[str], what: str) -> Array:
    """Some of the values, in the order of the names.

    Raises:
        InvalidObservationError: One is missing.
    """
    if missing := [name for name in names if name not in values]:
        raise InvalidObservationError(
            f"{what} without {missing}", got=sorted(values), expected=f"values for {list(names)}"
        )
    return np.array([values[name] for name in names])


def load_task(name: str) -> Task:
    """Find a task by name; the empty name is `Reach`.

    Raises:
        UnknownPluginError: No installed package provides it; the message lists those that exist.
    """
    if not name:
        return REACH
    task: Task = load_plugin("planner.tasks", name)()
    return task
