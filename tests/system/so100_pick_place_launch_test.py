"""The simulated SO-100 through every layer, the real lerobot included.

Runs under the genuine launch_testing as well.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
import unittest
from collections.abc import Callable
from typing import Any

import launch_testing.actions
import launch_testing.asserts
import psutil
import pytest
import rclpy
import yaml
from ament_index_python.packages import get_package_share_directory
from geometry_msgs.msg import PoseStamped
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from planner_interfaces.action import Navigate
from planner_interfaces.msg import BridgeStatus, Command, ExecutionStatus, PlannerStatus
from planner_interfaces.srv import InjectFault
from rclpy.action import ActionClient
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import JointState
from std_msgs.msg import String

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
GENEROUS_S = 60.0
"""A busy machine needs it: lerobot alone takes many seconds to import."""


@pytest.mark.launch_test
@pytest.mark.study
def generate_test_description() -> LaunchDescription:
    name = "so100_pick_place.launch.py"
    file = os.path.join(get_package_share_directory("planner"), "launch", name)
    arm = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(file),
        launch_arguments={
            "goal": "none",
            "seed": "3",
            "view": "false",
            "port": os.path.join(tempfile.mkdtemp(prefix="so100_"), "port"),
        }.items(),
    )
    return LaunchDescription([arm, launch_testing.actions.ReadyToTest()])


class TestArm(unittest.TestCase):
    """The cases run in the order of their names, over one graph."""

    @classmethod
    def setUpClass(cls) -> None:
        rclpy.init()
        cls.node = rclpy.create_node("operator")
        cls.navigate = ActionClient(cls.node, Navigate, "navigate")
        cls.cube: list[PoseStamped] = []
        cls.joints: list[JointState] = []
        cls.bridge: list[BridgeStatus] = []
        cls.commands: list[Command] = []
        cls.execution: list[ExecutionStatus] = []
        cls.planner: list[PlannerStatus] = []
        cls.world: list[String] = []
        for kind, topic, seen, qos in (
            (PoseStamped, "simulation/cube_0/pose", cls.cube, qos_profile_sensor_data),
            (JointState, "simulation/joint_states", cls.joints, qos_profile_sensor_data),
            (BridgeStatus, "bridge/status", cls.bridge, LATCHED),
            (Command, "command", cls.commands, qos_profile_sensor_data),
            (ExecutionStatus, "execution/status", cls.execution, 10),
            (PlannerStatus, "planner/status", cls.planner, LATCHED),
            (String, "world/description", cls.world, LATCHED),
        ):
            cls.node.create_subscription(kind, topic, seen.append, qos)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.navigate.destroy()
        cls.node.destroy_node()
        rclpy.shutdown()

    def until(
        self, condition: Callable[[], object], what: str, limit_s: float = GENEROUS_S
    ) -> None:
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, f"not within {limit_s} s: {what}"
            rclpy.spin_once(self.node, timeout_sec=0.05)

    def wait_for(self, future: Any, what: str, limit_s: float = GENEROUS_S) -> Any:
        self.until(future.done, what, limit_s)
        return future.result()

    def send(self, x: float, y: float) -> Any:
        ready = (BridgeStatus.READY, BridgeStatus.ACTIVE)
        self.until(lambda: self.bridge and self.bridge[-1].state in ready, "the arm")
        assert self.navigate.wait_for_server(timeout_sec=GENEROUS_S)
        goal = Navigate.Goal()
        goal.goal.task = "pick_place"
        goal.goal.names, goal.goal.values = ["object_x", "object_y"], [x, y]
        return self.wait_for(self.navigate.send_goal_async(goal), "the goal to be accepted")

    def inject(self, fault: str, value: float, duration_s: float) -> None:
        client = self.node.create_client(InjectFault, "simulation/inject_fault")
        assert client.wait_for_service(timeout_sec=10.0)
        request = InjectFault.Request(fault=fault, value=value, duration_s=duration_s)
        assert self.wait_for(client.call_async(request), fault).success
        self.node.destroy_client(client)

    def moving(self) -> bool:
        return bool(self.commands) and self.commands[-1].mode == Command.TRACK

    def still(self) -> bool:
        return max(abs(v) for v in self.joints[-1].velocity) < 0.02

    def off(self, x: float, y: float) -> float:
        position = self.cube[-1].pose.position
        return float(((position.x - x) ** 2 + (position.y - y) ** 2) ** 0.5)

    def test_1_a_cube_is_put_to_its_place(self) -> None:
        self.until(lambda: self.world, "the table")
        goal = yaml.safe_load(self.world[-1].data)["goals"]["pick_place"]
        handle = self.send(**{name.removeprefix("object_"): v for name, v in goal.items()})
        result = self.wait_for(handle.get_result_async(), "a result", 120.0).result
        assert result.error_code == Navigate.Result.NONE, result
        assert self.off(goal["object_x"], goal["object_y"]) < 0.02

    def test_2_what_cannot_be_reached_is_refused(self) -> None:
        handle = self.send(0.9, 0.0)
        result = self.wait_for(handle.get_result_async(), "a refusal").result
        assert result.error_code == Navigate.Result.GOAL_OUTSIDE_FENCE, result

    def test_3_a_bus_that_falls_silent_and_comes_back(self) -> None:
        """The servos hold the arm where it is."""
        handle = self.send(0.2, 0.12)
        self.until(self.moving, "the motion")
        self.inject("silence", 1.0, 3.0)
        result = self.wait_for(handle.get_result_async(), "a result").result
        assert result.error_code == Navigate.Result.LOST, result
        self.until(self.still, "an arm that holds")
        assert self.bridge[-1].reasons
        self.until(lambda: self.bridge[-1].state == BridgeStatus.READY, "the return")

    def test_4_a_planner_that_dies(self) -> None:
        """The arm brakes and holds, without its planner."""
        self.send(0.22, -0.1)
        self.until(self.moving, "the motion")
        (planner,) = (
            p for p in psutil.process_iter(["cmdline", "environ"])
            if any("lib/planner/planner_server" in part for part in p.info["cmdline"] or ())
            and (p.info["environ"] or {}).get("ROS_DOMAIN_ID") == os.environ.get("ROS_DOMAIN_ID")
        )  # fmt: skip
        planner.send_signal(signal.SIGKILL)
        self.until(lambda: self.commands[-1].mode == Command.HOLD, "holding")
        self.until(self.still, "an arm that holds")
        held = self.joints[-1].position
        self.until(lambda: self.bridge[-1].state == BridgeStatus.READY, "the end of the motion")
        assert max(abs(a - b) for a, b in zip(held, self.joints[-1].position, strict=True)) < 0.03


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """Every node but the one that was killed ends in order."""

    def test_exit_codes(self, proc_info: Any) -> None:
        launch_testing.asserts.assertExitCodes(proc_info, [0, -signal.SIGKILL])
