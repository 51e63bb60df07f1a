"""The task ``walk``: a legged robot moves at a velocity, for as long as it has to settle there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from planner_core.errors import GoalError, GoalOutsideFenceError, InvalidObservationError
from planner_core.robot import Robot, StopBehaviour
from planner_core.tasks import Progress, Values

BODY: Final = "body"
"""The sensor that says how the trunk moves."""
LIMITS: Final = {"velocity_x": (-0.2, 0.8), "velocity_y": (-0.2, 0.2), "turn_rate": (-0.4, 0.4)}
"""What may be asked for, in the trunk's own frame: ahead, to the left [m/s], turning left
[rad/s]."""
HEADING: Final = "heading"
"""Where the robot looks by its inertial sensor, positive to the left [rad]. Asked for in place of a
turn rate, it is held; a turn rate alone does not say how far the robot has strayed."""
HOLDING_PER_S: Final = 1.0
"""Turn rate by which a heading is approached, over the angle that is left."""
CATCH_UP_M_S: Final = 0.15
"""Greatest correction of a velocity: a robot that begins misses all of it."""
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
        limits = {**LIMITS, HEADING: (-math.pi, math.pi)}
        if not set(asked) <= set(limits) or {HEADING, "turn_rate"} <= set(asked):
            raise GoalError(
                "goal of walk", got=list(asked),
                expected=f"some of {list(LIMITS)}, or {HEADING} in place of the last",
            )  # fmt: skip
        for name, value in asked.items():
            low, high = limits[name]
            if not low <= value <= high:
                raise GoalOutsideFenceError(
                    f"goal of walk: {name}", got=f"{value:.3g}", expected=f"{low:g} to {high:g}"
                )

    def complete(self, asked: Values, position: Values) -> Values:
        """Straight ahead, or on the spot, where nothing else is asked for."""
        return {**dict.fromkeys(LIMITS, 0.0), **asked}

    def target(self, asked: Values, quantities: Values) -> Values:
        """The velocity and, on top, what was missed of it over a stride; the turn to a heading.

        A planner walks about as fast as it is told; this makes up for half of what is left or more.
        """
        needed = {*MEASURED.values(), *({HEADING} & set(asked))}
        if missing := needed - set(quantities):
            raise InvalidObservationError(
                "walk", got=sorted(quantities), expected=f"also {sorted(missing)}"
            )
        target = {**asked, "turn_rate": _turn_rate(asked, quantities)}
        for name in ("velocity_x", "velocity_y"):
            missed = asked[name] - quantities[MEASURED[name]]
            caught_up = asked[name] + min(CATCH_UP_M_S, max(-CATCH_UP_M_S, missed))
            target[name] = _limited(name, caught_up)
        return target

    def progress(self, asked: Values, position: Values, quantities: Values) -> Progress:
        """Distance of the velocity from the one asked for."""
        if not {*MEASURED.values(), *({HEADING} & set(asked))} <= set(quantities):
            return Progress(math.nan, complete=False)
        asked = self.complete(asked, position)
        wanted = {**asked, "turn_rate": _turn_rate(asked, quantities)}
        missed = [quantities[MEASURED[name]] - wanted[name] for name in LIMITS]
        # Turning is judged by the way that a foot, half a body away, is off.
        missed[2] *= 0.2
        return Progress(math.hypot(*missed))


def _turn_rate(asked: Values, quantities: Values) -> float:
    """The turn rate asked for, or the one that leads to the heading."""
    if HEADING not in asked:
        return asked["turn_rate"]
    left = math.remainder(asked[HEADING] - quantities[HEADING], math.tau)
    return _limited("turn_rate", HOLDING_PER_S * left)


def _limited(name: str, value: float) -> float:
    low, high = LIMITS[name]
    return min(high, max(low, value))
