"""Recorded flights as training flights: mapped, retimed, given goals in hindsight."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planner_core.dataset_file import Dataset, StoredEpisode, save
from planner_core.errors import DatasetError
from planner_core.navigation import DOF_NAMES, NavigationEncoding
from planner_core.world import World
from trajectory_learning.__main__ import main
from trajectory_learning.checkpoint import load_checkpoint
from trajectory_learning.problems.navigation import cut_windows
from trajectory_learning.problems.navigation_data import DataConfig
from trajectory_learning.problems.navigation_recordings import (
    RecordingConfig,
    _seen,
    load_recordings,
)

DT_S = 0.05
LONG_S = 14.0
CONFIG = RecordingConfig(retimings=4, hindsight_goals=3)
# So high that floor and ceiling are never the nearest.
ROOM = World(
    "room", np.array([-5.0, -3.0, -4.0]), np.array([5.0, 3.0, 6.0]), np.zeros((0, 5)),
    np.array([[0.0, 0.0, 1.0, 1.0, 1.0, 10.0, 0.0]]), np.array([-4.0, 0.0, 1.0, 0.0]),
    np.array([4.0, 0.0, 1.0, 0.0]),
)  # fmt: skip


def curve(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position and velocity of a flight round the box, from rest to rest in 14 s."""
    s = t / LONG_S
    way, pace = s**3 * (10 - 15 * s + 6 * s**2), 30 * s**2 * (1 - s) ** 2 / LONG_S
    zero = np.zeros_like(t)
    position = np.stack([-4.0 + 8.0 * way, 1.5 * np.sin(np.pi * way), zero + 1.0, zero], axis=-1)
    velocity = np.stack([8.0 * pace, 1.5 * np.pi * np.cos(np.pi * way) * pace, zero, zero], axis=-1)
    return position, velocity


def episode(name: str, *, success: bool = True, split: str = "train") -> StoredEpisode:
    t = np.arange(0.0, LONG_S + DT_S / 2, DT_S)
    position, velocity = curve(t)
    steps = len(t) - 1
    arrays = {
        "observations/position": position,
        "observations/velocity": velocity,
        "observations/goal": np.broadcast_to(position[-1], position.shape),
        "observations/scan": ROOM.scan(position[:, :3], NavigationEncoding().angles_rad, 6.0),
        "infos/position": position,
        "infos/velocity": velocity,
        "actions": np.zeros((steps, 4)),
        "rewards": np.zeros(steps),
        "terminations": np.zeros(steps, dtype=bool),
        "truncations": np.zeros(steps, dtype=bool),
    }
    return StoredEpisode(arrays, {"recording": name, "success": success, "split": split})


def dataset(*episodes: StoredEpisode) -> Dataset:
    provenance = {
        "dof_names": list(DOF_NAMES), "settings": {"dt_s": DT_S}, "command": "flown",
        "version": "0",
    }  # fmt: skip
    return Dataset("test/flights-v0", episodes, provenance)


def test_the_map_is_what_the_scans_saw() -> None:
    seen = _seen([episode("a")], DataConfig(), DT_S)
    # Along the flight the map is as far away as the room itself, within two cells and a ray.
    position = curve(np.linspace(0.0, LONG_S, 40))[0][:, :3]
    gap = seen.clearance_at(position) - ROOM.clearance(position)
    assert np.abs(gap[2:-2]).max() < 0.35
    assert np.abs(gap).mean() < 0.15
    # Straight through the box is no way.
    here = seen.look_up(seen.distance(np.array([4.0, 0.0, 1.0])), np.array([[[-2.0, 0.0]]]))[0, 0]
    assert 6.05 < here < 8.0


def test_flights_keep_to_the_path_and_the_limits(tmp_path: Path) -> None:
    save(tmp_path, dataset(episode("a"), episode("b", split="validation")))
    flights, flown, held = load_recordings(tmp_path, CONFIG)
    again, _, _ = load_recordings(tmp_path, CONFIG)
    assert (again.position == flights.position).all(), "the same seed gives the same flights"
    assert flights.provenance["command"] == "flown"
    path = curve(np.linspace(0.0, LONG_S, 4000))[0][:, :3]
    off = [np.linalg.norm(path - p, axis=1).min() for p in flights.position[::5]]
    assert max(off) < 0.01
    assert np.linalg.norm(flights.velocity, axis=1).max() < CONFIG.retimed_speed
    assert flights.clearance.min() > CONFIG.kept_clearance_m
    # Flown at several speeds, and each as consistent as a flight must be.
    same = np.flatnonzero(flights.flight[1:] == flights.flight[:-1])
    mean = (flights.velocity[same] + flights.velocity[same + 1]) / 2
    moved = (flights.position[same + 1] - flights.position[same]) / flown.dt_s
    assert np.abs(moved - mean).max() < 0.02
    speeds = {
        round(float(np.linalg.norm(flights.velocity[flights.flight == k], axis=1).max()), 1)
        for k in np.unique(flights.flight)
    }
    assert len(speeds) >= 3
    # The recordings that only measure stay together.
    assert held[0] > 0
    assert held.tolist() == list(range(held[0], flights.flight.max() + 1))
    assert len(cut_windows(flights, flown, 32)) > 200


def test_a_flight_that_arrived_hovers(tmp_path: Path) -> None:
    save(tmp_path, dataset(episode("a")))
    config = replace(CONFIG, retimings=1, hindsight_goals=0)
    arrived, flown, _ = load_recordings(tmp_path, config)
    assert len(arrived.flight) * flown.dt_s > LONG_S + 3.0
    np.testing.assert_allclose(arrived.position[-1], [4.0, 0.0, 1.0], atol=0.02)
    assert np.abs(arrived.velocity[-1]).max() < 0.02


def test_a_flight_that_failed_teaches_the_way_that_it_made(tmp_path: Path) -> None:
    save(tmp_path, dataset(episode("a", success=False)))
    flights, _, _ = load_recordings(tmp_path, CONFIG)
    assert not (flights.goal == np.float32([4.0, 0.0, 1.0])).all(axis=1).any()
    left = np.linalg.norm(flights.goal - flights.position, axis=1)
    assert (np.diff(left)[flights.flight[1:] == flights.flight[:-1]] < 0.01).mean() > 0.9


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: replace(d, provenance={**d.provenance, "dof_names": ["q"]}), "degrees of free"),
        (lambda d: replace(d, episodes=[]), "no scans"),
    ],
)
def test_other_data_sets_are_refused(change, said: str, tmp_path: Path) -> None:
    save(tmp_path, change(dataset(episode("a"))))
    with pytest.raises(DatasetError, match=said) as caught:
        load_recordings(tmp_path, CONFIG)
    assert caught.value.code == 920


def test_a_planner_is_trained_on_recordings(tmp_path: Path) -> None:
    save(tmp_path / "set", dataset(episode("a"), episode("b")))
    checkpoint = tmp_path / "a.safetensors"
    small = ["--trunk-width", "32", "--branch-width", "16", "--trunk-blocks", "1"]
    assert main(["train", "navigation", "--data", str(tmp_path / "set"), "--steps", "3",
                 "--retimings", "2", "--out", str(checkpoint), *small]) == 0  # fmt: skip
    history = load_checkpoint(checkpoint)
    assert history.provenance["data_command"] == "flown"
    assert history.quality["training_windows"] > 100
