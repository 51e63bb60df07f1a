"""Which goal the servos get next: never a jump, never far from where the arm is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from planner_core.robot import Robot

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MotionLimits:
    """How the goals may move.

    Attributes:
        relative_target_rad: Greatest distance of a goal from the measured position, each joint.
        speed_rad_s: Greatest speed of the goals, each joint.
        braking_rad_s2: Deceleration of a stop.
    """

    relative_target_rad: float
    speed_rad_s: float
    braking_rad_s2: float


class GoalMotion:
    """Moves the goals of all joints towards what is asked for.

    Args:
        robot: Whose joint limits hold.
        limits: Of the goals' motion.
        start: (n_q,) measured positions [rad].
    """

    def __init__(self, robot: Robot, limits: MotionLimits, start: ArrayLike) -> None:
        self._robot = robot
        self.limits = limits
        self._goal = np.clip(np.array(start, dtype=float), robot.lower, robot.upper)
        self._velocity = np.zeros_like(self._goal)

    @property
    def goal(self) -> Array:
        """(n_q,) [rad]."""
        return np.array(self._goal)

    @property
    def at_rest(self) -> bool:
        """Whether the goals stand still."""
        return not self._velocity.any()

    def follow(self, target: ArrayLike, present: ArrayLike, dt_s: float) -> Array:
        """Go towards a target for a moment.

        Args:
            target: (n_q,) positions asked for [rad].
            present: (n_q,) measured positions [rad].
            dt_s: Since the last call [s].

        Returns:
            (n_q,) the next goals [rad].
        """
        most = np.minimum(self.limits.speed_rad_s, self._robot.velocity) * dt_s
        return self._move(np.clip(np.asarray(target) - self._goal, -most, most), present, dt_s)

    def brake(self, present: ArrayLike, dt_s: float) -> Array:
        """Slow down for a moment; see `follow`."""
        speed = np.maximum(np.abs(self._velocity) - self.limits.braking_rad_s2 * dt_s, 0.0)
        return self._move(np.sign(self._velocity) * speed * dt_s, present, dt_s)

    def _move(self, step: Array, present: ArrayLike, dt_s: float) -> Array:
        before, reach = self._goal, self.limits.relative_target_rad
        near = np.clip(before + step, np.asarray(present) - reach, np.asarray(present) + reach)
        self._goal = np.clip(near, self._robot.lower, self._robot.upper)
        # What a bound took away must not come back as speed.
        moved = np.abs(self._goal - before) <= np.abs(step) + 1e-12
        self._velocity = np.where(moved, (self._goal - before) / dt_s, 0.0)
        return self.goal
