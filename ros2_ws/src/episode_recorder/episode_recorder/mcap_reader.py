"""Reads MCAP files from front to back, the unfinished ones of a killed recorder included.

A file that ends within a record was cut off: everything before is read, and `McapReader.cut` says
where it ended. Anything else that is wrong is damage, and refused. Sizes in the file are not
believed before they were compared with the file, so no input makes this allocate much or loop.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from backports import zstd
from lz4 import frame as lz4

from episode_recorder.errors import BagFormatError
from episode_recorder.mcap_records import (
    CHUNK,
    MAGIC,
    MESSAGE,
    NO_TIME,
    PREFIX,
    Channel,
    ChunkIndex,
    Fields,
    Opcode,
    Summary,
    message_indexes,
    parse_channel,
    parse_schema,
)

MAX_CHUNK_BYTES: Final = 1 << 28
"""A chunk that claims to be larger is taken for damage."""


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as it lies in the file.

    Attributes:
        channel: Its topic.
        log_ns: When it was received [ns].
        publish_ns: Earlier than that for a latched message that was repeated in a later file [ns].
        data: CDR bytes.
    """

    channel: Channel
    log_ns: int
    publish_ns: int
    data: bytes


class McapReader:
    """One file; `messages` may be gone through once.

    Args:
        path: Of the file.

    Attributes:
        summary: What was read so far; complete once `messages` has ended.
        metadata: Of the record ``rosbag2``, once `messages` has ended.
        sealed: Whether the file has its end.
        cut: Why it has not, empty where it has.
        good_bytes: Length of what is intact.
        missing_indexes: Message index records that belong at `good_bytes`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.summary = Summary()
        self.metadata: dict[str, str] = {}
        self.sealed = False
        self.cut = ""
        self.good_bytes = 0
        self.missing_indexes: dict[int, bytes] = {}
        self._pending: ChunkIndex | None = None
        self._indexed: dict[int, int] = {}
        self._expected: dict[int, bytes] = {}

    def messages(self, wanted: Callable[[str], bool] = lambda _topic: True) -> Iterator[RawMessage]:
        """Every message, in the order of the file.

        Args:
            wanted: Tells whether the messages of a topic are to be handed out.

        Raises:
            BagFormatError: The file cannot be opened, is no MCAP file, or is damaged.
        """
        try:
            with self.path.open("rb") as file:
                size = self.path.stat().st_size
                if file.read(len(MAGIC)) != MAGIC:
                    raise BagFormatError(f"{self.path} is not an MCAP file")
                self.good_bytes = len(MAGIC)
                yield from self._records(file, size, wanted)
        except OSError as error:
            raise BagFormatError(f"bag file {self.path}", got=error.strerror) from error
        except BagFormatError as error:
            if str(self.path) in error.what:
                raise
            raise BagFormatError(
                f"{self.path}: {error.what}", got=error.got, expected=error.expected
            ) from error

    def scan(self) -> None:
        """Go through the whole file, for `summary`, `metadata`, `sealed` and `good_bytes`."""
        for _ in self.messages(lambda _topic: False):
            pass

    def _records(
        self, file: BinaryIO, size: int, wanted: Callable[[str], bool]
    ) -> Iterator[RawMessage]:
        while True:
            offset = file.tell()
            prefix = file.read(PREFIX.size)
            if len(prefix) < PREFIX.size:
                self._end(f"ends at byte {offset} without an index")
                return
            opcode, length = PREFIX.unpack(prefix)
            if offset + PREFIX.size + length > size:
                self._end(f"ends within a record at byte {offset}")
                return
            if opcode != Opcode.MESSAGE_INDEX:
                self._finish_chunk(complete=True)
            content = file.read(length)
            end = offset + PREFIX.size + length
            if opcode == Opcode.DATA_END:
                # The summary only repeats what has been read.
                self._check_end(file, size)
                return
            yield from self._record(opcode, content, offset, end, wanted)
            self.good_bytes = end

    def _record(
        self, opcode: int, content: bytes, offset: int, end: int, wanted: Callable[[str], bool]
    ) -> Iterator[RawMessage]:
        if opcode == Opcode.CHUNK:
            yield from self._chunk(content, offset, end, wanted)
        elif opcode == Opcode.MESSAGE_INDEX:
            (channel,) = Fields(content, "message index").unpack("<H")
            self._indexed[channel] = offset
        elif opcode == Opcode.METADATA:
            fields = Fields(content, "metadata record")
            name = fields.text()
            if name == "rosbag2":
                self.metadata = fields.text_map()
            self.summary.metadata.append((name, offset, end - offset))
        elif opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
            self._declare(opcode, content)
        elif opcode == Opcode.MESSAGE:
            raise BagFormatError(
                "messages outside of chunks", expected="a chunked file",
                remedy="Convert it: ros2 bag convert.",
            )  # fmt: skip
        elif opcode == 0:
            raise BagFormatError(f"no record at byte {offset}")

    def _chunk(
        self, content: bytes, offset: int, end: int, wanted: Callable[[str], bool]
    ) -> Iterator[RawMessage]:
        fields = Fields(content, "chunk")
        start_ns, end_ns, size, checksum = fields.unpack(CHUNK)
        compression = fields.text()
        (compressed_size,) = fields.unpack("<Q")
        compressed = fields.take(compressed_size)
        records = _decompress(compressed, compression, size)
        if checksum and zlib.crc32(records) != checksum:
            raise BagFormatError(f"chunk at byte {offset} has another checksum")
        entries: dict[int, list[tuple[int, int]]] = {}
        position, view = 0, memoryview(records)
        channels, counts = self.summary.channels, self.summary.counts
        while position < len(records):
            if position + PREFIX.size > len(records):
                raise BagFormatError(f"chunk at byte {offset} ends within a record")
            opcode, length = PREFIX.unpack_from(records, position)
            body = position + PREFIX.size
            if body + length > len(records):
                raise BagFormatError(f"chunk at byte {offset} ends within a record")
            if opcode == Opcode.MESSAGE:
                if length < MESSAGE.size:
                    raise BagFormatError(f"message in the chunk at byte {offset} is too short")
                number, _, log_ns, publish_ns = MESSAGE.unpack_from(records, body)
                if log_ns > NO_TIME:
                    raise BagFormatError(f"message at no time in the chunk at byte {offset}")
                if number not in channels:
                    raise BagFormatError(f"message of a topic that is not declared: {number}")
                entries.setdefault(number, []).append((log_ns, position))
                counts[number] = counts.get(number, 0) + 1
                if wanted(channels[number].topic):
                    data = bytes(view[body + MESSAGE.size : body + length])
                    yield RawMessage(channels[number], log_ns, publish_ns, data)
            elif opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
                self._declare(opcode, view[body : body + length])
            else:
                raise BagFormatError(f"record {opcode} in the chunk at byte {offset}")
            position = body + length
        if entries:
            self._expected = message_indexes(entries)
            self._indexed = {}
            self._pending = ChunkIndex(
                start_ns, end_ns, offset, end - offset, {}, 0, compression, compressed_size, size
            )

    def _declare(self, opcode: int, content: bytes | memoryview) -> None:
        if opcode == Opcode.SCHEMA:
            schema = parse_schema(content)
            self.summary.schemas[schema.id] = schema
            return
        channel = parse_channel(content)
        if channel.schema_id not in self.summary.schemas:
            raise BagFormatError(f"topic {channel.topic} of a type that is not declared")
        self.summary.channels[channel.id] = channel
        self.summary.counts.setdefault(channel.id, 0)

    def _finish_chunk(self, *, complete: bool) -> None:
        """Note the index of the chunk before, or what is missing of it."""
        chunk = self._pending
        if chunk is None:
            return
        self._pending = None
        if not complete and set(self._indexed) != set(self._expected):
            self.good_bytes = chunk.offset + chunk.length
            self.missing_indexes = self._expected
            self._indexed, position = {}, self.good_bytes
            for number, index in self._expected.items():
                self._indexed[number] = position
                position += len(index)
        length = sum(len(self._expected[n]) for n in self._indexed if n in self._expected)
        self.summary.chunks.append(
            ChunkIndex(
                chunk.start_ns, chunk.end_ns, chunk.offset, chunk.length, self._indexed, length,
                chunk.compression, chunk.compressed_size, chunk.size,
            )
        )  # fmt: skip

    def _end(self, reason: str) -> None:
        self.cut = reason
        self._finish_chunk(complete=False)

    def _check_end(self, file: BinaryIO, size: int) -> None:
        file.seek(max(0, size - len(MAGIC)))
        self.sealed = file.read() == MAGIC
        if not self.sealed:
            self.cut = "ends within its index"


def _decompress(compressed: bytes, compression: str, size: int) -> bytes:
    """The records of a chunk."""
    if size > MAX_CHUNK_BYTES:
        raise BagFormatError("chunk of absurd size", got=size, expected=f"up to {MAX_CHUNK_BYTES}")
    try:
        if compression == "":
            records = compressed
        elif compression == "zstd":
            # One byte more than promised, to notice a chunk that holds more.
            records = zstd.ZstdDecompressor().decompress(compressed, max_length=size + 1)
        elif compression == "lz4":
            records = lz4.LZ4FrameDecompressor().decompress(compressed, max_length=size + 1)
        else:
            raise BagFormatError("chunk compression", got=repr(compression), expected="zstd or lz4")
    except (zstd.ZstdError, RuntimeError) as error:
        raise BagFormatError("chunk that cannot be decompressed", got=error) from error
    if len(records) != size:
        raise BagFormatError("size of a chunk", got=len(records), expected=size)
    return records
