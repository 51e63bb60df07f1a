"""The steps of a flight against a robot that is nothing but its reports."""

from __future__ import annotations

import numpy as np
import pytest
from crazyflie_bridge.flight import LAND, TAKE_OFF, Activity, Flight, FlightSettings
from crazyflie_bridge.link import Action, LinkReport, LinkStatus
from crazyflie_bridge.readiness import Limits
from crazyflie_bridge.telemetry import STATE, VITALS, Flag, Telemetry
from planner_core.clock import ManualClock
from planner_core.errors import LinkLostError, NotReadyError, RobotFaultError
from planner_core.limiter import Setpoint
from planner_core.robots import crazyflie
from robot_bridge.bridge import Phase

SETTINGS = FlightSettings(0.5, 0.0, 0.5, "full_state", Limits(0.1, 0.5, 3.6, 3.1, 0.5))
ON_GROUND = Flag.ARMED | Flag.AUTO_ARM | Flag.CAN_FLY
IN_AIR = ON_GROUND | Flag.FLYING
LEVEL = 3 << 30


class RecordingLink:
    """Remembers what it is asked to send."""

    def __init__(self) -> None:
        self.report = LinkReport(LinkStatus.UP, 1, None)
        self.settled = True
        self.commands: list[int] = []
        self.posts = self.urgent = self.setpoints = 0

    def command(self, command: int, action: Action) -> None:
        self.commands.append(command)

    def post(self, action: Action, *, urgent: bool = False) -> None:
        self.posts += not urgent
        self.urgent += urgent

    def post_setpoint(self, action: Action) -> None:
        self.setpoints += 1

    def cancel(self) -> None:
        self.commands.clear()


class Rig:
    """A flight whose robot reports what it is told to."""

    def __init__(self) -> None:
        self.clock, self.link = ManualClock(steady_ns=10**9), RecordingLink()
        self.telemetry = Telemetry(self.clock.steady_ns)
        self.flight = Flight(
            crazyflie(),
            self.link,
            self.telemetry,
            lambda: SETTINGS,
            self.clock,
            lambda _text: None,  # type: ignore[arg-type]
        )
        self.report(ON_GROUND, seconds=1.2)

    def report(
        self,
        flags: Flag,
        height: float = 0.0,
        voltage: float = 4.0,
        seconds: float = 0.1,
        speed: float = 0.0,
    ) -> None:
        """Let time pass while the robot reports the same; look at it every tenth of a second."""
        for _ in range(round(seconds * 10)):
            for _ in range(10):
                self.clock.advance(0.01)
                ms = self.clock.steady_ns() // 1_000_000
                numbers = (0.0, 0.0, height, speed, 0.0, 0.0, LEVEL)
                self.telemetry.receive(
                    STATE, ms, dict(zip(dict(STATE.variables), numbers, strict=True))
                )
            numbers = (1e-4, 1e-4, 1e-4, voltage, 80.0, float(flags))
            self.telemetry.receive(
                VITALS, ms, dict(zip(dict(VITALS.variables), numbers, strict=True))
            )
            self.health = self.flight.poll()

    def fly(self) -> None:
        self.flight.begin()
        self.report(IN_AIR, 0.5)
        assert self.health.phase is Phase.ACTIVE


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    assert made.health.phase is Phase.READY
    return made


def test_a_flight(rig: Rig) -> None:
    rig.flight.begin()
    rig.report(IN_AIR, 0.2)
    assert rig.health.phase is Phase.ENGAGING
    rig.report(IN_AIR, 0.5)
    assert rig.health.phase is Phase.ACTIVE
    rig.flight.land()
    rig.report(IN_AIR, 0.3)
    assert rig.health.phase is Phase.RESTING
    rig.report(ON_GROUND, seconds=0.6)
    assert rig.health.phase is Phase.READY
    assert rig.link.commands == [TAKE_OFF, LAND]


def test_a_fast_robot_brakes_before_it_lands(rig: Rig) -> None:
    rig.fly()
    rig.report(IN_AIR, 0.5, speed=1.4)
    rig.flight.land()
    sent = rig.link.setpoints
    rig.report(IN_AIR, 0.5, seconds=0.5, speed=0.7)
    assert rig.health.phase is Phase.RESTING
    assert rig.flight.airborne
    assert rig.link.setpoints >= sent + 5
    assert LAND not in rig.link.commands
    rig.report(IN_AIR, 0.5, seconds=0.5)
    assert rig.link.commands == [TAKE_OFF, LAND]


def test_a_lost_link_ends_the_braking(rig: Rig) -> None:
    """Setpoints would not arrive: the landing is asked for, to be sent when the link is back."""
    rig.fly()
    rig.report(IN_AIR, 0.5, speed=1.4)
    rig.flight.land()
    assert rig.flight.activity is Activity.BRAKING
    rig.link.report = LinkReport(LinkStatus.SILENT, 1, LinkLostError("gone"))
    rig.report(IN_AIR, 0.5, speed=1.0)
    assert rig.flight.activity is Activity.LANDING
    assert rig.link.commands == [TAKE_OFF, LAND]


