"""The launch file of the flight on the loopback robot: goals, refusals, cancel, e-stop, the end.

Runs under the genuine launch_testing as well.
"""

from __future__ import annotations

import os
import unittest
from itertools import pairwise
from typing import Any

import launch_testing.actions
import launch_testing.asserts
import pytest
from ament_index_python.packages import get_package_share_directory
from geometry_msgs.msg import PoseStamped
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from planner_interfaces.action import Navigate
from planner_interfaces.msg import Command
from planner_ros.clock import nanoseconds
from robot_bridge.robot_operator import RobotOperator

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
        cls.operator = cls.enterClassContext(RobotOperator.at_work(15.0))

    def send(self, values: list[float], frame_id: str = "map") -> Any:
        return self.operator.send("xyz", values, frame_id=frame_id)

    def fly(self, values: list[float], frame_id: str = "map") -> Navigate.Result:
        return self.operator.result(self.send(values, frame_id), 40.0)

    def test_1_goals_that_must_not_be_flown_to(self) -> None:
        for values, frame, code in (
            ([0.0, 0.0, 9.0], "map", Navigate.Result.GOAL_OUTSIDE_FENCE),
            ([5.5, 0.0, 1.0], "map", Navigate.Result.GOAL_OUTSIDE_FENCE),
            ([1.443, 0.461, 1.0], "map", Navigate.Result.GOAL_IN_OBSTACLE),
            ([3.0, 1.0, 1.0], "odom", Navigate.Result.GOAL_WRONG_FRAME),
            ([3.0, 1.0], "map", Navigate.Result.GOAL_INVALID),
        ):
            result = self.fly(values, frame)
            assert result.error_code == code, result
            assert f"[E{code}]" in result.error
        assert not self.operator.commands

    def test_2_a_flight_across_the_room(self) -> None:
        result = self.fly([4.2, 0.95, 0.9])
        assert result.error_code == Navigate.Result.NONE, result
        assert result.distance < 0.25
        assert 2.0 < result.elapsed_s < 30.0
        status = self.operator.planner
        self.operator.wait(lambda: status and status[-1].plans > 20, "plans in the status")
        assert status[-1].candidates == 64
        # Not every command need reach this process: a step is as long as the time between two lets.
        for before, after in pairwise(self.operator.commands):
            passed = nanoseconds(after.header.stamp) - nanoseconds(before.header.stamp)
            allowed = SPEED_M_S * passed * 1e-9 + 0.02
            for a, b in zip(before.position[:3], after.position[:3], strict=True):
                assert abs(a - b) < allowed, (before, after)

    def test_3_a_flight_that_is_cancelled(self) -> None:
        handle = self.send([-4.2, -0.44, 1.0])
        self.operator.wait_for_mode(Command.TRACK)
        result = self.operator.cancel(handle)
        assert result.error_code == Navigate.Result.CANCELLED, result
        self.operator.wait_for_mode(Command.HOLD)

    def test_4_a_goal_that_replaces_another(self) -> None:
        first = self.send([-4.2, -0.44, 1.0])
        self.operator.wait_for_mode(Command.TRACK)
        second = self.send([3.6, 0.5, 1.0])
        replaced = self.operator.result(first)
        assert replaced.error_code == Navigate.Result.REPLACED
        result = self.operator.result(second, 40.0)
        assert result.error_code == Navigate.Result.NONE, result

    def test_5_a_goal_as_rviz_sends_it(self) -> None:
        goals = self.operator.node.create_publisher(PoseStamped, "goal_pose", 10)
        self.operator.wait(goals.get_subscription_count, "the navigator")
        pose = PoseStamped()
        pose.header.frame_id = "map"
        pose.pose.position.x, pose.pose.position.y = 3.6, -0.5
        pose.pose.orientation.w = 1.0
        height = self.operator.commands[-1].position[2]
        goals.publish(pose)

        def there() -> bool:
            x, y = self.operator.commands[-1].position[:2]
            return abs(x - 3.6) < 0.25 and abs(y + 0.5) < 0.25

        self.operator.wait(there, "arrival")
        # RViz clicks on the floor: the robot keeps its height.
        assert abs(self.operator.commands[-1].position[2] - height) < 0.15

    def test_6_an_emergency_stop_in_flight(self) -> None:
        handle = self.send([-4.2, -0.44, 1.0])
        self.operator.wait_for_mode(Command.TRACK)
        assert self.operator.call("emergency_stop").success
        result = self.operator.result(handle)
        assert result.error_code == Navigate.Result.STOPPED, result
        refused = self.operator.call("engage")
        assert not refused.success
        assert "reset_emergency_stop" in refused.message
        assert self.operator.call("reset_emergency_stop").success


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """Every node ends in order."""

    def test_exit_codes(self, proc_info: Any) -> None:
        launch_testing.asserts.assertExitCodes(proc_info)
