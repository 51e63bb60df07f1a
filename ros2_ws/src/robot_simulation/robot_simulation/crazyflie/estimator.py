"""The on-board estimator: an error-state Kalman filter of position, velocity and attitude.

The mean is integrated from the inertial sensor at 500 Hz on plain floats; the covariance of the
nine errors (position, velocity, rotation in body axes) follows at 100 Hz. Poses and positions that
arrive over the radio correct both. Without them the estimate drifts and its variance grows, which
is what a client waits for or must notice.

**Source**: J. Solà, "Quaternion kinematics for the error-state Kalman filter", 2017, sections 5-6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from robot_simulation.crazyflie.airframe import GRAVITY_M_S2
from robot_simulation.crazyflie.imu import ImuSample
from robot_simulation.crazyflie.rotation import (
    Quaternion,
    Vector,
    conjugate,
    from_euler,
    from_rotation_vector,
    normalised,
    product,
    rotated,
)
from robot_simulation.crazyflie.state import Estimate

Array = NDArray[np.float64]

POSITION: Final = slice(0, 3)
VELOCITY: Final = slice(3, 6)
ROTATION: Final = slice(6, 9)
MAX_VARIANCE: Final = 100.0
"""The firmware's ceiling; a filter without measurements saturates here."""
MAX_POSITION_M: Final = 100.0
MAX_SPEED_M_S: Final = 10.0
"""Beyond these bounds the firmware's filter declares itself lost and starts anew."""


@dataclass(slots=True)
class EstimatorSettings:
    """Noise assumptions and start values; parameters of the firmware are bound to these fields.

    Attributes:
        position_stddev_m: Of an external position (``locSrv.extPosStdDev``).
        attitude_stddev_rad: Of an external attitude (``locSrv.extQuatStdDev``).
        acceleration_noise_m_s2: Process noise of a velocity over one second, each axis.
        rate_noise_rad_s: Process noise of the attitude over one second.
        initial_x_m: Position after a reset, with ``initial_y_m`` and ``initial_z_m``.
        initial_yaw_rad: Heading after a reset.
    """

    position_stddev_m: float = 0.01
    attitude_stddev_rad: float = 4.5e-3
    acceleration_noise_m_s2: float = 0.5
    rate_noise_rad_s: float = 0.1
    initial_x_m: float = 0.0
    initial_y_m: float = 0.0
    initial_z_m: float = 0.0
    initial_yaw_rad: float = 0.0


def _cross(v: Vector) -> Array:
    x, y, z = v
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def _matrix(q: Quaternion) -> Array:
    columns = [rotated(q, axis) for axis in ((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0))]
    return np.array(columns).T


