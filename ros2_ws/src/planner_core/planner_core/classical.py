"""Planners without learning: straight at the goal, and along the shortest path of a known map.

Both make their plan by letting a point mass follow a path for ``H`` samples. It starts at the
present state, so plans join smoothly, and keeps the speed and acceleration that it is given.

Letters: ``H`` samples of a plan, ``n`` points of a path.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from planner_core.errors import InvalidObservationError, NoPathError
from planner_core.grid_search import shortest_path
from planner_core.navigation import DOF_NAMES
from planner_core.plan import GeneratorSpec, Observation, Plan, PlanBatch
from planner_core.robot import Robot
from planner_core.world import World

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FollowingConfig:
    """How a path is followed.

    Attributes:
        horizon: ``H``.
        dt_s: Spacing of the samples [s].
        speed: Cruising speed [m/s].
        acceleration: Greatest acceleration [m/s^2].
        lookahead_m: Distance on the path ahead of the robot that it heads for [m].
    """

    horizon: int = 32
    dt_s: float = 0.1
    speed: float = 1.2
    acceleration: float = 2.0
    lookahead_m: float = 0.35


def follow(path: Array, position: Array, velocity: Array, config: FollowingConfig) -> Array:
    """Let a point mass pursue a path.

    Args:
        path: (n, 3) [m] corners of the path; the last one is the goal.
        position: (3,) [m] where it starts.
        velocity: (3,) [m/s] how it starts.
        config: How it follows.

    Returns:
        (3, H, 3) position, velocity and acceleration; acceleration is linear between samples.
    """
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    windows = np.empty((3, config.horizon, 3))
    p, v, dt = position.copy(), velocity.copy(), config.dt_s
    a = _pursue(path, along, p, v, config)
    for i in range(config.horizon):
        windows[:, i] = p, v, a
        following = _pursue(path, along, p + dt * v + dt**2 / 2 * a, v + dt * a, config)
        p = p + dt * v + dt**2 * (a / 3 + following / 6)
        v = v + dt * (a + following) / 2
        a = following
    return windows


def _pursue(path: Array, along: Array, p: Array, v: Array, config: FollowingConfig) -> Array:
    here = _arc_length(path, along, p)
    left = along[-1] - here
    reach = min(here + config.lookahead_m, along[-1])
    target = np.array([np.interp(reach, along, path[:, axis]) for axis in range(3)])
    offset = target - p
    distance = float(np.linalg.norm(offset))
    # Speed from which half of the acceleration limit still stops at the goal, proportional within
    # the last decimetres, where the square root would chatter.
    speed = min(config.speed, np.sqrt(config.acceleration * max(left, distance)), 2.0 * distance
                if left < config.lookahead_m else np.inf)  # fmt: skip
    wish = offset * (speed / max(distance, 1e-6))
    a = 4.0 * (wish - v)
    return np.asarray(a * min(1.0, config.acceleration / max(float(np.linalg.norm(a)), 1e-9)))


def _arc_length(path: Array, along: Array, p: Array) -> float:
    """Arc length of the point of a path that is nearest to a position."""
    start, step = path[:-1], np.diff(path, axis=0)
    length = np.maximum((step**2).sum(axis=1), 1e-12)
    part = np.clip(((p - start) * step).sum(axis=1) / length, 0.0, 1.0)
    gap = np.linalg.norm(start + part[:, None] * step - p, axis=1)
    i = int(np.argmin(gap))
    return float(along[i] + part[i] * (along[i + 1] - along[i]))


class StraightLinePlanner:
    """Flies straight at the goal, whatever is in between: the lower bound of any comparison.

    Args:
        robot: Robot to plan for.
        config: How the line is followed.
    """

    def __init__(self, robot: Robot, config: FollowingConfig | None = None) -> None:
        self._config = config or FollowingConfig()
        self._spec = _spec("straight_line", robot, self._config)

    @property
    def spec(self) -> GeneratorSpec:
        """What it takes and gives."""
        return self._spec

    def warm_up(self) -> None:
        """Nothing to prepare."""

    def plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        """One candidate; see `TrajectoryGenerator.plan`.

        Raises:
            InvalidObservationError: The observation is not that of a navigating robot.
        """
        _check(observation)
        path = np.stack([observation.position[:3], observation.goal[:3]])
        return _batch(observation, path, self._config)

    def reset(self) -> None:
        """Nothing to forget."""


class GridSearchPlanner:
    """Follows the shortest path of a map that is known in advance.

    The map is the world itself: this planner sees what no sensor of the robot has seen yet, and so
    shows what the learned planner loses by planning from one scan.

    Args:
        robot: Robot to plan for.
        world: The map.
        config: How the path is followed.
        clearances_m: Distances to keep from surfaces; the next one is tried where no path keeps
            the one before.
    """

    def __init__(
        self,
        robot: Robot,
        world: World,
        config: FollowingConfig | None = None,
        clearances_m: tuple[float, ...] = (0.35, 0.25, 0.18),
    ) -> None:
        self._world, self._clearances_m = world, clearances_m
        self._config = config or FollowingConfig()
        self._spec = _spec("grid_search", robot, self._config)
        self._path: Array | None = None
        self._goal: Array | None = None

    @property
    def spec(self) -> GeneratorSpec:
        """What it takes and gives."""
        return self._spec

    def warm_up(self) -> None:
        """Nothing to prepare: the first search of a task is part of the task."""

    def plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        """One candidate along the path to the goal; see `TrajectoryGenerator.plan`.

        The search runs once for each goal.

        Raises:
            InvalidObservationError: The observation is not that of a navigating robot.
            NoPathError: The map has no path to the goal.
        """
        _check(observation)
        known = self._goal is not None and np.array_equal(self._goal, observation.goal)
        if self._path is None or not known:
            self._path = self._search(observation.position[:3], observation.goal[:3])
            self._goal = observation.goal
        return _batch(observation, self._path, self._config)

    def reset(self) -> None:
        """Forget the path."""
        self._path = self._goal = None

    def _search(self, start: Array, goal: Array) -> Array:
        for clearance in self._clearances_m:
            cells = shortest_path(self._world, start, goal[:2], inflation_m=clearance)
            if cells is None:
                continue
            xy = np.concatenate([start[None, :2], cells[1:-1], goal[None, :2]])
            corners = self._shortcut(xy, start[2], clearance)
            along = np.linalg.norm(np.diff(corners, axis=0), axis=1).cumsum()
            height = np.interp(along, [0.0, along[-1]], [start[2], goal[2]])
            return np.column_stack([corners, [start[2], *height]])
        raise NoPathError(
            f"no path through {self._world.name}",
            got=f"from {np.round(start[:2], 2)} to {np.round(goal[:2], 2)} m",
            expected=f"a passage {2 * self._clearances_m[-1]:.2f} m wide",
        )

    def _shortcut(self, xy: Array, height: float, clearance: float) -> Array:
        """Corners of a path, each joined to the farthest one that it sees."""
        corners, i = [xy[0]], 0
        while i < len(xy) - 1:
            j = len(xy) - 1
            while j > i + 1 and not self._sees(xy[i], xy[j], height, clearance):
                j -= 1
            corners.append(xy[j])
            i = j
        return np.array(corners)

    def _sees(self, a: Array, b: Array, height: float, clearance: float) -> bool:
        count = max(2, int(np.linalg.norm(b - a) / 0.05))
        line = a + np.linspace(0, 1, count)[:, None] * (b - a)
        points = np.column_stack([line, np.full(count, height)])
        return bool(self._world.clearance(points).min() >= clearance)


def _spec(name: str, robot: Robot, config: FollowingConfig) -> GeneratorSpec:
    if robot.names != DOF_NAMES:
        raise InvalidObservationError(
            f"planner {name} cannot move robot {robot.name}", got=robot.names, expected=DOF_NAMES
        )
    return GeneratorSpec(name, robot.name, robot.names, config.horizon, config.dt_s, 1, {})


def _check(observation: Observation) -> None:
    for name in ("position", "velocity", "goal"):
        values = getattr(observation, name)
        if values.shape != (len(DOF_NAMES),) or not np.isfinite(values).all():
            raise InvalidObservationError(
                f"observation {name}", got=values, expected=f"finite numbers for {DOF_NAMES}"
            )


def _batch(observation: Observation, path: Array, config: FollowingConfig) -> PlanBatch:
    windows = np.zeros((3, 1, config.horizon, len(DOF_NAMES)))
    windows[:, 0, :, :3] = follow(path, observation.position[:3], observation.velocity[:3], config)
    windows[0, 0, :, 3] = observation.position[3]
    return PlanBatch(
        observation.stamp_ns, config.dt_s, windows[0], windows[1], windows[2],
        np.zeros(1), np.ones(1, dtype=np.bool_),
    )  # fmt: skip
