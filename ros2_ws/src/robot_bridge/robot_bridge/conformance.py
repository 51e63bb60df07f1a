"""What every bridge has to do, whatever robot it leads to: run it against a bridge of your own.

The suite uses nothing but the topics and services of a bridge, so that the bridge may run in this
process or its own, with a simulated robot behind it or a real one. A real one moves: it takes off,
stands up or is held under torque, twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from planner_core.errors import JointOrderError, NonFiniteError, PlanAgeError
from planner_core.limiter import Setpoint
from planner_core.plan import Array
from planner_core.robot import Robot
from planner_interfaces.msg import BridgeStatus, Command
from planner_ros.conversions import command_msg
from planner_ros.qos import LATEST
from robot_bridge.bridge import MOVING, Phase
from robot_bridge.bridge_operator import BridgeOperator

COMMAND_S = 0.02
BAD_EVERY = 5
"""Of so many commands one is bad: of two that come together a bridge sees the later one only."""
OLD_S = 10.0
"""No bridge takes a command of this age."""


@dataclass
class BridgeConformance:
    """The checks, to be run in the order of `run`.

    Args:
        operator: Spins the bridge where it runs in this process.
        robot: What the bridge says it leads to.
        here: (n_q,) where an engaged robot is by its own account: it is asked to stay there.
        recovers: Whether the robot can be used again after a stop without being touched.
    """

    operator: BridgeOperator
    robot: Robot
    here: Callable[[], Array]
    recovers: bool = True

    def __post_init__(self) -> None:
        node = self.operator.node
        self._commands = node.create_publisher(Command, "command", LATEST)
        self._message: Callable[[], Command] | None = None
        self._timer = node.create_timer(COMMAND_S, self._publish)

    def run(self) -> None:
        """All checks.

        Raises:
            AssertionError: The bridge does not conform; with what it reports.
        """
        self.becomes_ready()
        self.does_not_move_before_it_is_engaged()
        self.engages()
        self.refuses_bad_commands_and_goes_on()
        self.comes_to_rest_when_commands_stop()
        self.engages()
        self.latches_the_emergency_stop()
        self._message = None
        self.operator.node.destroy_timer(self._timer)

    def becomes_ready(self) -> None:
        """It says that it is ready, which robot it leads to, and gives no reason against it."""
        operator = self.operator
        operator.wait_for(Phase.READY)
        status = self._status()
        assert status.robot == self.robot.name, status.robot
        assert not status.reasons, operator.reasons

    def does_not_move_before_it_is_engaged(self) -> None:
        """Commands to a robot at rest, and the wish that it rests, change nothing."""
        operator = self.operator
        operator.phases.clear()
        self._message = lambda: self._command(np.clip(0.0, self.robot.lower, self.robot.upper))
        operator.pass_time(0.5)
        self._message = None
        assert operator.call("rest").success
        assert not MOVING & set(operator.phases), operator.phases
        operator.wait_for(Phase.READY)

    def engages(self) -> None:
        """Asked for, it becomes active; asked again, it stays so."""
        operator = self.operator
        operator.wait_for(Phase.READY)
        response = operator.call("engage")
        assert response.success, response.message
        operator.wait_for(Phase.ACTIVE)
        self._stay()
        again = operator.call("engage")
        assert again.success, again.message
        assert self._status().armed

    def refuses_bad_commands_and_goes_on(self) -> None:
        """Nonsense between good commands is named by its code, and does not end the motion."""
        here = self._stay()
        bad = {
            JointOrderError.code: lambda: self._command(here, robot="somebody else"),
            NonFiniteError.code: lambda: self._command(here * np.nan),
            PlanAgeError.code: lambda: self._command(here, age_s=OLD_S),
        }
        for code, make in bad.items():
            turn = [0]

            def mixed(make: Callable[[], Command] = make, turn: list[int] = turn) -> Command:
                turn[0] += 1
                return self._command(here) if turn[0] % BAD_EVERY else make()

            self._message = mixed
            self.operator.wait(lambda code=code: self._status().error_code == code)  # type: ignore[misc]
            assert self.operator.phase is Phase.ACTIVE, self.operator.reasons
        self._stay()

    def comes_to_rest_when_commands_stop(self) -> None:
        """Without commands the robot ends its motion by itself, and is ready for the next."""
        operator = self.operator
        operator.phases.clear()
        self._message = None
        operator.wait(lambda: self.operator.phase is not Phase.ACTIVE)
        operator.wait_for(Phase.READY)
        assert Phase.FAULT not in operator.phases, operator.phases

    def latches_the_emergency_stop(self) -> None:
        """It outlasts commands and wishes, and ends by its own service alone."""
        operator = self.operator
        assert operator.call("emergency_stop").success
        operator.wait(lambda: self._status().emergency_stopped)
        operator.wait(lambda: operator.phase not in MOVING)
        refused = operator.call("engage")
        assert not refused.success
        assert "emergency stop" in refused.message, refused.message
        operator.pass_time(0.3)
        assert self._status().emergency_stopped
        self._message = None
        if self.recovers:
            operator.wait(lambda: operator.call("reset_emergency_stop").success)
            operator.wait(lambda: not self._status().emergency_stopped)
            operator.wait_for(Phase.READY)

    def _stay(self) -> Array:
        """Ask the robot to stay where it is, from now on."""
        here = np.array(self.here(), dtype=np.float64)
        self._message = lambda: self._command(here)
        return here

    def _command(self, position: Array, *, robot: str = "", age_s: float = 0.0) -> Command:
        stamp_ns = self.operator.clock.now_ns() - round(age_s * 1e9)
        setpoint = Setpoint.at_rest(position)
        message = command_msg(Command.TRACK, self.robot, stamp_ns, setpoint, None)
        message.robot = robot or message.robot
        return message

    def _publish(self) -> None:
        if self._message is not None:
            self._commands.publish(self._message())

    def _status(self) -> BridgeStatus:
        assert self.operator.status is not None, "no status of the bridge"
        return self.operator.status
