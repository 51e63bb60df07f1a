"""The one encoding of a navigating robot's observation, and its inverse.

Data sets, training, evaluation and the live planner all call this module, so that a network is
never asked in another frame than the one in which it was taught.

The network works in the *goal frame*: its origin is the robot, its x axis points to the goal. A
planar scan has fixed directions, so an arbitrary rotation would have to interpolate between rays,
and interpolated ranges across an obstacle's edge are obstacles that do not exist. The frame is
therefore turned by a whole number of rays only: rolling the scan is exact, and what is left of the
goal's direction (less than half a ray) stays in the goal vector.

Letters: ``H`` samples of a window, ``K`` candidates, ``N`` rays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from planner_core.errors import InvalidObservationError
from planner_core.plan import Observation

Array = NDArray[np.float64]

DOF_NAMES = ("x", "y", "z", "yaw")
"""Degrees of freedom of a navigating robot, in the order of every array."""

AXES = 3
"""Axes that a window moves along; yaw is held."""


class EncodedState(NamedTuple):
    """An observation in the goal frame.

    Attributes:
        scan: (..., N) [m] ranges; ray ``i`` points ``2 pi i / N`` to the left of the x axis.
        velocity: (..., 3) [m/s].
        goal: (..., 3) [m] the goal as seen from the robot.
        turn: (...) rays by which the frame is turned against the world frame.
    """

    scan: Array
    velocity: Array
    goal: Array
    turn: NDArray[np.intp]


class WorldWindows(NamedTuple):
    """Windows in the world frame, in the units of the robot.

    Attributes:
        position: (K, H, 4) x, y, z, yaw.
        velocity: (K, H, 4) per second.
        acceleration: (K, H, 4) per second squared.
    """

    position: Array
    velocity: Array
    acceleration: Array


@dataclass(frozen=True, slots=True)
class NavigationEncoding:
    """Turns observations into the goal frame, and windows back into the world frame.

    Attributes:
        rays: ``N``, rays of the scan; ray ``i`` points to ``2 pi i / N`` in the world frame.
        max_range_m: Longer ranges, infinite ones included, count as this.
    """

    rays: int = 48
    max_range_m: float = 4.0

    @property
    def angles_rad(self) -> Array:
        """(N,) [rad] directions of the rays, in the world frame or in the goal frame."""
        return np.arange(self.rays, dtype=np.float64) * (2 * np.pi / self.rays)

    def encode(
        self, position: ArrayLike, velocity: ArrayLike, goal: ArrayLike, scan: ArrayLike
    ) -> EncodedState:
        """Bring world-frame states into their goal frames.

        Args:
            position: (..., >=3) [m] x, y, z.
            velocity: (..., >=3) [m/s].
            goal: (..., >=3) [m] x, y, z.
            scan: (..., N) [m] ranges at `angles_rad` of the world frame.

        Raises:
            InvalidObservationError: The scan has another number of rays, or a number is not one.
        """
        ranges = np.asarray(scan, dtype=np.float64)
        offset = np.asarray(goal, dtype=np.float64)[..., :AXES] - np.asarray(position)[..., :AXES]
        speed = np.asarray(velocity, dtype=np.float64)[..., :AXES]
        if ranges.shape != (expected := (*offset.shape[:-1], self.rays)):
            raise InvalidObservationError(
                "scan of another width", got=ranges.shape, expected=f"{expected}: {self.rays} rays",
                remedy="Set the sensor to the number of rays of the model bundle.",
            )  # fmt: skip
        if np.isnan(ranges).any() or not np.isfinite(offset).all() or not np.isfinite(speed).all():
            raise InvalidObservationError(
                "observation holds numbers that are not finite",
                remedy="Only a range may be infinite, where nothing was hit.",
            )
        heading = np.arctan2(offset[..., 1], offset[..., 0])
        turn = np.round(heading * (self.rays / (2 * np.pi))).astype(np.intp) % self.rays
        rolled = np.take_along_axis(
            ranges, (np.arange(self.rays) + turn[..., None]) % self.rays, axis=-1
        )
        return EncodedState(
            np.clip(rolled, 0.0, self.max_range_m),
            self._rotate(speed, -turn),
            self._rotate(offset, -turn),
            turn,
        )

    def encode_observation(self, observation: Observation) -> EncodedState:
        """Encode the observation of a live planner.

        Raises:
            InvalidObservationError: Its arrays are not those of a navigating robot.
        """
        for name in ("position", "velocity", "goal"):
            if (shape := getattr(observation, name).shape) != (len(DOF_NAMES),):
                raise InvalidObservationError(
                    f"observation {name}", got=shape, expected=f"one number for each of {DOF_NAMES}"
                )
        if "scan" not in observation.sensors:
            raise InvalidObservationError(
                "observation without a scan", got=sorted(observation.sensors), expected="'scan'"
            )
        return self.encode(
            observation.position, observation.velocity, observation.goal,
            observation.sensors["scan"],
        )  # fmt: skip

    def decode(self, windows: ArrayLike, turn: int, position: ArrayLike) -> WorldWindows:
        """Bring the windows of one observation back into the world frame.

        Args:
            windows: (3, K, H, 3) [m, m/s, m/s^2] position, velocity and acceleration in the goal
                frame; positions count from the robot.
            turn: `EncodedState.turn` of the observation.
            position: (4,) [m, rad] x, y, z, yaw of the robot; the yaw is held.
        """
        local = np.asarray(windows)
        angle = turn * (2 * np.pi / self.rays)
        c, s = np.cos(angle), np.sin(angle)
        world = np.zeros((*local.shape[:-1], len(DOF_NAMES)))
        world[..., 0] = c * local[..., 0] - s * local[..., 1]
        world[..., 1] = s * local[..., 0] + c * local[..., 1]
        world[..., 2] = local[..., 2]
        world[0] += position
        return WorldWindows(world[0], world[1], world[2])

    def _rotate(self, vectors: Array, turn: NDArray[np.intp]) -> Array:
        angle = turn * (2 * np.pi / self.rays)
        c, s = np.cos(angle), np.sin(angle)
        x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
        return np.stack([c * x - s * y, s * x + c * y, z], axis=-1)


def integration_matrices(horizon: int, dt_s: float) -> tuple[Array, Array]:
    """Double integration of accelerations that are linear between samples.

    With linear acceleration the position is a cubic between samples, which is what `Plan.sample`
    evaluates: a window integrated with these matrices is executed without any interpolation error.

    Args:
        horizon: ``H``, samples of a window.
        dt_s: Spacing of the samples [s].

    Returns:
        (H, H) [s] and (H, H) [s^2] matrices ``V`` and ``P`` such that samples ``a`` give velocities
        ``v0 + V a`` and positions ``p0 + v0 t + P a``.
    """
    to_velocity = np.zeros((horizon, horizon))
    to_position = np.zeros((horizon, horizon))
    for i in range(1, horizon):
        to_velocity[i] = to_velocity[i - 1]
        to_velocity[i, [i - 1, i]] += dt_s / 2
        to_position[i] = to_position[i - 1] + dt_s * to_velocity[i - 1]
        to_position[i, i - 1] += dt_s**2 / 3
        to_position[i, i] += dt_s**2 / 6
    return to_velocity, to_position
