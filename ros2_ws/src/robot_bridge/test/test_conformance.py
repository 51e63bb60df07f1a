"""The loopback robot conforms, for each robot that it stands in for; broken bridges do not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import rclpy
from planner_core.limiter import Setpoint
from planner_interfaces.msg import Command
from rclpy.executors import SingleThreadedExecutor
from robot_bridge.bridge_operator import BridgeOperator
from robot_bridge.conformance import BridgeConformance
from robot_bridge.loopback import LoopbackRobot


class Deaf(LoopbackRobot):
    """Goes on when commands stop coming."""

    def rest(self) -> None:
        """Not at all."""


class Obedient(LoopbackRobot):
    """Believes every command."""

    def _on_command(self, msg: Command) -> None:
        self.send(Setpoint.at_rest(self.position()))
        self.guard.arm()


class Forgetful(LoopbackRobot):
    """Its emergency stop does not last."""

    def stop(self) -> None:
        super().stop()
        self.guard.reset()
        self.recover()


@contextmanager
def bench(domain: int, robot: str, bridge: type[LoopbackRobot]) -> Iterator[BridgeConformance]:
    arguments = ["--ros-args", "-p", f"robot:={robot}", "-p", "engage_s:=0.1"]
    rclpy.init(domain_id=domain, args=[*arguments, "-p", "command_timeout_s:=1.5"])
    node = bridge()
    operator = BridgeOperator(SingleThreadedExecutor())
    operator.executor.add_node(node)
    try:
        yield BridgeConformance(operator, node.robot, node.position)
    finally:
        node.shut_down()
        operator.executor.shutdown()
        node.destroy_node()
        operator.node.destroy_node()
        rclpy.shutdown()


@pytest.mark.parametrize("robot", ["crazyflie", "so100", "go2"])
def test_the_loopback_robot_conforms(ros_domain: int, robot: str) -> None:
    with bench(ros_domain, robot, LoopbackRobot) as suite:
        suite.run()


@pytest.mark.parametrize("bridge", [Deaf, Obedient, Forgetful])
def test_a_bridge_with_a_fault_does_not(ros_domain: int, bridge: type[LoopbackRobot]) -> None:
    with bench(ros_domain, "so100", bridge) as suite:
        suite.operator.timeout_s = 6.0  # type: ignore[misc]
        with pytest.raises(AssertionError):
            suite.run()
