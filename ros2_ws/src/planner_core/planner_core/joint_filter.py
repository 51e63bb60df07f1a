"""Positions and velocities of joints from their readings.

One Kalman filter a joint, constant velocity between readings, with white acceleration. An encoder
is exact to its step; a velocity that a servo reports, or none, is coarse and late. The filter gives
a velocity that may be planned from, and the state at any instant since.

**Source** of the noise model: Y. Bar-Shalom et al., "Estimation with applications to tracking and
navigation", 2001, section 6.2.2.

Letters: ``n_q`` joints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from planner_core.clock import seconds
from planner_core.errors import InvalidMeasurementError, MeasurementOrderError
from planner_core.parameters import parameter
from planner_core.plan import Array


@dataclass(frozen=True, slots=True)
class JointFilterSettings:
    """Noise of the readings, and of what happens between them."""

    position_deviation_rad: float = parameter(
        0.0008, "Noise of a joint's position: half a step of its encoder.",
        minimum=1e-6, maximum=0.1, read_only=True,
    )  # fmt: skip
    velocity_deviation_rad_s: float = parameter(
        0.05, "Noise of a velocity that the robot reports: larger trusts it less.",
        minimum=1e-4, maximum=10.0, read_only=True,
    )  # fmt: skip
    acceleration_rad_s2: float = parameter(
        15.0, "Spread of a joint's acceleration: larger follows faster, and trembles.",
        minimum=0.1, maximum=1e4, read_only=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class JointEstimate:
    """The joints at an instant.

    Attributes:
        measured_ns: ROS time of the newest reading in it [ns].
        position: (n_q,).
        velocity: (n_q,) per second.
        position_deviation: (n_q,) standard deviation.
        velocity_deviation: (n_q,) standard deviation.
    """

    measured_ns: int
    position: Array
    velocity: Array
    position_deviation: Array
    velocity_deviation: Array


class JointFilter:
    """Filters all joints at once. Belongs to one thread.

    Args:
        count: ``n_q``.
        settings: Noise.
        pause_s: After a longer pause, or a clock that jumped, it starts anew.
    """

    def __init__(self, count: int, settings: JointFilterSettings, pause_s: float = 0.5) -> None:
        self._count, self._settings, self._pause_s = count, settings, pause_s
        self._stamp_ns: int | None = None

    def reset(self) -> None:
        """Forget everything."""
        self._stamp_ns = None

    def take(self, stamp_ns: int, position: Array, velocity: Array | None) -> None:
        """Take in a reading.

        Args:
            stamp_ns: ROS time of the reading [ns].
            position: (n_q,).
            velocity: (n_q,) per second, None where the robot reports none.

        Raises:
            InvalidMeasurementError: A number is missing or not finite.
            MeasurementOrderError: It is older than the last one.
        """
        for name, values in (("position", position), ("velocity", velocity)):
            if values is not None and (
                values.shape != (self._count,) or not np.isfinite(values).all()
            ):
                raise InvalidMeasurementError(
                    f"joint {name}", got=values.tolist(), expected=f"{self._count} finite numbers"
                )
        settings = self._settings
        if self._stamp_ns is not None:
            dt = seconds(stamp_ns - self._stamp_ns)
            if -self._pause_s < dt <= 0:
                raise MeasurementOrderError("joint reading older than the last one", got=f"{dt} s")
            if 0 < dt < self._pause_s:
                self._predict(dt)
                self._stamp_ns = stamp_ns
                self._update(0, position, settings.position_deviation_rad**2)
                if velocity is not None:
                    self._update(1, velocity, settings.velocity_deviation_rad_s**2)
                return
        self._stamp_ns = stamp_ns
        # (2, n_q) position and velocity, (2, 2, n_q) their covariance.
        self._state = np.stack([position, np.zeros(self._count) if velocity is None else velocity])
        start = [settings.position_deviation_rad**2, 1.0 if velocity is None else 0.01]
        self._covariance = np.zeros((2, 2, self._count))
        self._covariance[0, 0], self._covariance[1, 1] = start

    def estimate(self, time_ns: int) -> JointEstimate | None:
        """The joints at an instant, predicted from the newest reading; None before the first.

        Args:
            time_ns: ROS time [ns].
        """
        if self._stamp_ns is None:
            return None
        dt = min(max(0.0, seconds(time_ns - self._stamp_ns)), self._pause_s)
        position = self._state[0] + self._state[1] * dt
        deviation = np.sqrt(self._grown(dt)[[0, 1], [0, 1]])
        return JointEstimate(
            self._stamp_ns, position, self._state[1].copy(), deviation[0], deviation[1]
        )

    def _grown(self, dt: float) -> Array:
        c, q = self._covariance, self._settings.acceleration_rad_s2**2
        cross = c[0, 1] + dt * c[1, 1] + q * dt**3 / 2
        return np.array([
            [c[0, 0] + 2 * dt * c[0, 1] + dt**2 * c[1, 1] + q * dt**4 / 4, cross],
            [cross, c[1, 1] + q * dt**2],
        ])  # fmt: skip

    def _predict(self, dt: float) -> None:
        self._covariance = self._grown(dt)
        self._state[0] += self._state[1] * dt

    def _update(self, row: int, measured: Array, variance: float) -> None:
        c = self._covariance
        gain = c[:, row] / (c[row, row] + variance)
        self._state += gain * (measured - self._state[row])
        self._covariance = c - gain[:, None] * c[row][None]
