"""PointMaze (Keyed Drifting Policies, Tables III and IV): one-step planners against a Diffuser.

A plan of 32 steps is made from the present state and the goal, its first eight actions are
executed, and the next is made. The figure is the return over that of the controller that made the
data, in the same test episodes: the steps of an episode that are spent at the goal (sparse), and
the sum of exp(-distance) (dense), both as gymnasium-robotics rewards them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from planner_core.dataset_file import StoredEpisode
from trajectory_learning.benchmarks.interface import Measure, Paths, Row, Score, Trial
from trajectory_learning.benchmarks.step_time import step_ms
from trajectory_learning.benchmarks.training import Budget
from trajectory_learning.methods import (
    BehaviourCloning,
    EnergyScore,
    GroupedDrift,
    KeyedDrift,
    Method,
)
from trajectory_learning.problems.point_maze_data import (
    EPISODE_STEPS,
    GOAL_RADIUS_M,
    Array,
    Controller,
    Maze,
    PointMazeConfig,
    collect,
    stored,
)
from trajectory_learning.problems.point_maze_planner import (
    Judge,
    Planner,
    Windows,
    cut_windows,
    train_diffuser,
    train_generator,
    train_judge,
)

CLONING, DIFFUSER = "behaviour cloning", "Diffuser"
PRINTED = "Algorithm 1 as printed"
METHODS: dict[str, Method | None] = {
    CLONING: BehaviourCloning(),
    "energy score": EnergyScore(2),
    "grouped keyed drift": GroupedDrift(8),
    DIFFUSER: None,
    PRINTED: KeyedDrift(normalise=False),
    "Algorithm 1, drift normalised": KeyedDrift(),
    "no keying": KeyedDrift(keyed=False),
    "self-negatives included": KeyedDrift(mask_self=False),
    "attraction only": KeyedDrift(repulsion=False),
    "single temperature": KeyedDrift(temperatures=(1.0,)),
}
"""What is trained; the last five are the full method of Table IV and its ablations."""
ABLATIONS = tuple(METHODS)[5:]
SEEDED = (CLONING, "energy score", DIFFUSER)
ONE, VALUE, FEASIBLE = "one sample", "ranked by value", "ranked by value and feasibility"
CANDIDATES = 16
SHORTEST = "shortest route, without noise (not learned)"
EXECUTED = 8


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        data_steps: Steps of the data set.
        training: Of every model.
        judging: Of value and dynamics, which all rankings share.
        episodes: Test episodes.
        episode_steps: Steps of each; None: as in D4RL.
    """

    data_steps: int = 1_000_000
    training: Budget = Budget(seconds=120.0)  # noqa: RUF009, frozen
    judging: Budget = Budget(seconds=40.0)  # noqa: RUF009, frozen
    episodes: int = 100
    episode_steps: int | None = None


FULL = Settings()
QUICK = Settings(2_000, Budget(steps=10), Budget(steps=10), 2, 24)


class PointMaze:
    """See the module."""

    name = "point_maze"
    title = "PointMaze: return over that of the data's controller (cf. Tables III and IV)"

    def settings(self) -> Sequence[str]:
        """See `Problem.settings`."""
        return tuple(EPISODE_STEPS)

    def rows(self, setting: str) -> Sequence[Row]:
        """See `Problem.rows`."""
        rows = [Row(SHORTEST)]
        for model in METHODS:
            if model in ABLATIONS and setting != "Large":
                continue
            rows += [
                Row(_name(model, ranking), model, seeded=model in SEEDED and setting == "Large")
                for ranking in _rankings(model)
            ]
        return rows

    def configuration(self, quick: bool) -> Mapping[str, Any]:
        """See `Problem.configuration`."""
        return {
            **asdict(QUICK if quick else FULL),
            "candidates": CANDIDATES,
            "executed": EXECUTED,
            "methods": {name: repr(method) for name, method in METHODS.items()},
        }

    def run(self, methods: Sequence[str], trial: Trial) -> Mapping[str, Score]:
        """See `Problem.run`."""
        settings = QUICK if trial.quick else FULL
        maze, windows, judge, judged_s = _prepared(trial.setting, settings)
        test = TestEpisodes.draw(maze, trial.episode_seed, settings)
        if SHORTEST in methods:
            return {SHORTEST: test.score(test.controlled(noisy=False))}
        model = next(name for name in METHODS if methods[0].startswith(f"{name}, "))
        method = METHODS[model]
        if method is None:
            trained, seconds = train_diffuser(windows, settings.training, trial.seed)
        else:
            trained, seconds = train_generator(windows, method, settings.training, trial.seed)
        scores = {}
        for ranking in _rankings(model):
            if _name(model, ranking) not in methods:
                continue
            planner = Planner(
                trained,
                judge,
                candidates=1 if ranking == ONE else CANDIDATES,
                stochastic=method is None or method.stochastic,
                feasibility=ranking == FEASIBLE,
                seed=trial.seed,
            )
            present = torch.cat([torch.zeros(1, 4), torch.ones(1, 2)], dim=1)
            step = functools.partial(planner, present, EXECUTED)
            scores[_name(model, ranking)] = replace(
                test.score(test.planned(planner)),
                train_cpu_s=seconds + (0.0 if ranking == ONE else judged_s),
                step_ms_p50=None if trial.quick else step_ms(step),
            )
        return scores