class Estimator:
    """Fuses the inertial sensor with external poses.

    Args:
        settings: Read on every call, so that parameters take effect at once.

    Attributes:
        estimate: The current estimate, updated in place.
    """

    def __init__(self, settings: EstimatorSettings) -> None:
        self._settings = settings
        self.estimate = Estimate()
        self.reset()

    @property
    def position_variance(self) -> Vector:
        """(3,) [m^2] of x, y and z."""
        x, y, z = self._covariance.diagonal()[POSITION].tolist()
        return (x, y, z)

    def reset(self) -> None:
        """Start anew at the initial position, level, with wide open variances."""
        s = self._settings
        estimate = self.estimate
        estimate.position = (s.initial_x_m, s.initial_y_m, s.initial_z_m)
        estimate.velocity = (0.0, 0.0, 0.0)
        estimate.attitude = from_euler(0.0, 0.0, s.initial_yaw_rad)
        self._covariance = np.diag([100.0, 100.0, 1.0] + [1e-4] * 3 + [1e-4] * 3)
        self._rates: Vector = (0.0, 0.0, 0.0)
        self._force: Vector = (0.0, 0.0, 0.0)

    def propagate(self, sample: ImuSample, dt_s: float) -> None:
        """Integrate one inertial sample (500 Hz).

        Args:
            sample: The reading.
            dt_s: Time that it stands for.
        """
        estimate = self.estimate
        p, q, r = sample.rates
        turn = from_rotation_vector((p * dt_s, q * dt_s, r * dt_s))
        attitude = normalised(product(estimate.attitude, turn))
        fx, fy, fz = rotated(attitude, sample.specific_force)
        ax, ay, az = fx, fy, fz - GRAVITY_M_S2
        x, y, z = estimate.position
        vx, vy, vz = estimate.velocity
        half = 0.5 * dt_s
        estimate.position = (
            x + dt_s * (vx + half * ax),
            y + dt_s * (vy + half * ay),
            z + dt_s * (vz + half * az),
        )
        estimate.velocity = (vx + ax * dt_s, vy + ay * dt_s, vz + az * dt_s)
        estimate.acceleration = (ax, ay, az)
        estimate.attitude = attitude
        estimate.rates = sample.rates
        self._rates, self._force = sample.rates, sample.specific_force

    def propagate_covariance(self, dt_s: float) -> None:
        """Let the errors grow and couple (100 Hz); restarts the filter when it is lost.

        Args:
            dt_s: Time since the last call.
        """
        settings, estimate = self._settings, self.estimate
        if not (
            max(map(abs, estimate.position)) < MAX_POSITION_M
            and max(map(abs, estimate.velocity)) < MAX_SPEED_M_S
        ):
            self.reset()
            return
        transition = np.eye(9)
        transition[POSITION, VELOCITY] = np.eye(3) * dt_s
        transition[VELOCITY, ROTATION] = -dt_s * (_matrix(estimate.attitude) @ _cross(self._force))
        transition[ROTATION, ROTATION] -= dt_s * _cross(self._rates)
        covariance = transition @ self._covariance @ transition.T
        noise = np.array(
            [0.0] * 3
            + [settings.acceleration_noise_m_s2**2 * dt_s] * 3
            + [settings.rate_noise_rad_s**2 * dt_s] * 3
        )
        covariance[np.diag_indices(9)] += noise
        self._covariance = _bounded(covariance)

    def correct_position(self, position: Vector) -> None:
        """Fuse an external position.

        Args:
            position: (3,) [m] world frame.
        """
        residual = np.subtract(position, self.estimate.position)
        variance = np.full(3, self._settings.position_stddev_m**2)
        self._correct(slice(0, 3), residual, variance)

    def correct_pose(self, position: Vector, attitude: Quaternion) -> None:
        """Fuse an external pose.

        Args:
            position: (3,) [m] world frame.
            attitude: (4,) quaternion w, x, y, z.
        """
        self.correct_position(position)
        error = product(conjugate(self.estimate.attitude), normalised(attitude))
        # The same rotation has two quaternions; the one with w > 0 is the short way round.
        sign = math.copysign(2.0, error[0])
        residual = np.array([sign * error[1], sign * error[2], sign * error[3]])
        variance = np.full(3, self._settings.attitude_stddev_rad**2)
        self._correct(slice(6, 9), residual, variance)

    def _correct(self, part: slice, residual: Array, variance: Array) -> None:
        covariance = self._covariance
        innovation = covariance[part, part] + np.diag(variance)
        gain = np.linalg.solve(innovation, covariance[part, :]).T
        error = (gain @ residual).tolist()
        estimate = self.estimate
        x, y, z = estimate.position
        vx, vy, vz = estimate.velocity
        estimate.position = (x + error[0], y + error[1], z + error[2])
        estimate.velocity = (vx + error[3], vy + error[4], vz + error[5])
        turn = from_rotation_vector((error[6], error[7], error[8]))
        estimate.attitude = normalised(product(estimate.attitude, turn))
        # Joseph form: stays symmetric and positive where the short form loses both to rounding.
        keep = np.eye(9)
        keep[:, part] -= gain
        self._covariance = _bounded(keep @ covariance @ keep.T + (gain * variance) @ gain.T)


def _bounded(covariance: Array) -> Array:
    """Symmetric, with every standard deviation capped at the firmware's ceiling."""
    covariance = 0.5 * (covariance + covariance.T)
    variances = covariance.diagonal()
    if variances.max() > MAX_VARIANCE:
        shrink = np.sqrt(np.minimum(1.0, MAX_VARIANCE / variances))
        covariance = covariance * np.outer(shrink, shrink)
    return covariance
