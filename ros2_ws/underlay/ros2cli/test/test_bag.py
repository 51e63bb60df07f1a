"""Bags: recorded, described, read by the library, played."""

import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from ros2_command import Ros2
from ros2cli.bag.offered_qos import for_playback, to_bag
from ros2cli.bag.recorder import type_hash
from ros2cli.interface_files import complete_definition
from rosbags.interfaces import QosDurability, QosReliability
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_typestore

TOPICS = ("/chatter", "/joints", "/latched")
# The fixture publishes 20 a second: long enough for a few of each.
RECORD_S = 1.5
TIMEOUT_S = 20.0


def wait_for_line(process: subprocess.Popen[str], done: Callable[[str], bool]) -> None:
    """Read the standard error of a command up to a line; fails at its end or after a time."""
    assert process.stderr is not None
    watchdog = threading.Timer(TIMEOUT_S, process.kill)
    watchdog.start()
    try:
        if any(done(line) for line in process.stderr):
            return
        pytest.fail("the command ended before the expected line")
    finally:
        watchdog.cancel()


def record(graph: Ros2, path: Path, *options: str, signum: int = signal.SIGINT) -> str:
    """Record the topics for a while; returns the standard error after the stop."""
    process = graph.start("bag", "record", *options, "-o", str(path), *TOPICS)
    waiting = set(TOPICS)

    def subscribed(line: str) -> bool:
        waiting.difference_update(topic for topic in TOPICS if f"'{topic}'" in line)
        return not waiting

    wait_for_line(process, subscribed)
    # Not a wait for a condition: the duration is what is recorded.
    timer = threading.Timer(RECORD_S, process.send_signal, [signum])
    timer.start()
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 0, errors
    return errors


def elsewhere(ros2: Ros2) -> Ros2:
    """The command in another domain: that of the fixture has these topics already."""
    domain = str((int(ros2.environment["ROS_DOMAIN_ID"]) + 50) % 101 + 1)
    return Ros2(ros2.environment | {"ROS_DOMAIN_ID": domain}, ros2.folder)


