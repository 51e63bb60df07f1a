"""Mass on a spring with a damper: the plant, the receding oracle, and the offline trajectories.

The data settings are those of the authors' published configuration. Two variants go beyond it:
process noise, and a Duffing spring, whose force also grows with the cube of the displacement.

Letters: ``N`` trajectories, ``H`` steps of an episode and of a plan, ``n_x = 2`` states
(position [m], velocity [m/s]), ``n_u = 1`` force [N]. omega = (q_position, q_velocity, r).

**Source**: "Receding-Horizon Control via Drifting Models", Sec. V and Eq. 1.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

Array = NDArray[np.float64]

OMEGA_LOW = np.array([0.5, 0.05, 0.01])
OMEGA_HIGH = np.array([20.0, 5.0, 1.0])
START_BOUND = 2.0
DATA_SEED = 7
TRAJECTORIES = 50_000
TRAIN_SHARE = 0.7
LQR_SHARE, PD_SHARE = 0.1, 0.1


@dataclass(frozen=True)
class Plant:
    """The mass-spring-damper.

    Attributes:
        mass_kg: Mass.
        stiffness_n_m: Linear spring constant [N/m].
        damping_n_s_m: Damping [N s/m].
        cubic_n_m3: Cubic spring constant [N/m^3]; 0 is the linear plant of the paper.
        noise: Standard deviation of what each step adds to position [m] and velocity [m/s].
        dt_s: Time of a step.
    """

    mass_kg: float = 1.0
    stiffness_n_m: float = 1.0
    damping_n_s_m: float = 0.2
    cubic_n_m3: float = 0.0
    noise: float = 0.0
    dt_s: float = 0.05

    def linear(self) -> tuple[Array, Array]:
        """(2, 2) and (2, 1) matrices of the exact zero-order hold, without the cubic term."""
        block = np.zeros((3, 3))
        block[0, 1] = 1.0
        block[1] = np.array([-self.stiffness_n_m, -self.damping_n_s_m, 1.0]) / self.mass_kg
        step = expm(block * self.dt_s)
        return step[:2, :2], step[:2, 2:]

    def step(self, x: Array, u: Array) -> Array:
        """The next state, without noise.

        Args:
            x: (..., 2) state.
            u: (...) force [N], held during the step.
        """
        if self.cubic_n_m3 == 0.0:
            A, B = self.linear()
            return x @ A.T + u[..., None] * B[:, 0]
        # Fourth-order Runge-Kutta; at this step its error is below 1e-6 over the data's range.
        h = self.dt_s
        k1 = self._derivative(x, u)
        k2 = self._derivative(x + h / 2 * k1, u)
        k3 = self._derivative(x + h / 2 * k2, u)
        k4 = self._derivative(x + h * k3, u)
        return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    def _derivative(self, x: Array, u: Array) -> Array:
        p, v = x[..., 0], x[..., 1]
        force = u - self.stiffness_n_m * p - self.cubic_n_m3 * p**3 - self.damping_n_s_m * v
        return np.stack([v, force / self.mass_kg], axis=-1)


@dataclass(frozen=True)
class Trajectories:
    """Offline trajectories.

    Attributes:
        states: (N, H + 1, 2) states.
        forces: (N, H) forces [N].
    """

    states: Array
    forces: Array


@dataclass(frozen=True)
class Episodes:
    """Test episodes.

    Attributes:
        start: (E, 2) first state.
        omega: (E, 3) weights of the cost.
        noise: (E, H, 2) what the steps add to the state; equal for every planner.
    """

    start: Array
    omega: Array
    noise: Array


def cost(states: Array, forces: Array, omega: Array) -> Array:
    """The cost of trajectories (Eq. 1).

    Args:
        states: (..., H + 1, 2) states.
        forces: (..., H) forces [N].
        omega: (..., 3) weights.
    """
    running = (states**2).sum(axis=-2)
    return (running * omega[..., :2]).sum(axis=-1) + omega[..., 2] * (forces**2).sum(axis=-1)


def lqr_gains(plant: Plant, omega: Array, horizon: int) -> Array:
    """Gain of the first step of a finite-horizon LQR for the linear plant.

    An oracle that plans the full horizon anew at every step applies this gain throughout.

    Args:
        plant: The plant.
        omega: (N, 3) weights.
        horizon: ``H``.

    Returns:
        (N, 2) gains; the force is -gain @ state.
    """
    A, B = plant.linear()
    Q = omega[:, :2, None] * np.eye(2)
    P = Q.copy()
    for _ in range(horizon):
        curvature = omega[:, 2] + (B.T @ P @ B)[:, 0, 0]
        gain = (B.T @ P @ A)[:, 0] / curvature[:, None]
        P = Q + A.T @ P @ A - curvature[:, None, None] * gain[:, :, None] * gain[:, None, :]
    return gain


def draw_omega(rng: np.random.Generator, count: int) -> Array:
    """(count, 3) log-uniform weights."""
    return np.exp(rng.uniform(np.log(OMEGA_LOW), np.log(OMEGA_HIGH), (count, 3)))


def collect(plant: Plant, horizon: int, count: int = TRAJECTORIES) -> Trajectories:
    """Collect the offline data with the authors' mixture of controllers; training share only.

    A tenth of the trajectories is flown by the receding LQR, each with weights of its own, a tenth
    by a PD controller, the rest by a smooth random force.
    """
    rng = np.random.default_rng(DATA_SEED)
    x = rng.uniform(-START_BOUND, START_BOUND, (count, 2))
    gain = lqr_gains(plant, draw_omega(rng, count), horizon)
    pd = np.stack([rng.uniform(0.5, 4.0, count), rng.uniform(0.2, 2.5, count)], axis=-1)
    kind = rng.random(count)
    is_lqr, is_pd = kind < LQR_SHARE, kind >= 1 - PD_SHARE
    gain = np.where(is_lqr[:, None], gain, pd)
    action_noise = np.where(is_lqr, 0.05, 0.1)
    states, forces = [x], []
    drifting = np.zeros(count)
    for _ in range(horizon):
        white = rng.standard_normal(count)
        drifting = 0.85 * drifting + 0.15 * white
        feedback = -(gain * x).sum(axis=-1) + action_noise * white
        u = np.where(is_lqr | is_pd, feedback, drifting)
        x = plant.step(x, u) + plant.noise * rng.standard_normal(x.shape)
        states.append(x)
        forces.append(u)
    kept = int(TRAIN_SHARE * count)
    return Trajectories(np.stack(states, axis=1)[:kept], np.stack(forces, axis=1)[:kept])


def draw_episodes(plant: Plant, horizon: int, seed: int | None, count: int = 100) -> Episodes:
    """Test episodes: those of the paper's Table I, or fresh ones of a seed."""
    rng = np.random.default_rng([horizon, 0 if seed is None else seed + 1])
    if seed is None:
        published = table_1_episodes()[str(horizon)]
        start = np.array([episode["x0"] for episode in published])
        omega = np.array([episode["omega"] for episode in published])
    else:
        start = rng.uniform(-START_BOUND, START_BOUND, (count, 2))
        omega = draw_omega(rng, count)
    noise = plant.noise * rng.standard_normal((len(start), horizon, 2))
    return Episodes(start[:count], omega[:count], noise[:count])


def table_1_episodes() -> dict[str, list[dict[str, list[float]]]]:
    """The 100 episodes of each horizon of Table I, with the oracle's costs."""
    file = files("trajectory_learning.problems").joinpath("mass_spring_table1.json")
    published: dict[str, list[dict[str, list[float]]]] = json.loads(file.read_text())["episodes"]
    return published
