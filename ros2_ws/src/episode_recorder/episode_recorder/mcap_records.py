"""Records of MCAP files: their bytes, and what is read back from untrusted ones.

**Source** MCAP specification, "File format": every record is an opcode (1 byte), a length
(8 bytes, little-endian) and its content.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from episode_recorder.errors import BagFormatError

MAGIC: Final = b"\x89MCAP0\r\n"
PREFIX: Final = struct.Struct("<BQ")
MESSAGE: Final = struct.Struct("<HIQQ")
CHUNK: Final = struct.Struct("<QQQI")
NO_TIME: Final = 2**63 - 1


class Opcode(IntEnum):
    """What a record is."""

    HEADER = 0x01
    FOOTER = 0x02
    SCHEMA = 0x03
    CHANNEL = 0x04
    MESSAGE = 0x05
    CHUNK = 0x06
    MESSAGE_INDEX = 0x07
    CHUNK_INDEX = 0x08
    STATISTICS = 0x0B
    METADATA = 0x0C
    METADATA_INDEX = 0x0D
    SUMMARY_OFFSET = 0x0E
    DATA_END = 0x0F


@dataclass(frozen=True, slots=True)
class Schema:
    """A message type.

    Attributes:
        id: Its number in the file.
        name: ROS name, e.g. ``std_msgs/msg/String``.
        definition: Its text and that of all nested types.
    """

    id: int
    name: str
    definition: str

    def encode(self) -> bytes:
        """The record."""
        content = struct.pack("<H", self.id) + text(self.name) + text("ros2msg")
        return record(Opcode.SCHEMA, content + text(self.definition))


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic.

    Attributes:
        id: Its number in the file.
        schema_id: Its type.
        topic: Its name.
        metadata: ``offered_qos_profiles`` and ``topic_type_hash``, as rosbag2 writes them.
    """

    id: int
    schema_id: int
    topic: str
    metadata: Mapping[str, str]

    def encode(self) -> bytes:
        """The record."""
        content = struct.pack("<HH", self.id, self.schema_id) + text(self.topic) + text("cdr")
        return record(Opcode.CHANNEL, content + text_map(self.metadata))


@dataclass(frozen=True, slots=True)
class ChunkIndex:
    """Where a chunk lies.

    Attributes:
        start_ns: Time of its first message [ns].
        end_ns: Time of its last message [ns].
        offset: Of the chunk record in the file.
        length: Of the chunk record.
        message_indexes: Offset in the file of the message index of each channel.
        indexes_length: Of all message index records of the chunk.
        compression: ``zstd``, ``lz4`` or nothing.
        compressed_size: Bytes in the file.
        size: Bytes of its records.
    """

    start_ns: int
    end_ns: int
    offset: int
    length: int
    message_indexes: Mapping[int, int]
    indexes_length: int
    compression: str
    compressed_size: int
    size: int

    def encode(self) -> bytes:
        """The record."""
        offsets = b"".join(struct.pack("<HQ", *item) for item in self.message_indexes.items())
        content = struct.pack("<QQQQ", self.start_ns, self.end_ns, self.offset, self.length)
        content += sized(offsets) + struct.pack("<Q", self.indexes_length) + text(self.compression)
        return record(
            Opcode.CHUNK_INDEX, content + struct.pack("<QQ", self.compressed_size, self.size)
        )


@dataclass(slots=True)
class Summary:
    """What an MCAP file says at its end of all that comes before.

    Attributes:
        schemas: By number.
        channels: By number.
        chunks: In the order of the file.
        counts: Messages of each channel.
        metadata: Name, offset and length of each metadata record.
    """

    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    chunks: list[ChunkIndex] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    metadata: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def message_count(self) -> int:
        """Messages of the file."""
        return sum(self.counts.values())

    @property
    def start_ns(self) -> int:
        """Time of the first message; 0 without any [ns]."""
        return min((chunk.start_ns for chunk in self.chunks), default=0)

    @property
    def end_ns(self) -> int:
        """Time of the last message; 0 without any [ns]."""
        return max((chunk.end_ns for chunk in self.chunks), default=0)

    def encode(self, offset: int) -> bytes:
        """Everything from the end of the data to the end of the file.

        Args:
            offset: Where in the file it will be written.
        """
        end = record(Opcode.DATA_END, struct.pack("<I", 0))
        groups: list[tuple[Opcode, bytes]] = [
            (Opcode.SCHEMA, b"".join(s.encode() for s in self.schemas.values())),
            (Opcode.CHANNEL, b"".join(c.encode() for c in self.channels.values())),
            (Opcode.STATISTICS, self._statistics()),
            (Opcode.CHUNK_INDEX, b"".join(c.encode() for c in self.chunks)),
            (Opcode.METADATA_INDEX, b"".join(_metadata_index(*item) for item in self.metadata)),
        ]
        start = position = offset + len(end)
        offsets = b""
        for opcode, content in groups:
            if content:
                place = struct.pack("<BQQ", opcode, position, len(content))
                offsets += record(Opcode.SUMMARY_OFFSET, place)
            position += len(content)
        footer = record(Opcode.FOOTER, struct.pack("<QQI", start, position, 0))
        return end + b"".join(content for _, content in groups) + offsets + footer + MAGIC

    def _statistics(self) -> bytes:
        counts = b"".join(struct.pack("<HQ", *item) for item in sorted(self.counts.items()))
        head = struct.pack(
            "<QHIIIIQQ", self.message_count, len(self.schemas), len(self.channels), 0,
            len(self.metadata), len(self.chunks), self.start_ns, self.end_ns,
        )  # fmt: skip
        return record(Opcode.STATISTICS, head + sized(counts))


