"""Gives an MCAP file that was cut off its end: index, statistics, footer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from episode_recorder.errors import StorageError
from episode_recorder.mcap_reader import McapReader
from episode_recorder.mcap_records import Summary, metadata_record


def seal(path: Path, metadata: Mapping[str, str]) -> Summary:
    """Cut a file after its last intact record and write what a closed file has there.

    Nothing intact is rewritten, so a repair that is interrupted is repaired in its turn.

    Args:
        path: Of the file; one that has its end already stays as it is.
        metadata: Kept in the file as ``rosbag2``.

    Raises:
        BagFormatError: It is no MCAP file, or damaged elsewhere than at its end.
        StorageError: It cannot be written.
    """
    reader = McapReader(path)
    reader.scan()
    if reader.sealed:
        return reader.summary
    summary = reader.summary
    # Metadata of an earlier, interrupted repair stays; one record suffices.
    tail = b"".join(reader.missing_indexes.values())
    if not summary.metadata:
        content = metadata_record("rosbag2", metadata)
        summary.metadata.append(("rosbag2", reader.good_bytes + len(tail), len(content)))
        tail += content
    tail += summary.encode(reader.good_bytes + len(tail))
    try:
        with path.open("r+b") as file:
            file.truncate(reader.good_bytes)
            file.seek(reader.good_bytes)
            file.write(tail)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(f"bag file {path}", got=error.strerror) from error
    return summary
