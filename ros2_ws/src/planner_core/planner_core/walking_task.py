"""The task ``walk``: a legged robot moves at a velocity, for as long as it has to settle there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from planner_core.errors import GoalError, GoalOutsideFenceError
from planner_core.robot import Robot, StopBehaviour
from planner_core.tasks import Progress, Values

BODY: Final = "body"
"""The sensor that says how the trunk moves."""
LIMITS: Final = {"velocity_x": (-0.2, 0.8), "velocity_y": (-0.2, 0.2), "turn_rate": (-0.4, 0.4)}
"""What may be asked for, in the trunk's own frame: ahead, to the left [m/s], turning left
[rad/s]."""
MEASURED: Final = {name: f"mean_{name}" for name in LIMITS}
"""How fast the robot goes, over a stride."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Move at a velocity; what a goal leaves out is 0.

    The distance that is left is that of the velocity over a stride from the one asked for [m/s]:
    the task is done when the robot has kept the velocity for the navigator's ``settle_s``.
    """

    sensors: tuple[str, ...] = (BODY,)

    def check(self, robot: Robot, asked: Values) -> None:
        """See `planner_core.tasks.Task.check`."""
        if robot.stop is not StopBehaviour.DAMP:
            raise GoalError(f"walk for robot {robot.name}", expected="a robot with legs")
        if not set(asked) <= set(LIMITS):
            raise GoalError("goal of walk", got=list(asked), expected=f"some of {list(LIMITS)}")
        for name, value in asked.items():
            low, high = LIMITS[name]
            if not low <= value <= high:
                raise GoalOutsideFenceError(
                    f"goal of walk: {name}", got=f"{value:.3g}", expected=f"{low:g} to {high:g}"
                )

    def complete(self, asked: Values, position: Values) -> Values:
        """Straight ahead, or on the spot, where nothing else is asked for."""
        return {**dict.fromkeys(LIMITS, 0.0), **asked}

    def target(self, asked: Values, quantities: Values) -> Values:
        """See `planner_core.tasks.Task.target`."""
        return asked

    def progress(self, asked: Values, position: Values, quantities: Values) -> Progress:
        """Distance of the velocity from the one asked for."""
        if not set(MEASURED.values()) <= set(quantities):
            return Progress(math.nan, complete=False)
        asked = self.complete(asked, position)
        missed = [quantities[MEASURED[name]] - asked[name] for name in LIMITS]
        # Turning is judged by the way that a foot, half a body away, is off.
        missed[2] *= 0.2
        return Progress(math.hypot(*missed))
