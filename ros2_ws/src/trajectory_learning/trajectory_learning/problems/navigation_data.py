"""Training flights for navigation, made by this package's own pilots.

A data set is an HDF5 file of flights, not of windows: windows are cut when training begins, so the
horizon can change without flying again.

Letters: ``B`` flights at once, ``n`` samples of all flights, ``N`` rays, ``Q`` value queries.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray
from planner_core.navigation import NavigationEncoding
from planner_core.world import World, random_world
from tqdm import tqdm
from trajectory_learning import __version__
from trajectory_learning.parallel import each
from trajectory_learning.problems.fields import (
    cell_centres,
    clearance_field,
    distance_field,
    free_space_graph,
    lookup,
)
from trajectory_learning.problems.pilots import SHARES, Maps, Pilot, Squadron

Array = NDArray[np.float64]

FIRST_TRAINING_SEED = 1_000_000
"""World seeds of training data begin here; evaluation uses the seeds below."""

ROBOT_RADIUS_M = 0.07
BLOCKED_M = 0.17
QUERIES = 4
QUERY_REACH_M = 3.5
GIVE_UP_S = 1.0
HOLD_S = 3.3
WORLDS_AT_ONCE = 24


@dataclass(frozen=True)
class DataConfig:
    """What is flown for a data set.

    Attributes:
        worlds: Random worlds to fly in.
        flights_per_world: Flights in each.
        seed: Seed of everything; the same seed gives the same file content.
        dt_s: Sample time [s].
        longest_s: Flights are cut off after this time [s].
        rays: Rays of the scan.
        max_range_m: Range of the scan [m].
    """

    worlds: int = 900
    flights_per_world: int = 10
    seed: int = 0
    dt_s: float = 0.1
    longest_s: float = 16.0
    rays: int = 48
    max_range_m: float = 4.0


@dataclass
class Flights:
    """Flights, one sample after another.

    Attributes:
        position: (n, 3) [m].
        velocity: (n, 3) [m/s].
        acceleration: (n, 3) [m/s^2].
        goal: (n, 3) [m].
        scan: (n, N) [m] world-frame ranges.
        query: (n, Q, 2) [m] random points near the robot, world frame, relative to it.
        query_distance: (n, Q) [m] path distance from there to the goal.
        clearance: (n,) [m].
        flight: (n,) flight of each sample.
        pilot: (n,) who flew.
        time_to_go: (n,) [s] until the flight arrived; infinite where it never did.
    """

    position: Array
    velocity: Array
    acceleration: Array
    goal: Array
    scan: Array
    query: Array
    query_distance: Array
    clearance: Array
    flight: NDArray[np.int32]
    pilot: NDArray[np.int8]
    time_to_go: Array
    provenance: dict[str, object] = field(default_factory=dict)


def fly(config: DataConfig, progress: bool = True, jobs: int = 1, ray: str = "") -> Flights:
    """Fly all flights of a data set; the same, wherever they are flown.

    Args:
        config: What to fly.
        progress: Show a progress bar.
        jobs: Processes of this machine.
        ray: Address of a Ray cluster to fly on instead; empty for this machine.
    """
    with tqdm(total=config.worlds, unit="world", disable=not progress) as bar:
        parts = each(
            partial(_fly_batch, config), list(_batches(config)),
            lambda batch, _: bar.update(batch[1]), jobs, ray,
        )  # fmt: skip
    first = 0
    for part in parts:
        part["flight"] = part["flight"] + first
        first = int(part["flight"].max()) + 1
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Flights(**joined)


def _batches(config: DataConfig) -> Iterator[tuple[int, int]]:
    for start in range(0, config.worlds, WORLDS_AT_ONCE):
        yield start, min(WORLDS_AT_ONCE, config.worlds - start)


def _fly_batch(config: DataConfig, batch: tuple[int, int]) -> dict[str, NDArray]:
    """Fly in the worlds from a number on, so many of them."""
    start, count = batch
    rng = np.random.default_rng([config.seed, start])
    worlds = [
        random_world(
            FIRST_TRAINING_SEED + 10_000 * config.seed + start + i,
            density_per_m2=float(rng.uniform(0.1, 0.4)),
        )
        for i in range(count)
    ]
    clearance = np.stack([clearance_field(world, 1.0) for world in worlds])
    world_of, begin, goal, distance = _tasks(config, worlds, clearance, rng)
    maps = Maps(worlds[0].lower[:2], clearance, distance, world_of)
    pilot = rng.choice(len(Pilot), p=SHARES, size=len(world_of))
    squadron = Squadron(maps, pilot, goal, config.dt_s, rng)
    tracks = _simulate(config, maps, squadron, begin, goal, rng)
    flight, index = np.nonzero(np.arange(tracks.clearance.shape[1]) < tracks.flown[:, None])
    position = tracks.position[flight, index]
    encoding = NavigationEncoding(config.rays, config.max_range_m)
    scan = np.empty((len(flight), config.rays))
    for w, world in enumerate(worlds):
        rows = world_of[flight] == w
        scan[rows] = world.scan(position[rows], encoding.angles_rad, config.max_range_m)
    reach = QUERY_REACH_M * np.sqrt(rng.random((len(flight), QUERIES)))
    angle = rng.uniform(-np.pi, np.pi, size=reach.shape)
    query = np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=-1)
    query_distance = lookup(distance, flight, maps.lower_xy, position[:, None, :2] + query)
    arrived = tracks.arrived[flight]
    time_to_go = np.where(arrived >= 0, np.maximum(arrived - index, 0) * config.dt_s, np.inf)
    return {
        "position": position.astype(np.float32),
        "velocity": tracks.velocity[flight, index].astype(np.float32),
        "acceleration": tracks.acceleration[flight, index].astype(np.float32),
        "goal": goal[flight].astype(np.float32),
        "scan": scan.astype(np.float32),
        "query": query.astype(np.float32),
        "query_distance": query_distance.astype(np.float32),
        "clearance": tracks.clearance[flight, index].astype(np.float32),
        "flight": flight.astype(np.int32),
        "pilot": pilot[flight].astype(np.int8),
        "time_to_go": time_to_go.astype(np.float32),
    }


class _Tracks(NamedTuple):
    """Flights side by side, ``T`` samples each, of which those that were flown count.

    Attributes:
        position: (B, T, 3) [m].
        velocity: (B, T, 3) [m/s].
        acceleration: (B, T, 3) [m/s^2].
        clearance: (B, T) [m].
        flown: (B,) samples that were flown.
        arrived: (B,) sample at which the goal was reached, -1 where it never was.
    """

    position: Array
    velocity: Array
    acceleration: Array
    clearance: Array
    flown: NDArray[np.intp]
    arrived: NDArray[np.intp]


def _simulate(
    config: DataConfig,
    maps: Maps,
    squadron: Squadron,
    begin: Array,
    goal: Array,
    rng: np.random.Generator,
) -> _Tracks:
    """Fly until every flight has crashed, given up, or hovered at its goal for a while."""
    total, dt = len(begin), config.dt_s
    position, velocity = begin.copy(), _initial_velocity(total, rng)
    acceleration = np.zeros_like(position)
    hold, patience = round(HOLD_S / dt), round(GIVE_UP_S / dt)
    alive, arrived = np.ones(total, dtype=bool), np.full(total, -1)
    flown, idle = np.zeros(total, dtype=int), np.zeros(total, dtype=int)
    record: list[tuple[Array, ...]] = []
    for step in range(round(config.longest_s / dt)):
        clearance = lookup(maps.clearance, maps.world, maps.lower_xy, position[:, :2])
        alive &= clearance > ROBOT_RADIUS_M
        alive &= ~((arrived >= 0) & (step > arrived + hold))
        # A pilot that is stuck gives up: windows of waiting would teach to wait.
        idle = np.where(np.linalg.norm(velocity, axis=-1) < 0.15, idle + 1, 0)
        alive &= (arrived >= 0) | (idle < patience)
        if not alive.any():
            break
        flown[alive] = step + 1
        record.append((position, velocity, acceleration, clearance))
        close = np.linalg.norm(position - goal, axis=-1) < 0.25
        arrived = np.where((arrived < 0) & close & alive, step, arrived)
        following = squadron.next_acceleration(position, velocity, acceleration)
        position = position + dt * velocity + dt**2 * (acceleration / 3 + following / 6)
        velocity = velocity + dt * (acceleration + following) / 2
        acceleration = following
    columns = (np.stack(column, axis=1) for column in zip(*record, strict=True))
    return _Tracks(*columns, flown, arrived)


def _initial_velocity(total: int, rng: np.random.Generator) -> Array:
    """Some begin at rest, most in motion, and some of these towards a wall, to teach recovery."""
    speed = rng.uniform(0.0, 1.3, size=total) * (rng.random(total) < 0.7)
    heading = rng.uniform(-np.pi, np.pi, size=total)
    climb = rng.normal(0.0, 0.15, size=total)
    return np.stack([speed * np.cos(heading), speed * np.sin(heading), climb], axis=-1)


def _tasks(
    config: DataConfig, worlds: list[World], clearance: Array, rng: np.random.Generator
) -> tuple[NDArray[np.intp], Array, Array, Array]:
    """Starts and goals: a third the world's own, the others anywhere in free space."""
    world_of, begin, goal, distance = [], [], [], []
    for w, world in enumerate(worlds):
        lower_xy, shape = world.lower[:2], clearance[w].shape
        graph = free_space_graph(clearance[w], BLOCKED_M)
        free = cell_centres(world, 1.0)[clearance[w] > 0.25]
        roomy = cell_centres(world, 1.0)[clearance[w] > 0.12]
        own = distance_field(graph, shape, lower_xy, world.goal[:2])
        # Four goals a world: the search for each is what a world costs.
        goals = [world.goal[:3]] + [free[k] for k in rng.integers(len(free), size=3)]
        fields = [own] + [distance_field(graph, shape, lower_xy, g[:2]) for g in goals[1:]]
        for _ in range(config.flights_per_world):
            at_home = rng.random() < 0.35
            k = 0 if at_home else rng.integers(4)
            start = world.start[:3].copy() if at_home else roomy[rng.integers(len(roomy))].copy()
            target = goals[k].copy()
            jitter = 0.05 if not at_home else 0.2
            start[:2] += rng.uniform(-jitter, jitter, size=2)
            start[2], target[2] = rng.uniform(0.7, 1.5, size=2)
            world_of.append(w)
            begin.append(start)
            goal.append(target)
            distance.append(fields[k])
    return np.array(world_of), np.array(begin), np.array(goal), np.array(distance)


