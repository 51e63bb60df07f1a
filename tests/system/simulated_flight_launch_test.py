"""The simulated Crazyflie through every layer, the real cflib included.

Runs under the genuine launch_testing as well.
"""

from __future__ import annotations

import os
import signal
import socket
import time
import unittest
from collections.abc import Callable
from typing import Any

import launch_testing.actions
import launch_testing.asserts
import psutil
import pytest
import rclpy
from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from nav_msgs.msg import Odometry
from planner_interfaces.action import Navigate
from planner_interfaces.msg import BridgeStatus, Command, PlannerStatus
from planner_interfaces.srv import InjectFault
from rclpy.action import ActionClient
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def free_port() -> int:
    """A UDP port that nobody holds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.launch_test
@pytest.mark.slow
@pytest.mark.real_time
def generate_test_description() -> LaunchDescription:
    file = os.path.join(get_package_share_directory("planner"), "launch", "crazyflie_nav.launch.py")
    flight = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(file),
        launch_arguments={
            "goal": "none",
            "view": "false",
            "uri": f"udp://127.0.0.1:{free_port()}",
        }.items(),
    )
    return LaunchDescription([flight, launch_testing.actions.ReadyToTest()])


class TestFlight(unittest.TestCase):
    """The cases run in the order of their names, over one graph."""

    @classmethod
    def setUpClass(cls) -> None:
        rclpy.init()
        cls.node = rclpy.create_node("passenger")
        cls.navigate = ActionClient(cls.node, Navigate, "navigate")
        cls.truth: list[Odometry] = []
        cls.bridge: list[BridgeStatus] = []
        cls.commands: list[Command] = []
        cls.planner: list[PlannerStatus] = []
        for kind, topic, seen, qos in (
            (Odometry, "simulation/ground_truth", cls.truth, qos_profile_sensor_data),
            (BridgeStatus, "bridge/status", cls.bridge, LATCHED),
            (Command, "command", cls.commands, qos_profile_sensor_data),
            (PlannerStatus, "planner/status", cls.planner, LATCHED),
        ):
            cls.node.create_subscription(kind, topic, seen.append, qos)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.navigate.destroy()
        cls.node.destroy_node()
        rclpy.shutdown()

    def until(self, condition: Callable[[], object], what: str, limit_s: float = 20.0) -> None:
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, f"not within {limit_s} s: {what}"
            rclpy.spin_once(self.node, timeout_sec=0.05)

    def wait_for(self, future: Any, what: str, limit_s: float = 20.0) -> Any:
        self.until(future.done, what, limit_s)
        return future.result()

    def send(self, x: float, y: float, z: float) -> Any:
        assert self.navigate.wait_for_server(timeout_sec=20.0)
        goal = Navigate.Goal()
        goal.goal.names, goal.goal.values = ["x", "y", "z"], [x, y, z]
        return self.wait_for(self.navigate.send_goal_async(goal), "the goal to be accepted")

    def inject(self, fault: str, value: float, duration_s: float) -> None:
        client = self.node.create_client(InjectFault, "simulation/inject_fault")
        assert client.wait_for_service(timeout_sec=10.0)
        request = InjectFault.Request(fault=fault, value=value, duration_s=duration_s)
        assert self.wait_for(client.call_async(request), fault).success
        self.node.destroy_client(client)

    def height(self) -> float:
        return self.truth[-1].pose.pose.position.z

    def landed(self) -> bool:
        return self.height() < 0.05 and self.bridge[-1].state == BridgeStatus.READY

    def test_1_a_flight_across_the_room(self) -> None:
        handle = self.send(4.2, 0.95, 0.9)
        result = self.wait_for(handle.get_result_async(), "a result", 60.0).result
        assert result.error_code == Navigate.Result.NONE, result
        position = self.truth[-1].pose.pose.position
        there = (position.x - 4.2) ** 2 + (position.y - 0.95) ** 2 + (position.z - 0.9) ** 2
        assert there**0.5 < 0.35, position
        assert self.planner[-1].candidates == 64

    def test_2_a_planner_that_dies_in_flight(self) -> None:
        """The robot brakes, hovers and lands, without its planner."""
        self.send(-4.2, -0.44, 1.0)
        self.until(lambda: self.commands[-1].mode == Command.TRACK, "the flight", 30.0)
        (planner,) = (
            p for p in psutil.process_iter(["cmdline", "environ"])
            if any("lib/planner/planner_server" in part for part in p.info["cmdline"] or ())
            and (p.info["environ"] or {}).get("ROS_DOMAIN_ID") == os.environ.get("ROS_DOMAIN_ID")
        )  # fmt: skip
        planner.send_signal(signal.SIGKILL)
        self.until(lambda: self.commands[-1].mode == Command.HOLD, "hovering", 10.0)
        assert self.height() > 0.3
        self.until(self.landed, "landing", 30.0)

    def test_3_a_robot_that_falls_silent_and_comes_back(self) -> None:
        self.inject("silence", 1.0, 3.0)
        self.until(lambda: self.bridge[-1].state != BridgeStatus.READY, "the loss", 10.0)
        assert self.bridge[-1].reasons
        self.until(lambda: self.bridge[-1].state == BridgeStatus.READY, "the return", 30.0)


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """Every node but the one that was killed ends in order."""

    def test_exit_codes(self, proc_info: Any) -> None:
        launch_testing.asserts.assertExitCodes(proc_info, [0, -signal.SIGKILL])
