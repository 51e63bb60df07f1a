"""One flight after another: arm, climb, follow, brake, land, and what happens when something fails.

`Flight` belongs to the executor's thread. It never waits: `poll` looks at what the robot reports
and takes the next step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

import numpy as np
from planner_core.clock import Clock
from planner_core.errors import LinkLostError, NotReadyError, RobotFaultError
from planner_core.joining import braking_plan
from planner_core.limiter import Setpoint
from planner_core.plan import Plan
from planner_core.robot import Robot
from robot_bridge.bridge import Health, Phase

from crazyflie_bridge import setpoints
from crazyflie_bridge.link import Action, CrazyflieLink, LinkReport, LinkStatus
from crazyflie_bridge.readiness import Limits, faults, flight_objections, objections
from crazyflie_bridge.telemetry import Flag, StateSample, Telemetry, Vitals

if TYPE_CHECKING:
    from cflib.crazyflie import Crazyflie

TAKE_OFF, LAND = 7, 8
"""First bytes of the high-level commander's packets."""
ARMING_S: Final = 3.0
ARM_AGAIN_S: Final = 0.2
CLIMB_MARGIN_S: Final = 3.0
LAND_MARGIN_S: Final = 3.0
TOUCH_DOWN_S: Final = 0.5
"""A landing is not over before the robot has had time to report that it flies."""
OBJECTION_S: Final = 1.0
"""An objection to the flight must last so long: a climb makes the voltage dip for a moment."""
VITALS_S: Final = 1.0
"""Without battery and supervisor flags for so long, the flight counts as unsafe."""
LEAST_LANDING_S: Final = 1.5
BRAKING_M_S2: Final = 1.0
AT_HEIGHT_M: Final = 0.1
AT_REST_M_S: Final = 0.1
BRAKE_FROM_M_S: Final = 0.3
"""A faster robot brakes before it lands: the way down leads on along its velocity, past what its
plan kept clear."""


class Activity(Enum):
    """What this side has asked of the robot."""

    GROUNDED = "on the ground"
    ARMING = "arming"
    CLIMBING = "taking off"
    FLYING = "flying"
    BRAKING = "braking"
    LANDING = "landing"
    STOPPED = "stopped"


AIRBORNE: Final = frozenset(Activity) - {Activity.GROUNDED, Activity.ARMING, Activity.STOPPED}
_PHASE: Final = {
    Activity.ARMING: Phase.ENGAGING,
    Activity.CLIMBING: Phase.ENGAGING,
    Activity.FLYING: Phase.ACTIVE,
    Activity.BRAKING: Phase.RESTING,
    Activity.LANDING: Phase.RESTING,
}


@dataclass(frozen=True, slots=True)
class FlightSettings:
    """How to fly.

    Attributes:
        height_m: Of the hover after take-off, above the place of take-off.
        landing_height_m: Where the ground is, above the origin.
        climb_m_s: Mean vertical speed of take-off and landing.
        setpoint: Which packet carries a setpoint, of `crazyflie_bridge.setpoints.KINDS`.
        limits: What a flight needs.
    """

    height_m: float
    landing_height_m: float
    climb_m_s: float
    setpoint: str
    limits: Limits


