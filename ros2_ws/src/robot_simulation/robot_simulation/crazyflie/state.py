"""The state as the vehicle itself believes it to be."""

from __future__ import annotations

from dataclasses import dataclass

from robot_simulation.crazyflie.rotation import Quaternion, Vector, to_euler


@dataclass(slots=True)
class Estimate:
    """The on-board estimate; the estimator writes it, everything else reads it.

    Attributes:
        position: (3,) [m] world frame.
        velocity: (3,) [m/s] world frame.
        acceleration: (3,) [m/s^2] world frame, gravity removed.
        attitude: (4,) unit quaternion w, x, y, z.
        rates: (3,) [rad/s] body frame, as the gyroscope measures them.
    """

    position: Vector = (0.0, 0.0, 0.0)
    velocity: Vector = (0.0, 0.0, 0.0)
    acceleration: Vector = (0.0, 0.0, 0.0)
    attitude: Quaternion = (1.0, 0.0, 0.0, 0.0)
    rates: Vector = (0.0, 0.0, 0.0)

    @property
    def euler(self) -> Vector:
        """(3,) [rad] roll, pitch, yaw."""
        return to_euler(self.attitude)

    @property
    def yaw_rad(self) -> float:
        """Heading."""
        return to_euler(self.attitude)[2]
