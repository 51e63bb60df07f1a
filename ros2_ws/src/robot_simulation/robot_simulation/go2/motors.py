"""The motor boards: each joint follows its last command, and damps when commands stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

POSITION_STOP: Final = 2.146e9
"""As position: no position loop, whatever the gain."""
VELOCITY_STOP: Final = 16000.0
"""As velocity: no velocity loop, whatever the gain."""
DAMPING: Final = 5.0
"""[N m s/rad] of a joint that nobody commands."""


def _zeros() -> Array:
    return np.zeros(12)


@dataclass(slots=True, eq=False)
class MotorCommand:
    """What twelve joints are asked to do: tau + kp (q - measured q) + kd (dq - measured dq).

    Attributes:
        q: (12,) [rad].
        dq: (12,) [rad/s].
        tau: (12,) [N m].
        kp: (12,) [N m/rad].
        kd: (12,) [N m s/rad].
    """

    q: Array = field(default_factory=_zeros)
    dq: Array = field(default_factory=_zeros)
    tau: Array = field(default_factory=_zeros)
    kp: Array = field(default_factory=_zeros)
    kd: Array = field(default_factory=_zeros)

    @classmethod
    def damping(cls) -> MotorCommand:
        """Yield slowly."""
        return cls(kd=np.full(12, DAMPING))

    @classmethod
    def held(cls, q: Array, kp: float, kd: float) -> MotorCommand:
        """Hold a posture (12,) [rad]."""
        return cls(q=q, kp=np.full(12, kp), kd=np.full(12, kd))

    def torque(self, q: Array, dq: Array) -> Array:
        """(12,) [N m] at measured positions and velocities, each (12,)."""
        position = self.kp * (self.q - q)
        velocity = self.kd * (self.dq - dq)
        return self.tau + position + velocity

    @classmethod
    def from_wire(cls, motors: NDArray[np.void]) -> MotorCommand:
        """Read twelve motors of a LowCmd, with the meaning of its special values.

        Args:
            motors: (12,) with the fields of a ``MotorCmd``.
        """
        on = motors["mode"] == 1
        q, dq = motors["q"].astype(np.float64), motors["dq"].astype(np.float64)
        position, velocity = np.abs(q) < POSITION_STOP, np.abs(dq) < VELOCITY_STOP
        return cls(
            np.where(position, q, 0.0),
            np.where(velocity, dq, 0.0),
            np.where(on, motors["tau"], 0.0),
            np.where(on & position, motors["kp"], 0.0),
            np.where(on & velocity, motors["kd"], 0.0),
        )
