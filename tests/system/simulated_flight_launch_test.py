"""The simulated Crazyflie through every layer, the real cflib included.

Runs under the genuine launch_testing as well.
"""

from __future__ import annotations

import os
import signal
import socket
import unittest
from typing import Any

import launch_testing.actions
import launch_testing.asserts
import pytest
from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from nav_msgs.msg import Odometry
from planner_interfaces.action import Navigate
from planner_interfaces.msg import Command
from robot_bridge.bridge import Phase
from robot_bridge.robot_operator import RobotOperator


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
        cls.operator = cls.enterClassContext(RobotOperator.at_work(20.0))
        cls.truth = cls.operator.hear(Odometry, "simulation/ground_truth")

    def send(self, x: float, y: float, z: float) -> Any:
        return self.operator.send("xyz", [x, y, z])

    def height(self) -> float:
        return self.truth[-1].pose.pose.position.z

    def landed(self) -> bool:
        return self.height() < 0.05 and self.operator.phase is Phase.READY

    def test_1_a_flight_across_the_room(self) -> None:
        handle = self.send(4.2, 0.95, 0.9)
        result = self.operator.result(handle, 60.0)
        assert result.error_code == Navigate.Result.NONE, result
        position = self.truth[-1].pose.pose.position
        there = (position.x - 4.2) ** 2 + (position.y - 0.95) ** 2 + (position.z - 0.9) ** 2
        assert there**0.5 < 0.35, position
        assert self.operator.planner[-1].candidates == 64

    def test_2_a_planner_that_dies_in_flight(self) -> None:
        """The robot brakes, hovers and lands, without its planner."""
        self.send(-4.2, -0.44, 1.0)
        self.operator.wait_for_mode(Command.TRACK, 30.0)
        self.operator.process("planner/planner_server").kill()
        self.operator.wait_for_mode(Command.HOLD, 10.0)
        assert self.height() > 0.3
        self.operator.wait(self.landed, "landing", 30.0)

    def test_3_a_robot_that_falls_silent_and_comes_back(self) -> None:
        self.operator.inject("silence", 1.0, 3.0)
        self.operator.wait(lambda: self.operator.phase is not Phase.READY, "the loss", 10.0)
        assert self.operator.reasons
        self.operator.wait_for(Phase.READY, 30.0)


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """Every node but the one that was killed ends in order."""

    def test_exit_codes(self, proc_info: Any) -> None:
        launch_testing.asserts.assertExitCodes(proc_info, [0, -signal.SIGKILL])
