"""Walking at a commanded velocity: Table 7 of MPDiffuser.

Returns are relative to the mean of the data, costs to the budget of an episode. Every row is asked
for the same: the command, the best second that one in ten of the data had, and no cost. All
networks of windows take the same number of steps of training, and all of single steps take theirs.

The data are made beforehand, by ``python -m trajectory_learning.problems.go2 policy`` and ``data``.

**Source**: MPDiffuser, Sec. 4.4, Table 7 and App. O.

Letters: ``n`` robots, ``E`` episodes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from planner_core import dataset_file
from planner_core.dataset_file import METADATA_NAME, StoredEpisode
from planner_core.errors import DatasetFileError
from torch import Tensor
from trajectory_learning.benchmarks.interface import Measure, Row, Score, Trial
from trajectory_learning.benchmarks.step_time import step_ms
from trajectory_learning.methods.diffusion_family import Family, FamilyConfig, Sampling, Windows
from trajectory_learning.methods.diffusion_training import FitConfig
from trajectory_learning.methods.ppo import Policy
from trajectory_learning.problems.go2.data import DataConfig, cut_windows, figures, make_data
from trajectory_learning.problems.go2.evaluation import Planner, Walks, standing, walk
from trajectory_learning.problems.go2.planners import (
    HORIZON,
    METHODS,
    SAMPLING,
    WalkingPlanner,
)
from trajectory_learning.problems.go2.task import ACTION, BUDGET, OBSERVATION

Array = NDArray[np.float64]

DATA: Final = Path("reports/go2/data")
"""Where the data are."""
RETURN, COST = "return [% of the data]", "cost [budgets]"
FALLS, ERROR = "falls [%]", "velocity error [m/s]"
PAPER: Final = {
    "Diffuser": {RETURN: 74.7, COST: 1.54},
    "Decision Diffuser": {RETURN: 84.9, COST: 1.58},
    "planner": {RETURN: 94.7, COST: 1.05},
    "MPDiffuser as printed": {RETURN: 94.8, COST: 0.91},
}


@dataclass(frozen=True)
class TableConfig:
    """Sizes.

    Attributes:
        episodes: ``E``.
        robots: Walk at a time.
        steps: Of an episode.
        stride: Steps between the beginnings of windows.
        sampling: How plans are drawn.
        family: Networks and their training.
    """

    episodes: int = 1000
    robots: int = 250
    steps: int = 250
    stride: int = 5
    sampling: Sampling = SAMPLING
    family: FamilyConfig = FamilyConfig(  # noqa: RUF009, frozen
        width=192,
        blocks=3,
        levels=10,
        fit=FitConfig(steps=3000, learning_rate=2e-3),
        single_steps=FitConfig(steps=10_000, batch=1024, learning_rate=2e-3),
        forward_width=128,
    )


QUICK: Final = TableConfig(
    episodes=4, robots=4, steps=24, stride=4,
    family=FamilyConfig(width=32, blocks=1, levels=10, fit=FitConfig(steps=20)),
)  # fmt: skip


def wanted(windows: Windows) -> Tensor:
    """(2,) reward and cost to ask for: the best tenth of the data, and none."""
    return torch.tensor([float(np.quantile(windows.task[:, 3].numpy(), 0.9)), 0.0])


def asking(family: Family, method: str, sampling: Sampling, outcome: Tensor, seed: int) -> Planner:
    """A planner, with nothing planned before, that is asked for an outcome (2,) and the command."""
    planner = WalkingPlanner(family, method, sampling, seed)

    def plan(state: Array, command: Array) -> Array:
        told = np.tile(outcome.double().numpy(), (len(state), 1))
        return planner(state, np.concatenate([command, told], axis=1))

    return plan


def episodes_of(config: TableConfig, make: Callable[[int], Planner], seed: int) -> Walks:
    """``E`` walks, in batches of different robots; the same robots for every planner.

    Args:
        config: Sizes.
        make: From the number of a batch to its planner.
        seed: Of the robots.
    """
    batches = [
        walk(make(batch), standing(config.robots, 1000 * seed + batch), config.steps)
        for batch in range(config.episodes // config.robots)
    ]
    fields = ("returns", "costs", "fell", "command", "velocity")
    return Walks(*(np.concatenate([getattr(b, f) for b in batches]) for f in fields))


def load_episodes(quick: bool) -> Sequence[StoredEpisode]:
    """The data; for a quick run, a few walks of a policy that leaves the trot as it is."""
    if quick:
        torch.manual_seed(0)
        policy = Policy(OBSERVATION, ACTION, width=16, noise=0.1).eval()
        return make_data([policy], DataConfig(rollouts=8, steps=80, robots=8))
    try:
        return dataset_file.load(DATA).episodes
    except DatasetFileError as error:
        raise DatasetFileError(
            "data of the benchmark go2", got=error,
            remedy="Make them: python -m trajectory_learning.problems.go2 policy, then data.",
        ) from error  # fmt: skip


class Go2Walking:
    """The benchmark problem; see the module."""

    name = "go2"
    title = "Go2 at a commanded velocity (MPDiffuser, Table 7)"

    def settings(self) -> Sequence[str]:
        """See `Problem.settings`."""
        return ["simulation"]

    def rows(self, setting: str) -> Sequence[Row]:
        """See `Problem.rows`."""
        alone = ("Diffuser", "Decision Diffuser", "behaviour cloning")
        return [
            Row(
                name,
                "" if name in alone else "mpdiffuser",
                PAPER.get(name, {}),
                name != "MPDiffuser as printed",
            )
            for name in METHODS
        ]

    def configuration(self, quick: bool) -> Mapping[str, Any]:
        """See `Problem.configuration`."""
        if quick:
            return asdict(QUICK)
        file = DATA / METADATA_NAME
        digest = json.loads(file.read_text())["sha256"] if file.exists() else ""
        return {**asdict(TableConfig()), "data_sha256": digest}

    def run(self, methods: Sequence[str], trial: Trial) -> Mapping[str, Score]:
        """See `Problem.run`."""
        config = QUICK if trial.quick else TableConfig()
        data = load_episodes(trial.quick)
        windows = cut_windows(data, HORIZON, config.stride)
        fit = replace(config.family.fit, seed=trial.seed)
        family = Family(windows, replace(config.family, fit=fit))
        outcome, average = wanted(windows), figures(data)["return"]
        seed = 0 if trial.episode_seed is None else trial.episode_seed
        scores = {}
        for row in methods:
            seconds = family.train(METHODS[row])

            def make(batch: int, row: str = row) -> Planner:
                noise = 1000 * trial.seed + batch
                return asking(family, METHODS[row], config.sampling, outcome, noise)

            walks = episodes_of(config, make, seed)
            took = None
            if not trial.quick:
                state, command = windows.state[:1].double().numpy(), np.zeros((1, 3))
                took = step_ms(partial(make(0), state, command))
            scores[row] = Score(
                {
                    RETURN: Measure(100.0 * walks.returns / average),
                    COST: Measure(walks.costs / BUDGET),
                    FALLS: Measure(100.0 * walks.fell),
                    ERROR: Measure(walks.velocity_error()),
                },
                seconds, took,
            )  # fmt: skip
        return scores


PROBLEM = Go2Walking()
