"""What every bridge does with requests, whatever robot it leads to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import rclpy
from planner_core.clock import ManualClock
from planner_core.errors import ExecutionError, NotReadyError, RobotError
from planner_core.limiter import Setpoint
from planner_interfaces.msg import Command
from planner_ros.conversions import command_msg
from rclpy.parameter import Parameter
from robot_bridge.bridge import Health, Phase, RobotBridge
from robot_bridge.guard import CommandGuard
from std_srvs.srv import Trigger


class Puppet(RobotBridge):
    """A robot that is in the phase that the test says."""

    phase = Phase.READY
    recovers = True

    def poll(self) -> Health:
        return Health(self.phase)

    def engage(self) -> None:
        self.phase = Phase.ENGAGING

    def send(self, setpoint: Setpoint) -> None:
        raise AssertionError("no good command was given")

    def rest(self) -> None:
        self.phase = Phase.RESTING

    def stop(self) -> None:
        self.phase = Phase.FAULT

    def recover(self) -> None:
        if not self.recovers:
            raise RobotError("upside down")
        self.phase = Phase.READY

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def bridge(ros_domain: int) -> Iterator[Puppet]:
    rclpy.init(domain_id=ros_domain)
    node = Puppet("puppet")
    yield node
    node.destroy_node()
    rclpy.shutdown()


def reset(bridge: Puppet) -> Trigger.Response:
    return bridge._on_reset(Trigger.Request(), Trigger.Response())


@pytest.mark.parametrize("phase", [Phase.ENGAGING, Phase.ACTIVE, Phase.RESTING])
def test_a_reset_without_a_stop_leaves_a_moving_robot_alone(bridge: Puppet, phase: Phase) -> None:
    bridge.phase = phase
    response = reset(bridge)
    assert (response.success, response.message) == (False, "no emergency stop is latched")
    assert bridge.phase is phase


def test_a_robot_that_does_not_recover_stays_stopped(bridge: Puppet) -> None:
    bridge._on_stop(Trigger.Request(), Trigger.Response())
    bridge.recovers = False
    assert "upside down" in reset(bridge).message
    assert bridge.guard.stopped
    bridge.recovers = True
    assert reset(bridge).success
    assert not bridge.guard.stopped


def test_a_rest_right_after_engaging_is_not_lost(bridge: Puppet) -> None:
    assert bridge._on_engage(Trigger.Request(), Trigger.Response()).success
    bridge._on_rest(Trigger.Request(), Trigger.Response())
    assert bridge.phase is Phase.RESTING


def test_a_command_of_an_unknown_mode_moves_nothing(bridge: Puppet) -> None:
    bridge.phase = Phase.ACTIVE
    bridge._on_status()
    here = Setpoint.at_rest(bridge.robot.lower)
    bridge._on_command(command_msg(77, bridge.robot, bridge.clock.now_ns(), here, None))
    assert bridge._error_code == ExecutionError.code
    with pytest.raises(AssertionError, match="no good command"):
        bridge._on_command(
            command_msg(Command.HOLD, bridge.robot, bridge.clock.now_ns(), here, None)
        )


def test_the_guards_time_limit_is_fixed_while_the_robot_may_move(bridge: Puppet) -> None:
    """The guard has it from the start: another value would be taken, and mean nothing."""
    (result,) = bridge.set_parameters([Parameter("command_timeout_s", value=0.05)])
    assert not result.successful
    assert bridge.values.command_timeout_s == 0.2


@pytest.mark.parametrize("takes", [False, True])
def test_only_commands_that_the_robot_takes_keep_it_going(bridge: Puppet, takes: bool) -> None:
    """A robot that walks by velocities stands for ever while somebody sends it joint commands."""
    clock, taken = ManualClock(now_ns=10**12), []

    def send(setpoint: Setpoint) -> None:
        if not takes:
            raise NotReadyError("joint command refused")
        taken.append(setpoint)

    bridge.send = send  # type: ignore[method-assign]
    bridge.guard = CommandGuard(bridge.robot, clock, timeout_s=0.2)
    bridge.phase = Phase.ACTIVE
    bridge._on_status()
    for _ in range(40):
        clock.advance(0.1)
        here = Setpoint.at_rest(bridge.robot.lower)
        bridge._on_command(command_msg(Command.HOLD, bridge.robot, clock.now_ns(), here, None))
    assert bridge.guard.overdue is not takes
    assert len(taken) == 40 * takes