def record(opcode: Opcode, content: bytes) -> bytes:
    """A record."""
    return PREFIX.pack(opcode, len(content)) + content


def sized(content: bytes) -> bytes:
    """Bytes after their number."""
    return struct.pack("<I", len(content)) + content


def text(value: str) -> bytes:
    """A string."""
    return sized(value.encode())


def text_map(values: Mapping[str, str]) -> bytes:
    """A map of strings."""
    return sized(b"".join(text(key) + text(value) for key, value in values.items()))


def header() -> bytes:
    """The beginning of a file."""
    return MAGIC + record(Opcode.HEADER, text("ros2") + text("episode_recorder"))


def metadata_record(name: str, values: Mapping[str, str]) -> bytes:
    """A metadata record."""
    return record(Opcode.METADATA, text(name) + text_map(values))


def message_indexes(entries: Mapping[int, Iterable[tuple[int, int]]]) -> dict[int, bytes]:
    """The message index record of each channel.

    Args:
        entries: Time [ns] and offset in the chunk of each message, by channel.
    """
    return {
        channel: record(
            Opcode.MESSAGE_INDEX,
            struct.pack("<H", channel) + sized(b"".join(struct.pack("<QQ", *e) for e in places)),
        )
        for channel, places in entries.items()
    }


def _metadata_index(name: str, offset: int, length: int) -> bytes:
    return record(Opcode.METADATA_INDEX, struct.pack("<QQ", offset, length) + text(name))


class Fields:
    """Takes a record's content apart, one field after another.

    Args:
        content: Of an untrusted file.
        what: Named in errors.

    Raises:
        BagFormatError: From every method: the content ends before the field does.
    """

    def __init__(self, content: bytes | memoryview, what: str) -> None:
        self._content = content
        self._what = what
        self._position = 0

    def unpack(self, layout: struct.Struct | str) -> tuple[int, ...]:
        """Numbers in a fixed layout."""
        layout = struct.Struct(layout) if isinstance(layout, str) else layout
        return layout.unpack(self.take(layout.size))

    def take(self, size: int) -> bytes:
        """So many bytes."""
        end = self._position + size
        if end > len(self._content):
            raise BagFormatError(
                f"{self._what} is too short", got=f"{len(self._content)} bytes",
                expected=f"{end} or more",
            )  # fmt: skip
        taken = bytes(self._content[self._position : end])
        self._position = end
        return taken

    def text(self) -> str:
        """A string."""
        (size,) = self.unpack("<I")
        try:
            return self.take(size).decode()
        except UnicodeDecodeError as error:
            raise BagFormatError(f"{self._what} holds text that is not UTF-8") from error

    def text_map(self) -> dict[str, str]:
        """A map of strings."""
        (size,) = self.unpack("<I")
        inner = Fields(self.take(size), self._what)
        values = {}
        while inner._position < size:
            key = inner.text()
            values[key] = inner.text()
        return values

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(len(self._content) - self._position)


def parse_schema(content: bytes | memoryview) -> Schema:
    """Read a schema record."""
    fields = Fields(content, "schema record")
    (number,) = fields.unpack("<H")
    name = fields.text()
    fields.text()
    return Schema(number, name, fields.text())


def parse_channel(content: bytes | memoryview) -> Channel:
    """Read a channel record."""
    fields = Fields(content, "channel record")
    number, schema = fields.unpack("<HH")
    topic = fields.text()
    fields.text()
    return Channel(number, schema, topic, fields.text_map())
