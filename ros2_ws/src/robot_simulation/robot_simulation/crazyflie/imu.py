"""The inertial sensor: true rates and specific force plus bias and white noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from robot_simulation.crazyflie.dynamics import BodyState
from robot_simulation.crazyflie.rotation import Vector


@dataclass(frozen=True, slots=True)
class ImuNoise:
    """Standard deviations of one sample at 500 Hz, after the firmware's low-pass filters.

    Attributes:
        gyro_rad_s: White noise of a rate.
        accelerometer_m_s2: White noise of an acceleration.
        gyro_bias_rad_s: Spread of the constant bias that is left after the start-up calibration.
        accelerometer_bias_m_s2: Spread of the constant bias.
    """

    gyro_rad_s: float = 0.005
    accelerometer_m_s2: float = 0.1
    gyro_bias_rad_s: float = 0.001
    accelerometer_bias_m_s2: float = 0.03


@dataclass(frozen=True, slots=True)
class ImuSample:
    """One reading, body frame.

    Attributes:
        rates: (3,) [rad/s].
        specific_force: (3,) [m/s^2], +9.81 on z at rest.
    """

    rates: Vector
    specific_force: Vector


class Imu:
    """Reads the true body state.

    Args:
        noise: Its imperfections.
        rng: Where they are drawn from.
    """

    BLOCK = 4096
    """Samples drawn at once: a draw of six numbers a step would cost more than the physics."""

    def __init__(self, noise: ImuNoise, rng: np.random.Generator) -> None:
        self._rng = rng
        self._scale = np.array([noise.gyro_rad_s] * 3 + [noise.accelerometer_m_s2] * 3)
        self._bias = rng.standard_normal(6) * (
            [noise.gyro_bias_rad_s] * 3 + [noise.accelerometer_bias_m_s2] * 3
        )
        self._errors: list[list[float]] = []

    def sample(self, body: BodyState) -> ImuSample:
        """Read the sensor once."""
        if not self._errors:
            draws = self._rng.standard_normal((self.BLOCK, 6))
            self._errors = (draws * self._scale + self._bias).tolist()
        ep, eq, er, ex, ey, ez = self._errors.pop()
        p, q, r = body.rates
        fx, fy, fz = body.specific_force
        return ImuSample((p + ep, q + eq, r + er), (fx + ex, fy + ey, fz + ez))
