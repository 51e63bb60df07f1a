"""The recorder in a graph: services, audit, latched topics, load, and a flight."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import rclpy
from action_msgs.msg import GoalStatus, GoalStatusArray
from episode_recorder.bag_messages import read_bag
from episode_recorder.bag_metadata import load_metadata
from episode_recorder.conversion import ConversionSettings, convert
from planner_core.clock import ManualClock
from planner_core.observing import ObservationBuffer
from planner_core.plan import GeneratorSpec
from planner_core.robots import load_robot
from planner_interfaces.srv import AnnotateEpisode, StartEpisode, StopEpisode
from planner_ros.qos import LATCHED, ORDERED
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosbags.interfaces import ConnectionExtRosbag2, QosDurability
from rosbags.rosbag2 import Reader
from std_msgs.msg import String

Wait = Callable[..., None]
START = "from episode_recorder.node import main; raise SystemExit(main())"


class Recorder:
    """The node in a process of its own, and a client of it."""

    def __init__(self, node: Node, folder: Path, wait_until: Wait) -> None:
        self.node, self.folder, self._wait_until = node, folder, wait_until
        self.process: subprocess.Popen[str] | None = None

    def start(self, **parameters: object) -> None:
        settings = {"folder": str(self.folder), "required_topics": ["words"], "reserve_mb": 1}
        settings |= {"topics": ["words", "map", "numbers"]} | parameters
        arguments = [f"{name}:={json.dumps(value)}" for name, value in settings.items()]
        options = [text for argument in arguments for text in ("-p", argument)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, "--ros-args", *options], env=os.environ, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def stop(self, number: signal.Signals = signal.SIGINT) -> str:
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(number)
        return process.communicate(timeout=30)[0]

    def until(self, condition: Callable[[], object], what: str, limit_s: float = 20.0) -> None:
        self._wait_until(
            condition, what, limit_s, lambda: rclpy.spin_once(self.node, timeout_sec=0.02)
        )

    def call(self, kind: Any, service: str, request: Any) -> Any:
        client = self.node.create_client(kind, service)
        self.until(client.service_is_ready, service)
        future = client.call_async(request)
        self.until(future.done, f"an answer of {service}")
        self.node.destroy_client(client)
        return future.result()

    def begin(self, name: str = "") -> Any:
        return self.call(StartEpisode, "episode/start", StartEpisode.Request(name=name))

    def begin_when_heard(self, name: str = "") -> str:
        """Begin as soon as the audit lets us."""
        answers = []

        def begun() -> bool:
            answers.append(self.begin(name))
            assert answers[-1].error_code in (0, 902), answers[-1].message
            return bool(answers[-1].success)

        self.until(begun, "an episode")
        return str(answers[-1].uri)

    def end(self, outcome: int = StopEpisode.Request.SUCCESS, note: str = "") -> Any:
        request = StopEpisode.Request(outcome=outcome, note=note)
        return self.call(StopEpisode, "episode/stop", request)


@pytest.fixture
def recorder(ros_domain: int, tmp_path: Path, wait_until: Wait) -> Iterator[Recorder]:
    rclpy.init()
    node = rclpy.create_node("audience")
    recorder = Recorder(node, tmp_path / "bags", wait_until)
    yield recorder
    if recorder.process is not None:
        recorder.stop(signal.SIGKILL)
    node.destroy_node()
    rclpy.shutdown()


def test_an_episode_by_service(recorder: Recorder) -> None:
    node = recorder.node
    recorder.start()
    refused = recorder.begin()
    assert (refused.success, refused.error_code) == (False, 902)
    assert "/words is not published" in refused.message
    assert recorder.end().error_code == 901
    note = AnnotateEpisode.Request(note="early")
    assert recorder.call(AnnotateEpisode, "episode/annotate", note).error_code == 901

    words = node.create_publisher(String, "words", ORDERED)
    map_publisher = node.create_publisher(String, "map", LATCHED)
    map_publisher.publish(String(data="walls"))
    sent: list[str] = []

    def say() -> None:
        sent.append(str(len(sent)))
        words.publish(String(data=sent[-1]))

    timer = node.create_timer(0.02, say)
    uri = recorder.begin_when_heard("first")
    assert Path(uri) == recorder.folder / "first"
    assert recorder.begin().error_code == 901
    begun = len(sent)
    assert recorder.begin("../up").error_code == 901, "one is running"
    note = AnnotateEpisode.Request(note="a gust")
    assert recorder.call(AnnotateEpisode, "episode/annotate", note).success
    recorder.until(lambda: len(sent) > begun + 30, "thirty more words")
    ended = recorder.end(note="well done")
    assert ended.success, ended.message
    assert ended.dropped == 0
    assert recorder.begin("../up").error_code == 904

    # Nothing between the first and the last word is missing, and the map is there.
    messages = read_bag(Path(uri), ["/words", "/map"]).messages
    heard = [int(m.decode().data) for m in messages if m.topic == "/words"]
    assert heard == list(range(heard[0], heard[-1] + 1))
    assert len(heard) >= 25
    assert ended.messages == len(messages)
    assert [m.decode().data for m in messages if m.topic == "/map"] == ["walls"]
    metadata = load_metadata(Path(uri))
    assert metadata.custom["outcome"] == "success"
    assert metadata.custom["note"] == "well done"
    assert [entry["note"] for entry in metadata.custom_json("notes")] == ["a gust"]
    assert metadata.custom_json("git").keys() == {"commit", "changed"}
    assert metadata.custom_json("versions")["python"]
    with Reader(Path(uri)) as reader:
        extension = next(c for c in reader.connections if c.topic == "/map").ext
        assert isinstance(extension, ConnectionExtRosbag2)
        assert extension.offered_qos_profiles[0].durability is QosDurability.TRANSIENT_LOCAL

    # Discarded episodes leave nothing; the next one has its number.
    recorder.begin_when_heard()
    assert recorder.end(StopEpisode.Request.DISCARD).success
    assert [path.name for path in recorder.folder.iterdir()] == ["first"]

    # A kill, and the next recorder repairs what it left.
    uri = recorder.begin_when_heard("killed")
    killed_at = len(sent)
    recorder.until(lambda: len(sent) > killed_at + 60, "sixty more words")
    recorder.stop(signal.SIGKILL)
    assert load_metadata(Path(uri)).custom["outcome"] == "unfinished"
    recorder.start()
    recorder.until(
        lambda: load_metadata(Path(uri)).custom["outcome"] == "interrupted", "the repair"
    )
    assert len(read_bag(Path(uri), ["/words"]).messages) > 5
    output = recorder.stop()
    assert "repaired" in output
    assert "Traceback" not in output
    node.destroy_timer(timer)


def test_a_folder_that_cannot_be_written_to(recorder: Recorder) -> None:
    recorder.folder.write_text("not a folder")
    recorder.start(required_topics=[""])
    refused = recorder.begin()
    assert (refused.success, refused.error_code) == (False, 903)
    assert "Set the parameter `folder`" in refused.message
    assert "Traceback" not in recorder.stop()


def test_goals_are_episodes(recorder: Recorder) -> None:
    node = recorder.node
    words = node.create_publisher(String, "words", ORDERED)
    timer = node.create_timer(0.02, lambda: words.publish(String(data="x")))
    status = node.create_publisher(GoalStatusArray, "navigate/_action/status", LATCHED)
    goal = GoalStatus(status=GoalStatus.STATUS_ACCEPTED)
    goal.goal_info.goal_id.uuid = np.arange(16, dtype=np.uint8)
    status.publish(GoalStatusArray(status_list=[goal]))
    # The goal is older than the recorder, which has not heard a word yet: it is patient.
    recorder.start(patience_s=30.0)
    folder = recorder.folder / "episode_0000"
    recorder.until(lambda: (folder / "metadata.yaml").is_file(), "the episode")
    goal.status = GoalStatus.STATUS_ABORTED
    status.publish(GoalStatusArray(status_list=[goal]))
    recorder.until(lambda: load_metadata(folder).custom["outcome"] == "failure", "its end")
    assert load_metadata(folder).custom["note"] == "aborted"
    output = recorder.stop()
    assert "Traceback" not in output
    assert [path.name for path in recorder.folder.iterdir()] == ["episode_0000"]
    node.destroy_timer(timer)


PUBLISHER = """
import os, sys, time, rclpy
from rclpy.qos import QoSProfile
from std_msgs.msg import String
rate, seconds, size = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
rclpy.init()
node = rclpy.create_node("publisher")
words = node.create_publisher(String, "words", QoSProfile(depth=2000))
begin, number = time.monotonic(), 0
while number < rate * seconds:
    # What cannot be compressed, after its number.
    words.publish(String(data=f"{number:08d}{os.urandom(size // 2).hex()}"))
    number += 1
    time.sleep(max(0.0, begin + number / rate - time.monotonic()))
