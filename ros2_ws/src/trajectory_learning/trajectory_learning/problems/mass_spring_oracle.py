"""Flying test episodes, and the oracle that knows the plant.

Letters: ``E`` episodes, ``H`` steps of an episode and of a plan.

**Source**: "Receding-Horizon Control via Drifting Models", Sec. V (receding finite-horizon LQR);
W. Li and E. Todorov, "Iterative linear quadratic regulator design for nonlinear biological movement
systems", 2004, for the Duffing spring.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from trajectory_learning.problems.mass_spring_data import Array, Episodes, Plant, cost, lqr_gains

Policy = Callable[[Array, Array], Array]
"""From states (E, 2) and weights (E, 3) to forces (E,) [N]."""

FIRST_SWEEPS = 12
"""Sweeps of the first plan; each later plan begins at the last and needs one."""


def fly(plant: Plant, episodes: Episodes, policy: Policy) -> Array:
    """(E,) costs of the episodes under a policy."""
    x = episodes.start
    states, forces = [x], []
    for noise in episodes.noise.transpose(1, 0, 2):
        u = policy(x, episodes.omega)
        x = plant.step(x, u) + noise
        states.append(x)
        forces.append(u)
    return cost(np.stack(states, axis=1), np.stack(forces, axis=1), episodes.omega)


def oracle(plant: Plant, episodes: Episodes) -> Array:
    """(E,) costs of the oracle, which replans the full horizon at every step."""
    horizon = episodes.noise.shape[1]
    if plant.cubic_n_m3 == 0.0:
        gain = lqr_gains(plant, episodes.omega, horizon)
        return fly(plant, episodes, lambda x, omega: -(gain * x).sum(axis=-1))
    return fly(plant, episodes, RecedingIlqr(plant, horizon))


class RecedingIlqr:
    """Iterative LQR on the true plant, warm-started from the last plan.

    Args:
        plant: The plant.
        horizon: ``H``.
    """

    def __init__(self, plant: Plant, horizon: int) -> None:
        self.plant, self.horizon = plant, horizon
        self._forces: Array | None = None

    def __call__(self, x: Array, omega: Array) -> Array:
        """See `Policy`; the episodes of all calls are the same."""
        if self._forces is None:
            gain = lqr_gains(self.plant, omega, self.horizon)
            self._forces = self._linear_plan(x, gain)
            sweeps = FIRST_SWEEPS
        else:
            self._forces = np.concatenate([self._forces[:, 1:], self._forces[:, -1:]], axis=1)
            sweeps = 1
        for _ in range(sweeps):
            self._forces = self._sweep(x, omega, self._forces)
        return np.asarray(self._forces[:, 0])

    def _linear_plan(self, x: Array, gain: Array) -> Array:
        forces = []
        for _ in range(self.horizon):
            forces.append(-(gain * x).sum(axis=-1))
            x = self.plant.step(x, forces[-1])
        return np.stack(forces, axis=1)

    def _sweep(self, x: Array, omega: Array, forces: Array) -> Array:
        """One backward pass about a plan, and the forward pass that follows it."""
        states = [x]
        for t in range(self.horizon):
            states.append(self.plant.step(states[-1], forces[:, t]))
        Q, r = omega[:, :2], omega[:, 2]
        P = Q[..., None] * np.eye(2)
        p = Q * states[-1]
        gains, steps = [], []
        for t in reversed(range(self.horizon)):
            A, B = self._jacobian(states[t], forces[:, t])
            PB = (P @ B[..., None])[..., 0]
            curvature = r + (B * PB).sum(axis=-1)
            gain = (A.transpose(0, 2, 1) @ PB[..., None])[..., 0] / curvature[:, None]
            step = (r * forces[:, t] + (B * p).sum(axis=-1)) / curvature
            gradient = (A.transpose(0, 2, 1) @ p[..., None])[..., 0]
            p = Q * states[t] + gradient - (curvature * step)[:, None] * gain
            P = Q[..., None] * np.eye(2) + A.transpose(0, 2, 1) @ P @ A
            P -= curvature[:, None, None] * gain[:, :, None] * gain[:, None, :]
            gains.append(gain)
            steps.append(step)
        improved, now = [], x
        for t, (gain, step) in enumerate(zip(reversed(gains), reversed(steps), strict=True)):
            improved.append(forces[:, t] - step - (gain * (now - states[t])).sum(axis=-1))
            now = self.plant.step(now, improved[-1])
        return np.stack(improved, axis=1)

    def _jacobian(self, x: Array, u: Array) -> tuple[Array, Array]:
        """(E, 2, 2) and (E, 2) of the step, by central differences."""
        h = 1e-5
        columns = [
            (self.plant.step(x + h * e, u) - self.plant.step(x - h * e, u)) / (2 * h)
            for e in np.eye(2)
        ]
        to_force = (self.plant.step(x, u + h) - self.plant.step(x, u - h)) / (2 * h)
        return np.stack(columns, axis=-1), to_force
