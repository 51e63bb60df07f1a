"""The node: what it publishes and how its services answer, over real ROS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
import rclpy
import yaml
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PointStamped, PoseStamped
from nav_msgs.msg import Odometry
from planner_interfaces.srv import InjectFault, ResetSimulation
from planner_ros.qos import LATCHED, LATEST, ORDERED
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import LaserScan
from visualization_msgs.msg import MarkerArray

DOMAIN = 40 + os.getpid() % 50
TIMEOUT_S = 15.0
COMMAND = [
    sys.executable, "-c",
    "import sys; from robot_simulation.crazyflie.node import main; sys.exit(main(sys.argv))",
    "--ros-args", "-p", "udp_port:=0",
]  # fmt: skip


def start(*arguments: str) -> subprocess.Popen:
    environment = {**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)}
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


class Listener:
    """Keeps what the node publishes and calls its services."""

    def __init__(self) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=DOMAIN)
        self.node = Node("listener", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.seen: dict[str, list] = {}
        for kind, topic, qos in (
            (PoseStamped, "mocap/pose", LATEST),
            (LaserScan, "scan", LATEST),
            (Odometry, "simulation/ground_truth", LATEST),
            (MarkerArray, "world/markers", LATCHED),
            (PointStamped, "simulation/collision", ORDERED),
            (DiagnosticStatus, "simulation/status", LATCHED),
        ):
            self.seen[topic] = []
            self.node.create_subscription(kind, topic, self.seen[topic].append, qos)
        self.reset_client = self.node.create_client(ResetSimulation, "simulation/reset")
        self.fault_client = self.node.create_client(InjectFault, "simulation/inject_fault")

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline, {k: len(v) for k, v in self.seen.items()}
            self.executor.spin_once(timeout_sec=0.05)

    def call(self, client, request):
        self.wait_for(client.service_is_ready)
        future = client.call_async(request)
        self.wait_for(future.done)
        return future.result()

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen]:
    node = start("-p", "seed:=3", "-p", "positioning:=deck")
    yield node
    node.send_signal(signal.SIGINT)
    output, _ = node.communicate(timeout=TIMEOUT_S)
    assert node.returncode == 0, output


@pytest.fixture(scope="module")
def listener(process: subprocess.Popen) -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def test_sensors_and_truth_agree(listener: Listener) -> None:
    seen = listener.seen
    listener.wait_for(lambda: all(len(seen[t]) > 20 for t in ("mocap/pose", "scan")))
    truth = seen["simulation/ground_truth"][-1].pose.pose.position
    pose = seen["mocap/pose"][-1]
    assert (pose.pose.position.x, pose.pose.position.y) == pytest.approx(
        (truth.x, truth.y), abs=0.01
    )
    assert pose.header.frame_id == "map"
    scan = seen["scan"][-1]
    assert len(scan.ranges) == 48
    assert scan.angle_increment * 48 == pytest.approx(2 * 3.141592653589793)
    behind = scan.ranges[24]
    assert behind == pytest.approx(0.8, abs=0.06), "the start is 0.8 m from the west wall"


def test_pose_stamps_are_exposure_times(listener: Listener) -> None:
    poses = listener.seen["mocap/pose"]
    poses.clear()
    listener.wait_for(lambda: len(poses) > 0)
    stamp = poses[-1].header.stamp.sec + poses[-1].header.stamp.nanosec * 1e-9
    assert 0.005 < time.time() - stamp < 1.0


def test_world_is_latched(listener: Listener) -> None:
    listener.wait_for(lambda: len(listener.seen["world/markers"]) > 0)
    assert len(listener.seen["world/markers"][-1].markers) > 5


def test_reset_moves_to_another_world(listener: Listener) -> None:
    worlds, statuses = listener.seen["world/markers"], listener.seen["simulation/status"]
    request = ResetSimulation.Request(seed=11, density_per_m2=0.1)
    response = listener.call(listener.reset_client, request)
    assert response.success, response.message
    world = yaml.safe_load(response.description)
    assert world["name"] == "random-11"
    start = world["start"]
    truths = listener.seen["simulation/ground_truth"]
    listener.wait_for(lambda: abs(truths[-1].pose.pose.position.y - start["y_m"]) < 0.01)
    obstacles = len(world["cylinders"]) + len(world["boxes"])
    listener.wait_for(lambda: len(worlds[-1].markers) == obstacles + 4)
    listener.wait_for(lambda: values(statuses[-1])["world"] == "random-11")


def values(status: DiagnosticStatus) -> dict[str, str]:
    return {pair.key: pair.value for pair in status.values}


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ResetSimulation.Request(world="/nowhere.yaml"), 200),
        (ResetSimulation.Request(density_per_m2=9.0), 200),
    ],
)
def test_refused_reset_says_why(listener: Listener, request_, code: int) -> None:
    response = listener.call(listener.reset_client, request_)
    assert not response.success
    assert response.error_code == code
    assert response.message


def test_faults_take_effect_and_end(listener: Listener) -> None:
    poses, statuses = listener.seen["mocap/pose"], listener.seen["simulation/status"]
    request = InjectFault.Request(fault="pose_loss", value=1.0, duration_s=1.0)
    assert listener.call(listener.fault_client, request).success
    listener.wait_for(lambda: values(statuses[-1])["faults"] == "pose_loss=1")
    poses.clear()
    deadline = time.monotonic() + 0.4
    listener.wait_for(lambda: time.monotonic() > deadline)
    assert len(poses) <= 1
    listener.wait_for(lambda: len(poses) > 10)


@pytest.mark.parametrize(("fault", "value"), [("gremlins", 1.0), ("packet_loss", 2.0)])
def test_refused_fault_says_why(listener: Listener, fault: str, value: float) -> None:
    response = listener.call(listener.fault_client, InjectFault.Request(fault=fault, value=value))
    assert not response.success
    assert response.error_code == 702


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("udp_port:=70000", "udp_port"),
        ("world:=/nowhere.yaml", "[E200]"),
        ("posiioning:=deck", "posiioning"),
    ],
)
def test_a_bad_parameter_ends_the_process_with_one_line(argument: str, message: str) -> None:
    node = start("-p", argument)
    output, _ = node.communicate(timeout=TIMEOUT_S)
    assert node.returncode == 1
    assert message in output
    assert "Traceback" not in output
