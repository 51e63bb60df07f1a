"""Bags: what rosbag2's readers expect of them, split files, repairs, full disks."""

from __future__ import annotations

import json
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from episode_recorder.bag_messages import read_bag
from episode_recorder.bag_metadata import Topic, load_metadata
from episode_recorder.bag_repair import is_unfinished, repair
from episode_recorder.bag_writer import BagWriter, Splitting
from episode_recorder.errors import (
    BagFormatError,
    BagTypeError,
    EpisodeNameError,
    EpisodeStateError,
    StorageError,
)
from episode_recorder.message_definitions import message_class, message_definition, type_hash
from rclpy.serialization import serialize_message
from rosbags.interfaces import ConnectionExtRosbag2, QosDurability
from rosbags.rosbag2 import Reader
from std_msgs.msg import String

STRING = Topic("/words", "std_msgs/msg/String", type_hash("std_msgs/msg/String"))
WriteBag = Callable[..., Path]


def test_an_independent_reader_reads_it(write_bag: WriteBag) -> None:
    bag = write_bag()
    with Reader(bag) as reader:
        assert reader.message_count == 2 + 300 + 300 + 150
        assert reader.ros_distro == "jazzy"
        by_topic = {c.topic: c for c in reader.connections}
        assert by_topic["/state"].msgcount == 300
        for connection in by_topic.values():
            assert connection.digest == type_hash(connection.msgtype)
            assert connection.msgdef.data == message_definition(connection.msgtype)
        extension = by_topic["/goal"].ext
        assert isinstance(extension, ConnectionExtRosbag2)
        assert extension.offered_qos_profiles[0].durability is QosDurability.TRANSIENT_LOCAL
        assert sum(1 for _ in reader.messages()) == reader.message_count


def test_the_command_line_describes_it(write_bag: WriteBag) -> None:
    command = ["ros2", "bag", "info", str(write_bag())]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "Messages:          752" in shown.stdout
    assert "Topic: /state | Type: planner_interfaces/msg/RobotState | Count: 300" in shown.stdout


def test_the_metadata_are_those_of_version_9(write_bag: WriteBag) -> None:
    content = yaml.safe_load((write_bag() / "metadata.yaml").read_text())
    information = content["rosbag2_bagfile_information"]
    assert information["version"] == 9
    assert information["storage_identifier"] == "mcap"
    assert information["starting_time"]["nanoseconds_since_epoch"] == 1_700_000_000_000_000_000
    assert information["duration"]["nanoseconds"] == 2_993_000_000
    assert information["files"][0]["message_count"] == information["message_count"] == 752
    assert information["custom_data"]["outcome"] == "success"
    qos = information["topics_with_message_count"][0]["topic_metadata"]["offered_qos_profiles"]
    assert qos[0]["reliability"] == "best_effort"


def test_every_split_file_has_the_latched_messages(write_bag: WriteBag) -> None:
    bag = write_bag(seconds=3.0, splitting=Splitting(seconds=1.0))
    files = [file.name for file in load_metadata(bag).files]
    assert files == ["flight_0.mcap", "flight_1.mcap", "flight_2.mcap"]
    with Reader(bag) as reader:
        counts = {c.topic: c.msgcount for c in reader.connections}
    assert counts["/goal"] == counts["/world/description"] == 3
    # To a reader of ours a repetition is none.
    read = [m.topic for m in read_bag(bag, ["/goal", "/state"]).messages]
    assert (read.count("/goal"), read.count("/state")) == (1, 300)


def test_files_are_split_by_size(write_bag: WriteBag) -> None:
    bag = write_bag(seconds=3.0, splitting=Splitting(bytes=50_000))
    assert len(load_metadata(bag).files) > 3
    assert len(read_bag(bag, ["/state"]).messages) == 300


def test_a_bag_without_messages_is_one(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / "empty", {})
    bag.add_topic(STRING)
    bag.close({"outcome": "failure"})
    with Reader(tmp_path / "empty") as reader:
        assert reader.message_count == 0
    assert read_bag(tmp_path / "empty", ["/words"]).messages == []