print(number, time.monotonic() - begin, flush=True)
sys.stdin.read()
node.destroy_node()
rclpy.shutdown()
"""


def record_load(recorder: Recorder, rate_hz: float, seconds: float, size: int) -> dict[str, float]:
    """Publish from another process, record, and compare."""
    recorder.start(required_topics=[""], compress=True)
    assert recorder.begin("load").success
    command = [sys.executable, "-c", PUBLISHER, str(rate_hz), str(seconds), str(size)]
    publisher = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert publisher.stdout is not None
    assert recorder.process is not None
    process = psutil.Process(recorder.process.pid)
    before_s = sum(process.cpu_times()[:2])
    sent, took_s = publisher.stdout.readline().split()
    cpu_s = sum(process.cpu_times()[:2]) - before_s
    content: list[int] = []

    def settled() -> bool:
        content.append(sum(p.stat().st_size for p in (recorder.folder / "load").iterdir()))
        time.sleep(0.3)
        return len(content) > 2 and content[-1] == content[-3]

    recorder.until(settled, "the last message on the disk", 60.0)
    ended = recorder.end()
    publisher.communicate(input="", timeout=30)
    messages = read_bag(recorder.folder / "load", ["/words"]).messages
    numbers = [int(m.data[8:16]) for m in messages]
    # The first ones came before the recorder had found the topic: no subscription can have them.
    missing = int(sent) - numbers[0] - len(set(numbers))
    assert len(numbers) == ended.messages
    return {
        "sent": int(sent),
        "recorded": int(ended.messages),
        "dropped": int(ended.dropped),
        "missing": missing,
        "unheard": numbers[0],
        "rate_hz": int(sent) / float(took_s),
        "recorder_cpu": cpu_s / float(took_s),
    }


def test_a_small_load_is_accounted_for(recorder: Recorder) -> None:
    """Whatever the machine is busy with: each message of a reliable topic is there."""
    figures = record_load(recorder, 200.0, 2.0, 4096)
    assert figures["dropped"] == figures["missing"] == 0
    assert figures["recorded"] == figures["sent"] - figures["unheard"]


@pytest.mark.study
def test_two_thousand_messages_a_second(recorder: Recorder) -> None:
    """The bar: 2 000 messages a second of 4 KB, none lost once they are heard."""
    figures = record_load(recorder, 2000.0, 10.0, 4096)
    print(json.dumps(figures))
    assert figures["dropped"] == figures["missing"] == 0
    assert figures["unheard"] < 2000, "heard from the first second on"


@pytest.mark.slow
def test_a_recorded_flight_is_what_the_planner_had(
    ros_domain: int, tmp_path: Path, wait_until: Wait
) -> None:
    """A flight in the graph; its data set against the planner server's own callbacks."""
    folder = tmp_path / "bags"
    # Patient with a graph that starts slowly on a busy machine.
    parameters = [f"folder:={folder}", "patience_s:=60.0", "silent_s:=10.0"]
    options = [text for parameter in parameters for text in ("-p", parameter)]
    command = [sys.executable, "-c", START, "--ros-args", *options]
    record = subprocess.Popen(command, env=os.environ)
    launch = ["ros2", "launch", "planner", "crazyflie_nav.launch.py", "robot:=loopback"]
    flight = subprocess.run(
        [*launch, "view:=false"], capture_output=True, text=True, timeout=120, check=False,
        cwd=tmp_path, env=os.environ,
    )  # fmt: skip
    bag = folder / "episode_0000"
    wait_until(
        lambda: load_metadata(bag).custom["outcome"] != "unfinished", "the end of the episode"
    )
    record.send_signal(signal.SIGINT)
    assert record.wait(timeout=30) == 0
    metadata = load_metadata(bag)
    assert metadata.custom["outcome"] in ("success", "failure"), flight.stdout
    assert metadata.custom["world"] == "cluttered_room"
    assert metadata.custom_json("seed")["/planner_server"] == 0
    assert len(metadata.custom_json("bundles")["/planner_server"]) == 64
    assert metadata.custom_json("parameters")["/plan_execution"]["robot"] == "crazyflie"
    robot = load_robot("crazyflie")
    result = convert(bag, robot, ConversionSettings())
    assert result.episodes
    rclpy.init()
    try:
        compare_with_the_server(bag, result.episodes)
    finally:
        rclpy.shutdown()


