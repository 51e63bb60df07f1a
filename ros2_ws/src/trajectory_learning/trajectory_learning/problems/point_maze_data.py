"""PointMaze: the mazes of gymnasium-robotics, and a controller of our own that makes the data.

The controller draws a route through the maze by random costs of the cells, so that where two routes
are about as long the data go both ways, and follows its waypoints with a PD law and noise.

Letters: ``N`` points at once, ``T`` steps, state (x, y [m], v_x, v_y [m/s]), action in [-1, 1]^2,
which is a force over 100 N.

**Source**: J. Fu et al., "D4RL: datasets for deep data-driven reinforcement learning", 2020,
Maze2D; gymnasium-robotics, ``PointMaze_UMaze-v3``, ``_Medium-v3`` and ``_Large-v3``.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray
from planner_core.dataset_file import Dataset, StoredEpisode
from planner_core.errors import DriftpilotError
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

Array = NDArray[np.float64]

GOAL_RADIUS_M = 0.45
MAX_SPEED_M_S = 5.0
PLACE_NOISE_M = 0.25
"""Starts and goals lie this far from the middle of a cell, as in gymnasium-robotics."""
EPISODE_STEPS = {"UMaze": 300, "Medium": 600, "Large": 800}
"""As ``max_episode_steps`` of D4RL's ``maze2d-umaze``, ``-medium`` and ``-large``."""
GAIN, DAMPING = 10.0, 1.0
REACH_M = 0.35
"""The error that the PD law sees is cut here; it sets the speed."""
PASSED_M = 0.35
ACTION_NOISE = 0.15
ROUTE_SPREAD = 0.4
"""Standard deviation of the logarithm of a cell's cost."""
AFTER_ARRIVAL = 40
"""Steps that an episode of the data goes on at its goal: staying there is to be learned too."""


@dataclass(frozen=True)
class PointMazeConfig:
    """What is driven for a data set.

    Attributes:
        maze: UMaze, Medium or Large.
        steps: Steps of all episodes together, about.
        seed: Seed of starts, goals, routes and noise.
    """

    maze: str = "Large"
    steps: int = 300_000
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Episodes:
    """Episodes of the controller.

    Attributes:
        states: By episode (T + 1, 4).
        actions: By episode (T, 2).
        goals: (E, 2) [m].
    """

    states: list[Array]
    actions: list[Array]
    goals: Array


