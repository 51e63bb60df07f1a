"""Car U-maze: Table 8 and Figure 2 of MPDiffuser.

A kinematic bicycle of five states drives around the end of a wall, from one arm of a U to a goal in
the other, within one window; the sampled actions are executed open loop, so that nothing but the
plan's own consistency brings the car to the goal. Success is an end within 1 m of the goal.

The data are 2000 drives of a nonlinear model predictive controller along U-shaped references and
1000 drives with random actions, for all methods alike; the task of a drive is where it ended.
App. C does not give the maze's measures: those below are ours. A heading is seen as its cosine and
sine: random drives turn round many times. Plans are sampled at alpha = 0, those that are ranked at
0.25.

**Source**: "Model-based diffusion sampling for predictive control in offline decision making", App.
C.

Letters: ``n`` drives, ``E`` episodes, ``K`` candidates, ``H`` samples of a window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from trajectory_learning.benchmarks.interface import Measure, Row, Score, Trial
from trajectory_learning.benchmarks.step_time import step_ms
from trajectory_learning.methods.diffusion_family import Family, FamilyConfig, Sampling, Windows
from trajectory_learning.methods.diffusion_training import FitConfig
from trajectory_learning.problems.car_maze_expert import ACTION_LIMIT, Expert, rollout

Array = NDArray[np.float64]

WALL_Y_M = 3.0
WALL_END_M = 5.0
"""The wall runs along y = 3 m from x = 0 to here."""
TURN_X_M = 6.0
"""References turn around this point of the wall's line."""
SUCCESS_M = 1.0

SUCCESS, DISTANCE = "success [%]", "end to goal [m]"
DEVIATION, CLEAR = "states imagined to realised [m]", "wall not crossed [%]"


@dataclass(frozen=True)
class CarMazeConfig:
    """Sizes.

    Attributes:
        expert: Drives of the controller.
        random: Drives with random actions.
        horizon: ``H``, a whole drive.
        episodes: ``E``.
        candidates: ``K`` of the ranked rows.
        denoising_steps: DDIM steps.
        family: Networks and their training.
        temperature: alpha of Algorithm 1, for rows of one plan.
        ranked_temperature: The same where the best of several plans is taken.
    """

    expert: int = 2000
    random: int = 1000
    horizon: int = 32
    episodes: int = 250
    candidates: int = 16
    denoising_steps: int = 10
    family: FamilyConfig = FamilyConfig(  # noqa: RUF009, frozen
        prediction="v",
        fit=FitConfig(steps=3000, learning_rate=2e-3),
        # In an open loop of 32 steps errors of a step add up. This takes the processor time of
        # a denoiser, or less.
        single_steps=FitConfig(steps=10_000, batch=1024, learning_rate=2e-3),
        forward_width=128,
    )
    temperature: float = 0.0
    ranked_temperature: float = 0.25


QUICK = CarMazeConfig(
    expert=20,
    random=20,
    episodes=4,
    candidates=2,
    denoising_steps=3,
    family=FamilyConfig(width=32, blocks=1, fit=FitConfig(steps=20)),
)

Planner = Callable[[Array, Array], tuple[Array, Array]]
"""From states (E, 5) and goals (E, 2) to what follows, (E, H, 2) positions and more, and actions
(E, H, 2)."""


def features(states: Array) -> Array:
    """(..., 5) state of the car -> (..., 6) position, cosine and sine of the heading, the rest."""
    heading = states[..., 2:3]
    parts = (states[..., :2], np.cos(heading), np.sin(heading), states[..., 3:])
    return np.concatenate(parts, axis=-1)


