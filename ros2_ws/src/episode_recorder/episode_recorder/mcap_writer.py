"""Writes one MCAP file so that all but the last moments are on the disk at any time.

Chunks are closed by time, not by size alone, and go to the operating system as one write: what a
killed process loses is the chunk that it was filling.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from backports import zstd

from episode_recorder.errors import StorageError
from episode_recorder.mcap_records import (
    CHUNK,
    MESSAGE,
    NO_TIME,
    PREFIX,
    Channel,
    ChunkIndex,
    Opcode,
    Schema,
    Summary,
    header,
    message_indexes,
    metadata_record,
    record,
    text,
)

CHUNK_BYTES: Final = 1 << 20
"""A chunk is closed at this size; readers hold one or a few of them in memory."""


class McapWriter:
    """One file. Belongs to one thread.

    Args:
        path: Of the new file.
        compress: Whether chunks are compressed with zstd.

    Raises:
        StorageError: From every method: the file exists, or cannot be written.
    """

    def __init__(self, path: Path, *, compress: bool = True) -> None:
        self.path = path
        self.summary = Summary()
        self._compression = "zstd" if compress else ""
        self._chunk = bytearray()
        self._entries: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._start_ns, self._end_ns = NO_TIME, 0
        try:
            # Unbuffered: a chunk is one write, and what is written survives the process.
            self._file = path.open("xb", buffering=0)
        except OSError as error:
            raise StorageError(f"bag file {path}", got=error.strerror) from error
        self._size = 0
        self._append(header())

    @property
    def size(self) -> int:
        """Bytes written, and those of the chunk that is being filled, before compression."""
        return self._size + len(self._chunk)

    def add_channel(
        self, topic: str, type_name: str, definition: str, metadata: Mapping[str, str]
    ) -> int:
        """Announce a topic.

        Args:
            topic: Its name.
            type_name: ROS name of its type.
            definition: Text of the type and of all nested ones.
            metadata: As rosbag2 writes it.

        Returns:
            The channel's number.
        """
        schemas, channels = self.summary.schemas, self.summary.channels
        schema = next((s for s in schemas.values() if s.name == type_name), None)
        if schema is None:
            schema = Schema(len(schemas) + 1, type_name, definition)
            schemas[schema.id] = schema
            self._chunk += schema.encode()
        channel = Channel(len(channels) + 1, schema.id, topic, dict(metadata))
        channels[channel.id] = channel
        self.summary.counts[channel.id] = 0
        self._chunk += channel.encode()
        return channel.id

    def write(self, channel: int, log_ns: int, publish_ns: int, data: bytes) -> None:
        """Write a message.

        Args:
            channel: From `add_channel`.
            log_ns: When it was received [ns].
            publish_ns: The same, but for a latched message that is repeated in a later file: when
                it was first received [ns].
            data: Its CDR bytes.
        """
        self._entries[channel].append((log_ns, len(self._chunk)))
        self._chunk += PREFIX.pack(Opcode.MESSAGE, MESSAGE.size + len(data))
        self._chunk += MESSAGE.pack(channel, 0, log_ns, publish_ns)
        self._chunk += data
        self.summary.counts[channel] += 1
        self._start_ns, self._end_ns = min(self._start_ns, log_ns), max(self._end_ns, log_ns)
        if len(self._chunk) >= CHUNK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the operating system."""
        if not self._entries:
            return
        content = bytes(self._chunk)
        compressed = zstd.compress(content, 1) if self._compression else content
        head = CHUNK.pack(self._start_ns, self._end_ns, len(content), zlib.crc32(content))
        chunk = record(
            Opcode.CHUNK,
            head + text(self._compression) + len(compressed).to_bytes(8, "little") + compressed,
        )
        offset, indexes, places = self._size, message_indexes(self._entries), {}
        position = offset + len(chunk)
        for channel, index in indexes.items():
            places[channel] = position
            position += len(index)
        self._append(b"".join([chunk, *indexes.values()]))
        self.summary.chunks.append(
            ChunkIndex(
                self._start_ns, self._end_ns, offset, len(chunk), places,
                position - offset - len(chunk), self._compression, len(compressed), len(content),
            )
        )  # fmt: skip
        self._chunk.clear()
        self._entries.clear()
        self._start_ns, self._end_ns = NO_TIME, 0

    def close(self, metadata: Mapping[str, str]) -> None:
        """Write the index and close the file.

        Args:
            metadata: Kept in the file as ``rosbag2``.
        """
        self.flush()
        content = metadata_record("rosbag2", metadata)
        self.summary.metadata.append(("rosbag2", self._size, len(content)))
        self._append(content)
        self._append(self.summary.encode(self._size))
        self._file.close()

    def abandon(self) -> None:
        """Close the file as it is; it can be repaired."""
        self._file.close()

    def _append(self, content: bytes) -> None:
        view = memoryview(content)
        try:
            while view:
                written = self._file.write(view)
                assert written is not None
                self._size += written
                view = view[written:]
        except OSError as error:
            raise StorageError(
                f"bag file {self.path}", got=error.strerror,
                remedy="Free space on the disk; what was written before can be repaired.",
            ) from error  # fmt: skip
