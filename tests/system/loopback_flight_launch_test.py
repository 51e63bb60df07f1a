"""The launch file of the flight on the loopback robot: goals, refusals, cancel, e-stop, the end.

Runs under the genuine launch_testing as well.
"""

from __future__ import annotations

import os
import time
import unittest
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import launch_testing.actions
import launch_testing.asserts
import pytest
import rclpy
from ament_index_python.packages import get_package_share_directory
from geometry_msgs.msg import PoseStamped
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from planner_interfaces.action import Navigate
from planner_interfaces.msg import Command, PlannerStatus
from planner_ros.clock import nanoseconds
from rclpy.action import ActionClient
from rclpy.qos import qos_profile_sensor_data
from std_srvs.srv import Trigger

SPEED_M_S = 1.65
"""Along an axis: the robot's limit, and what its gates let beyond it."""


@pytest.mark.launch_test
def generate_test_description() -> LaunchDescription:
    file = os.path.join(get_package_share_directory("planner"), "launch", "crazyflie_nav.launch.py")
    flight = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(file),
        launch_arguments={"robot": "loopback", "goal": "none", "view": "false"}.items(),
    )
    return LaunchDescription([flight, launch_testing.actions.ReadyToTest()])


class TestFlight(unittest.TestCase):
    """The cases run in the order of their names, over one graph."""

    @classmethod
    def setUpClass(cls) -> None:
        rclpy.init()
        cls.node = rclpy.create_node("passenger")
        cls.navigate = ActionClient(cls.node, Navigate, "navigate")
        cls.commands: list[Command] = []
        cls.node.create_subscription(
            Command, "command", cls.commands.append, qos_profile_sensor_data
        )
        cls.status: list[PlannerStatus] = []
        cls.node.create_subscription(PlannerStatus, "planner/status", cls.status.append, 10)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.navigate.destroy()
        cls.node.destroy_node()
        rclpy.shutdown()

    def until(self, condition: Callable[[], object], what: str, limit_s: float = 15.0) -> None:
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, f"not within {limit_s} s: {what}"
            rclpy.spin_once(self.node, timeout_sec=0.05)

    def wait_for(self, future: Any, what: str, limit_s: float = 15.0) -> Any:
        self.until(future.done, what, limit_s)
        return future.result()

    def send(self, values: list[float], names: str = "xyz", **header: str) -> Any:
        assert self.navigate.wait_for_server(timeout_sec=15.0)
        goal = Navigate.Goal()
        goal.goal.names, goal.goal.values = list(names), values
        goal.goal.header.frame_id = header.get("frame_id", "map")
        return self.wait_for(self.navigate.send_goal_async(goal), "the goal to be accepted")

    def fly(self, *arguments: Any, **header: str) -> Navigate.Result:
        handle = self.send(*arguments, **header)
        return self.wait_for(handle.get_result_async(), "a result", 40.0).result

    def call(self, service: str) -> Trigger.Response:
        client = self.node.create_client(Trigger, service)
        assert client.wait_for_service(timeout_sec=10.0)
        response = self.wait_for(client.call_async(Trigger.Request()), service)
        self.node.destroy_client(client)
        return response

    def test_1_goals_that_must_not_be_flown_to(self) -> None:
        for values, frame, code in (
            ([0.0, 0.0, 9.0], "map", Navigate.Result.GOAL_OUTSIDE_FENCE),
            ([5.5, 0.0, 1.0], "map", Navigate.Result.GOAL_OUTSIDE_FENCE),
            ([1.443, 0.461, 1.0], "map", Navigate.Result.GOAL_IN_OBSTACLE),
            ([3.0, 1.0, 1.0], "odom", Navigate.Result.GOAL_WRONG_FRAME),
            ([3.0, 1.0], "map", Navigate.Result.GOAL_INVALID),
        ):
            result = self.fly(values, "xyz", frame_id=frame)
            assert result.error_code == code, result
            assert f"[E{code}]" in result.error
        assert not self.commands

    def test_2_a_flight_across_the_room(self) -> None:
        result = self.fly([4.2, 0.95, 0.9])
        assert result.error_code == Navigate.Result.NONE, result
        assert result.distance < 0.25
        assert 2.0 < result.elapsed_s < 30.0
        self.until(lambda: self.status and self.status[-1].plans > 20, "plans in the status")
        assert self.status[-1].candidates == 64
        # Not every command need reach this process: a step is as long as the time between two lets.
        for before, after in pairwise(self.commands):
            passed = nanoseconds(after.header.stamp) - nanoseconds(before.header.stamp)
            allowed = SPEED_M_S * passed * 1e-9 + 0.02
            for a, b in zip(before.position[:3], after.position[:3], strict=True):
                assert abs(a - b) < allowed, (before, after)

    def test_3_a_flight_that_is_cancelled(self) -> None:
        handle = self.send([-4.2, -0.44, 1.0])
        self.until(lambda: self.commands[-1].mode == Command.TRACK, "the flight")
        self.wait_for(handle.cancel_goal_async(), "the cancellation")
        result = self.wait_for(handle.get_result_async(), "a result").result
        assert result.error_code == Navigate.Result.CANCELLED, result
        self.until(lambda: self.commands[-1].mode == Command.HOLD, "standing still")

    def test_4_a_goal_that_replaces_another(self) -> None:
        first = self.send([-4.2, -0.44, 1.0])
        self.until(lambda: self.commands[-1].mode == Command.TRACK, "the flight")
        second = self.send([3.6, 0.5, 1.0])
        replaced = self.wait_for(first.get_result_async(), "a result of the first").result
        assert replaced.error_code == Navigate.Result.REPLACED
        result = self.wait_for(second.get_result_async(), "a result of the second", 40.0).result
        assert result.error_code == Navigate.Result.NONE, result

    def test_5_a_goal_as_rviz_sends_it(self) -> None:
        goals = self.node.create_publisher(PoseStamped, "goal_pose", 10)
        self.until(goals.get_subscription_count, "the navigator")
        pose = PoseStamped()
        pose.header.frame_id = "map"
        pose.pose.position.x, pose.pose.position.y = 3.6, -0.5
        pose.pose.orientation.w = 1.0
        height = self.commands[-1].position[2]
        goals.publish(pose)

        def there() -> bool:
            x, y = self.commands[-1].position[:2]
            return abs(x - 3.6) < 0.25 and abs(y + 0.5) < 0.25

        self.until(there, "arrival")
        # RViz clicks on the floor: the robot keeps its height.
        assert abs(self.commands[-1].position[2] - height) < 0.15

    def test_6_an_emergency_stop_in_flight(self) -> None:
        handle = self.send([-4.2, -0.44, 1.0])
        self.until(lambda: self.commands[-1].mode == Command.TRACK, "the flight")
        assert self.call("emergency_stop").success
        result = self.wait_for(handle.get_result_async(), "a result").result
        assert result.error_code == Navigate.Result.STOPPED, result
        refused = self.call("engage")
        assert not refused.success
        assert "reset_emergency_stop" in refused.message
        assert self.call("reset_emergency_stop").success


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """Every node ends in order."""

    def test_exit_codes(self, proc_info: Any) -> None:
        launch_testing.asserts.assertExitCodes(proc_info)
