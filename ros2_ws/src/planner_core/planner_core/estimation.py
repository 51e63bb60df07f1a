"""State estimation of a free-flying body: what goes in, what comes out, and how one is found.

An estimator of one's own is a function from `EstimatorSettings` to a `StateEstimator`, registered
by its package under the entry point group ``planner.estimators``; the built-in one registers the
same way. Quaternions are ``(w, x, y, z)``, body to world; body axes are those of REP-103.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from planner_core.errors import InvalidMeasurementError
from planner_core.estimation_settings import EstimatorSettings
from planner_core.plan import Array, frozen
from planner_core.plugins import load_plugin

MAX_ACCELERATION_M_S2 = 320.0
"""No accelerometer of these robots measures more: 32 g."""
MAX_RATE_RAD_S = 70.0
"""No gyroscope of these robots measures more: 4000 degrees/s."""
MAX_DISTANCE_M = 1e5
"""A position further out than this is a unit mistake, not a place."""
MAX_SPEED_M_S = 300.0
"""A faster velocity is a unit mistake."""


class EstimatorStatus(IntEnum):
    """How far an estimate may be trusted; the numbers are those of ``RobotState``."""

    CONVERGING = 0
    VALID = 1
    DEGRADED = 2
    DIVERGED = 3


@dataclass(frozen=True, slots=True, eq=False)
class ImuSample:
    """One reading of an inertial sensor, in body axes.

    Attributes:
        stamp_ns: ROS time of the reading [ns].
        acceleration: (3,) [m/s^2] specific force, +9.81 on z when level and at rest.
        rate: (3,) [rad/s] turn rate.

    Raises:
        InvalidMeasurementError: A number is not finite or beyond what any sensor measures.
    """

    stamp_ns: int
    acceleration: Array
    rate: Array

    def __post_init__(self) -> None:
        for name, limit, unit in (
            ("acceleration", MAX_ACCELERATION_M_S2, "m/s^2"),
            ("rate", MAX_RATE_RAD_S, "rad/s"),
        ):
            value = _bounded(f"IMU {name}", getattr(self, name), limit, unit)
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """One measurement of where the robot is, how it is turned or how it moves.

    A part that was not measured is None. The parts of one measurement are taken or rejected
    together: a motion capture that confuses two robots gets position and orientation wrong at once.

    Attributes:
        stamp_ns: ROS time at which it was taken, not when it arrived [ns].
        source: Who measured; at most one measurement of a source has a given stamp.
        position: (3,) [m] in the world frame.
        orientation: (4,) quaternion; its sign and length do not matter.
        velocity: (3,) [m/s] in the world frame.
        position_deviation: Standard deviation of each axis [m].
        orientation_deviation: Standard deviation about each axis [rad].
        velocity_deviation: Standard deviation of each axis [m/s].

    Raises:
        InvalidMeasurementError: It measures nothing, or a number is not finite or absurd.
    """

    stamp_ns: int
    source: str
    position: Array | None = None
    orientation: Array | None = None
    velocity: Array | None = None
    position_deviation: float = 0.01
    orientation_deviation: float = 0.02
    velocity_deviation: float = 0.1

    def __post_init__(self) -> None:
        if self.position is None and self.orientation is None and self.velocity is None:
            raise InvalidMeasurementError(f"{self.source}: a measurement of nothing")
        for name, limit, unit in (
            ("position", MAX_DISTANCE_M, "m"),
            ("velocity", MAX_SPEED_M_S, "m/s"),
        ):
            if getattr(self, name) is not None:
                value = _bounded(f"{self.source} {name}", getattr(self, name), limit, unit)
                object.__setattr__(self, name, value)
        if self.orientation is not None:
            object.__setattr__(self, "orientation", _unit(self.source, self.orientation))
        for name in ("position_deviation", "orientation_deviation", "velocity_deviation"):
            if not 0.0 < getattr(self, name) < np.inf:
                raise InvalidMeasurementError(
                    f"{self.source} {name}", got=getattr(self, name), expected="a positive number"
                )


@dataclass(frozen=True, slots=True, eq=False)
class StateEstimate:
    """Where a body is, how it is turned and how it moves, with covariance.

    Attributes:
        time_ns: ROS time at which it holds [ns].
        measured_ns: ROS time of the newest measurement in it [ns].
        status: How far to trust it.
        position: (3,) [m] world.
        velocity: (3,) [m/s] world.
        orientation: (4,) unit quaternion.
        rate: (3,) [rad/s] turn rate in body axes.
        acceleration: (3,) [m/s^2] world, without gravity.
        covariance: (9, 9) of the errors of position [m], velocity [m/s] and rotation [rad, body].
        rate_deviation: (3,) [rad/s] standard deviation of ``rate``.
    """

    time_ns: int
    measured_ns: int
    status: EstimatorStatus
    position: Array
    velocity: Array
    orientation: Array
    rate: Array
    acceleration: Array
    covariance: Array
    rate_deviation: Array

    def __post_init__(self) -> None:
        for name in ("position", "velocity", "orientation", "rate", "acceleration", "covariance",
                     "rate_deviation"):  # fmt: skip
            object.__setattr__(self, name, frozen(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class EstimatorCounters:
    """What became of the measurements since the start.

    Attributes:
        accepted: Measurements that the estimate contains.
        rejected: Measurements that the innovation gate kept out.
        initialisations: How often the estimate was started, the first time included.
        distance: Squared Mahalanobis distance of the newest measurement, over its dimension: about
            1 on average where the noise parameters are right.
    """

    accepted: int = 0
    rejected: int = 0
    initialisations: int = 0
    distance: float = 0.0


class StateEstimator(Protocol):
    """What the state estimation node asks of an estimator. One thread calls it.

    Stamps and ``now_ns`` are ROS time. A measurement may be late or out of order by up to the
    settings' ``history_s``. When ROS time jumps back, the estimator starts anew by itself.
    """

    @property
    def counters(self) -> EstimatorCounters:
        """What became of the measurements."""
        ...

    def add_imu(self, sample: ImuSample, now_ns: int) -> None:
        """Take in a reading.

        Raises:
            EstimationError: It is refused, and leaves the estimate as it was.
        """
        ...

    def add_measurement(self, measurement: Measurement, now_ns: int) -> None:
        """Take in a measurement; whether it passes the gate, ``counters`` says later.

        Raises:
            EstimationError: It is refused, and leaves the estimate as it was.
        """
        ...

    def estimate(self, time_ns: int) -> StateEstimate | None:
        """The state at a time, predicted where it lies ahead; None before the first position.

        Raises:
            EstimationError: The time lies before what the estimator remembers.
        """
        ...

    def reset(self) -> None:
        """Forget everything."""
        ...


def load_estimator(name: str, settings: EstimatorSettings) -> StateEstimator:
    """Make an estimator by name.

    Raises:
        UnknownPluginError: No installed package provides it; the message lists those that exist.
    """
    estimator: StateEstimator = load_plugin("planner.estimators", name)(settings)
    return estimator


def _bounded(what: str, values: Array | Sequence[float], limit: float, unit: str) -> Array:
    array = frozen(values)
    # Written so that NaN fails it too.
    if array.shape != (3,) or not (np.abs(array) <= limit).all():
        raise InvalidMeasurementError(
            what, got=array.tolist(), expected=f"3 numbers within +-{limit:g} {unit}"
        )
    return array


def _unit(source: str, values: Array | Sequence[float]) -> Array:
    array = np.array(values, dtype=np.float64)
    length = float(np.linalg.norm(array)) if array.shape == (4,) else 0.0
    # Messages that nobody filled in carry a zero quaternion; others are of length 1, but for noise.
    if not 0.5 < length < 2.0:
        raise InvalidMeasurementError(
            f"{source} orientation", got=array.tolist(), expected="a quaternion of length 1"
        )
    return frozen(array / length)
