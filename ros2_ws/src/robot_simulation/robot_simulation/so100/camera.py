"""A camera over the table that measures the cubes: noisy, late, and not always."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from robot_simulation.periodic import Periodic
from robot_simulation.so100.arm import Arm, CubePose


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """Imperfections of the camera.

    Attributes:
        rate_hz: Pictures a second.
        latency_s: From exposure to delivery.
        position_noise_m: Standard deviation, each axis.
        attitude_noise_rad: Standard deviation, each axis.
        drop_out: Probability that a cube is not found in a picture.
    """

    rate_hz: float = 30.0
    latency_s: float = 0.04
    position_noise_m: float = 0.001
    attitude_noise_rad: float = 0.01
    drop_out: float = 0.02


@dataclass(frozen=True, slots=True)
class Sighting:
    """A cube in a picture.

    Attributes:
        exposure_s: Simulated time of the picture.
        cube: Number of the cube.
        pose: As measured.
    """

    exposure_s: float
    cube: int
    pose: CubePose


class Camera:
    """Measures all cubes at a fixed rate and delivers late.

    Args:
        settings: Rate and imperfections.
        rng: Where noise and drop-outs are drawn from.

    Attributes:
        lost: A fault: while set, nothing is seen.
    """

    def __init__(self, settings: CameraSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self.lost = False
        self._rng = rng
        self._exposure = Periodic(settings.rate_hz)
        self._under_way: deque[Sighting] = deque()

    def sightings(self, arm: Arm) -> list[Sighting]:
        """Take a picture if it is time, and give what is delivered now."""
        now = arm.time_s
        if self._exposure.due(now):
            for cube in range(arm.cubes):
                pose = self._measured(arm.cube(cube))
                if not self.lost and self._rng.random() >= self.settings.drop_out:
                    self._under_way.append(Sighting(now, cube, pose))
        delivered = []
        while self._under_way and now - self._under_way[0].exposure_s >= self.settings.latency_s:
            delivered.append(self._under_way.popleft())
        return delivered

    def _measured(self, pose: CubePose) -> CubePose:
        position = pose.position + self._rng.normal(0.0, self.settings.position_noise_m, 3)
        x, y, z = self._rng.normal(0.0, self.settings.attitude_noise_rad / 2, 3)
        a, b, c, d = pose.quaternion
        # The product with a small rotation, to first order.
        turned = np.array(
            [a + d * x + b * z - c * y, b + d * y + c * x - a * z,
             c + d * z + a * y - b * x, d - a * x - b * y - c * z]
        )  # fmt: skip
        return CubePose(position, turned / np.linalg.norm(turned))
