"""The simulated Go2 through every layer: what it does when something fails while it walks.

Runs under the genuine launch_testing as well.
"""

from __future__ import annotations

import math
import os
import signal
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
from planner_interfaces.msg import Command, Plan
from robot_bridge.bridge import Phase
from robot_bridge.robot_operator import RobotOperator

pytest.importorskip("cyclonedds")

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


class TestWalk(unittest.TestCase):
    """The cases run in the order of their names, over one graph."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.operator = cls.enterClassContext(RobotOperator.at_work(30.0))
        cls.truth = cls.operator.hear(Odometry, "simulation/ground_truth")
        cls.absurd = cls.operator.node.create_publisher(Plan, "plan", 10)

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
        self.operator.wait_for(Phase.READY)
        return self.operator.send(["velocity_x", "heading"], [0.4, 0.0], "walk")

    def walk(self) -> Any:
        """Walk for as long as it goes well; the goal."""
        handle = self.send()
        begin = self.ahead()
        self.operator.wait(lambda: self.ahead() > begin + 0.3, "the walk")
        assert self.height() > STANDS_M
        return handle

    def height(self) -> float:
        return float(self.truth[-1].pose.pose.position.z)

    def ahead(self) -> float:
        return float(self.truth[-1].pose.pose.position.x)

    def sinks(self) -> None:
        self.operator.wait(lambda: self.height() < LIES_M, "a robot that lies")

    def test_1_a_walk(self) -> None:
        handle = self.send()
        result = self.operator.result(handle)
        assert result.error_code == Navigate.Result.NONE, result
        assert self.ahead() > 0.2 * KEPT_S
        assert self.height() > STANDS_M
        # Nobody asks for more: it stands for a moment, then yields.
        self.sinks()

    def test_2_absurd_plans(self) -> None:
        """Between good ones: each is refused, and the robot walks on."""
        self.walk()
        execution, node = self.operator.execution, self.operator.node
        refused, begin = execution[-1].refused_plans, self.ahead()
        spoiling = node.create_subscription(Plan, "plan", self.spoil, 10)
        self.operator.wait(lambda: execution[-1].refused_plans > refused + 10, "refusals")
        self.operator.wait(lambda: self.ahead() > begin + 0.3, "the walk to go on")
        node.destroy_subscription(spoiling)
        assert self.height() > STANDS_M
        assert self.operator.call("rest").success
        self.sinks()

    def test_3_a_robot_that_falls_silent(self) -> None:
        """Nothing reaches it, and nothing is heard of it: its motors yield by themselves."""
        handle = self.walk()
        self.operator.inject("silence", 1.0, 3.0)
        result = self.operator.result(handle)
        assert result.error_code == Navigate.Result.CRASHED, result
        self.sinks()
        self.operator.wait_for(Phase.READY)

    def test_4_an_emergency_stop(self) -> None:
        self.walk()
        assert self.operator.call("emergency_stop").success
        self.sinks()
        assert self.operator.status.emergency_stopped
        self.operator.wait(lambda: self.operator.call("reset_emergency_stop").success, "a reset")

    def test_5_a_state_that_goes_stale(self) -> None:
        handle = self.walk()
        estimation = self.operator.process("state_estimation/legged_estimation")
        estimation.suspend()
        try:
            result = self.operator.result(handle)
            assert result.error_code == Navigate.Result.LOST, result
            self.sinks()
        finally:
            estimation.resume()

    def test_6_a_planner_that_dies(self) -> None:
        self.walk()
        self.operator.process("planner/planner_server").kill()
        commands = self.operator.commands
        self.operator.wait(lambda: commands[-1].mode != Command.TRACK, "an end of the walk")
        assert self.height() > STANDS_M
        self.sinks()


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """Every node but the one that was killed ends in order."""

    def test_exit_codes(self, proc_info: Any) -> None:
        launch_testing.asserts.assertExitCodes(proc_info, [0, -signal.SIGKILL])
