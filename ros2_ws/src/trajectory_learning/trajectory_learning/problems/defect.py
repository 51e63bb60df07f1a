"""A defect, and fine-tuning on a little data of the defective robot: cf. Table 3 of MPDiffuser.

The paper limits one ankle of a walker. Here it is the car of the U-maze, a smaller system: planners
are trained on the sound car, then both of its motors give 70 % of what they are told. Plans are
executed open loop, so that a plan reaches its goal only if its actions are those of the car as it
is; no feedback makes up for them. Each method is tested on the sound car, on the defective one as
it is, and on the defective one after some of its networks were trained further on 100 drives there.

What is fine-tuned is the dynamics alone where a method has a model of it: the dynamics model of
MPDiffuser, the forward model of tracking, the inverse dynamics of Decision Diffuser. The others
have one network, and that is fine-tuned. All have the same drives and as many optimiser steps a
network; a row that trains two networks says so.

The drives are one of two kinds. Random ones have actions as the random part of the training data
has them. "Its own" are plans of the planner, executed by the defective car, as in the paper: they
miss their goals, and the task of a drive is where it did end.

**Source**: "Model-based diffusion sampling for predictive control in offline decision making", Sec.
4.1, Table 3; the protocol is that of G. Zhou et al., "Diffusion model predictive control", 2025.

Letters: ``n`` drives, ``E`` episodes, ``H`` samples of a window.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from trajectory_learning.benchmarks.interface import Measure, Paths, Row, Score, Trial
from trajectory_learning.methods.diffusion_family import Family, Windows
from trajectory_learning.methods.diffusion_training import FitConfig
from trajectory_learning.problems import car_maze
from trajectory_learning.problems.car_maze import (
    SUCCESS_M,
    Array,
    CarMazeConfig,
    Planner,
    starts_and_goals,
    u_shaped,
)
from trajectory_learning.problems.car_maze_expert import ACTION_LIMIT, Expert, rollout

RANDOM, OWN = "random drives", "its own drives"

SOUND, DEFECTIVE, TUNED = "before the defect", "after it", "fine-tuned"
SUCCESS, DISTANCE, DEVIATION = "success [%]", "end to goal [m]", "states imagined to realised [m]"
PATH = "path"


@dataclass(frozen=True)
class DefectConfig:
    """Sizes.

    Attributes:
        car: Data, networks, training and episodes.
        gain: Share of an action that the motors of the defective car give.
        drives: Drives of the defective car.
        tuning: Further training of each network.
    """

    car: CarMazeConfig = CarMazeConfig()  # noqa: RUF009, frozen
    gain: float = 0.7
    drives: int = 100
    tuning: FitConfig = FitConfig(steps=500, learning_rate=5e-4)  # noqa: RUF009, frozen


QUICK = DefectConfig(car_maze.QUICK, drives=8, tuning=FitConfig(steps=10))

ROWS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "behaviour cloning": ("behaviour cloning", ("cloning",)),
    "Diffuser": ("Diffuser", ("diffuser",)),
    "Decision Diffuser": ("Decision Diffuser", ("inverse",)),
    "Decision Diffuser, both networks tuned": ("Decision Diffuser", ("states", "inverse")),
    "planner": ("planner", ("planner",)),
    "planner, twice the training": ("planner, twice the training", ("longer_planner",)),
    "MPDiffuser as printed": ("MPDiffuser as printed", ("dynamics",)),
    "MPDiffuser joint": ("MPDiffuser joint", ("dynamics",)),
    "MPDiffuser joint, both networks tuned": ("MPDiffuser joint", ("planner", "dynamics")),
    "MPDiffuser tracked": ("MPDiffuser tracked", ("forward",)),
}
"""Row of `car_maze.ROWS`, and the networks that are fine-tuned."""

CEILING = "controller's actions over the gain (not learned)"


def drive(state: Array, actions: Array, gain: float) -> Array:
    """(n, 5), (n, H, 2) commanded -> (n, H, 5) states of a car whose motors have a gain."""
    return rollout(state, gain * np.clip(actions, -ACTION_LIMIT, ACTION_LIMIT))


def drives(state: Array, actions: Array, gain: float) -> Windows:
    """Drives (n, 5), (n, H, 2) as data: actions as commanded, states as they became."""
    following = drive(state, actions, gain)
    commanded = np.clip(actions, -ACTION_LIMIT, ACTION_LIMIT)
    parts = (state, following[:, -1, :2], following, commanded)
    return Windows(*(torch.from_numpy(part).float() for part in parts))


def random_actions(n: int, horizon: int, rng: np.random.Generator) -> Array:
    """(n, H, 2) that last a second each, as in the data of the sound car."""
    held = rng.uniform(-1.0, 1.0, (n, -(-horizon // 4), 2)) * ACTION_LIMIT / 2
    return np.repeat(held, 4, axis=1)[:, :horizon]


def execute(planner: Planner, state: Array, goal: Array, gain: float) -> Mapping[str, Array]:
    """Execute plans open loop in a car with a gain; (E,) of each metric, (E, H, 2) of the path."""
    imagined, actions = planner(state, goal)
    realised = drive(state, actions, gain)
    end = np.linalg.norm(realised[:, -1, :2] - goal, axis=-1)
    apart = np.linalg.norm(realised[..., :2] - imagined[..., :2], axis=-1)
    return {
        SUCCESS: 100.0 * (end < SUCCESS_M),
        DISTANCE: end,
        DEVIATION: apart.mean(axis=1),
        PATH: realised[..., :2],
    }


@functools.cache
def sound_family(config: DefectConfig, seed: int) -> Family:
    """The methods on the sound car: one object, so that both kinds of drives share its training."""
    windows = car_maze.drives(config.car, np.random.default_rng(1))
    fitting = replace(config.car.family.fit, seed=seed)
    return Family(windows, replace(config.car.family, fit=fitting))


def drives_of_the_defective_car(kind: str, family: Family, config: DefectConfig) -> Windows:
    """What methods are fine-tuned on, the same for all of them."""
    rng = np.random.default_rng(3)
    state, goal = starts_and_goals(config.drives, rng)
    if kind == RANDOM:
        actions = random_actions(config.drives, config.car.horizon, rng)
    else:
        family.train("planner")
        _, actions = car_maze.make_planner(family, config.car, "planner", seed=3)(state, goal)
    return drives(state, actions, config.gain)


class Defect:
    """The benchmark problem; see the module."""

    name = "defect"
    title = "A car with weak motors, and fine-tuning on 100 of its drives (cf. MPDiffuser, Table 3)"

    def settings(self) -> Sequence[str]:
        """See `Problem.settings`: what the drives of the defective car are."""
        return (RANDOM, OWN)

    def rows(self, setting: str) -> Sequence[Row]:
        """See `Problem.rows`."""
        return [*(Row(name, "all", seeded=True) for name in ROWS), Row(CEILING)]

    def configuration(self, quick: bool) -> Mapping[str, Any]:
        """See `Problem.configuration`."""
        return asdict(QUICK if quick else DefectConfig())

    def run(self, methods: Sequence[str], trial: Trial) -> Mapping[str, Score]:
        """See `Problem.run`."""
        config = QUICK if trial.quick else DefectConfig()
        episodes = 0 if trial.episode_seed is None else trial.episode_seed
        state, goal = starts_and_goals(config.car.episodes, np.random.default_rng([2, episodes]))
        if tuple(methods) == (CEILING,):
            return {CEILING: _ceiling(config, state, goal)}
        family = sound_family(config, trial.seed)
        data = drives_of_the_defective_car(trial.setting, family, config)
        scores = {}
        for name in methods:
            base, parts = ROWS[name]
            seconds = family.train(car_maze.ROWS[base])
            tuned = family.fine_tuned(parts, data, replace(config.tuning, seed=trial.seed))
            outcomes = {}
            for when, of, gain in (
                (TUNED, tuned, config.gain),
                (DEFECTIVE, family, config.gain),
                (SOUND, family, 1.0),
            ):
                planner = car_maze.make_planner(of, config.car, base, trial.seed)
                outcomes[when] = execute(planner, state, goal, gain)
            seconds += sum(tuned.train_cpu_s[part] for part in parts)
            shown = family.windows.states[: config.car.expert, :, :2].numpy()
            paths = Paths.thinned(shown, outcomes[TUNED][PATH])
            scores[name] = replace(_score(outcomes, seconds), paths=paths)
        return scores


def _ceiling(config: DefectConfig, state: Array, goal: Array) -> Score:
    """What the controller would do if it knew the defect, as far as the motors' limits let it."""

    def planner(state: Array, goal: Array) -> tuple[Array, Array]:
        states, actions = Expert().drive(state, u_shaped(state, goal, config.car.horizon))
        return states[:, 1:], actions / config.gain

    return _score({TUNED: execute(planner, state, goal, config.gain)}, 0.0)


def _score(outcomes: Mapping[str, Mapping[str, Array]], seconds: float) -> Score:
    """Metrics in the order of the table: all successes, then all distances, then deviations."""
    measures = {
        f"{metric}, {when}": Measure(outcomes[when][metric])
        for metric in (SUCCESS, DISTANCE, DEVIATION)
        for when in outcomes
    }
    return Score(measures, seconds)


PROBLEM = Defect()