def stored_episodes(maze: str, quick: bool = False) -> list[StoredEpisode]:
    """The data of a setting, as they are kept."""
    return stored(collect(PointMazeConfig(maze, (QUICK if quick else FULL).data_steps)))


def _name(model: str, ranking: str) -> str:
    return f"{model}, {ranking}"


def _rankings(model: str) -> tuple[str, ...]:
    if model == CLONING:
        return (ONE,)
    return (ONE, VALUE) if model in ABLATIONS else (ONE, VALUE, FEASIBLE)


@functools.cache
def _prepared(setting: str, settings: Settings) -> tuple[Maze, Windows, Judge, float]:
    """The maze, the data, and what ranks: the same for every row and seed."""
    maze = Maze(setting)
    windows = cut_windows(collect(PointMazeConfig(setting, settings.data_steps)))
    judge, seconds = train_judge(windows, maze, settings.judging, seed=0)
    return maze, windows, judge, seconds


@dataclass(frozen=True, eq=False)
class TestEpisodes:
    """Starts and goals that no data set has, and what the data's controller achieves there.

    Attributes:
        maze: Where.
        start: (E, 4) states at rest.
        goal: (E, 2) [m].
        steps: Of an episode.
        seed: Of the controller's routes and noise.
    """

    __test__ = False

    maze: Maze
    start: Array
    goal: Array
    steps: int
    seed: int

    @classmethod
    def draw(cls, maze: Maze, seed: int | None, settings: Settings) -> TestEpisodes:
        """Draw them."""
        seed = 10_000 + (seed or 0)
        start, goal = maze.draw_tasks(settings.episodes, np.random.default_rng(seed))
        return cls(maze, start, goal, settings.episode_steps or maze.episode_steps, seed)

    def controlled(self, noisy: bool = True) -> Array:
        """(E, T, 2) where the controller goes [m]."""
        rng = np.random.default_rng([self.seed, 1])
        controller = Controller(self.maze, self.start, self.goal, rng, noisy)
        return self._driven(lambda state: controller(state)[:, None])

    def planned(self, planner: Planner) -> Array:
        """(E, T, 2) where a planner goes [m]."""
        goal = torch.from_numpy(self.goal.astype(np.float32))

        def actions(state: Array) -> Array:
            present = torch.from_numpy(state.astype(np.float32))
            return planner(torch.cat([present, goal], dim=1), EXECUTED).numpy()

        return self._driven(actions)

    def score(self, track: Array) -> Score:
        """The score of a track (E, T, 2)."""
        mine, reference = self._returns(track), self._reference
        return Score(
            {
                "sparse return over the controller's": Measure(mine["sparse"], reference["sparse"]),
                "dense return over the controller's": Measure(mine["dense"], reference["dense"]),
                "share that arrives": Measure((mine["sparse"] > 0).astype(float)),
            },
            paths=Paths.thinned(self._controlled, track),
        )

    @functools.cached_property
    def _reference(self) -> dict[str, NDArray[np.float64]]:
        return self._returns(self._controlled)

    @functools.cached_property
    def _controlled(self) -> Array:
        return self.controlled()

    def _returns(self, track: Array) -> dict[str, NDArray[np.float64]]:
        apart = np.linalg.norm(track - self.goal[:, None], axis=-1)
        inside = (apart <= GOAL_RADIUS_M).sum(axis=1).astype(float)
        return {"sparse": inside, "dense": np.exp(-apart).sum(axis=1)}

    def _driven(self, actions: Any) -> Array:
        state, track = self.start, []
        while len(track) < self.steps:
            for action in np.moveaxis(actions(state), 1, 0):
                state = self.maze.step(state, action)
                track.append(state[:, :2])
        return np.stack(track[: self.steps], axis=1)


PROBLEM = PointMaze()
