"""What the two ways to move a Go2 have in common: the node drives either by these calls.

A control belongs to the executor's thread and never waits: `poll` looks at what the robot reports
and takes the next step, `tick` writes commands where the control writes any.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from planner_core.clock import Clock, seconds
from planner_core.errors import LinkLostError, NotReadyError, RobotFaultError
from planner_core.limiter import Setpoint
from robot_bridge.bridge import Health, Phase

from go2_bridge.readiness import Limits, fallen, moving_objections, objections
from go2_bridge.requests import Call, Requests, Sport, Switcher
from go2_bridge.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """How to move.

    Attributes:
        limits: What motion needs.
        kp: Of every joint [N m/rad].
        kd: Of every joint [N m s/rad].
        damping: Of joints that yield [N m s/rad].
        ramp_s: How long it takes to stand up.
        mode: Of the built-in locomotion, where that one walks.
        velocity_timeout_s: Without a velocity command for so long, a walk ends in standing.
    """

    limits: Limits
    kp: float
    kd: float
    damping: float
    ramp_s: float
    mode: str
    velocity_timeout_s: float


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a control works with.

    Attributes:
        telemetry: What the robot reports.
        requests: The robot's services.
        settings: Read at every step, so that changes take effect at once.
        clock: Steady time is used.
        write: Publishes a LowCmd.
        log: Takes a sentence whenever the robot begins something by itself.
    """

    telemetry: Telemetry
    requests: Requests
    settings: Callable[[], ControlSettings]
    clock: Clock
    write: Callable[[bytes], None]
    log: Callable[[str], None]


