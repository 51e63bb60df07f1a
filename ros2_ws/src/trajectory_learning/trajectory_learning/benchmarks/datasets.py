"""The data sets of the benchmark problems as Minari data sets, with how they were made.

A benchmark makes its data anew from a fixed seed; what is written here are the same numbers, for
other programs to train on. `planner_core.dataset_file` reads them back, and so does ``minari``.

Letters: ``N`` trajectories, ``T`` steps of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from planner_core.dataset_file import Dataset, StoredEpisode
from planner_core.errors import ConfigurationError, UnknownPluginError
from trajectory_learning import __version__
from trajectory_learning.benchmarks import load_problem

Array = NDArray[np.float64]
Trajectories = tuple[Array, Array, Array, Mapping[str, Array]]
"""(N, T + 1, n_x) states, (N, T, n_u) actions, (N, T) rewards, and (N, ...) arrays by name that
belong to whole trajectories."""


def make(problem: str, setting: str, quick: bool, command: str) -> Dataset:
    """The data set of a setting of a problem.

    Args:
        problem: One of `NAMES`.
        setting: One of the problem's settings; empty for its first.
        quick: A small one.
        command: Command that makes it.

    Raises:
        UnknownPluginError: The problem has no data set, or does not exist.
        ConfigurationError: The problem has no such setting.
    """
    if problem not in NAMES:
        raise UnknownPluginError(
            "unknown data set", got=problem, expected=f"one of {', '.join(NAMES)}"
        )
    known = load_problem(problem)
    setting = setting or known.settings()[0]
    if setting not in known.settings():
        raise ConfigurationError(
            f"unknown setting of benchmark {problem}", got=setting,
            expected=f"one of {'; '.join(known.settings())}",
        )  # fmt: skip
    provenance = {
        "command": command,
        "version": __version__,
        "problem": problem,
        "setting": setting,
        "configuration": dict(known.configuration(quick)),
    }
    name = f"driftpilot/{problem}-v0"
    if problem == "point_maze":
        from trajectory_learning.problems import point_maze

        return Dataset(name, point_maze.stored_episodes(setting, quick), provenance)
    states, actions, rewards, constant = GENERATORS[problem](setting, quick)
    last = np.arange(actions.shape[1]) == actions.shape[1] - 1
    episodes = [
        StoredEpisode(
            {
                "observations": states[i],
                "actions": actions[i],
                "rewards": rewards[i],
                "terminations": np.zeros_like(last),
                "truncations": last,
                **{f"infos/{name}": values[i] for name, values in constant.items()},
            }
        )
        for i in range(len(states))
    ]
    return Dataset(name, episodes, provenance)


def _mass_spring(setting: str, quick: bool) -> Trajectories:
    from trajectory_learning.problems.mass_spring import SETTINGS
    from trajectory_learning.problems.mass_spring_data import TRAJECTORIES, collect

    one = SETTINGS[setting]
    driven = collect(one.plant, one.horizon, 40 if quick else TRAJECTORIES)
    # The cost's weights differ from one test episode to the next: the data have no reward.
    return driven.states, driven.forces[..., None], np.zeros(driven.forces.shape), {}


def _linear_system(setting: str, quick: bool) -> Trajectories:
    from trajectory_learning.problems.linear_system import QUICK, LinearConfig, data, stage_cost

    states, actions, measured = data(QUICK if quick else LinearConfig(), setting)
    return measured, actions, -stage_cost(states[:, :-1], actions), {}


def _pendulum(setting: str, quick: bool) -> Trajectories:
    from trajectory_learning.problems import pendulum

    config = pendulum.QUICK if quick else pendulum.PendulumConfig()
    safe = pendulum.Controller(config.grid, pendulum.SPEED_LIMIT)
    states, actions = pendulum.trajectories(config, safe)
    rewards = pendulum.reward(states[:, :-1, 0], states[:, :-1, 1], actions[..., 0])
    return states, actions, rewards, {}


def _car_maze(setting: str, quick: bool) -> Trajectories:
    from trajectory_learning.problems.car_maze import QUICK, CarMazeConfig, drives

    config = QUICK if quick else CarMazeConfig()
    states, actions = drives(config, np.random.default_rng(1))
    return states, actions, np.zeros(actions.shape[:2]), {"goal": states[:, -1, :2]}


GENERATORS: dict[str, Callable[[str, bool], Trajectories]] = {
    "car_maze": _car_maze,
    "linear_system": _linear_system,
    "mass_spring": _mass_spring,
    "pendulum": _pendulum,
}
NAMES = (*sorted([*GENERATORS, "point_maze"]),)
"""Problems that have a data set. The two ways round are drawn anew in every training step."""