class Flight:
    """Drives one robot through its flights.

    Args:
        robot: Its limits.
        link: The way to the robot.
        telemetry: What it reports.
        settings: Read at every step, so that changes take effect at once.
        clock: Steady time is used.
        log: Takes a sentence whenever the robot begins something by itself.
    """

    def __init__(
        self,
        robot: Robot,
        link: CrazyflieLink,
        telemetry: Telemetry,
        settings: Callable[[], FlightSettings],
        clock: Clock,
        log: Callable[[str], None],
    ) -> None:
        self._robot = robot
        self._link = link
        self._telemetry = telemetry
        self._settings = settings
        self._steady = clock
        self._log = log
        self.activity = Activity.GROUNDED
        self._session = 0
        self._since_ns = 0
        self._resend_ns = 0
        self._duration_s = 0.0
        self._target_m = 0.0
        self._stop_confirmed = False
        self._cause = ""
        self._objection_ns: int | None = None
        self._braking: Plan | None = None

    @property
    def stopping(self) -> bool:
        """Whether the robot was told to stop, and has not confirmed it yet."""
        return self.activity is Activity.STOPPED and not self._stop_confirmed

    @property
    def airborne(self) -> bool:
        """Whether the robot is in the air, as far as this side knows."""
        return self.activity in AIRBORNE

    def poll(self) -> Health:
        """Take the next step and say how things stand."""
        report, vitals, state = self._link.report, self._telemetry.vitals, self._telemetry.state
        if report.status is not LinkStatus.UP or vitals is None or state is None:
            return self._health(*self._without_link(report), vitals)
        if report.session != self._session:
            self._begin_session(report.session, vitals)
        if self.activity is Activity.STOPPED:
            self._insist_on_stop(vitals)
            reasons = faults(vitals) or ["stopped; call reset_emergency_stop"]
            return self._health(Phase.FAULT, reasons, RobotFaultError.code, vitals)
        if reasons := faults(vitals):
            self._become(Activity.GROUNDED)
            self._link.cancel()
            return self._health(Phase.FAULT, reasons, RobotFaultError.code, vitals)
        self._advance(vitals, state)
        if self.activity is Activity.GROUNDED:
            reasons = objections(vitals, self._telemetry.quality, self._settings().limits)
            return self._health(Phase.CONNECTED if reasons else Phase.READY, reasons, 0, vitals)
        return self._health(_PHASE[self.activity], [self._cause] * bool(self._cause), 0, vitals)

    def begin(self) -> None:
        """Arm and take off.

        Raises:
            NotReadyError: The robot may not, or the link has just been lost.
        """
        vitals, state = self._telemetry.vitals, self._telemetry.state
        if self._link.report.status is not LinkStatus.UP or vitals is None or state is None:
            raise NotReadyError("take-off refused", got="no link to the robot")
        limits = self._settings().limits
        if reasons := objections(vitals, self._telemetry.quality, limits):
            raise NotReadyError("take-off refused", got="; ".join(reasons))
        self._become(Activity.ARMING)
        self._resend_ns = 0
        self._advance(vitals, state)

    def follow(self, setpoint: Setpoint) -> None:
        """Pass a setpoint on; ignored unless the robot flies.

        A command that was under way when the landing began must not undo it: it would lock the
        high-level commander out.
        """
        if self.activity is Activity.FLYING:
            self._send(setpoint)

    def _send(self, setpoint: Setpoint) -> None:
        state = self._telemetry.state
        if state is None:
            return
        kind, heading = self._settings().setpoint, state.yaw
        self._link.post_setpoint(
            lambda client: setpoints.send(client.commander, kind, setpoint, heading)
        )

    def land(self, cause: str = "") -> None:
        """Begin to land, from any activity in the air; a robot that flies fast brakes first."""
        if self.activity is Activity.ARMING:
            self._link.post(_arming(False))
            self._become(Activity.GROUNDED)
        elif self.activity in AIRBORNE:
            if cause:
                self._log(f"landing: {cause}")
            self._cause = cause
            up = self._link.report.status is LinkStatus.UP
            if up and self.activity is Activity.FLYING:
                self._brake()
            elif not (up and self.activity is Activity.BRAKING):
                self._descend()

    def stop(self) -> None:
        """Cut the motors. Repeated by `poll` until the robot confirms."""
        self._link.cancel()
        if self.activity is not Activity.STOPPED:
            self._stop_confirmed = False
            self._become(Activity.STOPPED)
        self._send_stop()

    def recover(self) -> None:
        """Leave the stop, as far as the robot permits.

        Raises:
            RobotFaultError: It needs a person, or there is no link to ask it.
        """
        if reason := self.persisting_fault():
            raise RobotFaultError("the robot cannot be used again yet", got=reason)
        vitals = self._telemetry.vitals
        if vitals is not None and Flag.CRASHED in vitals.flags:
            self._link.post(lambda client: client.supervisor.send_crash_recovery_request())
        if self.activity is Activity.STOPPED:
            self._become(Activity.GROUNDED)

    def persisting_fault(self) -> str | None:
        """Why a stop must not be released, if so."""
        vitals = self._telemetry.vitals
        if self._link.report.status is not LinkStatus.UP or vitals is None:
            return "no link to the robot"
        # A crash alone may be recovered from; that is what a reset asks for.
        if vitals.flags & (Flag.LOCKED | Flag.TUMBLED):
            return "; ".join(faults(vitals))
        if self.activity is Activity.STOPPED and not self._stop_confirmed:
            return "the robot has not confirmed the stop yet"
        return None

    def _without_link(self, report: LinkReport) -> tuple[Phase, list[str], int]:
        """Phase, reasons and code without a link; asks a robot in the air to land all the same."""
        if self.activity not in (Activity.GROUNDED, Activity.LANDING, Activity.STOPPED):
            self.land("link lost")
        elif self.activity is Activity.STOPPED and not self._stop_confirmed:
            self._send_stop()
        reasons = [str(report.error)] if report.error else []
        code = report.error.code if report.error else 0
        if report.session:
            return Phase.FAULT, reasons, code or LinkLostError.code
        connecting = report.status is LinkStatus.CONNECTING
        return Phase.CONNECTING if connecting else Phase.DISCONNECTED, reasons, code

    def _begin_session(self, session: int, vitals: Vitals) -> None:
        """Find out what a robot does that has just been connected."""
        self._session = session
        flying = Flag.FLYING in vitals.flags
        if self.activity is Activity.STOPPED:
            # After a reboot it stands still by itself; stopping it would lock it once more.
            self._stop_confirmed = self._stop_confirmed or not flying
        elif flying:
            self._log("the robot is in the air: landing it")
            self._cause = "it was in the air when the link came up"
            self._descend()
        else:
            self._become(Activity.GROUNDED)

    def _advance(self, vitals: Vitals, state: StateSample) -> None:
        elapsed_s = (self._steady.steady_ns() - self._since_ns) * 1e-9
        if self.activity is Activity.ARMING:
            self._arm(vitals, state, elapsed_s)
        elif self.activity is Activity.CLIMBING:
            slow = math.hypot(*state.velocity) < AT_REST_M_S
            if slow and abs(state.position[2] - self._target_m) < AT_HEIGHT_M:
                self._become(Activity.FLYING)
            elif elapsed_s > self._duration_s + CLIMB_MARGIN_S:
                self.land(f"the robot has not reached {self._target_m:.2f} m")
            self._watch(vitals)
        elif self.activity is Activity.FLYING:
            self._watch(vitals)
        elif self.activity is Activity.BRAKING:
            self._slow_down()
        elif self.activity is Activity.LANDING:
            down = self._link.settled and Flag.FLYING not in vitals.flags
            if down and elapsed_s > TOUCH_DOWN_S:
                # Never earlier: disarmed in the air, the robot falls and locks itself.
                if Flag.AUTO_ARM not in vitals.flags:
                    self._link.post(_arming(False))
                self._become(Activity.GROUNDED)
            elif elapsed_s > self._duration_s + LAND_MARGIN_S:
                self._descend()

    def _arm(self, vitals: Vitals, state: StateSample, elapsed_s: float) -> None:
        now = self._steady.steady_ns()
        if vitals.flags & Flag.CAN_FLY and vitals.flags & Flag.ARMED:
            settings = self._settings()
            self._target_m = state.position[2] + settings.height_m
            self._duration_s = settings.height_m / settings.climb_m_s
            target, duration = self._target_m, self._duration_s

            def take_off(client: Crazyflie) -> None:
                # A client before this one may have left the commander locked out.
                client.commander.send_notify_setpoint_stop()
                client.high_level_commander.takeoff(target, duration, yaw=None)

            self._become(Activity.CLIMBING)
            self._link.command(TAKE_OFF, take_off)
        elif elapsed_s > ARMING_S:
            self._log("take-off given up: the robot does not arm")
            self._link.post(_arming(False))
            self._become(Activity.GROUNDED)
        elif now >= self._resend_ns:
            self._resend_ns = now + round(ARM_AGAIN_S * 1e9)
            self._link.post(_arming(True))

    def _watch(self, vitals: Vitals) -> None:
        """Land where the flight must not go on."""
        reasons = flight_objections(vitals, self._settings().limits)
        now = self._steady.steady_ns()
        if (now - vitals.received_ns) * 1e-9 > VITALS_S:
            reasons = [*reasons, "no news of battery and supervisor"]
        if not reasons:
            self._objection_ns = None
            return
        if self._objection_ns is None:
            self._objection_ns = now
        if (now - self._objection_ns) * 1e-9 > OBJECTION_S:
            self.land("; ".join(reasons))

    def _brake(self) -> None:
        state = self._telemetry.state
        if state is None or math.hypot(*state.velocity) < BRAKE_FROM_M_S:
            self._descend()
            return
        position, velocity = [*state.position, state.yaw], [*state.velocity, 0.0]
        moving = Setpoint(np.array(position), np.array(velocity), np.zeros(4))
        self._braking = braking_plan(self._steady.steady_ns(), moving, self._robot)
        self._become(Activity.BRAKING)
        self._slow_down()

    def _slow_down(self) -> None:
        braking, now_ns = self._braking, self._steady.steady_ns()
        if braking is not None and now_ns < braking.end_ns:
            self._send(Setpoint(*braking.sample(now_ns)))
        else:
            self._descend()

    def _descend(self) -> None:
        settings, state = self._settings(), self._telemetry.state
        self._become(Activity.LANDING)
        if state is None:
            return  # The link has just been opened anew; its session finds the robot in the air.
        height = settings.landing_height_m
        # The trajectory starts at the present velocity, which takes time to end: a robot that still
        # climbs would else have to fall to be down in time.
        braking_s = math.hypot(*state.velocity) / BRAKING_M_S2
        sinking_s = max(0.0, state.position[2] - height) / settings.climb_m_s
        duration = self._duration_s = max(LEAST_LANDING_S, sinking_s) + braking_s

        def land(client: Crazyflie) -> None:
            # Without the notification the land command has no effect after a setpoint.
            client.commander.send_notify_setpoint_stop()
            client.high_level_commander.land(height, duration, yaw=None)

        self._link.command(LAND, land)

    def _insist_on_stop(self, vitals: Vitals) -> None:
        if not self._stop_confirmed and Flag.LOCKED in vitals.flags:
            self._stop_confirmed = True
        if not self._stop_confirmed:
            self._send_stop()

    def _send_stop(self) -> None:
        self._link.post(lambda client: client.supervisor.send_emergency_stop(), urgent=True)

    def _become(self, activity: Activity) -> None:
        self.activity = activity
        self._since_ns = self._steady.steady_ns()
        self._objection_ns = None
        if activity not in (Activity.BRAKING, Activity.LANDING):
            self._cause = ""

    def _health(self, phase: Phase, reasons: list[str], code: int, vitals: Vitals | None) -> Health:
        health = Health(phase, reasons, link_age_s=self._telemetry.age_s, error_code=code)
        if vitals is not None:
            health.battery, health.battery_voltage = vitals.battery, vitals.voltage_v
            health.link_quality = self._telemetry.quality
            health.armed, health.flags = Flag.ARMED in vitals.flags, int(vitals.flags)
        return health


def _arming(arm: bool) -> Action:
    return lambda client: client.supervisor.send_arming_request(arm)
