"""Training flights from recorded ones, whoever planned them and however well.

A recording is worth more than its one flight. What its scans hit is the map of what it passed; on
it the way to any goal can be measured (the value head), and windows that came too close can be left
out. Its path can be flown at other speeds without coming closer to anything (retiming), and
each of its points is a goal that was reached (hindsight). So a generator learns from mediocre
flights to fly their paths fast, and its ranker chooses among them.

Letters: ``B`` recordings, ``N`` rays, ``T`` samples of a recording, ``n`` of a flight.

**Source** for goals in hindsight: M. Andrychowicz et al., "Hindsight experience replay", 2017.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from planner_core.dataset_alignment import HeardState, resample
from planner_core.dataset_file import VALIDATION, Dataset, StoredEpisode, content_hash, load
from planner_core.errors import DatasetError
from planner_core.navigation import DOF_NAMES, NavigationEncoding
from scipy.ndimage import distance_transform_edt
from trajectory_learning.problems import navigation_data
from trajectory_learning.problems.fields import (
    CELL_M,
    distance_field,
    free_space_graph,
    lookup,
)
from trajectory_learning.problems.navigation_data import (
    BLOCKED_M,
    HOLD_S,
    QUERIES,
    QUERY_REACH_M,
    DataConfig,
    Flights,
)

Array = NDArray[np.float64]

REACH_M = 4.0
"""Rays are followed this far."""
HIT_WEIGHT = 2.0
"""A ray that ends in a cell says as much as so many that pass: those graze surfaces."""
DETOUR_M = 5.0
"""No detour counts as longer."""
SHORTEST_GOAL_M = 1.0
"""Goals in hindsight are no nearer than this to where the flight begins."""
NOBODY = -1
"""In place of the pilot, whom a recording does not know."""


@dataclass(frozen=True)
class RecordingConfig:
    """What is made of recorded flights.

    Attributes:
        retimings: Flights made of each recorded one, the first at its own speed.
        slowest: Least factor of the speed.
        fastest: Greatest factor of the speed.
        retimed_speed: Samples above this speed are left out [m/s].
        retimed_acceleration: Samples above this acceleration are left out [m/s^2].
        hindsight_goals: Goals in hindsight of each recorded flight.
        kept_clearance_m: Samples closer to anything are left out [m].
        recording_seed: Seed of retimings, goals and queries.
    """

    retimings: int = 8
    slowest: float = 0.8
    fastest: float = 2.0
    retimed_speed: float = 1.4
    retimed_acceleration: float = 3.0
    hindsight_goals: int = 6
    kept_clearance_m: float = 0.15
    recording_seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Map:
    """What the scans of a recording hit.

    Attributes:
        lower_xy: (2,) [m] corner.
        clearance: (n_x, n_y) [m] distance to the nearest hit.
    """

    lower_xy: Array
    clearance: Array

    def distance(self, goal: Array) -> Array:
        """(n_x, n_y) [m] way to a goal, through what was not seen as well."""
        graph = free_space_graph(self.clearance, BLOCKED_M)
        return distance_field(graph, self.clearance.shape, self.lower_xy, goal[:2])

    def clearance_at(self, position: Array) -> Array:
        """(n,) [m] at positions (n, 3)."""
        return self.look_up(self.clearance, position[:, None, :2])[:, 0]

    def look_up(self, values: Array, points: Array) -> Array:
        """(n, Q) values of the map's cells at points (n, Q, 2)."""
        return lookup(values[None], np.zeros(len(points), dtype=np.intp), self.lower_xy, points)


def load_recordings(
    folder: Path, config: RecordingConfig, dt_s: float = 0.1
) -> tuple[Flights, DataConfig, NDArray[np.int32]]:
    """Training flights from a data set that `episode_recorder` has made.

    Args:
        folder: Of the data set.
        config: What is made of it.
        dt_s: Sample time of the flights.

    Returns:
        The flights, how they are sampled, and the numbers of those that only measure.

    Raises:
        DatasetFileError: The data set cannot be read.
        DatasetError: It is not one of a navigating robot with a scan, or nothing is left of it.
    """
    dataset = load(folder)
    _check(folder, dataset)
    rays = dataset.episodes[0].arrays["observations/scan"].shape[1]
    flown = DataConfig(seed=config.recording_seed, dt_s=dt_s, rays=rays)
    recorded_dt_s = float(dataset.provenance["settings"]["dt_s"])
    parts: list[dict[str, NDArray]] = []
    held: list[int] = []
    for name, episodes in _by_recording(dataset.episodes).items():
        rng = np.random.default_rng([config.recording_seed, *name.encode()])
        seen = _seen(episodes, flown, recorded_dt_s)
        for episode in episodes:
            for part in _flights(episode, seen, config, flown, recorded_dt_s, rng):
                number = len(parts)
                part["flight"] = np.full(len(part["position"]), number, dtype=np.int32)
                if episode.attributes["split"] == VALIDATION:
                    held.append(number)
                parts.append(part)
    if not parts:
        raise DatasetError(
            f"data set {folder}: nothing to train on", got=f"{len(dataset.episodes)} episodes",
            expected="flights that keep their distance from what they see",
        )  # fmt: skip
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    flights = Flights(**joined)
    flights.provenance = {
        "command": str(dataset.provenance["command"]),
        "version": str(dataset.provenance["version"]),
        "sha256": content_hash(dataset.episodes),
    }
    return flights, flown, np.array(held, dtype=np.int32)


