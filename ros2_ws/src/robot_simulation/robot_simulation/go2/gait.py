"""A trot: which feet are down, and where they go.

Diagonal feet move together. A stance foot slides back under the body at the commanded velocity; a
swing foot rises, and lands ahead by half of what the body travels in a stance, and by more where
the body is too fast.

**Source** of the foothold: M. Raibert, Legged Robots That Balance (1986), the neutral point and its
velocity feedback.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from planner_core.go2_geometry import HIPS_M, SIDES, THIGH_Y_M

Array = NDArray[np.float64]

PERIOD_S: Final = 0.44
SWING_S: Final = PERIOD_S / 2
LIFT_M: Final = 0.06
FEEDBACK_S: Final = 0.05
"""[m per m/s] by which a foothold answers a velocity error."""
DRAG_GAIN: Final = 1.5
"""By how much faster the feet go than asked, per velocity that is missing: legs give way."""
STANCE_XY_M: Final = np.stack((HIPS_M[:, 0] - 0.01, HIPS_M[:, 1] + SIDES * THIGH_Y_M), axis=1)
"""(4, 2) [m] of the feet in the body when the robot stands."""
_FIRST: Final = np.array([True, False, False, True])
"""(4,) The diagonal that swings in the first half of a period."""


@dataclass(frozen=True, slots=True)
class Velocity:
    """What a walk shall do, in the body's heading: [m/s], [m/s], [rad/s]."""

    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0

    def of_feet(self) -> Array:
        """(4, 2) [m/s] of the ground below each foot, seen from the body, reversed."""
        turn = self.yaw * np.stack((-STANCE_XY_M[:, 1], STANCE_XY_M[:, 0]), axis=1)
        return np.array([self.x, self.y]) + turn


class Trot:
    """The feet of a walking robot.

    Args:
        height_m: Of the hips above the feet.
    """

    def __init__(self, height_m: float) -> None:
        self._height_m = height_m
        self._phase_s = 0.0
        self._mean = np.zeros(2)
        self._feet = np.column_stack((STANCE_XY_M, np.full(4, -height_m)))
        self._lifted = self._feet.copy()

    @property
    def swinging(self) -> NDArray[np.bool_]:
        """(4,) Which feet are in the air."""
        return _FIRST if self._phase_s < SWING_S else ~_FIRST

    @property
    def at_rest(self) -> bool:
        """Whether every foot is down, about where it is when the robot stands."""
        away = np.abs(self._feet[:, :2] - STANCE_XY_M).max()
        return bool(away < 0.03 and (self._feet[:, 2] < 0.01 - self._height_m).all())

    @property
    def feet(self) -> Array:
        """(4, 3) [m] in the body."""
        return self._feet.copy()

    def step(self, dt_s: float, commanded: Velocity, measured: Array) -> None:
        """Let time pass.

        Args:
            dt_s: How much.
            commanded: The walk asked for.
            measured: (2,) [m/s] of the body in its heading.
        """
        before = self.swinging
        self._phase_s = (self._phase_s + dt_s) % PERIOD_S
        swing = self.swinging
        lifts = swing & ~before
        self._lifted[lifts] = self._feet[lifts]
        wanted = np.array([commanded.x, commanded.y])
        self._mean += (measured - self._mean) * dt_s / PERIOD_S
        travel = commanded.of_feet() + DRAG_GAIN * (wanted - self._mean)
        self._feet[~swing, :2] -= travel[~swing] * dt_s
        self._feet[~swing, 2] = -self._height_m
        target = STANCE_XY_M + travel * SWING_S / 2 + FEEDBACK_S * (measured - wanted)
        share = (self._phase_s % SWING_S) / SWING_S
        smooth = share * share * (3 - 2 * share)
        path = self._lifted[:, :2] + (target - self._lifted[:, :2]) * smooth
        self._feet[swing, :2] = path[swing]
        self._feet[swing, 2] = -self._height_m + LIFT_M * np.sin(np.pi * share)
