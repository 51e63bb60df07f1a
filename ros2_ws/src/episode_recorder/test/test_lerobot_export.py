"""The export to LeRobotDataset v3: lerobot itself reads what was recorded."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from episode_recorder.__main__ import main
from episode_recorder.lerobot_export import export_lerobot, stats
from planner_core.dataset_file import Dataset, load
from planner_core.errors import DatasetError, DatasetFileError

WriteBag = Callable[..., Path]
pytest.importorskip("pyarrow")


@pytest.fixture
def exported(write_bag: WriteBag, tmp_path: Path) -> tuple[Dataset, Path]:
    for name in ("a", "b"):
        write_bag(f"bags/{name}", seconds=1.5)
    out, folder = tmp_path / "set", tmp_path / "lerobot"
    command = ["dataset", str(tmp_path / "bags"), "--robot", "crazyflie", "--out", str(out)]
    assert main([*command, "--quiet", "--lerobot", str(folder)]) == 0
    return load(out), folder


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("lerobot") is None, reason="lerobot is optional")
def test_lerobot_reads_it(exported: tuple[Dataset, Path]) -> None:
    dataset, folder = exported
    script = Path(__file__).with_name("lerobot_reading.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder)],
        capture_output=True, text=True, timeout=200, check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    read = json.loads(done.stdout.rpartition("RESULT ")[2])
    assert (read["fps"], read["episodes"], read["frames"]) == (10, 2, dataset.total_steps)
    assert read["lengths"] == [episode.steps for episode in dataset.episodes]
    assert read["features"]["observation.state"] == [8]
    assert read["batch"]["observation.proximity"] == [4, 48]
    assert read["task"] == "move the crazyflie to its goal"
    columns = read["columns"]
    arrays = [episode.arrays for episode in dataset.episodes]
    actions = np.concatenate([a["actions"] for a in arrays])
    np.testing.assert_allclose(columns["action"], actions, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(read["action_mean"], actions.mean(axis=0), rtol=1e-5, atol=1e-6)
    position = np.concatenate([a["observations/position"][:-1] for a in arrays])
    np.testing.assert_allclose(
        np.array(columns["observation.state"])[:, :4], position, rtol=1e-6, atol=1e-6
    )
    assert columns["episode_index"] == [i for i, a in enumerate(arrays) for _ in a["actions"]]
    assert np.flatnonzero(columns["next.done"]).tolist() == [
        dataset.episodes[0].steps - 1, dataset.total_steps - 1,
    ]  # fmt: skip


def test_nothing_is_written_over(exported: tuple[Dataset, Path]) -> None:
    dataset, folder = exported
    with pytest.raises(DatasetFileError, match="there already"):
        export_lerobot(dataset, folder)
    assert not folder.with_name("lerobot.tmp").exists()


def test_frames_are_a_whole_number_a_second(exported: tuple[Dataset, Path], tmp_path: Path) -> None:
    dataset, _ = exported
    provenance = {**dataset.provenance, "settings": {"dt_s": 0.07}}
    with pytest.raises(DatasetError, match="whole number"):
        export_lerobot(replace(dataset, provenance=provenance), tmp_path / "other")


def test_figures_are_those_of_the_columns() -> None:
    found = stats({"action": np.array([[1.0, 2.0], [3.0, 6.0]]), "done": np.array([False, True])})
    assert found["action"]["mean"] == [2.0, 4.0]
    assert found["action"]["std"] == [1.0, 2.0]
    assert (found["done"]["min"], found["done"]["max"], found["done"]["count"]) == ([0], [1], [2])
