"""An error-state Kalman filter of a free-flying body, as functions of its state.

The state is a mean of position, velocity, orientation and the two biases of an inertial sensor, and
the covariance of 15 errors in that order (rotation errors in body axes). States are values: every
step returns a new one, so that a history of them can be kept and replayed.

Without inertial readings the same 15 numbers serve another model: the biases' places then hold the
negative acceleration and turn rate of the body itself, which decay and wander as in R. A. Singer,
"Estimating optimal tracking filter performance for manned maneuvering targets", 1970. The true
biases wait aside in a `Biases` until readings come back.

**Source**: J. Sola, "Quaternion kinematics for the error-state Kalman filter", 2017: sections
5.3-5.4 (propagation), 6.1 (correction), 6.2 (injection), 6.3 (reset).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from planner_core.estimation import Measurement
from planner_core.estimation_rotations import (
    conjugate,
    exponential,
    logarithm,
    matrix,
    product,
    skew,
    turned,
)
from planner_core.estimation_settings import EstimatorSettings
from planner_core.plan import Array

GRAVITY: Final = np.array([0.0, 0.0, -9.80665])
"""[m/s^2] world frame, z up."""

N_ERRORS: Final = 15
POSITION: Final = slice(0, 3)
VELOCITY: Final = slice(3, 6)
ROTATION: Final = slice(6, 9)
ACCELERATION_BIAS: Final = slice(9, 12)
RATE_BIAS: Final = slice(12, 15)
BIASES: Final = slice(9, 15)

_IDENTITY: Final = np.eye(N_ERRORS)
_IDENTITY_3: Final = np.eye(3)
_ZERO_3: Final = np.zeros(3)
_DIAGONAL: Final = np.diag_indices(N_ERRORS)


@dataclass(frozen=True, slots=True, eq=False)
class FilterState:
    """Mean and covariance.

    Attributes:
        position: (3,) [m] world.
        velocity: (3,) [m/s] world.
        orientation: (4,) unit quaternion, body to world.
        acceleration_bias: (3,) [m/s^2] body; minus the acceleration while there are no readings.
        rate_bias: (3,) [rad/s] body; minus the turn rate while there are no readings.
        covariance: (15, 15).
    """

    position: Array
    velocity: Array
    orientation: Array
    acceleration_bias: Array
    rate_bias: Array
    covariance: Array

    def deviation(self, part: slice) -> Array:
        """(n,) standard deviations of some of the errors."""
        return np.sqrt(self.covariance.diagonal()[part])


@dataclass(frozen=True, slots=True, eq=False)
class Biases:
    """The inertial sensor's biases, kept while there are no readings.

    Attributes:
        acceleration: (3,) [m/s^2].
        rate: (3,) [rad/s].
        covariance: (6, 6) of both.
    """

    acceleration: Array
    rate: Array
    covariance: Array


@dataclass(frozen=True, slots=True, eq=False)
class Innovation:
    """What a measurement says beyond the prediction.

    Attributes:
        indices: (n,) the errors that it observes.
        residual: (n,) measured minus predicted.
        variance: (n,) of the measurement's own noise.
        inverse: (n, n) of the covariance of the residual.
        distance: Squared Mahalanobis length of the residual; chi-square with ``n`` degrees of
            freedom where model and measurement are right.
    """

    indices: NDArray[np.intp]
    residual: Array
    variance: Array
    inverse: Array
    distance: float


class ErrorStateFilter:
    """The steps of the filter.

    Args:
        settings: Noise of sensor and motion.
    """

    def __init__(self, settings: EstimatorSettings) -> None:
        s = self._settings = settings
        self._inertial_noise = np.repeat(
            [0.0, s.accelerometer_noise_density**2, s.gyroscope_noise_density**2,
             s.accelerometer_bias_walk**2, s.gyroscope_bias_walk**2], 3,
        )  # fmt: skip
        # Wandering at these densities against the decay settles at the spreads of the settings.
        wander = 2.0 / s.manoeuvre_time_s
        self._motion_variance = np.repeat(
            [s.unmeasured_acceleration_m_s2**2, s.unmeasured_rate_rad_s**2], 3
        )
        self._motion_noise = np.concatenate([np.zeros(9), wander * self._motion_variance])
        self._bias_variance = np.repeat(
            [s.accelerometer_bias_deviation_m_s2**2, s.gyroscope_bias_deviation_rad_s**2], 3
        )

    def initial_biases(self) -> Biases:
        """What is known of a sensor before it was ever used."""
        return Biases(_ZERO_3, _ZERO_3, np.diag(self._bias_variance))

    def initial(
        self,
        position: Array,
        orientation: Array,
        velocity: Array,
        deviation: Array,
        biases: Biases,
    ) -> FilterState:
        """A state with nothing known but this.

        Args:
            position: (3,) [m].
            orientation: (4,) unit quaternion.
            velocity: (3,) [m/s].
            deviation: (9,) of position [m], velocity [m/s] and rotation [rad, body].
            biases: Of the inertial sensor.
        """
        covariance = np.zeros((N_ERRORS, N_ERRORS))
        covariance[_DIAGONAL] = np.concatenate([deviation**2, np.zeros(6)])
        covariance[BIASES, BIASES] = biases.covariance
        return FilterState(
            position, velocity, orientation, biases.acceleration, biases.rate, covariance
        )

    def propagate(self, state: FilterState, force: Array, rate: Array, dt_s: float) -> FilterState:
        """Integrate an inertial reading.

        Args:
            state: At the beginning of the interval.
            force: (3,) [m/s^2] measured specific force, body.
            rate: (3,) [rad/s] measured turn rate, body.
            dt_s: Length of the interval.
        """
        return _step(state, force, rate, GRAVITY, dt_s, 1.0, self._inertial_noise)

    def coast(self, state: FilterState, dt_s: float) -> FilterState:
        """Let a body move on without readings; `without_readings` comes before the first such step.

        Args:
            state: At the beginning of the interval.
            dt_s: Length of the interval.
        """
        decay = math.exp(-dt_s / self._settings.manoeuvre_time_s)
        return _step(state, _ZERO_3, _ZERO_3, _ZERO_3, dt_s, decay, self._motion_noise)

    def without_readings(
        self, state: FilterState, force: Array, rate: Array
    ) -> tuple[FilterState, Biases]:
        """Change to the model without readings, and put the biases aside.

        Args:
            state: With the sensor's biases.
            force: (3,) [m/s^2] last measured specific force: the motion at first.
            rate: (3,) [rad/s] last measured turn rate.
        """
        biases = Biases(
            state.acceleration_bias, state.rate_bias, state.covariance[BIASES, BIASES].copy()
        )
        rotation = matrix(state.orientation)
        minus_acceleration = biases.acceleration - force - rotation.T @ GRAVITY
        covariance = _decoupled(state.covariance, np.diag(self._motion_variance))
        motion = FilterState(
            state.position, state.velocity, state.orientation,
            minus_acceleration, biases.rate - rate, covariance,
        )  # fmt: skip
        return motion, biases

    def with_readings(self, state: FilterState, biases: Biases, away_s: float) -> FilterState:
        """Change back to the model with readings.

        Args:
            state: Without readings.
            biases: As they were put aside.
            away_s: For how long they wandered unseen.
        """
        walked = biases.covariance + np.diag(self._inertial_noise[BIASES] * away_s)
        covariance = _decoupled(state.covariance, walked)
        return FilterState(
            state.position, state.velocity, state.orientation,
            biases.acceleration, biases.rate, covariance,
        )  # fmt: skip

    def innovation(self, state: FilterState, measurement: Measurement) -> Innovation:
        """Compare a measurement with the state at its time."""
        m = measurement
        indices: list[int] = []
        residuals: list[Array] = []
        variances: list[float] = []
        if m.position is not None:
            indices += range(0, 3)
            residuals.append(m.position - state.position)
            variances += [m.position_deviation**2] * 3
        if m.velocity is not None:
            indices += range(3, 6)
            residuals.append(m.velocity - state.velocity)
            variances += [m.velocity_deviation**2] * 3
        if m.orientation is not None:
            indices += range(6, 9)
            residuals.append(logarithm(product(conjugate(state.orientation), m.orientation)))
            variances += [m.orientation_deviation**2] * 3
        chosen, variance = np.array(indices), np.array(variances)
        residual = np.concatenate(residuals)
        spread = state.covariance[np.ix_(chosen, chosen)]
        inverse = np.linalg.inv(spread + np.diag(variance))
        distance = float(residual @ inverse @ residual)
        return Innovation(chosen, residual, variance, inverse, distance)

    def correct(self, state: FilterState, innovation: Innovation) -> FilterState:
        """Take a measurement in."""
        chosen = innovation.indices
        gain = state.covariance[:, chosen] @ innovation.inverse
        error = gain @ innovation.residual
        # Joseph form: stays symmetric and positive where the short form loses both to rounding.
        keep = _IDENTITY.copy()
        keep[:, chosen] -= gain
        covariance = keep @ state.covariance @ keep.T + (gain * innovation.variance) @ gain.T
        turn = error[ROTATION]
        # The rotation error is now measured from a turned body (section 6.3).
        reset = _IDENTITY_3 - skew(0.5 * turn)
        covariance[ROTATION] = reset @ covariance[ROTATION]
        covariance[:, ROTATION] = covariance[:, ROTATION] @ reset.T
        return FilterState(
            state.position + error[POSITION],
            state.velocity + error[VELOCITY],
            turned(state.orientation, turn),
            state.acceleration_bias + error[ACCELERATION_BIAS],
            state.rate_bias + error[RATE_BIAS],
            covariance,
        )


def _step(
    state: FilterState, force: Array, rate: Array, gravity: Array,
    dt_s: float, decay: float, noise: Array,
) -> FilterState:  # fmt: skip
    """One step of mean and covariance; ``decay`` and ``noise`` (15,) are those of the model."""
    force = force - state.acceleration_bias
    turn = (rate - state.rate_bias) * dt_s
    # At the middle of the turn: at 100 Hz and 5 rad/s the start would be off by 1.4 degrees.
    rotation = matrix(product(state.orientation, exponential(0.5 * turn)))
    acceleration = rotation @ force + gravity
    transition = _IDENTITY.copy()
    transition[POSITION, VELOCITY] = _IDENTITY_3 * dt_s
    transition[VELOCITY, ROTATION] = rotation @ skew(force * -dt_s)
    transition[VELOCITY, ACCELERATION_BIAS] = rotation * -dt_s
    transition[ROTATION, ROTATION] = matrix(exponential(turn)).T
    transition[ROTATION, RATE_BIAS] = _IDENTITY_3 * -dt_s
    if decay != 1.0:
        transition[BIASES, BIASES] *= decay
    covariance = transition @ state.covariance @ transition.T
    covariance[_DIAGONAL] += noise * dt_s
    return FilterState(
        state.position + dt_s * (state.velocity + (0.5 * dt_s) * acceleration),
        state.velocity + dt_s * acceleration,
        turned(state.orientation, turn),
        state.acceleration_bias * decay,
        state.rate_bias * decay,
        0.5 * (covariance + covariance.T),
    )


def _decoupled(covariance: Array, biases: Array) -> Array:
    """(15, 15) with another meaning, and so another covariance (6, 6), of the last six errors."""
    result = np.zeros_like(covariance)
    result[:9, :9] = covariance[:9, :9]
    result[BIASES, BIASES] = biases
    return result
