"""The writing thread: nothing lost, what is lost counted, and hardly anything lost to a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from episode_recorder.bag_messages import read_bag
from episode_recorder.bag_metadata import Topic, load_metadata
from episode_recorder.bag_repair import repair
from episode_recorder.bag_writer import BagWriter
from episode_recorder.errors import RecordingError, StorageError
from episode_recorder.message_definitions import type_hash
from episode_recorder.recording import Recording
from planner_core.clock import SystemClock

WORDS = Topic("/words", "std_msgs/msg/String", type_hash("std_msgs/msg/String"))


def recording(folder: Path, queue_bytes: int = 10**7) -> Recording:
    bag = BagWriter(folder, {})
    bag.add_topic(WORDS)
    return Recording(bag, SystemClock(), queue_bytes)


def test_everything_that_is_taken_is_written(tmp_path: Path) -> None:
    episode = recording(tmp_path / "a")
    late = Topic("/late", "std_msgs/msg/String", WORDS.type_hash)
    for i in range(500):
        episode.take("/words", 1000 + i, b"x" * i)
        if i == 250:
            episode.announce(late)
        if i >= 250:
            episode.take("/late", 1000 + i, b"y")
    metadata = episode.end({"outcome": "success"})
    assert metadata.message_count == 750
    assert episode.drops.total == 0
    read = read_bag(tmp_path / "a", ["/words"]).messages
    assert [len(m.data) for m in read] == list(range(500))


def test_what_does_not_fit_the_queue_is_counted(tmp_path: Path) -> None:
    episode = recording(tmp_path / "a", queue_bytes=1000)
    for i in range(50):
        episode.take("/words", i + 1, b"x" * 600 if i % 2 else b"x" * 2000)
    metadata = episode.end({})
    assert episode.drops.queue["/words"] >= 25, "none of the large ones ever fits"
    assert metadata.message_count + episode.drops.total == 50


def test_notes_are_on_the_disk_before_the_end(
    tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    episode = recording(tmp_path / "a")
    episode.set_custom("notes", "[1]")
    wait_until(lambda: load_metadata(tmp_path / "a").custom.get("notes") == "[1]", "the note")
    episode.discard()
    assert not (tmp_path / "a").exists()


def test_a_failure_to_write_ends_it(
    tmp_path: Path, wait_until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    episode = recording(tmp_path / "a")
    episode.bag._file._file.close()  # as a disk that is pulled out

    class Gone:
        def write(self, _: bytes) -> int:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr(episode.bag._file, "_file", Gone())
    episode.take("/words", 1, b"x")
    wait_until(lambda: episode.failure is not None, "the failure")
    episode.take("/words", 2, b"x")
    assert episode.drops.queue["/words"] == 1
    with pytest.raises(StorageError, match="No space left") as caught:
        episode.end({})
    assert caught.value.code == 903


def test_a_mistake_in_the_thread_does_not_pass_for_a_recording(
    tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    episode = recording(tmp_path / "a")
    episode.take("/never_announced", 1, b"x")
    wait_until(lambda: episode.failure is not None, "the failure")
    with pytest.raises(RecordingError, match="KeyError") as caught:
        episode.end({})
    assert caught.value.code == 900


KILLED = """
import sys, time
from pathlib import Path
from planner_core.clock import SystemClock
from episode_recorder.bag_metadata import Topic
from episode_recorder.bag_writer import BagWriter
from episode_recorder.message_definitions import type_hash
from episode_recorder.recording import Recording
bag = BagWriter(Path(sys.argv[1]), {})
bag.add_topic(Topic("/words", "std_msgs/msg/String", type_hash("std_msgs/msg/String")))
episode = Recording(bag, SystemClock(), 10**8)
number = 0
while True:
    number += 1
    episode.take("/words", time.monotonic_ns(), number.to_bytes(8, "little") * 100)
    print(number, time.monotonic_ns(), flush=True)
    time.sleep(0.002)
"""


def test_a_kill_loses_less_than_a_second(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "bag")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.split())
        if int(lines[-1][1]) - int(lines[0][1]) > 1_500_000_000:
            break
    process.send_signal(signal.SIGKILL)
    rest = [line.split() for line in process.stdout.read().splitlines()]
    process.wait()
    taken = [line for line in [*lines, *rest] if len(line) == 2]
    assert repair(tmp_path / "bag").custom["outcome"] == "interrupted"
    messages = read_bag(tmp_path / "bag", ["/words"]).messages
    numbers = [int.from_bytes(m.data[:8], "little") for m in messages]
    assert numbers == list(range(1, len(numbers) + 1)), "only the end is missing"
    assert len(numbers) <= len(taken) + 1
    lost_s = (int(taken[-1][1]) - messages[-1].time_ns) * 1e-9
    print(json.dumps({"lost_s": lost_s, "written": len(numbers), "taken": len(taken)}))
    assert lost_s < 1.0