def starts_and_goals(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """(n, 5) standing cars in one arm, headed for the open end, and (n, 2) goals in the other."""
    low = np.stack([rng.uniform(0.5, 3.0, n), rng.uniform(0.7, 2.0, n)], axis=-1)
    goal = np.stack([rng.uniform(0.5, 3.0, n), rng.uniform(4.0, 5.3, n)], axis=-1)
    # Half of them from the upper arm: the same maze, mirrored at the wall.
    upper = rng.random(n) < 0.5
    for point in (low, goal):
        point[upper, 1] = 2 * WALL_Y_M - point[upper, 1]
    state = np.zeros((n, 5))
    state[:, :2] = low
    state[:, 2] = rng.uniform(-0.2, 0.2, n)
    return state, goal


def u_shaped(state: Array, goal: Array, horizon: int) -> Array:
    """References from a start, straight, around the wall's end, and straight to the goal.

    Args:
        state: (n, 5).
        goal: (n, 2) [m].
        horizon: ``H``.

    Returns:
        (n, H, 2) [m], at rest at both ends: the way follows a quintic of time.
    """
    start, half = state[:, :2], (goal[:, 1] - state[:, 1]) / 2
    radius, side = np.abs(half), np.sign(half)
    out, back = TURN_X_M - start[:, 0], TURN_X_M - goal[:, 0]
    length = out + np.pi * radius + back
    time = np.arange(1, horizon + 1) / horizon
    way = length[:, None] * (10 * time**3 - 15 * time**4 + 6 * time**5)
    turned = np.clip((way - out[:, None]) / radius[:, None], 0.0, np.pi)
    straight_out = np.minimum(way, out[:, None])
    straight_back = np.maximum(way - (out + np.pi * radius)[:, None], 0.0)
    x = start[:, :1] + straight_out + radius[:, None] * np.sin(turned) - straight_back
    y = start[:, 1:] + (side * radius)[:, None] * (1 - np.cos(turned))
    return np.stack([x, y], axis=-1)


def drives(config: CarMazeConfig, rng: np.random.Generator) -> tuple[Array, Array]:
    """The data: whole drives, expert ones first.

    Returns:
        (n, H + 1, 5) states, (n, H, 2) actions.
    """
    state, goal = starts_and_goals(config.expert, rng)
    states, actions = Expert().drive(state, u_shaped(state, goal, config.horizon))
    begin, _ = starts_and_goals(config.random, rng)
    # Random actions that last a second: those of every step would cancel out.
    held = rng.uniform(-1.0, 1.0, (config.random, -(-config.horizon // 4), 2)) * ACTION_LIMIT / 2
    wild = np.repeat(held, 4, axis=1)[:, : config.horizon]
    driven = np.concatenate([begin[:, None], rollout(begin, wild)], axis=1)
    return np.concatenate([states, driven]), np.concatenate([actions, wild])


def whole_windows(states: Array, actions: Array) -> Windows:
    """A window of every drive (n, H + 1, 5), (n, H, 2), whose task is where it ended."""
    seen = features(states)
    parts = (seen[:, 0], states[:, -1, :2], seen[:, 1:], actions)
    return Windows(*(torch.from_numpy(part).float() for part in parts))


def crosses_wall(states: Array) -> NDArray[np.bool_]:
    """(E, H, 5) -> (E,) whether a step between two states passes through the wall."""
    a, b = states[:, :-1, :2], states[:, 1:, :2]
    above_a, above_b = a[..., 1] - WALL_Y_M, b[..., 1] - WALL_Y_M
    passes = above_a * above_b < 0
    share = above_a / np.where(passes, above_a - above_b, 1.0)
    x = a[..., 0] + share * (b[..., 0] - a[..., 0])
    return (passes & (x > 0) & (x < WALL_END_M)).any(axis=1)


def execute(planner: Planner, state: Array, goal: Array) -> Mapping[str, Array]:
    """Execute plans open loop; (E,) of each metric."""
    imagined, actions = planner(state, goal)
    realised = rollout(state, actions)
    end = np.linalg.norm(realised[:, -1, :2] - goal, axis=-1)
    apart = np.linalg.norm(realised[..., :2] - imagined[..., :2], axis=-1)
    whole = np.concatenate([state[:, None], realised], axis=1)
    return {
        SUCCESS: 100.0 * (end < SUCCESS_M),
        DISTANCE: end,
        DEVIATION: apart.mean(axis=1),
        CLEAR: 100.0 * ~crosses_wall(whole),
    }


PAPER = {"Diffuser": 68.8, "Decision Diffuser": 42.2, "MPDiffuser as printed": 95.3}
"""Table 8, success [%]."""

ROWS: Mapping[str, str] = {
    "Diffuser": "diffuser",
    "Decision Diffuser": "decision_diffuser",
    "planner": "planner",
    "planner, twice the training": "longer_planner",
    "planner, twice the training + rank": "longer_planner",
    "post-hoc filter": "post_hoc_filter",
    "MPDiffuser as printed": "alternating",
    "MPDiffuser joint": "joint",
    "MPDiffuser tracked": "tracked",
    "MPDiffuser tracked + rank": "tracked",
    "behaviour cloning": "behaviour_cloning",
}
"""Method of the family."""

RANKED = (
    "planner, twice the training + rank", "post-hoc filter", "MPDiffuser tracked + rank",
)  # fmt: skip
"""Rows that choose among candidates the one that they imagine to end nearest to the goal."""

ORACLE = "oracle: model predictive control"


class CarMaze:
    """The benchmark problem; see the module."""

    name = "car_maze"
    title = "Car U-maze (MPDiffuser, Table 8, Figure 2)"

    def settings(self) -> Sequence[str]:
        """See `Problem.settings`."""
        return ["U"]

    def rows(self, setting: str) -> Sequence[Row]:
        """See `Problem.rows`."""
        alone = ("Diffuser", "Decision Diffuser", "behaviour cloning")
        shared = [name for name in ROWS if name not in alone]
        rows = [
            Row(
                name,
                "mpdiffuser" if name in shared else "",
                {SUCCESS: PAPER[name]} if name in PAPER else {},
                name in shared,
            )
            for name in ROWS
        ]
        return [*rows, Row(ORACLE)]

    def configuration(self, quick: bool) -> Mapping[str, Any]:
        """See `Problem.configuration`."""
        return asdict(QUICK if quick else CarMazeConfig())

    def run(self, methods: Sequence[str], trial: Trial) -> Mapping[str, Score]:
        """See `Problem.run`."""
        config = QUICK if trial.quick else CarMazeConfig()
        episodes = 0 if trial.episode_seed is None else trial.episode_seed
        state, goal = starts_and_goals(config.episodes, np.random.default_rng([2, episodes]))
        fit = replace(config.family.fit, seed=trial.seed)
        scores, family = {}, None
        for name in methods:
            seconds, took = 0.0, None
            if name == ORACLE:
                planner = _expert_planner(config)
            else:
                if family is None:
                    windows = whole_windows(*drives(config, np.random.default_rng(1)))
                    family = Family(windows, replace(config.family, fit=fit))
                seconds = family.train(ROWS[name])
                planner = make_planner(family, config, name, trial.seed)
                if not trial.quick:
                    took = step_ms(lambda planner=planner: planner(state[:1], goal[:1]), calls=10)
            outcomes = execute(planner, state, goal)
            measures = {metric: Measure(values) for metric, values in outcomes.items()}
            scores[name] = Score(measures, seconds, took)
        return scores


def make_planner(family: Family, config: CarMazeConfig, name: str, seed: int) -> Planner:
    """Plans of a row, one or the best of several."""
    generator = torch.Generator().manual_seed(seed)
    K, temperature = 1, config.temperature
    if name in RANKED:
        K, temperature = config.candidates, config.ranked_temperature
    sampling = Sampling(config.denoising_steps, temperature=temperature)

    def plan(state: Array, goal: Array) -> tuple[Array, Array]:
        asked = (torch.from_numpy(a).float() for a in (features(state), goal))
        asked = (a.repeat_interleave(K, dim=0) for a in asked)
        plans = family.plan(ROWS[name], *asked, generator, sampling)
        states, actions = (p.unflatten(0, (-1, K)).double().numpy() for p in plans)
        end = np.linalg.norm(states[:, :, -1, :2] - goal[:, None], axis=-1)
        rows, best = np.arange(len(state)), end.argmin(axis=1)
        return states[rows, best], actions[rows, best]

    return plan


def _expert_planner(config: CarMazeConfig) -> Planner:
    def plan(state: Array, goal: Array) -> tuple[Array, Array]:
        states, actions = Expert().drive(state, u_shaped(state, goal, config.horizon))
        return states[:, 1:], actions

    return plan


PROBLEM = CarMaze()
