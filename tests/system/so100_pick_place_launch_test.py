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
import numpy as np
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
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.action import ActionClient
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
GENEROUS_S = 60.0
"""A busy machine needs it: lerobot alone takes many seconds to import."""
HELD_SAMPLES, HELD_RAD = 50, 0.01
"""So many readings of the simulated joints, one second, lie so near to each other."""
PLANNER = ("scripted_placing", "")
"""That the launch file starts by default, and its model."""


@pytest.mark.launch_test
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

    def call(self, kind: Any, service: str, request: Any) -> Any:
        client = self.node.create_client(kind, service)
        assert client.wait_for_service(timeout_sec=10.0), service
        response = self.wait_for(client.call_async(request), service)
        self.node.destroy_client(client)
        return response

    def inject(self, fault: str, value: float, duration_s: float) -> None:
        request = InjectFault.Request(fault=fault, value=value, duration_s=duration_s)
        assert self.call(InjectFault, "simulation/inject_fault", request).success

    def plan_with(self, planner: str, model: str) -> None:
        parameters = [Parameter("planner", value=planner), Parameter("model", value=model)]
        messages = [parameter.to_parameter_msg() for parameter in parameters]
        request = SetParametersAtomically.Request(parameters=messages)
        service = "planner_server/set_parameters_atomically"
        assert self.call(SetParametersAtomically, service, request).result.successful

    def end(self, handle: Any) -> None:
        self.wait_for(handle.cancel_goal_async(), "the end of the goal")
        self.wait_for(handle.get_result_async(), "a result")

    def until_held(self) -> None:
        """Nothing moves the arm for a while, neither a command nor its weight."""
        self.joints.clear()
        self.until(self.held, "an arm that holds")

    def held(self) -> bool:
        last = self.joints[-1 - HELD_SAMPLES :]
        if len(last) <= HELD_SAMPLES:
            return False
        return bool(np.ptp([message.position for message in last], axis=0).max() < HELD_RAD)

    def moving(self) -> bool:
        return bool(self.commands) and self.commands[-1].mode == Command.TRACK

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
        self.until_held()
        assert self.bridge[-1].reasons
        self.until(lambda: self.bridge[-1].state == BridgeStatus.READY, "the return")

    def test_4_absurd_plans(self) -> None:
        """The arm brakes and holds; a planner that plans sensibly again moves it again."""
        self.send(0.22, -0.1)
        self.until(self.moving, "the motion")
        self.plan_with("fault", "huge")
        self.until_held()
        handle = self.send(0.22, 0.1)
        self.plan_with(*PLANNER)
        self.until(self.moving, "the motion")
        self.end(handle)

    def test_5_a_camera_that_sees_nothing(self) -> None:
        """Nothing is planned from what was seen long ago."""
        handle = self.send(0.22, -0.1)
        self.until(self.moving, "the motion")
        self.inject("camera_loss", 1.0, 3.0)
        self.until_held()
        self.end(handle)

    def test_6_an_emergency_stop(self) -> None:
        """Latched, and under torque."""
        handle = self.send(0.22, -0.1)
        self.until(self.moving, "the motion")
        assert self.call(Trigger, "emergency_stop", Trigger.Request()).success
        self.until_held()
        result = self.wait_for(handle.get_result_async(), "a result").result
        assert result.error_code == Navigate.Result.STOPPED, result
        assert self.bridge[-1].armed
        assert self.bridge[-1].emergency_stopped
        assert not self.call(Trigger, "engage", Trigger.Request()).success
        assert self.call(Trigger, "reset_emergency_stop", Trigger.Request()).success

    def test_7_a_planner_that_dies(self) -> None:
        """The arm brakes and holds, without its planner."""
        self.send(0.22, -0.1)
        self.until(self.moving, "the motion")
        (planner,) = (
            p for p in psutil.process_iter(["cmdline", "environ"])
            if any("lib/planner/planner_server" in part for part in p.info["cmdline"] or ())
            and (p.info["environ"] or {}).get("ROS_DOMAIN_ID") == os.environ.get("ROS_DOMAIN_ID")
        )  # fmt: skip
        planner.send_signal(signal.SIGKILL)
        self.until_held()
        self.until(lambda: self.bridge[-1].state == BridgeStatus.READY, "the end of the motion")


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """Every node but the one that was killed ends in order."""

    def test_exit_codes(self, proc_info: Any) -> None:
        launch_testing.asserts.assertExitCodes(proc_info, [0, -signal.SIGKILL])
