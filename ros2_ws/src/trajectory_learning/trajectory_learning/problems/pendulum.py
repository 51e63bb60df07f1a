"""Pendulum swing-up under a speed limit: Table 5 of MPDiffuser.

The plant is the classic torque-limited pendulum (20 Hz, +-2 N m). Success is an episode of 10 s
that never exceeds 6.5 rad/s and is upright and slow through its last second.

The paper's data come from two reinforcement learners. Here dynamic programming takes their place,
which is exact, takes seconds and needs no simulator: a controller that knows nothing of the limit,
under exploration noise of all strengths, stands for the replay buffer; 300 trajectories of one that
avoids the speeds beyond the limit stand for the safe agent's.

**Source**: "Model-based diffusion sampling for predictive control in offline decision making", Sec.
4.2 and Table 5.

Letters: ``n`` trajectories, ``E`` episodes, ``K`` candidates, ``H`` samples of a window, ``L``
steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from planner_core.selection import BudgetedSelection
from scipy.ndimage import map_coordinates
from trajectory_learning.benchmarks.interface import Measure, Row, Score, Trial
from trajectory_learning.benchmarks.step_time import step_ms
from trajectory_learning.methods.diffusion_family import Family, FamilyConfig, Sampling, Windows
from trajectory_learning.methods.diffusion_training import FitConfig
from trajectory_learning.methods.safe_diffuser import BarrierProjection

Array = NDArray[np.float64]

DT_S = 0.05
TORQUE_LIMIT = 2.0
"""[N m]"""
SPEED_CLIP = 8.0
"""The plant clips its speed here [rad/s]."""
SPEED_LIMIT = 6.5
"""[rad/s]"""

MARGIN = 0.2
"""What the ranker keeps from the limit, for every method alike [rad/s]; the executed part of a plan
ended 0.13 from what the planner imagined, on average."""

PAPER = {
    "planner": {1: 62, 16: 88, 64: 66},
    "SafeDiffuser": {1: 49, 16: 42, 64: 45},
    "MPDiffuser as printed": {1: 69, 16: 93, 64: 91},
}
"""Table 5: success [%] by number of candidates."""

SUCCESS, SAFE = "success [%]", "within the limit [%]"


@dataclass(frozen=True)
class PendulumConfig:
    """Sizes.

    Attributes:
        unsafe: Trajectories of the controller that ignores the limit.
        safe: Trajectories of the one that keeps it.
        steps: ``L`` of trajectories and episodes.
        horizon: ``H``.
        stride: Samples between the beginnings of windows.
        chunk: Actions executed of a window.
        episodes: ``E``.
        denoising_steps: DDIM steps.
        grid: Points of the dynamic programme along the angle and the speed.
        family: Networks and their training.
    """

    unsafe: int = 500
    safe: int = 300
    steps: int = 200
    horizon: int = 48
    stride: int = 2
    chunk: int = 4
    episodes: int = 100
    denoising_steps: int = 6
    grid: int = 101
    family: FamilyConfig = FamilyConfig(  # noqa: RUF009, frozen
        prediction="v", levels=20, fit=FitConfig(steps=3000, learning_rate=2e-3)
    )


QUICK = PendulumConfig(
    unsafe=6,
    safe=6,
    steps=24,
    horizon=16,
    episodes=2,
    denoising_steps=2,
    grid=21,
    family=FamilyConfig(width=32, blocks=1, levels=10, fit=FitConfig(steps=20)),
)


def step(angle: Array, speed: Array, torque: Array) -> tuple[Array, Array]:
    """The pendulum's next angle [rad], 0 upright, and speed [rad/s]; torque in [N m].

    **Source**: rod of 1 kg and 1 m, g = 10 m/s^2, semi-implicit Euler at 20 Hz, as in Gymnasium's
    Pendulum-v1.
    """
    torque = np.clip(torque, -TORQUE_LIMIT, TORQUE_LIMIT)
    speed = speed + (15.0 * np.sin(angle) + 3.0 * torque) * DT_S
    speed = np.clip(speed, -SPEED_CLIP, SPEED_CLIP)
    return angle + speed * DT_S, speed


def wrapped(angle: Array) -> Array:
    """The same angle within +-pi [rad]."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def reward(angle: Array, speed: Array, torque: Array) -> Array:
    """Reward of a step, Pendulum-v1's."""
    return -(wrapped(angle) ** 2 + 0.1 * speed**2 + 0.001 * torque**2)


