"""The node: ground truth, status, resets and faults over real ROS; LowCmds as a ROS client's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from go2_payloads import low_cmd_payload
from nav_msgs.msg import Odometry
from planner_interfaces.srv import InjectFault, ResetSimulation
from planner_ros.qos import LATCHED, LATEST
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from unitree_go.msg import LowCmd

pytest.importorskip("cyclonedds")
DOMAIN = int(os.environ["ROS_DOMAIN_ID"])
TIMEOUT_S = 15.0
COMMAND = [
    sys.executable, "-c",
    "import sys; from robot_simulation.go2.node import main; sys.exit(main(sys.argv))",
]  # fmt: skip


def start(*arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


class Listener:
    """Keeps what the node publishes and calls its services."""

    def __init__(self) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=DOMAIN)
        self.node = Node("listener", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.truth: list[Odometry] = []
        self.status: DiagnosticStatus | None = None
        self.node.create_subscription(
            Odometry, "simulation/ground_truth", self.truth.append, LATEST
        )
        self.node.create_subscription(
            DiagnosticStatus, "simulation/status", self._on_status, LATCHED
        )
        self.reset_client = self.node.create_client(ResetSimulation, "simulation/reset")
        self.fault_client = self.node.create_client(InjectFault, "simulation/inject_fault")
        self.low_cmd = self.node.create_publisher(LowCmd, "/lowcmd", LATEST)

    @property
    def values(self) -> dict[str, str]:
        """Of the last status."""
        return {} if self.status is None else {v.key: v.value for v in self.status.values}

    def wait_for(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline, self.values
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

    def _on_status(self, status: DiagnosticStatus) -> None:
        self.status = status


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen]:
    node = start()
    yield node
    node.send_signal(signal.SIGINT)
    output, _ = node.communicate(timeout=TIMEOUT_S)
    assert node.returncode == 0, output
    assert "two writers" in output


@pytest.fixture(scope="module")
def listener(process: subprocess.Popen) -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def test_ground_truth_and_status(listener: Listener) -> None:
    listener.wait_for(lambda: len(listener.truth) > 5 and listener.status is not None)
    assert listener.truth[-1].pose.pose.position.z == pytest.approx(0.1, abs=0.03)
    assert listener.values["mode"] == "normal"
    assert listener.status is not None
    assert listener.status.level == DiagnosticStatus.OK


def test_two_writers_are_reported(listener: Listener) -> None:
    listener.wait_for(listener.low_cmd.get_subscription_count)

    def send_until(condition: Callable[[], object]) -> None:
        def sent() -> object:
            listener.low_cmd.publish(low_cmd_payload())
            return condition()

        listener.wait_for(sent)

    send_until(lambda: listener.status and listener.status.level == DiagnosticStatus.ERROR)
    assert listener.status is not None
    assert "two writers" in listener.status.message
    assert int(listener.values["low_cmd.conflicts"]) > 0
    listener.wait_for(lambda: listener.status and listener.status.level == DiagnosticStatus.OK)


def test_reset(listener: Listener) -> None:
    assert listener.call(listener.reset_client, ResetSimulation.Request()).success
    refused = listener.call(listener.reset_client, ResetSimulation.Request(world="moon"))
    assert not refused.success
    assert refused.error_code == 700
    assert "moon" in refused.message


def test_faults(listener: Listener) -> None:
    request = InjectFault.Request(fault="low_battery", value=0.5)
    assert listener.call(listener.fault_client, request).success
    listener.wait_for(lambda: listener.values["battery"] == "0.50")
    request = InjectFault.Request(fault="gremlins", value=0.5)
    refused = listener.call(listener.fault_client, request)
    assert not refused.success
    assert refused.error_code == 702


@pytest.mark.parametrize(
    ("argument", "message"),
    [("network_interface:=nowhere0", "[E700]"), ("sped:=1.0", "sped")],
)
def test_a_bad_parameter_ends_the_process_with_one_line(argument: str, message: str) -> None:
    node = start("--ros-args", "-p", argument)
    output, _ = node.communicate(timeout=TIMEOUT_S)
    assert node.returncode == 1
    assert message in output
    assert "Traceback" not in output
