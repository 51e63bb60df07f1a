"""``python -m episode_recorder dataset``: bags into one data set.

Each bag becomes a data set of its own first, below ``OUT/parts``; one that is there already, made
of the same bag in the same way, is taken as it is. So a conversion that was stopped goes on where
it was, and new recordings are added without converting the old ones again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from planner_core.dataset_alignment import INTERPOLATION
from planner_core.dataset_file import Dataset, StoredEpisode, load, save, split_of
from planner_core.errors import DatasetError, DriftpilotError
from planner_core.robot import Robot
from planner_core.robots import load_robot
from tqdm import tqdm

import episode_recorder
from episode_recorder.bag_metadata import FILE_NAME
from episode_recorder.conversion import ConversionSettings, Converted, convert
from episode_recorder.episode_labels import Labels, label_arrays, stored_episode
from episode_recorder.errors import BagError
from episode_recorder.provenance import git_state
from episode_recorder.quality_report import write_report

PARTS = "parts"
REPORT = "quality_report.png"
_SUMMARY = ("duration_s", "outcome", "world", "custom", "cuts", "rates_hz")


@dataclass(frozen=True, slots=True)
class Job:
    """A data set to be made.

    Attributes:
        bags: Folders of bags, or folders that hold them.
        robot: Name of the robot.
        out: Folder of the data set.
        settings: How bags become episodes.
        labels: How episodes are judged.
        validation_share: Share of the recordings that is kept for validation.
        command: As it was given.
        progress: Whether progress is shown.
    """

    bags: tuple[Path, ...]
    robot: str
    out: Path
    settings: ConversionSettings = field(default_factory=ConversionSettings)
    labels: Labels = field(default_factory=Labels)
    validation_share: float = 0.1
    command: str = ""
    progress: bool = True


@dataclass(frozen=True, slots=True)
class Made:
    """A data set that was made.

    Attributes:
        dataset: Its content.
        recordings: What it was made of, without the episodes.
        sha256: Content hash.
        refused: Bags that could not be used, and why.
        reused: Bags that had been converted before.
        report: The page on its quality.
        speed: Recorded seconds for each second of converting; 0 where all were reused.
    """

    dataset: Dataset
    recordings: list[Converted]
    sha256: str
    refused: dict[str, str]
    reused: int
    report: Path
    speed: float


def make_dataset(job: Job) -> Made:
    """Convert, label, split, write and report.

    A bag that cannot be used is named and left out; the others become the data set.

    Raises:
        DatasetError: None of the bags can be used.
        DatasetFileError: The data set cannot be written.
    """
    robot = load_robot(job.robot)
    folders = find_bags(job.bags)
    episodes: list[StoredEpisode] = []
    recordings: list[Converted] = []
    refused: dict[str, str] = {}
    reused, converted_s, spent_s = 0, 0.0, 0.0
    for folder in tqdm(folders, unit="bag", disable=not job.progress):
        try:
            part = job.out / PARTS / f"{folder.resolve().name}-{_key(folder, job)}"
            piece = _made_before(part)
            if piece is not None:
                reused += 1
            else:
                began_s = time.perf_counter()
                piece = _convert(folder, robot, job)
                save(part, piece)
                spent_s += time.perf_counter() - began_s
                converted_s += recordings_of(piece)[0].duration_s
        except (BagError, OSError) as error:
            refused[str(folder)] = str(error)
            continue
        episodes += piece.episodes
        recordings += recordings_of(piece)
    if not episodes:
        raise DatasetError(
            "no episode in any of the bags",
            got="; ".join([*refused.values(), *(cut for r in recordings for cut in r.cuts)])
            or "recordings that are too short, or have no goal",
            expected=f"{job.settings.shortest_s:g} s under one goal without a break",
        )  # fmt: skip
    dataset = _dataset(robot, episodes, recordings, _provenance(job, robot, refused))
    digest = save(job.out, dataset)
    report = job.out / REPORT
    write_report(report, recordings, episodes, robot, job.settings.max_gap_s)
    speed = converted_s / spent_s if spent_s else 0.0
    return Made(dataset, recordings, digest, refused, reused, report, speed)


def recordings_of(dataset: Dataset) -> list[Converted]:
    """The recordings that a data set was made of, without their episodes."""
    return [
        Converted(
            folder=Path(summary["folder"]),
            state_steps_s=dataset.tables[f"recordings/{index}/state_steps_s"],
            **{name: summary[name] for name in _SUMMARY},
        )
        for index, summary in enumerate(dataset.provenance["recordings"])
    ]


def relabel(path: Path, out: Path, labels: Labels) -> str:
    """Judge the episodes of a data set anew.

    Args:
        path: Folder of the data set.
        out: Of the new one; may be the same.
        labels: How they are judged.

    Returns:
        The content hash.

    Raises:
        DatasetFileError: It cannot be read or written.
    """
    dataset = load(path)
    robot = load_robot(str(dataset.provenance["robot"]))
    episodes = [
        StoredEpisode(
            {
                **episode.arrays,
                **label_arrays(episode.arrays, robot, labels, bool(episode.attributes["success"])),
            },
            episode.attributes,
        )
        for episode in dataset.episodes
    ]
    provenance = {**dataset.provenance, "labels": asdict(labels)}
    return save(out, replace(dataset, episodes=episodes, provenance=provenance))


def find_bags(paths: Sequence[Path]) -> list[Path]:
    """The bags that paths mean: bags, or folders that hold them.

    Raises:
        DatasetError: There is none at a path, or two have the same name.
    """
    found: list[Path] = []
    for path in paths:
        below = sorted(metadata.parent for metadata in path.glob(f"*/{FILE_NAME}"))
        here = [path] if (path / FILE_NAME).is_file() else below
        if not here:
            raise DatasetError(
                f"no bag at {path}", remedy="After a crash: python -m episode_recorder repair."
            )
        found += here
    names = [folder.resolve().name for folder in found]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise DatasetError("bags of the same name", got=doubled, expected="names of their own")
    return found


def _convert(folder: Path, robot: Robot, job: Job) -> Dataset:
    result = convert(folder, robot, job.settings)
    attributes = {
        "recording": folder.resolve().name,
        "outcome": result.outcome,
        "split": split_of(folder.resolve().name, job.validation_share),
    }
    episodes = [
        stored_episode(episode, robot, job.labels, {**attributes, "piece": index})
        for index, episode in enumerate(result.episodes)
    ]
    return _dataset(robot, episodes, [result], {})


def _made_before(part: Path) -> Dataset | None:
    """A part that is whole; one that an interruption or a disk has spoiled is made anew."""
    try:
        return load(part) if part.is_dir() else None
    except DriftpilotError:
        return None


def _dataset(
    robot: Robot,
    episodes: list[StoredEpisode],
    recordings: Sequence[Converted],
    provenance: dict[str, Any],
) -> Dataset:
    summaries = [
        {"folder": str(recording.folder)} | {name: getattr(recording, name) for name in _SUMMARY}
        for recording in recordings
    ]
    tables = {
        f"recordings/{index}/state_steps_s": recording.state_steps_s
        for index, recording in enumerate(recordings)
    }
    provenance = {**provenance, "recordings": summaries}
    return Dataset(f"driftpilot/{robot.name}-v0", episodes, provenance, tables)


def _key(folder: Path, job: Job) -> str:
    """Names everything that a bag's episodes depend on."""
    files = [
        (file.name, (stat := file.stat()).st_size, stat.st_mtime_ns)
        for file in sorted(folder.glob("*.mcap*"))
    ]
    described = hashlib.sha256((folder / FILE_NAME).read_bytes()).hexdigest()
    parts = [
        files, described, job.robot, asdict(job.settings), asdict(job.labels),
        job.validation_share, episode_recorder.__version__,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _provenance(job: Job, robot: Robot, refused: dict[str, str]) -> dict[str, Any]:
    return {
        "command": job.command,
        "version": episode_recorder.__version__,
        "git": git_state(),
        "robot": robot.name,
        "frame_id": robot.frame_id,
        "dof_names": list(robot.names),
        "dof_units": list(robot.units),
        "interpolation": INTERPOLATION,
        "settings": asdict(job.settings),
        "labels": asdict(job.labels),
        "validation_share": job.validation_share,
        "refused": refused,
    }