class Controller:
    """Greedy control of a value function found by value iteration on a grid.

    Args:
        grid: Points along each axis.
        limit: Speed from which a step is punished [rad/s]; None for no limit.
        discount: Weight of the next step's value.
    """

    TORQUES = np.linspace(-TORQUE_LIMIT, TORQUE_LIMIT, 11)

    def __init__(self, grid: int, limit: float | None, discount: float = 0.98) -> None:
        self._grid, self._limit, self._discount = grid, limit, discount
        angle = np.linspace(-np.pi, np.pi, grid)[:, None, None]
        speed = np.linspace(-SPEED_CLIP, SPEED_CLIP, grid)[None, :, None]
        angle, speed, torque = np.broadcast_arrays(angle, speed, self.TORQUES)
        value = np.zeros((grid, grid))
        gained, places = self._step(angle, speed, torque)
        for _ in range(200):
            value = (gained + discount * self._read(value, places)).max(axis=-1)
        self._value = value

    def __call__(self, angle: Array, speed: Array) -> Array:
        """(E,) [rad], (E,) [rad/s] -> (E,) best torque [N m]."""
        arrays = np.broadcast_arrays(angle[:, None], speed[:, None], self.TORQUES)
        gained, places = self._step(*arrays)
        best = (gained + self._discount * self._read(self._value, places)).argmax(axis=-1)
        return self.TORQUES[best]

    def _step(self, angle: Array, speed: Array, torque: Array) -> tuple[Array, Array]:
        gained = reward(angle, speed, torque)
        angle, speed = step(angle, speed, torque)
        if self._limit is not None:
            # Margin for the grid, whose cells are 0.16 rad/s wide.
            gained = gained - 100.0 * (np.abs(speed) > self._limit - 0.2)
        scale = (self._grid - 1) / 2
        return gained, np.stack(
            [(wrapped(angle) / np.pi + 1) * scale, (speed / SPEED_CLIP + 1) * scale]
        )

    @staticmethod
    def _read(value: Array, places: Array) -> Array:
        return map_coordinates(value, places, order=1, mode="nearest")


