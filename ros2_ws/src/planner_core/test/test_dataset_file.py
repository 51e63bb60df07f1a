"""Data set files: whole, or refused; and Minari itself opens them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planner_core.dataset_file import (
    DATA_NAME,
    METADATA_NAME,
    Dataset,
    StoredEpisode,
    content_hash,
    load,
    save,
    split_of,
)
from planner_core.errors import DatasetError, DatasetFileError

h5py = pytest.importorskip("h5py")


def episode(steps: int, seed: int) -> StoredEpisode:
    rng = np.random.default_rng(seed)
    arrays = {
        "observations/position": rng.normal(size=(steps + 1, 3)),
        "observations/camera": rng.integers(0, 255, (steps + 1, 8, 8, 3), dtype=np.uint8),
        "actions": rng.normal(size=(steps, 2)).astype(np.float32),
        "rewards": rng.normal(size=steps),
        "terminations": np.arange(steps) == steps - 1,
        "truncations": np.zeros(steps, dtype=bool),
        "infos/speed": np.array(1.5),
    }
    return StoredEpisode(arrays, {"outcome": "success", "piece": seed, "success": True})


def dataset() -> Dataset:
    provenance = {"command": "none", "long": "x" * 100_000}
    tables = {"recordings/0/steps_s": np.ones(4), "empty": np.zeros(0)}
    return Dataset("test/walk-v0", [episode(5, 0), episode(3, 1)], provenance, tables)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    digest = save(tmp_path / "set", dataset())
    read = load(tmp_path / "set")
    assert digest == content_hash(read.episodes) == content_hash(dataset().episodes)
    assert (read.name, read.provenance) == ("test/walk-v0", dataset().provenance)
    assert read.total_steps == 8
    for stored, expected in zip(read.episodes, dataset().episodes, strict=True):
        assert dict(stored.attributes) == dict(expected.attributes)
        for name, values in expected.arrays.items():
            assert stored.arrays[name].dtype == values.dtype
            assert (stored.arrays[name] == values).all()
    assert read.tables.keys() == dataset().tables.keys()
    # Written over an older one, and from what was read.
    assert save(tmp_path / "set", replace(read, episodes=read.episodes[:1])) != digest
    assert len(load(tmp_path / "set").episodes) == 1


def test_minari_opens_it(tmp_path: Path) -> None:
    minari = pytest.importorskip("minari")
    save(tmp_path, dataset())
    opened = minari.MinariDataset(tmp_path)
    assert (opened.total_episodes, opened.total_steps) == (2, 8)
    for read, expected in zip(opened.iterate_episodes(), dataset().episodes, strict=True):
        for name in ("position", "camera"):
            assert (read.observations[name] == expected.arrays[f"observations/{name}"]).all()
        assert opened.observation_space["camera"].contains(read.observations["camera"][0])
        assert opened.action_space.contains(read.actions[0])
        assert (read.actions == expected.arrays["actions"]).all()
        assert (read.rewards == expected.arrays["rewards"]).all()
        assert (read.terminations == expected.arrays["terminations"]).all()


def test_the_metadata_is_what_minari_asks_for(tmp_path: Path) -> None:
    save(tmp_path, dataset())
    metadata = json.loads((tmp_path / METADATA_NAME).read_text())
    assert metadata["total_episodes"] == 2
    spaces = json.loads(metadata["observation_space"])["subspaces"]
    assert set(spaces) == {"position", "camera"}
    assert (spaces["camera"]["dtype"], spaces["camera"]["shape"]) == ("uint8", [8, 8, 3])
    assert np.max(spaces["camera"]["high"]) == 255
    assert json.loads(metadata["action_space"])["shape"] == [2]


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("rewards", None, "no rewards"),
        ("actions", np.zeros((4, 2)), "length of actions; got 4; expected 3"),
        ("observations/position", np.zeros((3, 3)), "expected 4"),
        ("actions", np.zeros((3, 1)), "as in the first episode"),
    ],
)
def test_what_is_no_data_set_is_not_written(
    name: str, values: np.ndarray | None, said: str, tmp_path: Path
) -> None:
    other = {k: v for k, v in episode(3, 1).arrays.items() if k != name}
    if values is not None:
        other[name] = values
    with pytest.raises(DatasetFileError, match=said):
        save(tmp_path, replace(dataset(), episodes=[episode(5, 0), StoredEpisode(other)]))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetFileError) as caught:
        load(tmp_path)
    assert caught.value.code == 921
    save(tmp_path, dataset())
    data = tmp_path / DATA_NAME
    with h5py.File(data, "r+") as file:
        file["episode_0/actions"][0, 0] += 1.0
    with pytest.raises(DatasetFileError, match="content hash"):
        load(tmp_path)
    data.write_bytes(data.read_bytes()[:1000])
    with pytest.raises(DatasetError):
        load(tmp_path)


def test_the_split_is_by_name() -> None:
    names = [f"flight_{i}" for i in range(1000)]
    share = np.mean([split_of(name, 0.2) == "validation" for name in names])
    assert 0.15 < share < 0.25
    assert all(split_of(name, 0.0) == "train" for name in names)