class Control(ABC):
    """One way to move the robot.

    Args:
        surroundings: What it works with.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self.telemetry = surroundings.telemetry
        self.requests = surroundings.requests
        self.steady = surroundings.clock
        self.write = surroundings.write
        self._settings = surroundings.settings
        self._log = surroundings.log
        self._cause = ""
        self._cause_code = 0
        self._stopped = False
        self._stop_confirmed = False
        self._stop_call: Call | None = None
        self._mode_call: Call | None = None

    @property
    def settings(self) -> ControlSettings:
        """The present ones."""
        return self._settings()

    @property
    def linked(self) -> bool:
        """Whether the robot has been heard of late."""
        heard = self.telemetry.state is not None
        return heard and self.telemetry.age_s <= self.settings.limits.link_s

    def poll(self) -> Health:
        """Take the next step and say how things stand."""
        self.requests.expire()
        telemetry, limits = self.telemetry, self.settings.limits
        if self._stopped:
            self._insist_on_stop()
        if not self.linked:
            heard = telemetry.state is not None
            silence = f"nothing heard from the robot for {telemetry.age_s:.1f} s"
            if self.moving:
                self.fail(f"link lost: {silence}", LinkLostError.code)
            code = LinkLostError.code if heard else 0
            return self._health(Phase.FAULT if heard else Phase.DISCONNECTED, [silence], code)
        state = telemetry.state
        assert state is not None
        if self._stopped:
            reasons = fallen(state, limits) or ["stopped; call reset_emergency_stop"]
            return self._health(Phase.FAULT, reasons, RobotFaultError.code)
        if self.moving:
            if reasons := moving_objections(state, limits):
                self.fail("; ".join(reasons), RobotFaultError.code)
            else:
                self.advance()
        else:
            self.settle()
        if self.phase is not Phase.READY:
            return self._health(self.phase, [self._cause] if self._cause else [], self._cause_code)
        if reasons := fallen(state, limits):
            return self._health(Phase.FAULT, reasons, RobotFaultError.code)
        reasons = objections(telemetry, limits)
        phase = Phase.CONNECTED if reasons else Phase.READY
        return self._health(
            phase, [*reasons, *([self._cause] if self._cause else [])], self._cause_code
        )

    def begin(self) -> None:
        """Begin to move.

        Raises:
            NotReadyError: The robot may not.
        """
        if not self.linked:
            raise NotReadyError("motion refused", got="no link to the robot")
        if reasons := objections(self.telemetry, self.settings.limits):
            raise NotReadyError("motion refused", got="; ".join(reasons))
        self._cause, self._cause_code = "", 0
        self.enter()

    def stop(self) -> None:
        """Let every joint yield at once, and keep to it."""
        if not self._stopped:
            self._stopped = True
            self._forget_confirmation()
        self.damp()
        self._insist_on_stop()

    def restarted(self) -> None:
        """Begin anew with a robot that has: its built-in locomotion has the joints again.

        A stop stays in force.
        """
        if self.phase is not Phase.READY:
            self.note("the robot has restarted", RobotFaultError.code)
        self.release()
        self._forget_confirmation()

    def recover(self) -> None:
        """Leave the stop.

        Raises:
            RobotFaultError: The robot needs a person, or there is no link to see.
        """
        if reason := self.persisting_fault():
            raise RobotFaultError("the robot cannot be used again yet", got=reason)
        self._stopped = False
        self._cause, self._cause_code = "", 0

    def persisting_fault(self) -> str | None:
        """Why a stop must not be released, if so."""
        state = self.telemetry.state
        if not self.linked or state is None:
            return "no link to the robot"
        if reasons := fallen(state, self.settings.limits):
            return "; ".join(reasons)
        if self._stopped and not self._stop_confirmed:
            return "the robot has not confirmed the stop yet"
        return None

    def fail(self, cause: str, code: int) -> None:
        """End the motion by itself, and say why until the next one begins."""
        self._log(f"the motion ends: {cause}")
        self._cause, self._cause_code = cause, code
        self.rest()

    def note(self, cause: str, code: int) -> None:
        """Say why something did not come about, until the next motion begins."""
        self._log(cause)
        self._cause, self._cause_code = cause, code

    def elapsed_s(self, since_ns: int) -> float:
        """Since a steady time [s]."""
        return seconds(self.steady.steady_ns() - since_ns)

    def _forget_confirmation(self) -> None:
        self._stop_confirmed, self._stop_call, self._mode_call = False, None, None

    def _insist_on_stop(self) -> None:
        """Ask the built-in locomotion to damp until it has, or is known not to be active.

        Without an active mode nobody answers, and nobody but this side moves the joints. Silence
        alone does not say so: a robot that walks by itself may not have heard.
        """
        call, mode = self._stop_call, self._mode_call
        damps = call is not None and call.succeeded
        inactive = mode is not None and mode.succeeded and not mode.mode
        self._stop_confirmed = self._stop_confirmed or damps or inactive
        if self._stop_confirmed or (call is not None and not call.done):
            return
        self._stop_call = self.requests.call(Sport.DAMP)
        if call is not None:
            self._mode_call = self.requests.call(Switcher.CHECK_MODE)

    def _health(self, phase: Phase, reasons: list[str], code: int) -> Health:
        telemetry = self.telemetry
        health = Health(phase, reasons, link_age_s=telemetry.age_s, error_code=code)
        health.link_quality = telemetry.quality
        health.armed = self.moving
        if telemetry.state is not None:
            health.battery = telemetry.state.charge
            health.battery_voltage = telemetry.state.voltage_v
        if telemetry.sport is not None:
            health.flags = telemetry.sport.mode
        return health

    @property
    @abstractmethod
    def phase(self) -> Phase:
        """How far the robot is from moving, where nothing is wrong; READY for at rest."""

    @property
    @abstractmethod
    def moving(self) -> bool:
        """Whether this control makes the robot move or stand."""

    @abstractmethod
    def enter(self) -> None:
        """Begin the first step; the robot is ready."""

    @abstractmethod
    def advance(self) -> None:
        """Take the next step of a motion."""

    @abstractmethod
    def settle(self) -> None:
        """See whether a motion that ends has ended."""

    @abstractmethod
    def rest(self) -> None:
        """Begin to end the motion; also called twice."""

    @abstractmethod
    def damp(self) -> None:
        """Let the joints yield, as far as they are this control's; the robot has been stopped."""

    @abstractmethod
    def release(self) -> None:
        """Forget what was under way, and leave the joints to the robot."""

    @abstractmethod
    def tick(self) -> None:
        """Write a command, where this control writes any; called at the command rate."""

    @abstractmethod
    def follow(self, setpoint: Setpoint) -> None:
        """Take a joint command.

        Raises:
            NotReadyError: Joints are not what is commanded.
        """
