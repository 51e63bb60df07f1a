"""FetchPickAndPlace: what random data are worth to a dynamics model (MPDiffuser, Table 2).

An arm brings a block to a place on the table or above it. Planners learn from demonstrations of a
script; dynamics models learn from these, or from these and twice as many trajectories of random
actions, which seldom touch the block. Half of a window of 16 actions is executed, then the next is
made. Success is a block that ends within 5 cm of its goal, after 50 steps.

Sizes are a third of the paper's, and training is short. Plans are sampled at alpha = 0, near their
mean; among plans that are all alike nothing can be ranked, so that ranked rows are sampled at 0.25.

The paper plans 32 steps ahead, and tunes alpha for each task; it gives no chunk and no number of
episodes, and its demonstrations are not public. The script here succeeds in nearly
every episode and needs twenty steps for it, so that plans have 16. How a block is turned is not
among our states.

**Source**: "Model-based diffusion sampling for predictive control in offline decision making", Sec.
4.1, Table 2 and Figure 4.

Letters: ``E`` episodes, ``K`` candidates, ``H`` samples of a window.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from trajectory_learning.benchmarks.interface import Measure, Row, Score, Trial
from trajectory_learning.benchmarks.step_time import step_ms
from trajectory_learning.methods.diffusion_family import Family, FamilyConfig, Sampling
from trajectory_learning.methods.diffusion_training import FitConfig
from trajectory_learning.problems.fetch_data import (
    BLOCK,
    Array,
    Trajectories,
    cut_windows,
    demonstrations,
    joined,
    random_trajectories,
    run,
    script,
    success,
)

SUCCESS, DEVIATION = "success [%]", "block imagined to realised [m]"


@dataclass(frozen=True)
class FetchConfig:
    """Sizes.

    Attributes:
        demonstrations: Trajectories of the script.
        noise: Deviation of the noise in them, in units of an action.
        random: Trajectories of random actions, where dynamics models have them.
        horizon: ``H``.
        chunk: Actions executed of a window.
        episodes: ``E``.
        candidates: ``K`` of the ranked rows.
        denoising_steps: DDIM steps.
        ranked_temperature: alpha of ranked rows; it is 0 in the others.
        family: Networks and their training.
    """

    demonstrations: int = 300
    noise: float = 0.1
    random: int = 600
    horizon: int = 16
    chunk: int = 8
    episodes: int = 50
    candidates: int = 16
    denoising_steps: int = 10
    ranked_temperature: float = 0.25
    family: FamilyConfig = FamilyConfig(  # noqa: RUF009, frozen
        width=128,
        blocks=2,
        prediction="v",
        fit=FitConfig(steps=2000, batch=128, learning_rate=2e-3),
    )


QUICK = FetchConfig(
    demonstrations=3,
    random=3,
    episodes=2,
    candidates=2,
    denoising_steps=2,
    family=FamilyConfig(width=32, blocks=1, levels=10, fit=FitConfig(steps=10)),
)

ALONE, RANDOM = "demonstrations alone", "and random trajectories"
"""Settings: what dynamics models learn from."""

ROWS: Mapping[str, tuple[str, bool]] = {
    "behaviour cloning": ("behaviour_cloning", False),
    "Diffuser": ("diffuser", False),
    "Decision Diffuser": ("decision_diffuser", False),
    "planner": ("planner", False),
    "planner, twice the training": ("longer_planner", False),
    "planner, twice the training + rank": ("longer_planner", True),
    "post-hoc filter": ("post_hoc_filter", True),
    "MPDiffuser as printed": ("alternating", False),
    "MPDiffuser as printed + rank": ("alternating", True),
    "MPDiffuser joint": ("joint", False),
    "MPDiffuser joint + rank": ("joint", True),
    "MPDiffuser tracked": ("tracked", False),
    "MPDiffuser tracked + rank": ("tracked", True),
}
"""Method of the family, and whether it chooses among candidates the one that imagines the block
nearest to its goal at the end of the window."""

PAPER = {
    ALONE: {"post-hoc filter": 60.0, "MPDiffuser as printed + rank": 75.0},
    RANDOM: {"post-hoc filter": 68.0, "MPDiffuser as printed + rank": 81.0},
}
"""Table 2, success [%], 0 and 2000 random trajectories beside 1000 demonstrations; there MPDiffuser
ranks."""

WITHOUT_DYNAMICS = (
    "behaviour cloning", "Diffuser", "Decision Diffuser", "planner, twice the training",
    "planner, twice the training + rank",
)  # fmt: skip
"""Rows that random trajectories do not change."""

SCRIPT = "script (not learned)"


class Pilot:
    """A policy that plans, and executes part of each plan.

    Args:
        family: Trained.
        config: Sizes.
        method: Of the family.
        ranked: See `ROWS`.
        seed: Of the samples.
    """

    def __init__(
        self, family: Family, config: FetchConfig, method: str, ranked: bool, seed: int
    ) -> None:
        self._family, self._config, self._method = family, config, method
        self._candidates = config.candidates if ranked else 1
        temperature = config.ranked_temperature if ranked else 0.0
        self._sampling = Sampling(config.denoising_steps, temperature=temperature)
        self._generator = torch.Generator().manual_seed(seed)
        self._states, self._actions = np.empty(0), np.empty(0)
        self.imagined: list[Array] = []
        """(E, 19) states that each executed action was to lead to, by step."""

    def __call__(self, state: Array, goal: Array, step: int) -> Array:
        """See `fetch_data.Policy`."""
        t = step % self._config.chunk
        if t == 0:
            self._states, self._actions = self.plan(state, goal)
        self.imagined.append(self._states[:, t])
        return self._actions[:, t]

    def plan(self, state: Array, goal: Array) -> tuple[Array, Array]:
        """(E, 19), (E, 3) -> (E, H, 19) states that follow, (E, H, 4) actions."""
        K = self._candidates
        asked = (torch.from_numpy(a).float().repeat_interleave(K, dim=0) for a in (state, goal))
        plans = self._family.plan(self._method, *asked, self._generator, self._sampling)
        states, actions = (p.unflatten(0, (-1, K)).double().numpy() for p in plans)
        end = np.linalg.norm(states[:, :, -1, BLOCK] - goal[:, None], axis=-1)
        rows, best = np.arange(len(state)), end.argmin(axis=1)
        return states[rows, best], actions[rows, best]


class Fetch:
    """The benchmark problem; see the module."""

    name = "fetch"
    title = "FetchPickAndPlace: random data for the dynamics model (MPDiffuser, Table 2)"

    def settings(self) -> Sequence[str]:
        """See `Problem.settings`."""
        return (ALONE, RANDOM)

    def rows(self, setting: str) -> Sequence[Row]:
        """See `Problem.rows`."""
        rows = [
            Row(name, "all", {SUCCESS: PAPER[setting][name]} if name in PAPER[setting] else {})
            for name in ROWS
            if setting == ALONE or name not in WITHOUT_DYNAMICS
        ]
        return [*rows, Row(SCRIPT)] if setting == ALONE else rows

    def configuration(self, quick: bool) -> Mapping[str, Any]:
        """See `Problem.configuration`."""
        return asdict(QUICK if quick else FetchConfig())

    def run(self, methods: Sequence[str], trial: Trial) -> Mapping[str, Score]:
        """See `Problem.run`."""
        config = QUICK if trial.quick else FetchConfig()
        episodes = 0 if trial.episode_seed is None else trial.episode_seed
        # Those of the data are drawn from all of 31 bits.
        seeds = np.random.default_rng([2, episodes]).integers(2**31, size=config.episodes)
        if tuple(methods) == (SCRIPT,):
            made = run(lambda state, goal, step: script(state, goal), seeds)
            return {SCRIPT: Score({SUCCESS: Measure(100.0 * success(made.states, made.goals))})}
        family = make_family(config, trial)
        scores = {}
        for name in methods:
            method, ranked = ROWS[name]
            seconds, took = family.train(method), None
            pilot = Pilot(family, config, method, ranked, trial.seed)
            made = run(pilot, seeds)
            if not trial.quick:
                at_rest = made.states[:1, 0], made.goals[:1]
                took = step_ms(functools.partial(pilot.plan, *at_rest), calls=10)
            scores[name] = Score(measures(made, pilot.imagined), seconds, took)
        return scores


def measures(made: Trajectories, imagined: Sequence[Array]) -> Mapping[str, Measure]:
    """Success, and how far the block was from where the executed plans had it, on average."""
    apart = np.stack(imagined, axis=1)[..., BLOCK] - made.states[:, 1:, BLOCK]
    return {
        SUCCESS: Measure(100.0 * success(made.states, made.goals)),
        DEVIATION: Measure(np.linalg.norm(apart, axis=-1).mean(axis=1)),
    }


def make_family(config: FetchConfig, trial: Trial) -> Family:
    """Methods over the data of a setting."""
    shown = _demonstrations(config)
    windows, others = cut_windows(shown, config.horizon), None
    if trial.setting == RANDOM:
        both = joined([shown, random_trajectories(config.random, seed=2)])
        others = cut_windows(both, config.horizon)
    fitting = replace(config.family.fit, seed=trial.seed)
    return Family(windows, replace(config.family, fit=fitting), others)


@functools.cache
def _demonstrations(config: FetchConfig) -> Trajectories:
    return demonstrations(config.demonstrations, config.noise, seed=1)


PROBLEM = Fetch()
