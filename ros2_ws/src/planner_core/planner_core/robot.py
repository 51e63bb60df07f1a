"""What the planner and the execution know of a robot: its degrees of freedom and their limits.

A robot is ``n_q`` degrees of freedom in a fixed order. Plans, commands and states carry a position
and a velocity for each; the plan's actions are accelerations. Nothing above a bridge knows more, so
the same code flies a quadrotor, moves an arm and walks a quadruped.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from planner_core.errors import ConfigurationError

Array = NDArray[np.float64]


class StopBehaviour(Enum):
    """How the robot comes to rest when there is nothing left to follow."""

    LAND = "land"
    HOLD = "hold"
    DAMP = "damp"


@dataclass(frozen=True, slots=True, eq=False)
class Robot:
    """Degrees of freedom, frame and limits of one kind of robot.

    Attributes:
        name: Matched against model bundles and plans.
        frame_id: Frame of the positions.
        names: The ``n_q`` degrees of freedom, in the order of every array.
        units: Unit of each position; velocities and accelerations are per second (squared).
        lower: (n_q,) lowest position, in ``units``. The geofence of a mobile robot.
        upper: (n_q,) highest position.
        velocity: (n_q,) greatest speed.
        acceleration: (n_q,) greatest acceleration.
        jerk: (n_q,) greatest change of acceleration; plans that change faster are refused.
        stop: What the robot does when nothing is left to follow.
    """

    name: str
    frame_id: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    lower: Array
    upper: Array
    velocity: Array
    acceleration: Array
    jerk: Array
    stop: StopBehaviour

    def __post_init__(self) -> None:
        for field in ("lower", "upper", "velocity", "acceleration", "jerk"):
            array = np.array(getattr(self, field), dtype=np.float64)
            if array.shape != (self.n_q,) or not np.isfinite(array).all():
                raise ConfigurationError(
                    f"robot {self.name}: {field}",
                    got=array.tolist(),
                    expected=f"{self.n_q} finite numbers",
                )
            array.setflags(write=False)
            object.__setattr__(self, field, array)
        if len(self.units) != self.n_q or len(set(self.names)) != self.n_q:
            raise ConfigurationError(
                f"robot {self.name}: names and units",
                got=f"{self.names}, {self.units}",
                expected="distinct names with one unit each",
            )
        if not (self.lower < self.upper).all() or not (self.velocity > 0).all():
            raise ConfigurationError(
                f"robot {self.name}: limits", expected="lower < upper and velocity > 0"
            )
        if not ((self.acceleration > 0).all() and (self.jerk > 0).all()):
            raise ConfigurationError(
                f"robot {self.name}: limits", expected="acceleration > 0 and jerk > 0"
            )

    @property
    def n_q(self) -> int:
        """Number of degrees of freedom."""
        return len(self.names)

    def fenced(self, lower: ArrayLike, upper: ArrayLike) -> Robot:
        """The same robot with tighter position limits.

        Args:
            lower: (n_q,) lowest positions; empty for those of the robot.
            upper: (n_q,) highest positions; empty for those of the robot.

        Raises:
            ConfigurationError: The limits do not enclose any position of the robot, or are not one
                for each degree of freedom.
        """
        low, high = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
        for fence in (low, high):
            if fence.shape not in ((0,), (self.n_q,)):
                raise ConfigurationError(
                    f"robot {self.name}: fence", got=fence.tolist(),
                    expected=f"nothing, or {self.n_q} numbers for {self.names}",
                )  # fmt: skip
        return Robot(
            self.name, self.frame_id, self.names, self.units,
            np.maximum(self.lower, low) if low.size else self.lower,
            np.minimum(self.upper, high) if high.size else self.upper,
            self.velocity, self.acceleration, self.jerk, self.stop,
        )  # fmt: skip