def compare_with_the_server(bag: Path, episodes: list[Any]) -> None:
    """Each message through the callbacks of a real planner server; every sample bit for bit."""
    from planner.sensor_inputs import SensorInputs
    from planner.server import PlannerServer

    class Server(PlannerServer):
        """The server, not brought up: its callbacks fill its buffer."""

        def bring_up(self) -> None:
            pass

    server = Server()
    clock = ManualClock()
    buffer = ObservationBuffer(clock, ConversionSettings().max_age_s)
    server._buffer = buffer
    sensors = SensorInputs(server, server._robot, buffer, server._refuse)
    callbacks = {"/state": server._on_state, "/scan": sensors.take_scan, "/goal": server._on_goal}
    messages = read_bag(bag, list(callbacks)).messages
    spec = GeneratorSpec("live", "crazyflie", ("x", "y", "z", "yaw"), 2, 0.1, 1, {"scan": 48})
    following = 0
    for episode in episodes:
        for i in range(episode.steps + 1):
            instant_ns = episode.start_ns + i * 100_000_000
            while following < len(messages) and messages[following].time_ns <= instant_ns:
                clock.jump((messages[following].time_ns - clock.now_ns()) * 1e-9)
                callbacks[messages[following].topic](messages[following].decode())
                following += 1
            clock.jump((instant_ns - clock.now_ns()) * 1e-9)
            snapshot = buffer.snapshot(spec)
            assert snapshot is not None
            seen = snapshot.observation
            for name in ("position", "velocity", "goal"):
                expected = getattr(seen, name).tobytes()
                assert episode.observations[name][i].tobytes() == expected, (name, i)
            assert episode.observations["scan"][i].tobytes() == seen.sensors["scan"].tobytes()
    server.destroy_node()


