"""The node: what it publishes and how its services answer, over real ROS; and how fast it is."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rclpy
import yaml
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from planner_core.robots import so100
from planner_interfaces.srv import InjectFault, ResetSimulation
from planner_ros.qos import LATCHED, LATEST
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from robot_simulation.so100.arm import STEP_S
from robot_simulation.so100.simulation import ArmSimulation, SimulationSettings, placements
from sensor_msgs.msg import JointState

TIMEOUT_S = 20.0
START = "import sys; from robot_simulation.so100.node import main; sys.exit(main(sys.argv))"


def start(*parameters: str) -> subprocess.Popen[str]:
    arguments = [word for parameter in parameters for word in ("-p", parameter)]
    return subprocess.Popen(
        [sys.executable, "-c", START, "--ros-args", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


class Listener:
    """Keeps what the node publishes and calls its services."""

    def __init__(self) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = Node("listener", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.seen: dict[str, list] = {}
        for kind, topic, qos in (
            (PoseStamped, "camera/cube_0/pose", LATEST),
            (PoseStamped, "camera/cube_1/pose", LATEST),
            (PoseStamped, "simulation/cube_0/pose", LATEST),
            (JointState, "simulation/joint_states", LATEST),
            (DiagnosticStatus, "simulation/status", LATCHED),
        ):
            self.seen[topic] = []
            self.node.create_subscription(kind, topic, self.seen[topic].append, qos)
        self.reset_client = self.node.create_client(ResetSimulation, "simulation/reset")
        self.fault_client = self.node.create_client(InjectFault, "simulation/inject_fault")

    def wait_for(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline, {k: len(v) for k, v in self.seen.items()}
            self.executor.spin_once(timeout_sec=0.05)

    def call(self, client, request):
        self.wait_for(client.service_is_ready)
        future = client.call_async(request)
        self.wait_for(future.done)
        return future.result()

    def values(self) -> dict[str, str]:
        return {pair.key: pair.value for pair in self.seen["simulation/status"][-1].values}

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("so100") / "arm"


@pytest.fixture(scope="module")
def listener(port: Path) -> Iterator[Listener]:
    process = start(f"port:={port}", "seed:=3")
    listener = Listener()
    yield listener
    listener.close()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, output
    assert not port.is_symlink()


def test_camera_and_truth_agree(listener: Listener, port: Path) -> None:
    seen = listener.seen
    listener.wait_for(lambda: all(seen.values()))
    assert port.is_symlink()
    place = placements(3, 2)[0]
    measured, true = seen["camera/cube_0/pose"][-1], seen["simulation/cube_0/pose"][-1]
    assert measured.header.frame_id == "base_link"
    for pose, tolerance in ((measured, 6e-3), (true, 1e-3)):
        position = pose.pose.position
        assert (position.x, position.y) == pytest.approx((place.x_m, place.y_m), abs=tolerance)
    assert tuple(seen["simulation/joint_states"][-1].name) == so100().names


def test_cubes_are_seen_late(listener: Listener) -> None:
    poses = listener.seen["camera/cube_0/pose"]
    poses.clear()
    listener.wait_for(lambda: poses)
    stamp = poses[-1].header.stamp.sec + poses[-1].header.stamp.nanosec * 1e-9
    assert 0.035 < time.time() - stamp < 2.0


def test_a_reset_places_the_cubes_that_the_seed_names(listener: Listener) -> None:
    response = listener.call(listener.reset_client, ResetSimulation.Request(seed=11))
    assert response.success, response.message
    world = yaml.safe_load(response.description)
    place = placements(11, 2)[0]
    assert world["cubes"][0]["x_m"] == pytest.approx(place.x_m, abs=1e-6)
    truths = listener.seen["simulation/cube_0/pose"]
    truths.clear()
    listener.wait_for(lambda: truths and abs(truths[-1].pose.position.x - place.x_m) < 1e-3)


@pytest.mark.parametrize(
    "request_", [ResetSimulation.Request(seed=-1), ResetSimulation.Request(world="moon.yaml")]
)
def test_refused_resets_say_why(listener: Listener, request_: ResetSimulation.Request) -> None:
    response = listener.call(listener.reset_client, request_)
    assert not response.success
    assert response.error_code == 700
    assert response.message


def test_faults_take_effect_and_end(listener: Listener) -> None:
    request = InjectFault.Request(fault="camera_loss", value=1.0)
    assert listener.call(listener.fault_client, request).success
    listener.wait_for(lambda: listener.values()["faults"] == "camera_loss=1")
    request.value = 0.0
    assert listener.call(listener.fault_client, request).success
    poses = listener.seen["camera/cube_1/pose"]
    poses.clear()
    listener.wait_for(lambda: len(poses) > 3)
    refused = listener.call(listener.fault_client, InjectFault.Request(fault="gremlins"))
    assert not refused.success
    assert refused.error_code == 702


@pytest.mark.parametrize(
    ("parameter", "message"),
    [("cubes:=9", "cubes"), ("port:=/nowhere/arm", "[E700]"), ("prot:=x", "prot")],
)
def test_a_bad_parameter_ends_the_process_with_one_line(
    parameter: str, message: str, tmp_path: Path
) -> None:
    given = [parameter] if parameter.startswith("port") else [parameter, f"port:={tmp_path}/arm"]
    node = start(*given)
    output, _ = node.communicate(timeout=TIMEOUT_S)
    assert node.returncode == 1
    assert message in output
    assert "Traceback" not in output


def test_physics_and_firmware_take_a_small_part_of_a_core() -> None:
    simulation = ArmSimulation(SimulationSettings(cubes=2))
    for servo in simulation.bus.servos:
        servo.write(40, b"\x01")
    began, steps = time.process_time(), 2000
    for _ in range(steps):
        simulation.step()
    share = (time.process_time() - began) / (steps * STEP_S)
    print(f"physics and firmware: {share * 100:.1f} % of a core")
    assert share < 0.5
