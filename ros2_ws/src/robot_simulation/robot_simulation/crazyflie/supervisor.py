"""The supervisor: a 25 Hz state machine that decides whether the motors may turn.

It levels the vehicle out when setpoints stop coming, cuts the motors when they stay away, and
locks it until the next reboot after an emergency stop or a free fall.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import Final

PERIOD_S: Final = 0.04
EMERGENCY_WATCHDOG_S: Final = 1.0


class FlightState(Enum):
    """Where the vehicle is between power-on and lock."""

    CHECKS_PENDING = "checks pending"
    CHECKS_PASSED = "checks passed"
    READY = "ready to fly"
    FLYING = "flying"
    LANDED = "landed"
    LEVEL_OUT = "levelling out"
    FREE_FALL = "free fall"
    LOCKED = "locked"
    CRASHED = "crashed"


_ARMED: Final = frozenset(
    (FlightState.READY, FlightState.FLYING, FlightState.LANDED, FlightState.LEVEL_OUT)
)
_GROUNDED: Final = frozenset(
    (FlightState.CHECKS_PENDING, FlightState.CHECKS_PASSED, FlightState.READY)
)
_FINAL: Final = frozenset((FlightState.FREE_FALL, FlightState.LOCKED))


class SupervisorInfo(IntFlag):
    """The status word of the supervisor port and of ``supervisor.info``."""

    CAN_ARM = 1 << 0
    ARMED = 1 << 1
    AUTO_ARM = 1 << 2
    CAN_FLY = 1 << 3
    FLYING = 1 << 4
    TUMBLED = 1 << 5
    LOCKED = 1 << 6
    CRASHED = 1 << 7
    HIGH_LEVEL_ACTIVE = 1 << 8
    HIGH_LEVEL_FINISHED = 1 << 9
    HIGH_LEVEL_DISABLED = 1 << 10


@dataclass(slots=True)
class SupervisorTimes:
    """Time limits; parameters of the firmware are bound to these fields.

    Attributes:
        level_out_s: Age of a setpoint at which the vehicle levels out.
        free_fall_s: Age at which the motors are cut.
        preflight_s: Time that an armed vehicle may wait on the ground.
        landing_s: Time after a landing until the vehicle disarms.
        flying_hysteresis_s: Time without thrust after which it no longer counts as flying.
        tumbled_s: Time with an upward acceleration below 0.5 g that counts as tumbled.
        upside_down_s: Time with an upward acceleration below -0.2 g that does.
    """

    level_out_s: float = 0.5
    free_fall_s: float = 2.0
    preflight_s: float = 30.0
    landing_s: float = 3.0
    flying_hysteresis_s: float = 2.0
    tumbled_s: float = 1.0
    upside_down_s: float = 0.1


@dataclass(frozen=True, slots=True)
class Observed:
    """What the supervisor looks at.

    Attributes:
        acceleration_z_g: Accelerometer along the body's z axis, in units of gravity.
        thrusting: Whether the motors are driven above idle.
        setpoint_age_s: Age of the setpoint in force.
        broken: Whether a collision has broken the vehicle.
    """

    acceleration_z_g: float
    thrusting: bool
    setpoint_age_s: float
    broken: bool


class Supervisor:
    """The state machine.

    Args:
        times: Time limits, read on every update.
        auto_arm: Whether the airframe arms itself (brushed motors) or waits for a request.

    Attributes:
        state: Where the vehicle is.
        tumbled: Whether it lies on its side or its back.
        flying: Whether the motors have pushed within the hysteresis time.
    """

    LOW_G: Final = 0.5
    INVERTED_G: Final = -0.2

    def __init__(self, times: SupervisorTimes, *, auto_arm: bool) -> None:
        self.auto_arm = auto_arm
        self.times = times
        self.state = FlightState.CHECKS_PENDING
        self.tumbled = False
        self.flying = False
        self._since_s = 0.0
        self._last_thrust_s = -math.inf
        self._upright_s = 0.0
        self._not_inverted_s = 0.0
        self._arm_requested = False
        self._disarm_requested = False
        self._recovery_requested = False
        self._broken = False
        self._emergency = False
        self._watchdog_fed_s: float | None = None

    @property
    def armed(self) -> bool:
        """Whether the motors may turn as soon as a setpoint asks for it."""
        return self.state in _ARMED

    @property
    def can_fly(self) -> bool:
        """Whether commands are carried out."""
        return self.armed and not self.tumbled

    @property
    def motors_allowed(self) -> bool:
        """Whether the motors may turn now."""
        return self.armed and not self._emergency

    @property
    def levels_out(self) -> bool:
        """Whether the setpoint in force is too old to be followed sideways."""
        return self.state is FlightState.LEVEL_OUT

    @property
    def info(self) -> SupervisorInfo:
        """The status word without the high-level commander's bits."""
        flags = {
            SupervisorInfo.CAN_ARM: self.state is FlightState.CHECKS_PASSED,
            SupervisorInfo.ARMED: self.armed,
            SupervisorInfo.AUTO_ARM: self.auto_arm,
            SupervisorInfo.CAN_FLY: self.can_fly,
            SupervisorInfo.FLYING: self.flying,
            SupervisorInfo.TUMBLED: self.tumbled,
            SupervisorInfo.LOCKED: self.state is FlightState.LOCKED,
            SupervisorInfo.CRASHED: self.state is FlightState.CRASHED,
        }
        word = SupervisorInfo(0)
        for flag, present in flags.items():
            if present:
                word |= flag
        return word

    def start(self, now_s: float) -> None:
        """Begin to watch: the time before ``now_s`` does not count as time tumbled."""
        self._since_s = self._upright_s = self._not_inverted_s = now_s

    def request_arming(self, arm: bool) -> bool:
        """Arm or disarm.

        Returns:
            Whether the request is granted; it takes effect at the next update.
        """
        if not arm:
            self._disarm_requested = True
            return True
        if self.armed:
            return True
        self._arm_requested = self.state is FlightState.CHECKS_PASSED
        return self._arm_requested

    def request_recovery(self) -> bool:
        """Leave the crashed state; refused while tumbled or broken.

        Returns:
            Whether the request is granted; it takes effect at the next update.
        """
        if self.state is not FlightState.CRASHED or self.tumbled or self._broken:
            return False
        self._recovery_requested = True
        return True

    def emergency_stop(self) -> None:
        """Cut the motors for good; only a reboot helps."""
        self._emergency = True

    def feed_emergency_watchdog(self, now_s: float) -> None:
        """Once fed, the watchdog stops the motors unless it is fed every second."""
        self._watchdog_fed_s = now_s

    def update(self, now_s: float, observed: Observed) -> None:
        """Advance by one period.

        Args:
            now_s: Time since boot.
            observed: The present conditions.
        """
        self._broken = observed.broken
        self._update_tumbled(now_s, observed.acceleration_z_g)
        if observed.thrusting:
            self._last_thrust_s = now_s
        self.flying = now_s - self._last_thrust_s < self.times.flying_hysteresis_s
        if self._watchdog_fed_s is not None and now_s - self._watchdog_fed_s > EMERGENCY_WATCHDOG_S:
            self._emergency = True
        following = self._next_state(now_s, observed)
        if following is not self.state:
            self.state, self._since_s = following, now_s
        self._arm_requested = self._disarm_requested = self._recovery_requested = False

    def _update_tumbled(self, now_s: float, acceleration_z_g: float) -> None:
        if acceleration_z_g >= self.LOW_G:
            self._upright_s = now_s
        if acceleration_z_g >= self.INVERTED_G:
            self._not_inverted_s = now_s
        self.tumbled = (
            now_s - self._upright_s > self.times.tumbled_s
            or now_s - self._not_inverted_s > self.times.upside_down_s
        )

    def _next_state(self, now_s: float, observed: Observed) -> FlightState:
        state = self.state
        if state in _FINAL:
            return FlightState.LOCKED
        if self._emergency:
            return FlightState.FREE_FALL
        if observed.broken:
            return FlightState.CRASHED
        if state is FlightState.CRASHED:
            return FlightState.CHECKS_PENDING if self._recovery_requested else state
        if state in _GROUNDED:
            return self._next_on_ground(now_s, observed)
        if self.tumbled:
            return FlightState.CRASHED
        if state is FlightState.LANDED:
            if observed.thrusting:
                return FlightState.FLYING
            waited = now_s - self._since_s > self.times.landing_s
            return FlightState.CHECKS_PENDING if waited or self._disarm_requested else state
        return self._next_in_flight(observed)

    def _next_on_ground(self, now_s: float, observed: Observed) -> FlightState:
        if self.tumbled:
            return FlightState.CHECKS_PENDING
        if self.state is FlightState.CHECKS_PENDING:
            return FlightState.CHECKS_PASSED
        if self.state is FlightState.CHECKS_PASSED:
            granted = self.auto_arm or self._arm_requested
            return FlightState.READY if granted else self.state
        if self._disarm_requested or now_s - self._since_s > self.times.preflight_s:
            return FlightState.CHECKS_PENDING
        return FlightState.FLYING if observed.thrusting else self.state

    def _next_in_flight(self, observed: Observed) -> FlightState:
        if self._disarm_requested or observed.setpoint_age_s > self.times.free_fall_s:
            return FlightState.FREE_FALL
        if not self.flying:
            return FlightState.LANDED
        if observed.setpoint_age_s > self.times.level_out_s:
            return FlightState.LEVEL_OUT
        return FlightState.FLYING
