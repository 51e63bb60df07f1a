"""A flight with known truth, and imperfect sensors that watch it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from planner_core.error_state_filter import GRAVITY
from planner_core.estimation import ImuSample, Measurement
from planner_core.estimation_rotations import (
    conjugate,
    from_euler,
    logarithm,
    matrix,
    product,
    turned,
)
from planner_core.plan import Array

START_NS = 1_000_000_000_000


def at(seconds: float) -> int:
    """ROS time [ns] of a time of the flight."""
    return START_NS + round(seconds * 1e9)


@dataclass(frozen=True)
class Flight:
    """A Lissajous flight: up to 1.3 m/s, 2 m/s^2 and 20 degrees, with a full turn every 8 s.

    Attributes:
        scale: Of the translation.
        yaw_rate: [rad/s].
    """

    scale: float = 1.0
    yaw_rate: float = 2 * math.pi / 8

    def position(self, t: float) -> Array:
        wave = [math.sin(1.2 * t), 0.8 * math.sin(1.7 * t + 0.5), 0.3 * math.sin(0.9 * t)]
        return self.scale * np.array(wave) + [0.0, 0.0, 1.0]

    def velocity(self, t: float) -> Array:
        return (self.position(t + 1e-5) - self.position(t - 1e-5)) / 2e-5

    def acceleration(self, t: float) -> Array:
        wave = [
            -1.44 * math.sin(1.2 * t),
            -0.8 * 2.89 * math.sin(1.7 * t + 0.5),
            -0.3 * 0.81 * math.sin(0.9 * t),
        ]
        return self.scale * np.array(wave)

    def yaw(self, t: float) -> float:
        return 0.3 + self.yaw_rate * t

    def orientation(self, t: float) -> Array:
        return from_euler(0.3 * math.sin(2.1 * t), 0.25 * math.cos(1.3 * t), self.yaw(t))

    def rate(self, t: float) -> Array:
        turn = product(conjugate(self.orientation(t - 1e-5)), self.orientation(t + 1e-5))
        return logarithm(turn) / 2e-5

    def force(self, t: float) -> Array:
        return matrix(self.orientation(t)).T @ (self.acceleration(t) - GRAVITY)


@dataclass
class Sensors:
    """What a flight's sensors say, as events with the time of their arrival.

    Attributes:
        flight: The truth.
        seed: Of the noise.
        imu_hz: Rate of the readings, 0 for none.
        pose_hz: Rate of the poses.
        imu_delay_s: From reading to arrival.
        pose_delay_s: From exposure to arrival.
        accelerometer_density: [m/s^2/sqrt(Hz)].
        gyroscope_density: [rad/s/sqrt(Hz)].
        position_deviation: [m].
        orientation_deviation: [rad], None for positions only.
        acceleration_bias: (3,) [m/s^2].
        rate_bias: (3,) [rad/s].
        pose_gaps: (from, to) [s] without poses.
        imu_gaps: (from, to) [s] without readings.
    """

    flight: Flight
    seed: int = 0
    imu_hz: float = 100.0
    pose_hz: float = 50.0
    imu_delay_s: float = 0.0
    pose_delay_s: float = 0.0
    accelerometer_density: float = 0.05
    gyroscope_density: float = 0.003
    position_deviation: float = 0.005
    orientation_deviation: float | None = 0.01
    acceleration_bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rate_bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
    pose_gaps: tuple[tuple[float, float], ...] = field(default=())
    imu_gaps: tuple[tuple[float, float], ...] = field(default=())

    def events(self, duration_s: float) -> Iterator[tuple[float, ImuSample | Measurement]]:
        """Arrival time [s] and event, in the order of arrival."""
        rng = np.random.default_rng(self.seed)
        arrivals: list[tuple[float, int, ImuSample | Measurement]] = []
        for i in range(round(duration_s * self.imu_hz)):
            t = i / self.imu_hz
            noise = rng.standard_normal(6)
            if not _inside(t, self.imu_gaps):
                reading = self._reading(t, noise)
                arrivals.append((t + self.imu_delay_s, 0, reading))
        for i in range(round(duration_s * self.pose_hz)):
            t = i / self.pose_hz
            noise = rng.standard_normal(6)
            if not _inside(t, self.pose_gaps):
                arrivals.append((t + self.pose_delay_s, 1, self.pose(t, noise)))
        for t, _, event in sorted(arrivals, key=lambda arrival: arrival[:2]):
            yield t, event

    def _reading(self, t: float, noise: Array) -> ImuSample:
        scale = math.sqrt(self.imu_hz)
        acceleration = self.flight.force(t) + self.acceleration_bias
        rate = self.flight.rate(t) + self.rate_bias
        return ImuSample(
            at(t),
            acceleration + noise[:3] * self.accelerometer_density * scale,
            rate + noise[3:] * self.gyroscope_density * scale,
        )

    def pose(self, t: float, noise: Array, source: str = "mocap") -> Measurement:
        """A pose at a time with given unit noise (6,)."""
        orientation = None
        if self.orientation_deviation is not None:
            turn = noise[3:] * self.orientation_deviation
            orientation = turned(self.flight.orientation(t), turn)
        return Measurement(
            at(t),
            source,
            position=self.flight.position(t) + noise[:3] * self.position_deviation,
            orientation=orientation,
            position_deviation=self.position_deviation,
            orientation_deviation=self.orientation_deviation or 1.0,
        )


def _inside(t: float, gaps: tuple[tuple[float, float], ...]) -> bool:
    return any(begin <= t < end for begin, end in gaps)