def test_what_a_killed_recorder_left_is_repaired(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / "killed", {}, splitting=Splitting(seconds=1.0))
    bag.add_topic(STRING)
    for i in range(30):
        bag.write("/words", 10**18 + i * 10**8, serialize_message(String(data=str(i))))
    bag.flush()
    assert not is_unfinished(tmp_path / "killed"), "it is being recorded"
    with pytest.raises(EpisodeStateError, match="being recorded") as caught:
        repair(tmp_path / "killed")
    assert caught.value.code == 901
    bag.abandon()
    assert is_unfinished(tmp_path / "killed")
    metadata = repair(tmp_path / "killed")
    assert metadata.message_count == 30
    assert metadata.custom["outcome"] == "interrupted"
    assert not is_unfinished(tmp_path / "killed")
    with Reader(tmp_path / "killed") as reader:
        assert reader.message_count == 30


def test_lost_metadata_come_back_from_the_files(write_bag: WriteBag) -> None:
    bag = write_bag(seconds=3.0, splitting=Splitting(seconds=1.0))
    before = load_metadata(bag)
    (bag / "metadata.yaml").unlink()
    metadata = repair(bag)
    assert metadata.topics == before.topics
    assert [file.name for file in metadata.files] == [file.name for file in before.files]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not the metadata"),
        ("[1, 2", "not YAML"),
        ("rosbag2_bagfile_information: {version: 9}", "not the metadata"),
    ],
)
def test_metadata_that_are_none_are_refused(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_text(content)
    with pytest.raises(BagFormatError, match=said) as caught:
        read_bag(tmp_path, [])
    assert caught.value.code == 911


def test_a_bag_names_no_file_elsewhere(write_bag: WriteBag) -> None:
    bag = write_bag(seconds=0.1)
    path = bag / "metadata.yaml"
    path.write_text(path.read_text().replace("flight_0.mcap", "../flight_0.mcap"))
    with pytest.raises(BagFormatError, match="a file name"):
        read_bag(bag, [])


def test_another_version_of_a_type_is_refused(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / "old", {})
    bag.add_topic(Topic("/words", "std_msgs/msg/String", "RIHS01_" + "0" * 64))
    bag.write("/words", 1, serialize_message(String(data="a")))
    bag.close({})
    with pytest.raises(BagTypeError, match="another version") as caught:
        read_bag(tmp_path / "old", ["/words"])
    assert caught.value.code == 912


@pytest.mark.parametrize("name", ["std_msgs/msg/Nothing", "no_such/msg/Thing", "../x/msg/Y", "a"])
def test_types_that_are_not_installed(name: str) -> None:
    for function in (message_definition, type_hash, message_class):
        with pytest.raises(BagTypeError):
            function(name)


def test_a_definition_holds_all_nested_types() -> None:
    text = message_definition("planner_interfaces/msg/RobotState")
    assert "MSG: std_msgs/Header" in text
    assert "MSG: builtin_interfaces/Time" in text


def test_a_folder_that_is_taken(write_bag: WriteBag, tmp_path: Path) -> None:
    write_bag("a", seconds=0.1)
    with pytest.raises(EpisodeNameError, match="exists") as caught:
        BagWriter(tmp_path / "a", {})
    assert caught.value.code == 904


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as caught:
        BagWriter(tmp_path / "file" / "bag", {})
    assert caught.value.code == 903


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file of this process grows beyond 60 KB, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_an_error_and_leaves_a_bag(tmp_path: Path, small_files: None) -> None:
    bag = BagWriter(tmp_path / "full", {}, compress=False)
    bag.add_topic(STRING)
    with pytest.raises(StorageError) as caught:  # noqa: PT012  (which write fails is open)
        for i in range(100):
            bag.write("/words", i + 1, serialize_message(String(data="x" * 1000)))
            bag.flush()
    assert caught.value.code == 903
    bag.abandon()
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**9, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    assert 40 < repair(tmp_path / "full").message_count < 60


def test_custom_data_are_kept(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / "bag", {"seed": json.dumps({"/a": 3})})
    bag.set_custom("notes", "[]")
    assert load_metadata(tmp_path / "bag").custom["outcome"] == "unfinished"
    bag.close({"outcome": "success"})
    metadata = load_metadata(tmp_path / "bag")
    assert metadata.custom_json("seed") == {"/a": 3}
    assert metadata.custom["outcome"] == "success"
    with pytest.raises(BagFormatError, match="custom data"):
        metadata.custom_json("outcome")


def test_a_discarded_bag_is_gone(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / "bag", {})
    bag.discard()
    assert list(tmp_path.iterdir()) == []