def load_flights(
    path: Path, config: RecordingConfig
) -> tuple[Flights, DataConfig, NDArray[np.int32] | None]:
    """Training flights of either kind.

    Args:
        path: File of the command ``data``, or folder of recordings.
        config: What is made of recordings.

    Returns:
        As `load_recordings`; None where nothing says which flights only measure.
    """
    if path.is_dir():
        return load_recordings(path, config)
    return *navigation_data.load(path), None


def _check(folder: Path, dataset: Dataset) -> None:
    names = dataset.provenance.get("dof_names")
    if names != list(DOF_NAMES):
        raise DatasetError(
            f"data set {folder}: degrees of freedom", got=names, expected=list(DOF_NAMES)
        )
    if not dataset.episodes or "observations/scan" not in dataset.episodes[0].arrays:
        raise DatasetError(f"data set {folder}: no scans", remedy="Make it with `--sensors scan`.")


def _by_recording(episodes: Sequence[StoredEpisode]) -> dict[str, list[StoredEpisode]]:
    found: dict[str, list[StoredEpisode]] = {}
    for episode in episodes:
        found.setdefault(str(episode.attributes["recording"]), []).append(episode)
    return found


def _seen(episodes: Sequence[StoredEpisode], flown: DataConfig, dt_s: float) -> _Map:
    """The map of a recording: cells that rays ended in often against how often others passed.

    A scan in the world frame widens surfaces by up to a ray, so hits alone would close gaps.
    """
    angles = NavigationEncoding(flown.rays).angles_rad
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    steps = np.arange(CELL_M, REACH_M, CELL_M)
    every = slice(None, None, max(1, round(flown.dt_s / dt_s)))
    hits, passed, path = [], [], []
    for episode in episodes:
        position = episode.arrays["observations/position"][every, None, :2]
        scan = episode.arrays["observations/scan"][every]
        hit = np.isfinite(scan)
        points = position + np.where(hit, scan, 0.0)[..., None] * directions
        hits.append(points[hit])
        free = steps < np.minimum(scan, REACH_M)[..., None] - 1.5 * CELL_M
        places = position[:, :, None] + steps[:, None] * directions[:, None]
        passed.append(places[free])
        path += [position[:, 0], episode.arrays["observations/goal"][:, :2]]
    known = np.concatenate([*hits, *path])
    # It ends where the farthest hits are: no way leads round the walls of a room.
    lower = known.min(axis=0)
    shape = tuple(np.ceil((known.max(axis=0) - lower) / CELL_M).astype(int) + 1)
    ended, crossed = (_counts(np.concatenate(points), lower, shape) for points in (hits, passed))
    occupied = HIT_WEIGHT * ended > crossed
    if not occupied.any():
        return _Map(lower, np.full(shape, REACH_M))
    return _Map(lower, CELL_M * distance_transform_edt(~occupied))


def _counts(points: Array, lower: Array, shape: tuple[int, ...]) -> Array:
    """How many points lie in each cell."""
    cell = np.floor((points - lower) / CELL_M).astype(int)
    inside = ((cell >= 0) & (cell < shape)).all(axis=-1)
    flat = np.ravel_multi_index(tuple(cell[inside].T), shape)
    return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)


def _flights(
    episode: StoredEpisode,
    seen: _Map,
    config: RecordingConfig,
    flown: DataConfig,
    dt_s: float,
    rng: np.random.Generator,
) -> Iterator[dict[str, NDArray]]:
    """Flights to the episode's goal and to goals in hindsight, each at several speeds."""
    arrays = episode.arrays
    times = _times(episode, dt_s)
    own = bool(episode.attributes["success"])
    goals: list[tuple[Array, float]] = []
    if own:
        goals.append((arrays["observations/goal"][-1, :3], times[-1]))
    far = np.linalg.norm(arrays["infos/position"][:, :3] - arrays["infos/position"][0, :3], axis=1)
    choice = np.flatnonzero(far > SHORTEST_GOAL_M)
    for place in rng.choice(choice, min(config.hindsight_goals, len(choice)), replace=False):
        goals.append((arrays["infos/position"][place, :3], times[place]))
    fields = [seen.distance(goal) for goal, _ in goals]
    for retiming in range(config.retimings):
        factor = 1.0 if retiming == 0 else rng.uniform(config.slowest, config.fastest)
        track = _retimed(episode, dt_s, factor, flown.dt_s)
        for index, (goal, reached_s) in enumerate(goals):
            if own and index == 0:
                flight = _resting(track, goal, flown)
            else:
                # It was not to come to rest there, so its windows end before.
                flight = {
                    name: values[track["time_s"] < reached_s] for name, values in track.items()
                }
            yield from _kept(flight, goal, fields[index], seen, config, rng)


