"""Sensors around the vehicle: a motion-capture system and a planar range scanner.

Both are seeded and both are imperfect on purpose: noise, latency and drop-outs are what the
software above them has to survive.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from planner_core.world import World
from robot_simulation.crazyflie.dynamics import BodyState
from robot_simulation.crazyflie.rotation import (
    Quaternion,
    Vector,
    from_rotation_vector,
    product,
    to_euler,
)
from robot_simulation.periodic import Periodic


@dataclass(frozen=True, slots=True)
class MotionCaptureSettings:
    """Imperfections of the motion capture.

    Attributes:
        rate_hz: Poses a second.
        latency_s: From exposure to delivery.
        position_noise_m: Standard deviation, each axis.
        attitude_noise_rad: Standard deviation, each axis.
        drop_out: Probability that a pose is missing, each one on its own.
    """

    rate_hz: float = 100.0
    latency_s: float = 0.008
    position_noise_m: float = 0.001
    attitude_noise_rad: float = 0.003
    drop_out: float = 0.0


@dataclass(frozen=True, slots=True)
class CapturedPose:
    """One measurement.

    Attributes:
        exposure_s: Simulated time at which the vehicle was there.
        position: (3,) [m].
        attitude: (4,) quaternion w, x, y, z.
    """

    exposure_s: float
    position: Vector
    attitude: Quaternion


class MotionCapture:
    """Measures the pose at a fixed rate and delivers it late.

    Args:
        settings: Rate and imperfections.
        rng: Where noise and drop-outs are drawn from.

    Attributes:
        lost: A fault: while set, nothing is measured.
    """

    def __init__(self, settings: MotionCaptureSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self.lost = False
        self._rng = rng
        self._exposure = Periodic(settings.rate_hz)
        self._under_way: deque[CapturedPose] = deque()

    def measure(self, body: BodyState, now_s: float) -> CapturedPose | None:
        """Advance to ``now_s``.

        Returns:
            The pose that is delivered now, at most one a call.
        """
        if self._exposure.due(now_s):
            missing = self.lost or self._rng.random() < self.settings.drop_out
            if not missing:
                self._under_way.append(self._exposed(body, now_s))
        # A nanosecond: the two times are sums of rounded steps.
        ripe = now_s - self.settings.latency_s + 1e-9
        if self._under_way and self._under_way[0].exposure_s <= ripe:
            return self._under_way.popleft()
        return None

    def _exposed(self, body: BodyState, now_s: float) -> CapturedPose:
        noise = self._rng.standard_normal(6)
        x, y, z = (self.settings.position_noise_m * noise[:3]).tolist()
        a, b, c = (self.settings.attitude_noise_rad * noise[3:]).tolist()
        px, py, pz = body.position
        attitude = product(body.attitude, from_rotation_vector((a, b, c)))
        return CapturedPose(now_s, (px + x, py + y, pz + z), attitude)


@dataclass(frozen=True, slots=True)
class RangeScannerSettings:
    """Geometry and imperfections of the planar scanner.

    Attributes:
        rays: Number of rays, evenly over a full turn; the first points forward.
        rate_hz: Scans a second.
        min_range_m: Shortest distance that is measured.
        max_range_m: Longest one.
        noise_m: Standard deviation of a range.
        drop_out: Probability that a ray returns nothing.
    """

    rays: int = 48
    rate_hz: float = 20.0
    min_range_m: float = 0.05
    max_range_m: float = 6.0
    noise_m: float = 0.01
    drop_out: float = 0.005


class RangeScanner:
    """A level planar scan in the yaw frame of the vehicle.

    Args:
        settings: Geometry and imperfections.
        rng: Where noise and drop-outs are drawn from.
    """

    def __init__(self, settings: RangeScannerSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self.angles_rad = np.arange(settings.rays) * (2.0 * math.pi / settings.rays)
        self._rng = rng

    def scan(self, world: World, body: BodyState) -> NDArray[np.float32]:
        """Measure once.

        Args:
            world: What surrounds the vehicle.
            body: Where the vehicle is.

        Returns:
            (N,) [m] ranges in the order of ``angles_rad``; infinite where a ray met nothing within
            range or its echo was lost, as REP-117 asks.
        """
        s = self.settings
        yaw = to_euler(body.attitude)[2]
        true = world.scan(body.position, self.angles_rad + yaw, s.max_range_m)
        measured = true + s.noise_m * self._rng.standard_normal(s.rays)
        nothing = (true >= s.max_range_m) | (self._rng.random(s.rays) < s.drop_out)
        ranges = np.clip(measured, s.min_range_m, s.max_range_m)
        return np.where(nothing, np.inf, ranges).astype(np.float32)
