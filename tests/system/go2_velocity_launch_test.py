"""The simulated Go2 through every layer: what it does when something fails while it walks.

Runs under the genuine launch_testing as well.
"""

from __future__ import annotations

import os
import signal
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
from rcl_interfaces.srv import SetParameters
from rclpy.action import ActionClient
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from std_srvs.srv import Trigger

pytest.importorskip("cyclonedds")

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
GENEROUS_S = 60.0
STANDS_M, LIES_M = 0.22, 0.15
KEPT_S = 3.0
"""How long the walk of the first case has to last."""


@pytest.mark.launch_test
@pytest.mark.study
def generate_test_description() -> LaunchDescription:
    name = "go2_velocity.launch.py"
    file = os.path.join(get_package_share_directory("planner"), "launch", name)
    walk = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(file),
        launch_arguments={"goal": "none", "view": "false", "duration_s": str(KEPT_S)}.items(),
    )
    return LaunchDescription([walk, launch_testing.actions.ReadyToTest()])


def process(executable: str) -> psutil.Process:
    """The process of a node of this graph, by package and executable."""
    (found,) = (
        p for p in psutil.process_iter(["cmdline", "environ"])
        if any(f"lib/{executable}" in part for part in p.info["cmdline"] or ())
        and (p.info["environ"] or {}).get("ROS_DOMAIN_ID") == os.environ.get("ROS_DOMAIN_ID")
    )  # fmt: skip
    return found


class TestWalk(unittest.TestCase):
    """The cases run in the order of their names, over one graph."""

    @classmethod
    def setUpClass(cls) -> None:
        rclpy.init()
        cls.node = rclpy.create_node("walker")
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

    def until(
        self, condition: Callable[[], object], what: str, limit_s: float = GENEROUS_S
    ) -> None:
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, f"not within {limit_s} s: {what}"
            rclpy.spin_once(self.node, timeout_sec=0.05)

    def wait_for(self, future: Any, what: str) -> Any:
        self.until(future.done, what)
        return future.result()

    def call(self, kind: type, service: str, request: Any) -> Any:
        client = self.node.create_client(kind, service)
        assert client.wait_for_service(timeout_sec=GENEROUS_S), service
        response = self.wait_for(client.call_async(request), service)
        self.node.destroy_client(client)
        return response

    def inject(self, fault: str, value: float, duration_s: float) -> None:
        request = InjectFault.Request(fault=fault, value=value, duration_s=duration_s)
        assert self.call(InjectFault, "simulation/inject_fault", request).success

    def plan_with(self, planner: str, model: str) -> None:
        parameters = [Parameter("planner", value=planner), Parameter("model", value=model)]
        request = SetParameters.Request(parameters=[p.to_parameter_msg() for p in parameters])
        results = self.call(SetParameters, "planner_server/set_parameters", request).results
        assert all(result.successful for result in results), results
        self.until(lambda: self.planner[-1].planner == planner, f"the planner {planner}")

    def send(self) -> Any:
        self.until(lambda: self.bridge and self.bridge[-1].state == BridgeStatus.READY, "readiness")
        assert self.navigate.wait_for_server(timeout_sec=GENEROUS_S)
        goal = Navigate.Goal()
        goal.goal.task = "walk"
        goal.goal.names, goal.goal.values = ["velocity_x", "heading"], [0.4, 0.0]
        return self.wait_for(self.navigate.send_goal_async(goal), "the goal to be accepted")

    def walk(self) -> Any:
        """Walk for as long as it goes well; the goal."""
        handle = self.send()
        begin = self.truth[-1].pose.pose.position.x
        self.until(lambda: self.truth[-1].pose.pose.position.x > begin + 0.3, "the walk")
        assert self.height() > STANDS_M
        return handle

    def height(self) -> float:
        return float(self.truth[-1].pose.pose.position.z)

    def sinks(self) -> None:
        self.until(lambda: self.height() < LIES_M, "a robot that lies")

    def test_1_a_walk(self) -> None:
        handle = self.send()
        result = self.wait_for(handle.get_result_async(), "a result").result
        assert result.error_code == Navigate.Result.NONE, result
        position = self.truth[-1].pose.pose.position
        assert position.x > 0.2 * KEPT_S, position
        assert self.height() > STANDS_M
        # Nobody asks for more: it stands for a moment, then yields.
        self.sinks()

    def test_2_absurd_plans(self) -> None:
        """None of them is followed: the robot ends its walk on its feet, then yields."""
        self.walk()
        self.plan_with("fault", "nan")
        self.until(lambda: self.commands[-1].mode != Command.TRACK, "an end of the walk")
        self.sinks()
        self.plan_with("mpdiffuser", "go2_velocity")

    def test_3_a_robot_that_falls_silent(self) -> None:
        """Its state is stale, nothing arrives: its motors yield by themselves."""
        handle = self.walk()
        self.inject("silence", 1.0, 3.0)
        result = self.wait_for(handle.get_result_async(), "a result").result
        assert result.error_code == Navigate.Result.LOST, result
        self.sinks()
        self.until(lambda: self.bridge[-1].state == BridgeStatus.READY, "the return")

    def test_4_an_emergency_stop(self) -> None:
        self.walk()
        assert self.call(Trigger, "emergency_stop", Trigger.Request()).success
        self.sinks()
        assert self.bridge[-1].emergency_stopped
        self.until(
            lambda: self.call(Trigger, "reset_emergency_stop", Trigger.Request()).success,
            "the end of the stop",
        )

    def test_5_a_state_that_goes_stale(self) -> None:
        handle = self.walk()
        estimation = process("state_estimation/legged_estimation")
        estimation.suspend()
        try:
            result = self.wait_for(handle.get_result_async(), "a result").result
            assert result.error_code == Navigate.Result.LOST, result
            self.sinks()
        finally:
            estimation.resume()

    def test_6_a_planner_that_dies(self) -> None:
        self.walk()
        process("planner/planner_server").kill()
        self.until(lambda: self.commands[-1].mode != Command.TRACK, "an end of the walk")
        assert self.height() > STANDS_M
        self.sinks()


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """Every node but the one that was killed ends in order."""

    def test_exit_codes(self, proc_info: Any) -> None:
        launch_testing.asserts.assertExitCodes(proc_info, [0, -signal.SIGKILL])