def test_motors_that_need_arming(rig: Rig) -> None:
    rig.report(Flag.CAN_ARM)
    rig.flight.begin()
    rig.report(Flag.CAN_ARM, seconds=1.0)
    assert rig.link.posts >= 3
    assert rig.link.commands == []
    rig.report(Flag.ARMED | Flag.CAN_FLY)
    assert rig.link.commands == [TAKE_OFF]


def test_a_robot_that_does_not_arm(rig: Rig) -> None:
    rig.report(Flag.CAN_ARM)
    rig.flight.begin()
    rig.report(Flag.CAN_ARM, seconds=3.5)
    assert rig.flight.activity is Activity.GROUNDED
    assert rig.link.commands == []


def test_a_robot_that_does_not_climb_is_landed(rig: Rig) -> None:
    rig.flight.begin()
    rig.report(IN_AIR, 0.1, seconds=4.5)
    assert rig.health.phase is Phase.RESTING
    assert "0.50 m" in rig.health.reasons[0]


def test_a_landing_that_does_not_happen_is_asked_for_again(rig: Rig) -> None:
    rig.fly()
    rig.flight.land()
    rig.report(IN_AIR, 0.5, seconds=6.0)
    assert rig.link.commands == [TAKE_OFF, LAND, LAND]


def test_setpoints_go_out_in_flight_only(rig: Rig) -> None:
    hover = Setpoint.at_rest(np.array([0.0, 0.0, 0.5, 0.0]))
    rig.flight.follow(hover)
    assert rig.link.setpoints == 0
    rig.fly()
    rig.flight.follow(hover)
    assert rig.link.setpoints == 1
    rig.flight.land()
    rig.flight.follow(hover)
    assert rig.link.setpoints == 1


def test_a_dip_of_the_voltage_is_no_reason_to_land(rig: Rig) -> None:
    rig.fly()
    rig.report(IN_AIR, 0.5, voltage=3.0, seconds=0.8)
    rig.report(IN_AIR, 0.5, voltage=3.4, seconds=0.2)
    rig.report(IN_AIR, 0.5, voltage=3.0, seconds=0.8)
    assert rig.health.phase is Phase.ACTIVE
    rig.report(IN_AIR, 0.5, voltage=3.0, seconds=0.5)
    assert rig.health.phase is Phase.RESTING


def test_a_lost_link_makes_it_land_all_the_same(rig: Rig) -> None:
    rig.fly()
    rig.link.report = LinkReport(LinkStatus.SILENT, 1, LinkLostError("gone"))
    rig.report(IN_AIR, 0.5)
    assert rig.health.phase is Phase.FAULT
    assert rig.health.error_code == 602
    assert rig.link.commands == [TAKE_OFF, LAND]


def test_stop_is_repeated_until_the_robot_is_locked_and_not_after_a_reboot(rig: Rig) -> None:
    rig.fly()
    rig.flight.stop()
    rig.report(IN_AIR, 0.4, seconds=0.5)
    assert rig.link.urgent == 6
    assert "not confirmed" in str(rig.flight.persisting_fault())
    rig.report(Flag.LOCKED, seconds=0.5)
    assert rig.link.urgent == 6
    with pytest.raises(RobotFaultError, match="power-cycled"):
        rig.flight.recover()
    rig.link.report = LinkReport(LinkStatus.UP, 2, None)
    rig.report(ON_GROUND, seconds=1.0)
    assert rig.link.urgent == 6
    assert rig.health.phase is Phase.FAULT
    rig.flight.recover()
    rig.report(ON_GROUND)
    assert rig.health.phase is Phase.READY


def test_a_crash_is_recovered_from_on_request(rig: Rig) -> None:
    rig.fly()
    rig.report(Flag.CRASHED | Flag.TUMBLED)
    assert rig.health.phase is Phase.FAULT
    assert rig.health.error_code == 604
    with pytest.raises(RobotFaultError, match="upright"):
        rig.flight.recover()
    rig.report(Flag.CRASHED)
    posts = rig.link.posts
    rig.flight.recover()
    assert rig.link.posts == posts + 1


def test_take_off_is_refused_where_the_robot_is_not_ready(rig: Rig) -> None:
    rig.report(ON_GROUND, voltage=3.3)
    with pytest.raises(NotReadyError, match="battery low") as caught:
        rig.flight.begin()
    assert caught.value.code == 603
    rig.link.report = LinkReport(LinkStatus.WAITING, 1, LinkLostError("gone"))
    with pytest.raises(NotReadyError, match="no link"):
        rig.flight.begin()
