"""The simulated SO-100 through every layer, the real lerobot included.

Runs under the genuine launch_testing as well.
"""

from __future__ import annotations

import os
import signal
import tempfile
import unittest
from typing import Any

import launch_testing.actions
import launch_testing.asserts
import numpy as np
import pytest
import yaml
from ament_index_python.packages import get_package_share_directory
from geometry_msgs.msg import PoseStamped
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from planner_interfaces.action import Navigate
from planner_interfaces.msg import Command
from planner_ros.qos import LATCHED
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter
from robot_bridge.bridge import Phase
from robot_bridge.robot_operator import RobotOperator
from sensor_msgs.msg import JointState
from std_msgs.msg import String

GENEROUS_S = 60.0
"""A busy machine needs it: lerobot alone takes many seconds to import."""
HELD_SAMPLES, HELD_RAD = 50, 0.01
"""So many readings of the simulated joints, one second, lie so near to each other."""
PLANNER = ("one_step", "so100_pick_place")
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
        cls.operator = cls.enterClassContext(RobotOperator.at_work(GENEROUS_S))
        cls.cube = cls.operator.hear(PoseStamped, "simulation/cube_0/pose")
        cls.joints = cls.operator.hear(JointState, "simulation/joint_states")
        cls.world = cls.operator.hear(String, "world/description", LATCHED)

    def send(self, x: float, y: float) -> Any:
        ready = (Phase.READY, Phase.ACTIVE)
        self.operator.wait(lambda: self.operator.phase in ready, "the arm")
        return self.operator.send(["object_x", "object_y"], [x, y], "pick_place")

    def plan_with(self, planner: str, model: str) -> None:
        parameters = [Parameter("planner", value=planner), Parameter("model", value=model)]
        response = self.operator.call(
            "planner_server/set_parameters_atomically", SetParametersAtomically,
            parameters=[parameter.to_parameter_msg() for parameter in parameters],
        )  # fmt: skip
        assert response.result.successful

    def until_held(self) -> None:
        """Nothing moves the arm for a while, neither a command nor its weight."""
        self.joints.clear()
        self.operator.wait(self.held, "an arm that holds")

    def held(self) -> bool:
        last = self.joints[-1 - HELD_SAMPLES :]
        if len(last) <= HELD_SAMPLES:
            return False
        return bool(np.ptp([message.position for message in last], axis=0).max() < HELD_RAD)

    def off(self, x: float, y: float) -> float:
        position = self.cube[-1].pose.position
        return float(((position.x - x) ** 2 + (position.y - y) ** 2) ** 0.5)

    def test_1_a_cube_is_put_to_its_place(self) -> None:
        self.operator.wait(lambda: self.world, "the table")
        goal = yaml.safe_load(self.world[-1].data)["goals"]["pick_place"]
        handle = self.send(**{name.removeprefix("object_"): v for name, v in goal.items()})
        result = self.operator.result(handle, 120.0)
        assert result.error_code == Navigate.Result.NONE, result
        assert self.off(goal["object_x"], goal["object_y"]) < 0.02

    def test_2_what_cannot_be_reached_is_refused(self) -> None:
        handle = self.send(0.9, 0.0)
        result = self.operator.result(handle)
        assert result.error_code == Navigate.Result.GOAL_OUTSIDE_FENCE, result

    def test_3_a_bus_that_falls_silent_and_comes_back(self) -> None:
        """The servos hold the arm where it is."""
        handle = self.send(0.2, 0.12)
        self.operator.wait_for_mode(Command.TRACK)
        self.operator.inject("silence", 1.0, 3.0)
        result = self.operator.result(handle)
        assert result.error_code == Navigate.Result.LOST, result
        self.until_held()
        assert self.operator.reasons
        self.operator.wait_for(Phase.READY)

    def test_4_absurd_plans(self) -> None:
        """The arm brakes and holds; a planner that plans sensibly again moves it again."""
        self.send(0.22, -0.1)
        self.operator.wait_for_mode(Command.TRACK)
        self.plan_with("fault", "huge")
        self.until_held()
        handle = self.send(0.22, 0.1)
        self.plan_with(*PLANNER)
        self.operator.wait_for_mode(Command.TRACK)
        self.operator.cancel(handle)

    def test_5_a_camera_that_sees_nothing(self) -> None:
        """Nothing is planned from what was seen long ago."""
        handle = self.send(0.22, -0.1)
        self.operator.wait_for_mode(Command.TRACK)
        self.operator.inject("camera_loss", 1.0, 3.0)
        self.until_held()
        self.operator.cancel(handle)

    def test_6_an_emergency_stop(self) -> None:
        """Latched, and under torque."""
        handle = self.send(0.22, -0.1)
        self.operator.wait_for_mode(Command.TRACK)
        assert self.operator.call("emergency_stop").success
        self.until_held()
        result = self.operator.result(handle)
        assert result.error_code == Navigate.Result.STOPPED, result
        assert self.operator.status.armed
        assert self.operator.status.emergency_stopped
        assert not self.operator.call("engage").success
        assert self.operator.call("reset_emergency_stop").success

    def test_7_a_planner_that_dies(self) -> None:
        """The arm brakes and holds, without its planner."""
        self.send(0.22, -0.1)
        self.operator.wait_for_mode(Command.TRACK)
        self.operator.process("planner/planner_server").kill()
        self.until_held()
        self.operator.wait_for(Phase.READY)


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """Every node but the one that was killed ends in order."""

    def test_exit_codes(self, proc_info: Any) -> None:
        launch_testing.asserts.assertExitCodes(proc_info, [0, -signal.SIGKILL])
