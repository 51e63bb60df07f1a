"""A data set as a LeRobotDataset v3: parquet files that ``lerobot`` loads.

Written without lerobot, whose import takes torch; a test has lerobot itself read it.

Letters: ``T`` steps of an episode; each becomes a frame, so the last observation is left out.

**Source**: LeRobotDataset v3.0 as of lerobot 0.4.4, ``lerobot/datasets/lerobot_dataset.py``.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from planner_core.dataset_file import Dataset, StoredEpisode
from planner_core.errors import DatasetError, DatasetFileError

AnyArray = NDArray[Any]

VERSION: Final = "v3.0"
FILE: Final = "chunk-000/file-000.parquet"
FILE_PATTERN: Final = "chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
NEAREST_M: Final = 0.05
"""Ranges below this count as this, so that proximities stay finite."""
QUANTILES: Final = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}


def export_lerobot(dataset: Dataset, folder: Path, task: str = "") -> None:
    """Write a data set as a LeRobotDataset v3.

    ``observation.state`` is position and velocity, ``observation.environment_state`` the goal,
    ``observation.proximity`` one over each range of the scan (0 where nothing was hit: policies
    cannot learn from infinite ranges), ``action`` what the data set has as actions.

    Args:
        dataset: As `episode_recorder` makes it.
        folder: To be made; all or nothing is written.
        task: In words; empty: moving the robot to its goal.

    Raises:
        DatasetFileError: The folder exists or cannot be written, or pyarrow is not installed.
        DatasetError: The samples of the data set are no whole number a second.
    """
    pyarrow, parquet = _pyarrow()
    if folder.exists():
        raise DatasetFileError(
            f"LeRobot data set {folder}", got="it is there already", remedy="Give another folder."
        )
    robot = str(dataset.provenance["robot"])
    fps = _frames_per_second(float(dataset.provenance["settings"]["dt_s"]))
    task = task or f"move the {robot} to its goal"
    episodes = [_frames(episode) for episode in dataset.episodes]
    features = _features(episodes[0], list(dataset.provenance["dof_names"]))
    begins = np.cumsum([0, *(len(episode["action"]) for episode in episodes)])
    counted = [
        {**episode, **_counted(index, int(begins[index]), len(episode["action"]), fps)}
        for index, episode in enumerate(episodes)
    ]
    joined = {name: np.concatenate([e[name] for e in counted]) for name in counted[0]}
    info = {
        "codebase_version": VERSION,
        "robot_type": robot,
        "total_episodes": len(episodes),
        "total_frames": int(begins[-1]),
        "total_tasks": 1,
        "chunks_size": 1000,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": fps,
        "splits": {"train": f"0:{len(episodes)}"},
        "data_path": f"data/{FILE_PATTERN}",
        "video_path": None,
        "features": features,
    }
    temporary = folder.with_name(f"{folder.name}.tmp")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        for path in ("data/chunk-000", "meta/episodes/chunk-000"):
            (temporary / path).mkdir(parents=True)
        parquet.write_table(_table(pyarrow, joined), temporary / "data" / FILE)
        rows = [
            _episode_row(index, task, begins[index : index + 2], stats(episode))
            for index, episode in enumerate(counted)
        ]
        parquet.write_table(pyarrow.Table.from_pylist(rows), temporary / "meta" / "episodes" / FILE)
        parquet.write_table(_tasks(pyarrow, task), temporary / "meta" / "tasks.parquet")
        for name, content in (("info", info), ("stats", stats(joined))):
            text = json.dumps(content, indent=4)
            (temporary / "meta" / f"{name}.json").write_text(text, encoding="utf-8")
        os.replace(temporary, folder)
    except OSError as error:
        raise DatasetFileError(f"LeRobot data set {folder}", got=error) from error


def stats(columns: Mapping[str, AnyArray]) -> dict[str, dict[str, list[float]]]:
    """What policies normalise with: least, greatest, mean, deviation, quantiles of each column.

    Args:
        columns: (T,) or (T, D) by name.
    """
    found = {}
    for name, values in columns.items():
        table = values.reshape(len(values), -1).astype(np.float64)
        found[name] = {
            "min": table.min(axis=0).tolist(), "max": table.max(axis=0).tolist(),
            "mean": table.mean(axis=0).tolist(), "std": table.std(axis=0).tolist(),
            "count": [len(table)],
            **{key: np.quantile(table, q, axis=0).tolist() for key, q in QUANTILES.items()},
        }  # fmt: skip
    return found


def _pyarrow() -> tuple[ModuleType, ModuleType]:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise DatasetFileError(
            "LeRobot data sets need pyarrow", got=error,
            remedy="pip install --no-deps -r requirements/so100.txt",
        ) from error  # fmt: skip
    return pyarrow, parquet


def _frames_per_second(dt_s: float) -> int:
    fps = round(1.0 / dt_s)
    if abs(fps * dt_s - 1.0) > 1e-6:
        raise DatasetError(
            "LeRobot data set: samples a second", got=f"{1.0 / dt_s:g}", expected="a whole number",
            remedy="Make the data set with another --dt-s.",
        )  # fmt: skip
    return fps


def _frames(episode: StoredEpisode) -> dict[str, AnyArray]:
    """Observations, actions and rewards of an episode, one row a frame."""
    arrays = episode.arrays
    state = [arrays[f"observations/{name}"][:-1] for name in ("position", "velocity")]
    done = arrays["terminations"] | arrays["truncations"]
    success = arrays["terminations"] & bool(episode.attributes["success"])
    frames = {
        "observation.state": np.concatenate(state, axis=1).astype(np.float32),
        "observation.environment_state": arrays["observations/goal"][:-1].astype(np.float32),
        "action": arrays["actions"].astype(np.float32),
        "next.reward": arrays["rewards"].astype(np.float32),
        "next.done": done,
        "next.success": success,
    }
    if "observations/scan" in arrays:
        proximity = 1.0 / np.maximum(arrays["observations/scan"][:-1], NEAREST_M)
        frames["observation.proximity"] = proximity.astype(np.float32)
    return frames


def _counted(episode: int, begin: int, length: int, fps: int) -> dict[str, AnyArray]:
    """The columns that every LeRobotDataset has."""
    frame = np.arange(length)
    return {
        "timestamp": (frame / fps).astype(np.float32),
        "frame_index": frame,
        "episode_index": np.full(length, episode),
        "index": begin + frame,
        "task_index": np.zeros(length, dtype=np.int64),
    }


def _features(frames: Mapping[str, AnyArray], dofs: Sequence[str]) -> dict[str, Any]:
    names: dict[str, Any] = {
        "observation.state": [*dofs, *(f"{name}_velocity" for name in dofs)],
        "observation.environment_state": [f"{name}_goal" for name in dofs],
        "action": [f"{name}_acceleration" for name in dofs],
    }
    features = {
        name: {
            "dtype": str(values.dtype), "shape": list(values.shape[1:]) or [1],
            "names": names.get(name),
        }
        for name, values in frames.items()
    }  # fmt: skip
    for name, values in _counted(0, 0, 1, 1).items():
        features[name] = {"dtype": str(values.dtype), "shape": [1], "names": None}
    return features


def _table(pyarrow: ModuleType, columns: Mapping[str, AnyArray]) -> Any:
    arrays = {}
    for name, values in columns.items():
        flat = pyarrow.array(values.reshape(-1))
        is_vector = values.ndim == 2
        arrays[name] = (
            pyarrow.FixedSizeListArray.from_arrays(flat, values.shape[1]) if is_vector else flat
        )
    return pyarrow.table(arrays)


def _episode_row(
    index: int, task: str, edges: AnyArray, figures: Mapping[str, Mapping[str, list[float]]]
) -> dict[str, Any]:
    begin, end = (int(edge) for edge in edges)
    row: dict[str, Any] = {
        "episode_index": index, "tasks": [task], "length": end - begin,
        "dataset_from_index": begin, "dataset_to_index": end,
        "data/chunk_index": 0, "data/file_index": 0,
        "meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0,
    }  # fmt: skip
    for name, values in figures.items():
        row |= {f"stats/{name}/{key}": value for key, value in values.items()}
    return row


def _tasks(pyarrow: ModuleType, task: str) -> Any:
    """The table of tasks; the note for pandas makes the task its index, as lerobot expects."""
    index = "__index_level_0__"
    kind = {"field_name": None, "pandas_type": "unicode", "numpy_type": "object", "metadata": None}
    number = {"pandas_type": "int64", "numpy_type": "int64", "metadata": None}
    note = {
        "index_columns": [index], "column_indexes": [], "pandas_version": "2.0.0",
        "columns": [
            {"name": "task_index", "field_name": "task_index", **number},
            {**kind, "name": None, "field_name": index},
        ],
    }  # fmt: skip
    table = pyarrow.table({"task_index": [0], index: [task]})
    return table.replace_schema_metadata({"pandas": json.dumps(note)})
