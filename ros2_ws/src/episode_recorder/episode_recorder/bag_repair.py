"""Repairs the bags of a recorder that was killed."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

from planner_core.plain_data import read_yaml

from episode_recorder.bag_metadata import (
    FILE_NAME,
    BagMetadata,
    Topic,
    bag_file,
    load_metadata,
)
from episode_recorder.bag_writer import UNFINISHED
from episode_recorder.errors import BagFormatError, EpisodeStateError, StorageError
from episode_recorder.mcap_reader import McapReader
from episode_recorder.mcap_records import MAGIC, Channel, Summary
from episode_recorder.mcap_repair import seal

INTERRUPTED = "interrupted"
"""Outcome of an episode whose recorder was killed."""


def is_unfinished(folder: Path) -> bool:
    """Whether a folder is the bag of a recorder that did not come to its end, and is gone.

    Raises:
        BagFormatError: The bag's metadata cannot be read.
    """
    path = folder / FILE_NAME
    # Most bags are finished: their text says so faster than their YAML.
    if not path.is_file() or UNFINISHED.encode() not in path.read_bytes():
        return False
    if load_metadata(folder).custom.get("outcome") != UNFINISHED:
        return False
    lock = _lock(folder)
    if lock is not None:
        os.close(lock)
    return lock is not None


def repair(folder: Path) -> BagMetadata:
    """Give every file of a bag its end, and the bag metadata that are true.

    Args:
        folder: Of the bag. One without ``metadata.yaml`` gets it from its files.

    Returns:
        The metadata, as written.

    Raises:
        BagFormatError: There are no MCAP files, or one is damaged elsewhere than at its end.
        EpisodeStateError: The bag is being recorded.
        StorageError: It cannot be written to.
    """
    if not folder.is_dir():
        raise BagFormatError(f"{folder} is no bag", expected="a folder")
    lock = _lock(folder)
    if lock is None:
        raise EpisodeStateError(f"{folder} is being recorded", remedy="End the episode first.")
    try:
        return _repair(folder)
    finally:
        os.close(lock)


def _repair(folder: Path) -> BagMetadata:
    metadata = load_metadata(folder) if (folder / FILE_NAME).is_file() else BagMetadata()
    paths = sorted(folder.glob("*.mcap"), key=_natural)
    if not paths:
        raise BagFormatError(f"{folder} is no bag", expected="MCAP files in it")
    metadata.files.clear()
    # Nothing came into a file that was only just begun.
    paths = [path for path in paths if path.stat().st_size >= len(MAGIC)]
    if metadata.custom.get("outcome", UNFINISHED) == UNFINISHED:
        metadata.custom["outcome"] = INTERRUPTED
    for path in paths:
        reader = McapReader(path)
        reader.scan()
        for channel in reader.summary.channels.values():
            if channel.topic not in metadata.topics:
                metadata.topics[channel.topic] = _topic(channel, reader.summary)
        metadata.files.append(bag_file(path.name, reader.summary))
        if not reader.sealed:
            seal(path, {"serialized_metadata": metadata.text()})
    metadata.save(folder)
    return metadata


def _topic(channel: Channel, summary: Summary) -> Topic:
    """A topic that only its channel knows of."""
    try:
        profiles = read_yaml(channel.metadata.get("offered_qos_profiles", "")) or []
        offered = [dict(profile) for profile in profiles]
    except (TypeError, ValueError) as error:
        raise BagFormatError(f"offered_qos_profiles of {channel.topic}") from error
    return Topic(
        channel.topic, summary.schemas[channel.schema_id].name,
        channel.metadata.get("topic_type_hash", ""), offered,
    )  # fmt: skip


def _lock(folder: Path) -> int | None:
    """Lock a bag's folder; None where its recorder lives."""
    try:
        lock = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise StorageError(f"folder {folder}", got=error.strerror) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _natural(path: Path) -> list[tuple[int, str]]:
    """Order in which ``_10`` comes after ``_9``."""
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", path.name)]
