"""The simulated Go2 through every layer: what it does when something fails while it walks.

Runs under the genuine launch_testing as well.
"""

from __future__ import annotations

import math
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
from planner_interfaces.msg import BridgeStatus, Command, ExecutionStatus, Plan
from planner_interfaces.srv import InjectFault
from rclpy.action import ActionClient
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from std_srvs.srv import Trigger

pytest.importorskip("cyclonedds")

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
GENEROUS_S = 30.0
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
        cls.execution: list[ExecutionStatus] = []
        for kind, topic, seen, qos in (
            (Odometry, "simulation/ground_truth", cls.truth, qos_profile_sensor_data),
            (BridgeStatus, "bridge/status", cls.bridge, LATCHED),
            (Command, "command", cls.commands, qos_profile_sensor_data),
            (ExecutionStatus, "execution/status", cls.execution, 10),
        ):
            cls.node.create_subscription(kind, topic, seen.append, qos)

        cls.absurd = cls.node.create_publisher(Plan, "plan", 10)

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

    def spoil(self, plan: Plan) -> None:
        """Publish an absurd copy of a plan of the planner's."""
        if plan.planner == "absurd":
            return
        plan.planner = "absurd"
        plan.sequence += 1
        kind = plan.sequence % 3
        if kind == 0:
            plan.position[0] = math.nan
        elif kind == 1:
            plan.velocity[0] = 1e9
        else:
            plan.names = plan.names[::-1]
        self.absurd.publish(plan)

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
        """Between good ones: each is refused, and the robot walks on."""
        self.walk()
        refused, begin = self.execution[-1].refused_plans, self.truth[-1].pose.pose.position.x
        spoiling = self.node.create_subscription(Plan, "plan", self.spoil, 10)
        self.until(lambda: self.execution[-1].refused_plans > refused + 10, "refusals")
        self.until(lambda: self.truth[-1].pose.pose.position.x > begin + 0.3, "the walk to go on")
        self.node.destroy_subscription(spoiling)
        assert self.height() > STANDS_M
        assert self.call(Trigger, "rest", Trigger.Request()).success
        self.sinks()

    def test_3_a_robot_that_falls_silent(self) -> None:
        """Nothing reaches it, and nothing is heard of it: its motors yield by themselves."""
        handle = self.walk()
        self.inject("silence", 1.0, 3.0)
        result = self.wait_for(handle.get_result_async(), "a result").result
        assert result.error_code == Navigate.Result.CRASHED, result
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