def test_what_the_middleware_loses_is_counted(recorder: Recorder) -> None:
    """The recorder stands still while a publisher that does not wait goes on."""
    node = recorder.node
    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    words = node.create_publisher(String, "words", best_effort)
    sent = 0

    def say(count: int, period_s: float) -> None:
        nonlocal sent
        for _ in range(count):
            words.publish(String(data=f"{sent:08d}{'x' * 4000}"))
            sent += 1
            time.sleep(period_s)

    recorder.start(required_topics=[""])
    uri = Path(recorder.begin("a").uri)
    recorder.until(words.get_subscription_count, "the recorder's subscription")
    say(100, 0.002)
    assert recorder.process is not None
    recorder.process.send_signal(signal.SIGSTOP)
    say(2500, 0.0)
    recorder.process.send_signal(signal.SIGCONT)
    size = sum(path.stat().st_size for path in uri.iterdir())

    def is_written() -> bool:
        # A loss is noticed when the next message comes.
        say(1, 0.01)
        return sum(path.stat().st_size for path in uri.iterdir()) > size + 1000

    recorder.until(is_written, "messages after the loss")
    say(100, 0.005)
    ended = recorder.end()
    numbers = [int(m.data[8:16]) for m in read_bag(uri, ["/words"]).messages]
    missing = numbers[-1] + 1 - numbers[0] - len(numbers)
    print(json.dumps({"sent": sent, "recorded": len(numbers), "missing": missing}))
    assert missing > 0
    # Those before the first that came may count, or may have been sent to nobody.
    assert missing <= ended.dropped <= missing + numbers[0]
    assert "lost" in recorder.stop()
