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
from torch import Tensor
from trajectory_learning.benchmarks.interface import Measure, Row, Score, Trial
from trajectory_learning.benchmarks.step_time import step_ms
from trajectory_learning.methods.diffusion_family import (
    Family,
    FamilyConfig,
    Sampling,
    Windows,
    left_of,
)
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
        warm_start_steps: The last so many of them, for candidates that begin at the last plan.
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
    warm_start_steps: int = 2
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


Plans = tuple[Tensor, Tensor]

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


@dataclass(frozen=True)
class Way:
    """How a row plans.

    Attributes:
        method: Of the family.
        projected: Whether its states are projected.
        candidates: ``K``.
        warm: Whether half of the candidates begin at the plan before.
    """

    method: str
    projected: bool = False
    candidates: int = 1
    warm: bool = False


METHODS: Mapping[str, tuple[Way, tuple[int, ...]]] = {
    "planner": (Way("planner"), (1, 16, 64)),
    "planner, twice the training": (Way("longer_planner"), (64,)),
    "SafeDiffuser": (Way("planner", projected=True), (1, 16, 64)),
    "MPDiffuser as printed": (Way("alternating"), (1, 16, 64)),
    "MPDiffuser joint": (Way("joint"), (1, 16, 64)),
    "MPDiffuser tracked": (Way("tracked"), (1, 16, 64)),
    "post-hoc filter": (Way("post_hoc_filter"), (64,)),
    "behaviour cloning": (Way("behaviour_cloning"), (1,)),
}
"""What plans, and with how many candidates; those with 64 also with half of them warm-started."""

ROWS: Mapping[str, Way] = {
    f"{name}, K={K}" + (", warm" if warm else ""): replace(way, candidates=K, warm=warm)
    for name, (way, numbers) in METHODS.items()
    for K in numbers
    for warm in (False, True)
    if K == 64 or not warm
}

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
        paper = {f"{name}, K={K}": v for name, all_K in PAPER.items() for K, v in all_K.items()}
        rows = [
            Row(
                name,
                "" if way.method == "behaviour_cloning" else "mpdiffuser",
                {SUCCESS: paper[name]} if name in paper else {},
                way.candidates == 64,
            )
            for name, way in ROWS.items()
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
                seconds = family.train(ROWS[row].method)
                planner = make_planner(family, config, ROWS[row], trial.seed)
                if not trial.quick:
                    timed = make_planner(family, config, ROWS[row], trial.seed)
                    hanging = partial(timed, np.array([np.pi]), np.zeros(1))
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


def make_planner(family: Family, config: PendulumConfig, way: Way, seed: int) -> Planner:
    """The best of K plans by Algorithm 2, whose cost counts speeds near the limit or beyond.

    Why some may begin at the plan before: of fresh ones alone, none may keep the limit where what
    is left of that plan does.
    """
    generator = torch.Generator().manual_seed(seed)
    sampling = Sampling(config.denoising_steps, warm_start_steps=config.warm_start_steps)
    hook = None
    if way.projected:
        bound = torch.tensor([torch.inf, torch.inf, SPEED_LIMIT])
        low, high = family.of_states(-bound), family.of_states(bound)
        free = torch.full((family.n_u,), torch.inf)
        hook = BarrierProjection(torch.cat([low, -free]), torch.cat([high, free]))
    selection = BudgetedSelection(budget=0.0)
    K, last = way.candidates, None

    def draw(seen: Tensor, count: int, near: Plans | None = None) -> Plans:
        """(E, count, H, ...) states and actions of so many candidates for each episode."""
        seen = seen.repeat_interleave(count, dim=0)
        if near is not None:
            near = near[0].repeat_interleave(count, dim=0), near[1].repeat_interleave(count, dim=0)
        keep = torch.zeros(len(seen), 1)
        plans = family.plan(way.method, seen, keep, generator, sampling, hook, near)
        return plans[0].unflatten(0, (-1, count)), plans[1].unflatten(0, (-1, count))

    def plan(angle: Array, speed: Array) -> Array:
        nonlocal last
        seen = torch.from_numpy(features(np.stack([angle, speed], axis=-1))).float()
        if last is None:
            states, actions = draw(seen, K)
        else:
            fresh, near = draw(seen, K - K // 2), draw(seen, K // 2, left_of(last, config.chunk))
            states, actions = (torch.cat(both, dim=1) for both in zip(fresh, near, strict=True))
        imagined, torques = states.double().numpy(), actions.double().numpy()[..., 0]
        where = np.arctan2(imagined[..., 1], imagined[..., 0])
        value = reward(where, imagined[..., 2], torques).sum(axis=-1)
        cost = (np.abs(imagined[..., 2]) > SPEED_LIMIT - MARGIN).sum(axis=-1).astype(float)
        every, rows = np.ones(K, dtype=bool), np.arange(len(angle))
        best = [selection.choose(v, c, every).index for v, c in zip(value, cost, strict=True)]
        last = (states[rows, best], actions[rows, best]) if way.warm else None
        return torques[rows, best]

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