def save(flights: Flights, config: DataConfig, path: Path, command: str) -> str:
    """Write flights with their provenance.

    Args:
        flights: What to write.
        config: How they were flown.
        path: Where.
        command: Command that made them.

    Returns:
        The content hash: it names the numbers, not the file's bytes.
    """
    digest = content_hash(flights)
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, array in _arrays(flights).items():
            file.create_dataset(name, data=array, compression="lzf")
        file.attrs["config"] = json.dumps(asdict(config))
        file.attrs["command"] = command
        file.attrs["version"] = __version__
        file.attrs["sha256"] = digest
    return digest


def load(path: Path) -> tuple[Flights, DataConfig]:
    """Read flights.

    Raises:
        ValueError: The content is not what the file says that it is.
    """
    with h5py.File(path, "r") as file:
        names = [name for name in Flights.__dataclass_fields__ if name != "provenance"]
        flights = Flights(**{name: file[name][:] for name in names})
        flights.provenance = {key: file.attrs[key] for key in ("command", "version", "sha256")}
        config = DataConfig(**json.loads(file.attrs["config"]))
    if (digest := content_hash(flights)) != flights.provenance["sha256"]:
        raise ValueError(f"{path}: content hash is {digest}, not {flights.provenance['sha256']}")
    return flights, config


def content_hash(flights: Flights) -> str:
    """SHA-256 over the names and numbers of all arrays."""
    digest = hashlib.sha256()
    for name, array in _arrays(flights).items():
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _arrays(flights: Flights) -> dict[str, NDArray]:
    return {name: value for name, value in vars(flights).items() if name != "provenance"}