@pytest.fixture(scope="module")
def bag(graph: Ros2, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bags") / "run"
    errors = record(graph, path)
    assert errors.startswith("Recording stopped\nRecorded ")
    return path


def test_metadata_is_that_of_rosbag2(bag: Path) -> None:
    information = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert information["version"] == 9
    assert information["storage_identifier"] == "mcap"
    topics = {
        entry["topic_metadata"]["name"]: entry["topic_metadata"]
        for entry in information["topics_with_message_count"]
    }
    assert set(topics) == set(TOPICS)
    assert topics["/latched"]["offered_qos_profiles"][0]["durability"] == "transient_local"
    assert topics["/joints"]["offered_qos_profiles"][0]["reliability"] == "best_effort"
    for metadata in topics.values():
        assert metadata["type_description_hash"] == type_hash(metadata["type"])


def test_recorded_bytes_deserialise(bag: Path) -> None:
    typestore = get_typestore(Stores.ROS2_JAZZY)
    counts = dict.fromkeys(TOPICS, 0)
    with Reader(bag) as reader:
        for connection, time_ns, data in reader.messages():
            message = typestore.deserialize_cdr(data, connection.msgtype)
            counts[connection.topic] += 1
            assert reader.start_time <= time_ns < reader.end_time
            if connection.topic == "/joints":
                assert list(message.position) == [0.25, -0.5]
    assert counts["/latched"] == 1
    assert counts["/chatter"] >= 15
    assert counts["/joints"] >= 15


def test_hashes_and_definitions_agree_with_the_library() -> None:
    typestore = get_typestore(Stores.ROS2_JAZZY)
    for name in ("std_msgs/msg/String", "sensor_msgs/msg/Imu", "nav_msgs/msg/Path"):
        assert type_hash(name) == typestore.hash_rihs01(name)
        # Each nested type occurs once, after a separator.
        expected, _ = typestore.generate_msgdef(name, ros_version=2)
        titles = [line for line in expected.splitlines() if line.startswith("MSG: ")]
        found = [
            line for line in complete_definition(name).splitlines() if line.startswith("MSG: ")
        ]
        assert sorted(found) == sorted(titles)


def test_info_describes_the_bag(graph: Ros2, bag: Path) -> None:
    lines = graph.output("bag", "info", str(bag)).splitlines()
    assert lines[:2] == ["", "Files:             run.mcap"]
    assert "Storage id:        mcap" in lines
    assert lines[9].startswith(
        "Topic information: Topic: /chatter | Type: std_msgs/msg/String | Count: "
    )
    assert lines[-1] == (
        "                   Topic: /latched | Type: std_msgs/msg/String | Count: 1 | "
        "Serialization Format: cdr"
    )


@pytest.mark.parametrize(
    ("options", "compressed"),
    [
        (("--compression-mode", "message"), "run.mcap"),
        (("--compression-mode", "file"), "run.mcap.zstd"),
        (("--storage-preset-profile", "zstd_fast"), "run.mcap"),
    ],
)
def test_compressed_bags_can_be_read(
    graph: Ros2, tmp_path: Path, options: tuple[str, str], compressed: str
) -> None:
    path = tmp_path / "run"
    record(graph, path, *options, signum=signal.SIGTERM)
    assert sorted(file.name for file in path.iterdir()) == ["metadata.yaml", compressed]
    with Reader(path) as reader:
        assert sum(1 for _ in reader.messages()) == reader.message_count > 15


def test_an_empty_recording_is_a_bag(graph: Ros2, tmp_path: Path) -> None:
    path = tmp_path / "empty"
    process = graph.start("bag", "record", "-o", str(path), "/nowhere")
    wait_for_line(process, lambda line: line.startswith("Recording to"))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 0
    output = graph.output("bag", "info", str(path))
    assert "Messages:          0\n" in output
    assert "Duration:          0.000000000s\n" in output
    assert graph.output("bag", "play", str(path)) == ""


def test_all_topics_are_recorded_but_the_excluded_and_the_hidden(
    graph: Ros2, tmp_path: Path
) -> None:
    path = tmp_path / "all"
    process = graph.start("bag", "record", "-a", "--exclude-regex", "^/joints$", "-o", str(path))
    wait_for_line(process, lambda line: "'/stamped'" in line)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    with Reader(path) as reader:
        topics = set(reader.topics)
    assert "/stamped" in topics
    assert not {"/joints", "/_secret"} & topics


def test_playing_reproduces_a_latched_topic(ros2: Ros2, bag: Path) -> None:
    other = elsewhere(ros2)
    listener = other.start("topic", "echo", "/latched", "std_msgs/msg/String", "--once")
    clock = other.start("topic", "echo", "/clock", "rosgraph_msgs/msg/Clock", "--once")
    output = other.run("bag", "play", str(bag), "-r", "2", "--clock", "100", "--delay", "1")
    assert (output.returncode, output.stdout) == (0, "")
    assert listener.communicate(timeout=10)[0] == "data: kept\n---\n"
    assert "sec: " in clock.communicate(timeout=10)[0]


def test_a_loop_ends_with_a_signal(ros2: Ros2, bag: Path) -> None:
    other = elsewhere(ros2)
    process = other.start("bag", "play", "--loop", "-r", "100", str(bag))
    hz = other.start("topic", "hz", "/chatter")
    assert hz.stdout is not None
    assert hz.stdout.readline().startswith("average rate: ")
    for command in (hz, process):
        command.send_signal(signal.SIGINT)
    hz.communicate(timeout=10)
    _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "Playback stopped\n")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("record",), "name topics, or give --all"),
        (("record", "-e", "("), "Invalid --regex"),
        (("record", "-a", "-o", "."), "exists already"),
        (("info", "/nowhere"), "Bag path '/nowhere' does not exist!"),
        (("play", "/nowhere"), "Bag path '/nowhere' does not exist!"),
    ],
)
def test_bag_refuses(ros2: Ros2, arguments: tuple[str, ...], named: str) -> None:
    assert named in ros2.failure("bag", *arguments)


def test_a_damaged_bag_is_refused(ros2: Ros2, tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_text("nothing: here\n")
    assert "Cannot read the bag" in ros2.failure("bag", "info", str(tmp_path))


def test_play_names_the_topics_that_a_bag_has(ros2: Ros2, bag: Path) -> None:
    refused = ros2.failure("bag", "play", str(bag), "--topics", "/nope")
    assert refused == "The bag has no topic /nope; it has: /chatter, /joints, /latched\n"


def test_offered_qos_survives() -> None:
    latched = QoSProfile(depth=3, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    stored = to_bag(latched)
    assert (stored.durability, stored.reliability) == (
        QosDurability.TRANSIENT_LOCAL,
        QosReliability.RELIABLE,
    )
    assert (stored.deadline.sec, stored.deadline.nsec) == (0, 0)
    assert for_playback([stored]).durability == DurabilityPolicy.TRANSIENT_LOCAL
    sensor = for_playback([to_bag(qos_profile_sensor_data)])
    assert sensor.reliability == ReliabilityPolicy.BEST_EFFORT
    assert for_playback([]).reliability == ReliabilityPolicy.RELIABLE
