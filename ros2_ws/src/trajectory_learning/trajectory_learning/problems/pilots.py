"""The pilots that make the training flights: a mixture of experts of different quality.

========== ===== =========================================================================
pilot      share how it flies
========== ===== =========================================================================
fast       0.40  sampling MPC on the true map, up to 1.35 m/s and 2.6 m/s^2, margin 0.24 m
cautious   0.25  the same MPC at 0.7 m/s and 1.3 m/s^2, margin 0.36 m
field      0.20  potential field on the scan's clearance with coloured noise; may get stuck
straight   0.15  heads straight for the goal and brakes in front of whatever is in the way
========== ===== =========================================================================

All of them choose the acceleration of the *next* sample; it is linear in between, so every flight
obeys the double integrator of `planner_core.navigation.integration_matrices` exactly.

Letters: ``B`` flights, ``S`` sampled futures, ``T`` samples of a future.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from planner_core.navigation import integration_matrices
from trajectory_learning.problems.fields import CELL_M, lookup

Array = NDArray[np.float64]


class Pilot(IntEnum):
    """Who flies."""

    FAST = 0
    CAUTIOUS = 1
    FIELD = 2
    STRAIGHT = 3


SHARES = (0.40, 0.25, 0.20, 0.15)
SPEED = np.array([1.35, 0.7, 1.0, 0.9])
"""(4,) [m/s] greatest speed of each pilot."""
ACCELERATION = np.array([2.6, 1.3, 2.2, 1.8])
"""(4,) [m/s^2] greatest acceleration of each pilot."""
MARGIN = np.array([0.24, 0.36, 0.3, 0.35])
"""(4,) [m] clearance that each pilot tries to keep."""


@dataclass(frozen=True, slots=True)
class Maps:
    """Fields of the worlds that a batch of flights crosses.

    Attributes:
        lower_xy: (2,) [m] corner of all fields.
        clearance: (n_w, n_x, n_y) [m] one a world.
        distance: (B, n_x, n_y) [m] one a flight: distance to its goal.
        world: (B,) world of each flight.
    """

    lower_xy: Array
    clearance: Array
    distance: Array
    world: NDArray[np.intp]


class Squadron:
    """Flies a batch of flights at once, each with its own pilot.

    Args:
        maps: Where they fly.
        pilot: (B,) who flies each.
        goal: (B, 3) [m].
        dt_s: Sample time.
        rng: Source of all randomness.
        samples: ``S``, futures that the sampling MPC compares in each step.
        horizon: ``T``, samples of a future.
    """

    def __init__(
        self,
        maps: Maps,
        pilot: NDArray[np.intp],
        goal: Array,
        dt_s: float,
        rng: np.random.Generator,
        *,
        samples: int = 96,
        horizon: int = 25,
    ) -> None:
        self._maps, self._pilot, self._goal, self._dt = maps, pilot, goal, dt_s
        self._rng, self._samples = rng, samples
        self._mpc = np.flatnonzero(pilot <= Pilot.CAUTIOUS)
        self._simple = np.flatnonzero(pilot >= Pilot.FIELD)
        self._mean = np.zeros((len(self._mpc), 2, horizon))
        self._noise = np.zeros((len(pilot), 2))
        to_velocity, to_position = integration_matrices(horizon, dt_s)
        # The cost looks at every third sample: obstacles are wider than what is flown in between.
        self._look = np.arange(1, horizon, 3)
        self._to_velocity = to_velocity[self._look].T
        self._to_position = to_position[self._look].T
        # Half sines start at 0, because the present acceleration is already flown.
        modes = np.arange(1, 6)[:, None]
        phase = np.arange(horizon) / (horizon - 1)
        self._basis = np.sin(np.pi * (modes - 0.5) * phase) / np.sqrt(modes)

    def next_acceleration(self, position: Array, velocity: Array, acceleration: Array) -> Array:
        """Acceleration of the next sample.

        Args:
            position: (B, 3) [m].
            velocity: (B, 3) [m/s].
            acceleration: (B, 3) [m/s^2] of this sample.

        Returns:
            (B, 3) [m/s^2].
        """
        chosen = np.empty_like(acceleration)
        limit = ACCELERATION[self._pilot]
        if len(self._mpc):
            chosen[self._mpc, :2] = self._sampling_mpc(position, velocity, acceleration)
        if len(self._simple):
            chosen[self._simple, :2] = self._reactive(position, velocity)
        # Height needs no plan: obstacles reach from floor to ceiling.
        chosen[:, 2] = 2.0 * (self._goal[:, 2] - position[:, 2]) - 2.8 * velocity[:, 2]
        chosen[:, 2] = np.clip(chosen[:, 2], -0.5 * limit, 0.5 * limit)
        return chosen

    def _sampling_mpc(self, position: Array, velocity: Array, acceleration: Array) -> Array:
        """Path-integral MPC: the mean of sampled futures, the cheap ones weighing most.

        **Source**: G. Williams, A. Aldrich and E. Theodorou, "Model predictive path integral
        control", 2017, with smooth noise instead of white noise.
        """
        i = self._mpc
        speed, limit, margin = (v[self._pilot[i]] for v in (SPEED, ACCELERATION, MARGIN))
        weight = self._rng.standard_normal((len(i), self._samples, 2, len(self._basis)))
        weight[:, 0] = 0.0
        futures = self._mean[:, None] + 0.4 * limit[:, None, None, None] * (weight @ self._basis)
        futures[..., 0] = acceleration[i, None, :2]
        norm = np.sqrt(np.square(futures).sum(axis=2, keepdims=True))
        futures *= np.minimum(1.0, limit[:, None, None, None] / np.maximum(norm, 1e-9))
        # Two of the samples brake and coast: a way out that chance may not offer.
        brake = velocity[i, :2] / (0.5 + np.linalg.norm(velocity[i, :2], axis=-1, keepdims=True))
        futures[:, 1, :, 1:] = (-limit[:, None] * brake)[..., None]
        futures[:, 2, :, 1:] = 0.0
        # (B, S, L, 2) at the instants that the cost looks at.
        v0, p0 = velocity[i, None, None, :2], position[i, None, None, :2]
        v = v0 + np.moveaxis(futures @ self._to_velocity, 2, 3)
        time = (self._look * self._dt)[:, None]
        p = p0 + v0 * time + np.moveaxis(futures @ self._to_position, 2, 3)
        maps = self._maps
        clearance = lookup(maps.clearance, maps.world[i], maps.lower_xy, p)
        distance = lookup(maps.distance, i, maps.lower_xy, p)
        # Distance is blind below one cell; close to the goal the straight line is the distance.
        straight = np.sqrt(np.square(p - self._goal[i, None, None, :2]).sum(axis=-1))
        distance = np.where(straight < 3 * CELL_M, straight, distance)
        over = np.maximum(np.sqrt(np.square(v).sum(axis=-1)) - speed[:, None, None], 0.0)
        near = np.maximum(margin[:, None, None] - clearance, 0.0)
        hit = clearance < 0.12
        arriving = np.exp(-distance[..., -1] / 0.3) * np.linalg.norm(v[..., -1, :], axis=-1)
        cost = (
            distance.mean(axis=-1)
            + 2.0 * distance[..., -1]
            + 0.5 * arriving
            + 20.0 * over.mean(axis=-1)
            + 12.0 * near.mean(axis=-1)
            + 40.0 * hit.mean(axis=-1)
            + 0.01 * np.square(futures).sum(axis=2).mean(axis=-1)
        )
        cost -= cost.min(axis=1, keepdims=True)
        likelihood = np.exp(-cost / 0.1)
        likelihood /= likelihood.sum(axis=1, keepdims=True)
        mean = np.einsum("bs,bsdt->bdt", likelihood, futures)
        self._mean = np.concatenate([mean[..., 1:], 0.9 * mean[..., -1:]], axis=-1)
        # Sampling dithers where the distance is small: the last metre is a damped approach.
        offset = self._goal[i, :2] - position[i, :2]
        far = np.linalg.norm(offset, axis=-1)
        room = self._clearance_at(i, position[i, :2] + offset / 2)
        last = (far < 0.8) & (room > np.minimum(margin, far))
        approach = 4.0 * (offset - velocity[i, :2])
        norm = np.linalg.norm(approach, axis=-1, keepdims=True)
        approach *= np.minimum(1.0, 1.5 * limit[:, None] / np.maximum(norm, 1e-9))
        return np.where(last[:, None], approach, mean[..., 1])

    def _reactive(self, position: Array, velocity: Array) -> Array:
        i = self._simple
        maps, pilot = self._maps, self._pilot[i]
        p, v = position[i, :2], velocity[i, :2]
        speed, limit, margin = (x[pilot] for x in (SPEED, ACCELERATION, MARGIN))
        offset = self._goal[i, :2] - p
        far = np.linalg.norm(offset, axis=-1)
        ahead = offset / np.maximum(far, 1e-6)[:, None]
        steps = np.arange(1, 13) * CELL_M
        free = lookup(
            maps.clearance, maps.world[i], maps.lower_xy,
            p[:, None] + ahead[:, None] * steps[:, None],
        )  # fmt: skip
        blocked = np.where(free < margin[:, None], steps, np.inf).min(axis=1)
        straight = pilot == Pilot.STRAIGHT
        room = np.where(straight, np.minimum(far, np.maximum(blocked - 0.1, 0.0)), far)
        wish = ahead * np.minimum(speed, np.sqrt(1.2 * limit * room))[:, None]
        gradient = np.stack(
            [self._clearance_at(i, p + d) - self._clearance_at(i, p - d) for d in
             (np.array([CELL_M, 0.0]), np.array([0.0, CELL_M]))], axis=-1,
        ) / (2 * CELL_M)  # fmt: skip
        here = self._clearance_at(i, p)
        push = np.clip((0.7 - here) / 0.5, 0.0, 1.2) ** 2
        self._noise = 0.9 * self._noise + 0.44 * self._rng.standard_normal(self._noise.shape)
        swirl = np.stack([-gradient[:, 1], gradient[:, 0]], axis=-1)
        swirl *= np.sign((swirl * ahead).sum(axis=-1, keepdims=True))
        wish += np.where(straight, 0.3, 1.0)[:, None] * push[:, None] * gradient
        wish += np.where(straight, 0.0, 0.8)[:, None] * push[:, None] * swirl
        wish += np.where(straight, 0.0, 0.15)[:, None] * self._noise[i]
        a = np.where(straight, 2.0, 3.0)[:, None] * (wish - v)
        norm = np.linalg.norm(a, axis=-1)
        return a * np.minimum(1.0, limit / np.maximum(norm, 1e-9))[:, None]

    def _clearance_at(self, which: NDArray[np.intp], points: Array) -> Array:
        return lookup(self._maps.clearance, self._maps.world[which], self._maps.lower_xy, points)