def _times(episode: StoredEpisode, dt_s: float) -> Array:
    return np.arange(episode.steps + 1) * dt_s


def _retimed(
    episode: StoredEpisode, recorded_dt_s: float, factor: float, dt_s: float
) -> dict[str, Array]:
    """An episode flown ``factor`` times as fast.

    Along the same path velocities grow with the factor and accelerations with its square.
    """
    arrays = episode.arrays
    times = _times(episode, recorded_dt_s)
    stamps = np.round(times * 1e9).astype(int)
    states = [
        HeardState(stamp, stamp, stamp, position[:3], velocity[:3])
        for stamp, position, velocity in zip(
            stamps.tolist(), arrays["infos/position"], arrays["infos/velocity"], strict=True
        )
    ]
    step_s = dt_s * factor
    at = np.arange(step_s / 2, times[-1] - step_s / 2, step_s)
    trajectory = resample(states, np.round(at * 1e9).astype(int).tolist(), step_s)
    newest = np.searchsorted(times, at, side="right") - 1
    return {
        "time_s": at,
        "position": trajectory.position,
        "velocity": factor * trajectory.velocity,
        "acceleration": factor**2 * trajectory.acceleration,
        "scan": arrays["observations/scan"][newest],
    }


def _resting(track: dict[str, Array], goal: Array, flown: DataConfig) -> dict[str, Array]:
    """A flight that hovers at its goal after its recording has ended.

    The recording ends once the robot has arrived; a planner must know how to stay. The approach is
    critically damped, and the scan that of the last sample.
    """
    position, velocity = track["position"][-1], track["velocity"][-1]
    added: dict[str, list[Array]] = {name: [] for name in track}
    for step in range(1, round(HOLD_S / flown.dt_s) + 1):
        acceleration = 4.0 * (goal - position - velocity)
        velocity = velocity + flown.dt_s * acceleration
        position = position + flown.dt_s * velocity
        new = {
            "time_s": track["time_s"][-1] + step * flown.dt_s, "position": position,
            "velocity": velocity, "acceleration": acceleration, "scan": track["scan"][-1],
        }  # fmt: skip
        for name, values in added.items():
            values.append(new[name])
    return {name: np.concatenate([track[name], np.array(added[name])]) for name in track}


def _kept(
    flight: dict[str, Array],
    goal: Array,
    distance: Array,
    seen: _Map,
    config: RecordingConfig,
    rng: np.random.Generator,
) -> Iterator[dict[str, NDArray]]:
    """The runs of a flight that are within the limits, with what the value head learns from."""
    position = flight["position"]
    clearance = seen.clearance_at(position)
    good = (
        (clearance > config.kept_clearance_m)
        & (np.linalg.norm(flight["velocity"], axis=-1) < config.retimed_speed)
        & (np.linalg.norm(flight["acceleration"], axis=-1) < config.retimed_acceleration)
    )
    edges = [0, *(np.flatnonzero(np.diff(good)) + 1).tolist(), len(good)]
    for begin, end in pairwise(edges):
        if begin == end or not good[begin]:
            continue
        rows = slice(begin, end)
        reach = QUERY_REACH_M * np.sqrt(rng.random((end - begin, QUERIES)))
        angle = rng.uniform(-np.pi, np.pi, size=reach.shape)
        query = np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=-1)
        points = position[rows, None, :2] + query
        straight = np.linalg.norm(points - goal[:2], axis=-1)
        part = {
            "position": position[rows],
            "velocity": flight["velocity"][rows],
            "acceleration": flight["acceleration"][rows],
            "goal": np.broadcast_to(goal, (end - begin, 3)),
            "scan": flight["scan"][rows],
            "query": query,
            # Where no way was seen it is as long as one likes.
            "query_distance": np.minimum(seen.look_up(distance, points), straight + DETOUR_M),
            "clearance": clearance[rows],
            "time_to_go": np.full(end - begin, np.inf),
        }
        yield {
            **{name: values.astype(np.float32) for name, values in part.items()},
            "pilot": np.full(end - begin, NOBODY, dtype=np.int8),
        }