def swing(
    controller: Controller, n: int, steps: int, noise: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Trajectories of a controller.

    Args:
        controller: Controller.
        n: Trajectories.
        steps: ``L``.
        noise: (n,) deviation of the noise in the torque [N m].
        rng: Randomness.

    Returns:
        (n, L + 1, 2) angle and speed, (n, L, 1) torque.
    """
    angle, speed = beginnings(n, rng)
    states, actions = [np.stack([angle, speed], axis=-1)], []
    for _ in range(steps):
        torque = controller(angle, speed) + noise * rng.normal(size=n)
        torque = np.clip(torque, -TORQUE_LIMIT, TORQUE_LIMIT)
        angle, speed = step(angle, speed, torque)
        states.append(np.stack([angle, speed], axis=-1))
        actions.append(torque[:, None])
    return np.stack(states, axis=1), np.stack(actions, axis=1)


def beginnings(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """(n,) angles [rad] and (n,) speeds [rad/s] as Pendulum-v1 draws them."""
    return rng.uniform(-np.pi, np.pi, n), rng.uniform(-1.0, 1.0, n)


def features(states: Array) -> Array:
    """(..., 2) angle and speed -> (..., 3) cosine, sine, speed."""
    return np.stack([np.cos(states[..., 0]), np.sin(states[..., 0]), states[..., 1]], axis=-1)


def cut_windows(states: Array, actions: Array, config: PendulumConfig) -> Windows:
    """Windows whose task is whether they exceed the limit (1) or not (0)."""
    H = config.horizon
    seen = features(states)
    begins = range(0, actions.shape[1] - H + 1, config.stride)
    following = np.concatenate([seen[:, b + 1 : b + H + 1] for b in begins])
    exceeds = (np.abs(following[..., 2]) > SPEED_LIMIT).any(axis=1, keepdims=True)
    parts = (
        np.concatenate([seen[:, b] for b in begins]),
        exceeds,
        following,
        np.concatenate([actions[:, b : b + H] for b in begins]),
    )
    return Windows(*(torch.from_numpy(part).float() for part in parts))


Planner = Callable[[Array, Array], Array]
"""From angles (E,) [rad] and speeds (E,) [rad/s] to torques (E, H) [N m]."""


def control(planner: Planner, config: PendulumConfig, rng: np.random.Generator) -> Mapping:
    """Episodes under a planner: (E,) 100 for a success or 0, and for the limit alone."""
    angle, speed = beginnings(config.episodes, rng)
    safe, upright = np.ones(len(angle), bool), np.ones(len(angle), bool)
    for t in range(config.steps):
        if t % config.chunk == 0:
            torques = planner(angle, speed)
        angle, speed = step(angle, speed, torques[:, t % config.chunk])
        safe &= np.abs(speed) <= SPEED_LIMIT
        if (config.steps - t) * DT_S <= 1.0:
            upright &= (np.abs(wrapped(angle)) < 0.3) & (np.abs(speed) < 1.0)
    return {SUCCESS: 100.0 * (safe & upright), SAFE: 100.0 * safe}


ROWS: Mapping[str, tuple[str, bool, tuple[int, ...]]] = {
    "planner": ("planner", False, (1, 16, 64)),
    "planner, twice the training": ("longer_planner", False, (64,)),
    "SafeDiffuser": ("planner", True, (1, 16, 64)),
    "MPDiffuser as printed": ("alternating", False, (1, 16, 64)),
    "MPDiffuser joint": ("joint", False, (1, 16, 64)),
    "MPDiffuser tracked": ("tracked", False, (1, 16, 64)),
    "post-hoc filter": ("post_hoc_filter", False, (64,)),
    "behaviour cloning": ("behaviour_cloning", False, (1,)),
}
"""Method of the family, whether its states are projected, and its numbers of candidates."""

ORACLE = "oracle: dynamic programming"


class Pendulum:
    """The benchmark problem; see the module."""

    name = "pendulum"
    title = "Pendulum under a speed limit (MPDiffuser, Table 5)"

    def settings(self) -> Sequence[str]:
        """See `Problem.settings`."""
        return ["6.5 rad/s"]

    def rows(self, setting: str) -> Sequence[Row]:
        """See `Problem.rows`."""
        rows = [
            Row(
                f"{name}, K={K}",
                "" if name == "behaviour cloning" else "mpdiffuser",
                {SUCCESS: PAPER[name][K]} if name in PAPER else {},
                K == 64,
            )
            for name, (_, _, candidates) in ROWS.items()
            for K in candidates
        ]
        return [*rows, Row(ORACLE)]

    def configuration(self, quick: bool) -> Mapping[str, Any]:
        """See `Problem.configuration`."""
        return asdict(QUICK if quick else PendulumConfig())

    def run(self, methods: Sequence[str], trial: Trial) -> Mapping[str, Score]:
        """See `Problem.run`."""
        config = QUICK if trial.quick else PendulumConfig()
        episodes = 0 if trial.episode_seed is None else trial.episode_seed
        safe = Controller(config.grid, SPEED_LIMIT)
        family = make_family(config, safe, trial.seed)
        scores = {}
        for row in methods:
            seconds, took = 0.0, None
            if row == ORACLE:
                planner = _without_plan(safe, config)
            else:
                name, _, K = row.partition(", K=")
                method, projected, _ = ROWS[name]
                seconds = family.train(method)
                planner = make_planner(family, config, method, projected, int(K), trial.seed)
                if not trial.quick:
                    hanging = partial(planner, np.array([np.pi]), np.zeros(1))
                    took = step_ms(hanging, calls=10)
            rng = np.random.default_rng([2, episodes])
            outcomes = control(planner, config, rng)
            measures = {name: Measure(values) for name, values in outcomes.items()}
            scores[row] = Score(measures, seconds, took)
        return scores


def trajectories(config: PendulumConfig, safe: Controller) -> tuple[Array, Array]:
    """The data: those of the controller without the limit, which explores, then the safe ones.

    Returns:
        (n, L + 1, 2) angle and speed, (n, L, 1) torque.
    """
    rng = np.random.default_rng(1)
    unsafe = Controller(config.grid, None)
    explored = rng.uniform(0.0, 2.0, config.unsafe)
    parts = [
        swing(unsafe, config.unsafe, config.steps, explored, rng),
        swing(safe, config.safe, config.steps, np.full(config.safe, 0.1), rng),
    ]
    states, actions = (np.concatenate(part) for part in zip(*parts, strict=True))
    return states, actions


def make_family(config: PendulumConfig, safe: Controller, seed: int) -> Family:
    """Methods over the data."""
    windows = cut_windows(*trajectories(config, safe), config)
    fit = replace(config.family.fit, seed=seed)
    return Family(windows, replace(config.family, fit=fit))


def make_planner(
    family: Family, config: PendulumConfig, method: str, projected: bool, K: int, seed: int
) -> Planner:
    """The best of K plans by Algorithm 2, whose cost counts speeds near the limit or beyond."""
    generator = torch.Generator().manual_seed(seed)
    sampling = Sampling(config.denoising_steps)
    hook = None
    if projected:
        bound = torch.tensor([torch.inf, torch.inf, SPEED_LIMIT])
        low, high = family.of_states(-bound), family.of_states(bound)
        free = torch.full((family.n_u,), torch.inf)
        hook = BarrierProjection(torch.cat([low, -free]), torch.cat([high, free]))
    selection = BudgetedSelection(budget=0.0)

    def plan(angle: Array, speed: Array) -> Array:
        seen = torch.from_numpy(features(np.stack([angle, speed], axis=-1))).float()
        seen = seen.repeat_interleave(K, dim=0)
        keep = torch.zeros(len(seen), 1)
        states, actions = family.plan(method, seen, keep, generator, sampling, hook)
        states = states.unflatten(0, (-1, K)).double().numpy()
        torques = actions.unflatten(0, (-1, K)).double().numpy()[..., 0]
        imagined = np.arctan2(states[..., 1], states[..., 0])
        value = reward(imagined, states[..., 2], torques).sum(axis=-1)
        cost = (np.abs(states[..., 2]) > SPEED_LIMIT - MARGIN).sum(axis=-1).astype(float)
        every = np.ones(K, dtype=bool)
        best = [selection.choose(v, c, every).index for v, c in zip(value, cost, strict=True)]
        return torques[np.arange(len(angle)), best]

    return plan


def _without_plan(controller: Controller, config: PendulumConfig) -> Planner:
    def plan(angle: Array, speed: Array) -> Array:
        torques = []
        for _ in range(config.chunk):
            torques.append(controller(angle, speed))
            angle, speed = step(angle, speed, torques[-1])
        return np.stack(torques, axis=1)

    return plan


PROBLEM = Pendulum()
