"""The base of every bridge: commands in, status out, and a safe end when commands stop.

A bridge for a robot fills in the hooks at the end of `RobotBridge`; it overrides nothing else. All
hooks are called in the executor's thread and return at once: what takes time, the robot does by
itself, and `poll` sees when it is done.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar

from planner_core.errors import DriftpilotError, ExecutionError, RobotError
from planner_core.limiter import Setpoint
from planner_core.parameters import parameter
from planner_core.plan import Array
from planner_core.robots import load_robot
from planner_interfaces.msg import BridgeStatus, Command
from planner_ros.clock import RosClock, nanoseconds, steady_timer
from planner_ros.conversions import setpoint_from_msg
from planner_ros.parameters import NodeParameters
from planner_ros.qos import LATCHED, LATEST
from rclpy.node import Node
from robot_bridge.guard import CommandGuard, outside
from std_srvs.srv import Trigger


class Phase(IntEnum):
    """How far a robot is from moving; the numbers are those of ``BridgeStatus``."""

    DISCONNECTED = 0
    CONNECTING = 1
    CONNECTED = 2
    READY = 3
    ACTIVE = 4
    FAULT = 5
    ENGAGING = 6
    RESTING = 7


MOVING = frozenset((Phase.ENGAGING, Phase.ACTIVE, Phase.RESTING))


@dataclass(frozen=True, slots=True)
class BridgeParameters:
    """What every bridge needs."""

    robot: str = parameter("crazyflie", "Which robot's limits hold.", read_only=True)
    command_timeout_s: float = parameter(
        0.2, "Without a command for so long, the robot ends its motion by itself.",
        minimum=0.02, maximum=2.0, read_only=True,
    )  # fmt: skip
    status_rate_hz: float = parameter(
        20.0, "How often the robot's status is read and published, and missing commands noticed.",
        minimum=10.0, maximum=200.0, read_only=True,
    )  # fmt: skip


@dataclass(slots=True)
class Health:
    """What a robot says of itself.

    Attributes:
        phase: How far it is from moving.
        reasons: Why it is not ready, or at fault, one sentence each.
        battery: 0..1, NaN if unknown.
        battery_voltage: [V], NaN if unknown.
        link_quality: 0..1, NaN if unknown.
        link_age_s: Since the last packet from the robot [s].
        armed: Whether actuators may move.
        flags: The robot's own status bits.
        error_code: Of what is wrong with the robot or its link now, 0 for nothing.
    """

    phase: Phase = Phase.DISCONNECTED
    reasons: list[str] = field(default_factory=list)
    battery: float = float("nan")
    battery_voltage: float = float("nan")
    link_quality: float = float("nan")
    link_age_s: float = 0.0
    armed: bool = False
    flags: int = 0
    error_code: int = 0


class RobotBridge(Node):
    """A node between the command topic and one robot.

    Args:
        name: Name of the node.
        parameters: Dataclass of its parameters, derived from `BridgeParameters`.
    """

    parameter_class: ClassVar[type[BridgeParameters]] = BridgeParameters

    def __init__(self, name: str) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True)
        self.clock = RosClock(self)
        self._settings = NodeParameters(self, self.parameter_class)
        values = self._settings.values
        self.robot = load_robot(values.robot)
        self.guard = CommandGuard(self.robot, self.clock, values.command_timeout_s)
        self._error_code = 0
        self._phase = Phase.DISCONNECTED
        self._status = self.create_publisher(BridgeStatus, "bridge/status", LATCHED)
        self.create_subscription(Command, "command", self._on_command, LATEST)
        for service, callback in (
            ("engage", self._on_engage),
            ("rest", self._on_rest),
            ("emergency_stop", self._on_stop),
            ("reset_emergency_stop", self._on_reset),
        ):
            self.create_service(Trigger, service, callback)
        steady_timer(self, 1.0 / values.status_rate_hz, self._on_status)

    @property
    def values(self) -> BridgeParameters:
        """The present parameter values."""
        return self._settings.values

    def shut_down(self) -> None:
        """Bring the robot to rest and let go of it; called before the node is destroyed."""
        self.guard.disarm()
        self.close()

    def _on_command(self, msg: Command) -> None:
        try:
            if msg.mode == Command.STOP:
                self._stop("commanded")
            elif msg.mode == Command.REST:
                if self._phase is Phase.ACTIVE:
                    self._end("commanded")
            elif msg.mode not in (Command.TRACK, Command.HOLD):
                raise ExecutionError("mode of a command", got=msg.mode, expected="0 to 3")
            elif self._phase is Phase.ACTIVE:
                setpoint = setpoint_from_msg(msg, self.robot)
                self.send(self.guard.admit(setpoint, nanoseconds(msg.header.stamp)))
                # Not before: commands that the robot refuses must not keep it going.
                self.guard.followed()
        except DriftpilotError as error:
            self._error_code = error.code
            self.get_logger().error(str(error), throttle_duration_sec=1.0)

    def _on_engage(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        health = self.poll()
        response.success, response.message = False, ""
        if self.guard.stopped:
            response.message = "the emergency stop is latched; call reset_emergency_stop first"
        elif health.phase in (Phase.ACTIVE, Phase.ENGAGING):
            response.success, response.message = True, "engaged already"
        elif health.phase is not Phase.READY:
            reasons = "; ".join(health.reasons) or "no reason given"
            response.message = f"not ready ({health.phase.name.lower()}): {reasons}"
        else:
            try:
                self.engage()
                self._error_code = 0
                response.success = True
            except RobotError as error:
                self._error_code = error.code
                response.message = str(error)
        return response

    def _on_rest(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        # As it is now: an engagement since the last status must not go on.
        self._phase = self.poll().phase
        self._end("asked to rest")
        response.success = True
        return response

    def _on_stop(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._stop("asked to stop")
        response.success = True
        return response

    def _on_reset(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if not self.guard.stopped and self.poll().phase in MOVING:
            response.success, response.message = False, "no emergency stop is latched"
            return response
        try:
            persisting = self._stop_persists()
            self.guard.require_cause_gone(persisting)
            # Before the latch opens: a robot that does not recover stays stopped.
            self.recover()
            self.guard.reset(persisting)
            response.success = True
        except DriftpilotError as error:
            response.success, response.message = False, str(error)
        return response

    def _stop(self, cause: str) -> None:
        if not self.guard.stopped:
            self.get_logger().error(f"emergency stop: {cause}")
        self.guard.stop(cause)
        # Sent again each time: the first one may have been lost on the way.
        self.stop()
        # Nobody should have to wait for the next status to hear of it.
        self._on_status()

    def _stop_persists(self) -> str | None:
        """Why the emergency stop must not be released yet, if so."""
        if self.poll().phase in (Phase.DISCONNECTED, Phase.CONNECTING):
            return "no connection to the robot"
        if reason := self.persisting_fault():
            return reason
        position = self.position()
        return None if position is None else outside(position, self.robot)

    def _end(self, cause: str) -> None:
        if self._phase in (Phase.ACTIVE, Phase.ENGAGING):
            self.get_logger().info(f"coming to rest: {cause}")
            self.guard.disarm()
            self.rest()
            self._phase = Phase.RESTING

    def _on_status(self) -> None:
        health = self.poll()
        if health.phase is Phase.ACTIVE and self._phase is not Phase.ACTIVE:
            self.guard.arm()
        self._phase = health.phase
        if self.guard.overdue and health.phase is Phase.ACTIVE:
            self._end("commands have stopped coming")
        msg = BridgeStatus()
        msg.header.stamp = self.get_clock().now().to_msg()
        msg.robot, msg.state = self.robot.name, int(health.phase)
        msg.battery, msg.battery_voltage = health.battery, health.battery_voltage
        msg.link_quality, msg.link_age_ms = health.link_quality, health.link_age_s * 1e3
        msg.armed, msg.emergency_stopped = health.armed, self.guard.stopped
        msg.robot_flags, msg.reasons = health.flags, health.reasons
        msg.error_code = health.error_code or self._error_code
        self._status.publish(msg)

    @abstractmethod
    def poll(self) -> Health:
        """What the robot says of itself at this moment."""

    @abstractmethod
    def engage(self) -> None:
        """Begin to make the robot follow commands: arm, take off, stand up.

        Raises:
            RobotError: The robot refuses.
        """

    @abstractmethod
    def send(self, setpoint: Setpoint) -> None:
        """Pass an admitted setpoint on.

        Raises:
            RobotError: The robot is not moved by setpoints now.
        """

    @abstractmethod
    def rest(self) -> None:
        """Begin to end the motion in the robot's own way: land, stay, sit."""

    @abstractmethod
    def stop(self) -> None:
        """End the motion at once, as is safest for the robot: motors off, or held where it is."""

    @abstractmethod
    def recover(self) -> None:
        """Make the robot usable again after a stop."""

    def persisting_fault(self) -> str | None:
        """Why an emergency stop must not be released yet, if so."""
        return None

    def position(self) -> Array | None:
        """(n_q,) where the robot is by its own account, None where it does not know."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Bring the robot to rest and release it. Called once, also after a failed start."""