class Maze:
    """Many points in one maze, each alone in it; stepped by gymnasium-robotics' own model.

    Args:
        name: UMaze, Medium or Large.

    Raises:
        DriftpilotError: gymnasium-robotics is not installed.
        ValueError: There is no such maze.
    """

    def __init__(self, name: str) -> None:
        if name not in EPISODE_STEPS:
            raise ValueError(f"maze {name!r}: one of {', '.join(EPISODE_STEPS)}")
        try:
            from gymnasium_robotics.envs.maze import maps
            from gymnasium_robotics.envs.maze.point_maze import PointMazeEnv
        except ImportError as error:
            raise DriftpilotError(
                "PointMaze needs gymnasium-robotics",
                got=error, remedy="pip install -r requirements/training.txt",
            ) from error  # fmt: skip
        grids = {"UMaze": maps.U_MAZE, "Medium": maps.MEDIUM_MAZE, "Large": maps.LARGE_MAZE}
        self.name = name
        self.environment = PointMazeEnv(grids[name])
        self.free = np.array(grids[name]) == 0
        self.cells = np.argwhere(self.free)
        self.centres = np.array(
            [self.environment.maze.cell_rowcol_to_xy(cell) for cell in self.cells]
        )
        self._index = np.full(self.free.shape, -1)
        self._index[tuple(self.cells.T)] = np.arange(len(self.cells))

    @property
    def episode_steps(self) -> int:
        """Steps of a test episode."""
        return EPISODE_STEPS[self.name]

    def step(self, state: Array, action: Array) -> Array:
        """(N, 4), (N, 2) -> (N, 4) the states 10 ms later, as `PointEnv.step` computes them."""
        model, data = self.environment.model, self.environment.data
        after = np.empty_like(state)
        action = np.clip(action, -1.0, 1.0)
        for i in range(len(state)):
            data.qpos[:] = state[i, :2]
            data.qvel[:] = np.clip(state[i, 2:], -MAX_SPEED_M_S, MAX_SPEED_M_S)
            data.ctrl[:] = action[i]
            data.qacc_warmstart[:] = 0.0  # That of another point.
            mujoco.mj_step(model, data)
            after[i, :2], after[i, 2:] = data.qpos, data.qvel
        return after

    def draw_tasks(self, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """(count, 4) states at rest and (count, 2) goals, in two different cells each."""
        start = rng.integers(len(self.cells), size=count)
        goal = (start + rng.integers(1, len(self.cells), size=count)) % len(self.cells)
        place = rng.uniform(-PLACE_NOISE_M, PLACE_NOISE_M, (2, count, 2))
        state = np.concatenate([self.centres[start] + place[0], np.zeros((count, 2))], axis=1)
        return state, self.centres[goal] + place[1]

    def cell_of(self, position: Array) -> NDArray[np.intp]:
        """(N, 2) -> (N,) nearest free cell."""
        apart = np.linalg.norm(position[:, None] - self.centres[None], axis=-1)
        return np.argmin(apart, axis=1)

    def route(self, start: int, goal: int, cost: Array) -> list[int]:
        """Cells from start to goal, both included, of least summed cost.

        Args:
            start: Cell.
            goal: Cell.
            cost: (cells,) of entering each.
        """
        rows, columns = self._neighbours
        graph = csr_array((cost[columns], (rows, columns)), shape=(len(cost), len(cost)))
        _, before = dijkstra(graph, indices=start, return_predecessors=True)
        cells = [goal]
        while cells[-1] != start:
            cells.append(int(before[cells[-1]]))
        return cells[::-1]

    @functools.cached_property
    def _neighbours(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        pairs = []
        for i, (row, column) in enumerate(self.cells):
            for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                other = self._index[row + down, column + right]
                if other >= 0:
                    pairs.append((i, int(other)))
        rows, columns = np.array(pairs).T
        return rows, columns


class Controller:
    """Follows a route of its own to each goal.

    Args:
        maze: Where.
        state: (N, 4) first states.
        goal: (N, 2) [m].
        rng: Draws routes and noise.
        noisy: False: the shortest route, and no noise.
    """

    def __init__(
        self, maze: Maze, state: Array, goal: Array, rng: np.random.Generator, noisy: bool = True
    ) -> None:
        self._rng, self._noise = rng, ACTION_NOISE * float(noisy)
        spread = ROUTE_SPREAD * float(noisy)
        self._routes = []
        starts, goals = maze.cell_of(state[:, :2]), maze.cell_of(goal)
        for begin, end, target in zip(starts, goals, goal, strict=True):
            cost = np.exp(spread * rng.standard_normal(len(maze.cells)))
            cells = maze.route(int(begin), int(end), cost)
            self._routes.append(np.concatenate([maze.centres[cells[1:-1]], target[None]]))
        self._next = np.zeros(len(state), dtype=int)

    def __call__(self, state: Array) -> Array:
        """(N, 4) -> (N, 2) actions."""
        last = np.array([len(route) - 1 for route in self._routes])
        target = self._targets()
        passed = np.linalg.norm(target - state[:, :2], axis=1) < PASSED_M
        self._next = np.minimum(self._next + passed, last)
        error = self._targets() - state[:, :2]
        length = np.linalg.norm(error, axis=1, keepdims=True)
        error *= np.minimum(1.0, REACH_M / np.maximum(length, 1e-9))
        action = GAIN * error - DAMPING * state[:, 2:]
        return np.clip(action + self._noise * self._rng.standard_normal(action.shape), -1.0, 1.0)

    def _targets(self) -> Array:
        return np.array([route[i] for route, i in zip(self._routes, self._next, strict=True)])


def collect(config: PointMazeConfig) -> Episodes:
    """Drive the data set."""
    maze = Maze(config.maze)
    rng = np.random.default_rng([config.seed, list(EPISODE_STEPS).index(config.maze)])
    states: list[Array] = []
    actions: list[Array] = []
    goals: list[Array] = []
    driven = 0
    at_once = min(100, 1 + config.steps // 100)
    while driven < config.steps:
        state, goal = maze.draw_tasks(at_once, rng)
        tracks, forces = drive(maze, Controller(maze, state, goal, rng), state, goal)
        inside = np.linalg.norm(tracks[..., :2] - goal[:, None], axis=-1) <= GOAL_RADIUS_M
        arrived = np.where(inside.any(axis=1), inside.argmax(axis=1), forces.shape[1])
        length = np.minimum(arrived + AFTER_ARRIVAL, forces.shape[1])
        for i, T in enumerate(length):
            states.append(tracks[i, : T + 1])
            actions.append(forces[i, :T])
            goals.append(goal[i])
            driven += int(T)
            if driven >= config.steps:
                break
    return Episodes(states, actions, np.array(goals))


def drive(
    maze: Maze, controller: Controller, state: Array, goal: Array | None = None
) -> tuple[Array, Array]:
    """Drive episodes of a test episode's length.

    Args:
        maze: Where.
        controller: Who.
        state: (N, 4) first states.
        goal: (N, 2) stop where all have been at their goals for `AFTER_ARRIVAL` steps; None: go on.

    Returns:
        (N, T + 1, 4) states and (N, T, 2) actions.
    """
    tracks, forces = [state], []
    since = np.zeros(len(state), dtype=int)
    for _ in range(maze.episode_steps):
        forces.append(controller(tracks[-1]))
        tracks.append(maze.step(tracks[-1], forces[-1]))
        if goal is not None:
            inside = np.linalg.norm(tracks[-1][:, :2] - goal, axis=1) <= GOAL_RADIUS_M
            since += inside | (since > 0)
            if since.min() >= AFTER_ARRIVAL:
                break
    return np.stack(tracks, axis=1), np.stack(forces, axis=1)


def stored(driven: Episodes) -> list[StoredEpisode]:
    """Episodes in the form of a Minari data set, as gymnasium-robotics' environment gives them."""
    episodes = []
    for state, action, goal in zip(driven.states, driven.actions, driven.goals, strict=True):
        apart = np.linalg.norm(state[1:, :2] - goal, axis=1)
        ends = np.zeros(len(action), dtype=bool)
        episodes.append(
            StoredEpisode(
                {
                    "observations/observation": state,
                    "observations/achieved_goal": state[:, :2],
                    "observations/desired_goal": np.tile(goal, (len(state), 1)),
                    "actions": action,
                    "rewards": (apart <= GOAL_RADIUS_M).astype(np.float64),
                    "terminations": ends,
                    "truncations": np.append(ends[1:], True),
                }
            )
        )
    return episodes


def episodes_of(dataset: Dataset) -> Episodes:
    """The inverse of `stored`."""
    return Episodes(
        [episode.arrays["observations/observation"] for episode in dataset.episodes],
        [episode.arrays["actions"] for episode in dataset.episodes],
        np.array([episode.arrays["observations/desired_goal"][0] for episode in dataset.episodes]),
    )
