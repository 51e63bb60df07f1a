"""MCAP files: read back by an independent reader, repaired wherever they end, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from episode_recorder.bag_repair import repair
from episode_recorder.errors import BagError, BagFormatError, StorageError
from episode_recorder.mcap_reader import McapReader
from episode_recorder.mcap_repair import seal
from episode_recorder.mcap_writer import McapWriter
from rosbags.rosbag2 import Reader

Message = tuple[str, int, bytes]


def write_file(path: Path, *, close: bool = True) -> list[Message]:
    """A file of several chunks and two topics; what is in it."""
    writer = McapWriter(path)
    numbers = {
        "/a": writer.add_channel("/a", "std_msgs/msg/String", "string data\n", {"key": "value"})
    }
    written = []
    for i in range(60):
        if i == 25:
            numbers["/b"] = writer.add_channel("/b", "std_msgs/msg/Bool", "bool data\n", {})
        topic = "/b" if i > 25 and i % 3 == 0 else "/a"
        message = (topic, 1000 + i, bytes([i]) * (40 + i))
        writer.write(numbers[topic], message[1], message[1], message[2])
        written.append(message)
        if i % 10 == 9:
            writer.flush()
    if close:
        writer.close({"serialized_metadata": "{}"})
    else:
        writer.abandon()
    return written


def read_file(path: Path) -> tuple[list[Message], McapReader]:
    reader = McapReader(path)
    return [(m.channel.topic, m.log_ns, m.data) for m in reader.messages()], reader


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written = write_file(tmp_path / "a.mcap")
    read, reader = read_file(tmp_path / "a.mcap")
    assert read == written
    assert reader.sealed
    assert reader.metadata == {"serialized_metadata": "{}"}
    assert reader.summary.message_count == 60
    assert (reader.summary.start_ns, reader.summary.end_ns) == (1000, 1059)
    assert [channel.metadata for channel in reader.summary.channels.values()] == [
        {"key": "value"}, {},
    ]  # fmt: skip


def test_a_file_that_ends_anywhere_is_repaired(tmp_path: Path) -> None:
    """Cut at every byte: what is left is a beginning of what was written, with an end."""
    path = tmp_path / "a.mcap"
    written = write_file(path)
    content = path.read_bytes()
    counts = []
    for length in range(8, len(content), 5):
        path.write_bytes(content[:length])
        seal(path, {})
        read, reader = read_file(path)
        assert reader.sealed, length
        assert read == written[: len(read)], length
        assert sum(len(chunk.message_indexes) > 0 for chunk in reader.summary.chunks) == len(
            reader.summary.chunks
        )
        counts.append(len(read))
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == 60


def test_a_repaired_file_is_what_a_closed_one_would_be(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mcap", tmp_path / "cut.mcap"
    write_file(whole)
    write_file(cut, close=False)
    seal(cut, {"serialized_metadata": "{}"})
    assert cut.read_bytes() == whole.read_bytes()


def test_an_independent_reader_reads_a_repaired_bag(write_bag: Callable[..., Path]) -> None:
    bag = write_bag(seconds=1.0)
    path = next(bag.glob("*.mcap"))
    path.write_bytes(path.read_bytes()[:-500])
    metadata = repair(bag)
    with Reader(bag) as reader:
        assert reader.message_count == metadata.message_count > 200
        times = [time for _, time, _ in reader.messages()]
    assert len(times) == metadata.message_count
    assert times == sorted(times)


def test_no_file_crashes_or_hangs(tmp_path: Path) -> None:
    """Thousands of damaged files: read, or refused with an error that names the file."""
    path = tmp_path / "a.mcap"
    write_file(path)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = read = 0
    for _ in range(2000):
        damaged = bytearray(content[: rng.integers(1, len(content) + 1)])
        for _ in range(rng.integers(0, 6)):
            position = int(rng.integers(len(damaged)))
            damaged[position] = int(rng.integers(256))
        if rng.random() < 0.2:
            position = int(rng.integers(len(damaged)))
            damaged[position : position + 8] = bytes(rng.integers(0, 256, 8, dtype=np.uint8))
        path.write_bytes(damaged)
        try:
            read_file(path)
        except BagFormatError as error:
            refused += "a.mcap" in str(error)
        else:
            read += 1
    assert refused + read == 2000
    assert 500 < refused < 2000


@pytest.mark.parametrize("where", ["metadata.yaml", "mcap"])
def test_no_bag_crashes_or_hangs(where: str, write_bag: Callable[..., Path]) -> None:
    """Damage in either file of a bag: converted, or refused with an error of a bag."""
    from episode_recorder.conversion import ConversionSettings, convert
    from planner_core.robots import load_robot

    bag = write_bag(seconds=0.3)
    path = next(bag.glob(f"*{where}"))
    content = path.read_bytes()
    robot, settings = load_robot("crazyflie"), ConversionSettings(shortest_s=0.1)
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(rng.integers(1, 4)):
            damaged[int(rng.integers(len(damaged)))] = int(rng.integers(256))
        path.write_bytes(damaged)
        try:
            convert(bag, robot, settings)
        except BagError:
            refused += 1
    assert refused > 10


def test_a_chunk_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    write_file(path)
    content = bytearray(path.read_bytes())
    # The chunk follows the header; its uncompressed size, after two times.
    chunk = _first_chunk(bytes(content))
    content[chunk + 9 + 16 : chunk + 9 + 24] = (2**40).to_bytes(8, "little")
    path.write_bytes(content)
    with pytest.raises(BagFormatError, match="absurd size") as caught:
        read_file(path)
    assert caught.value.code == 911


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    write_file(tmp_path / "a.mcap")
    with pytest.raises(StorageError, match="exists") as caught:
        McapWriter(tmp_path / "a.mcap")
    assert caught.value.code == 903


def _first_chunk(content: bytes) -> int:
    position = 8
    while content[position] != 0x06:
        position += 9 + int.from_bytes(content[position + 1 : position + 9], "little")
    return position
