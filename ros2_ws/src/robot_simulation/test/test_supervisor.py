"""The flight state machine on made-up conditions."""

from __future__ import annotations

import pytest
from robot_simulation.crazyflie.supervisor import (
    PERIOD_S,
    FlightState,
    Observed,
    Supervisor,
    SupervisorInfo,
    SupervisorTimes,
)

AT_REST = {"acceleration_z_g": 1.0, "thrusting": False, "setpoint_age_s": 0.0, "broken": False}


class Bench:
    """Feeds a supervisor with the same conditions for a while."""

    def __init__(self, *, auto_arm: bool = True) -> None:
        self.supervisor = Supervisor(SupervisorTimes(), auto_arm=auto_arm)
        self.now_s = 0.0

    def hold(self, duration_s: float, **conditions: float | bool) -> FlightState:
        for _ in range(round(duration_s / PERIOD_S)):
            self.now_s += PERIOD_S
            self.supervisor.update(self.now_s, Observed(**{**AT_REST, **conditions}))
        return self.supervisor.state


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.hold(0.2)
    return bench


def test_power_on_to_landing(bench: Bench) -> None:
    assert bench.supervisor.state is FlightState.READY
    assert bench.hold(1.0, thrusting=True) is FlightState.FLYING
    assert bench.hold(1.8) is FlightState.FLYING, "two seconds of hysteresis"
    assert bench.hold(0.4) is FlightState.LANDED
    assert bench.hold(3.4) is FlightState.READY
    assert bench.hold(0.2, thrusting=True) is FlightState.FLYING


def test_takes_off_again_from_landed(bench: Bench) -> None:
    bench.hold(0.2, thrusting=True)
    bench.hold(2.4)
    assert bench.hold(0.04, thrusting=True) is FlightState.FLYING


@pytest.mark.parametrize(
    ("acceleration", "duration_s", "tumbled"),
    [(0.4, 0.96, False), (0.4, 1.08, True), (-0.5, 0.08, False), (-0.5, 0.16, True)],
)
def test_tumble_detection(
    bench: Bench, acceleration: float, duration_s: float, tumbled: bool
) -> None:
    bench.hold(0.2, thrusting=True)
    state = bench.hold(duration_s, thrusting=True, acceleration_z_g=acceleration)
    assert bench.supervisor.tumbled is tumbled
    assert state is (FlightState.CRASHED if tumbled else FlightState.FLYING)


def test_recovery_needs_an_upright_vehicle(bench: Bench) -> None:
    bench.hold(0.2, thrusting=True)
    bench.hold(0.2, acceleration_z_g=-1.0)
    assert bench.supervisor.state is FlightState.CRASHED
    assert not bench.supervisor.request_recovery()
    bench.hold(0.04)
    assert bench.supervisor.request_recovery()
    assert bench.hold(0.2) is FlightState.READY


def test_a_vehicle_upside_down_on_the_floor_does_not_arm() -> None:
    bench = Bench()
    bench.hold(0.4, acceleration_z_g=-1.0)
    assert SupervisorInfo.CAN_FLY not in bench.supervisor.info
    bench.hold(0.2)
    assert SupervisorInfo.CAN_FLY in bench.supervisor.info


def test_arming_requests_without_auto_arm() -> None:
    bench = Bench(auto_arm=False)
    assert not bench.supervisor.request_arming(True), "checks are pending"
    assert bench.hold(0.2) is FlightState.CHECKS_PASSED
    assert bench.supervisor.info == SupervisorInfo.CAN_ARM
    assert bench.supervisor.request_arming(True)
    assert bench.hold(0.04) is FlightState.READY
    assert bench.supervisor.request_arming(True), "armed already"
    assert bench.hold(29.5) is FlightState.READY
    assert bench.hold(1.0) is FlightState.CHECKS_PASSED, "preflight time is over"
    bench.supervisor.request_arming(True)
    bench.hold(0.1)
    bench.supervisor.request_arming(False)
    assert bench.hold(0.1) is FlightState.CHECKS_PASSED


@pytest.mark.parametrize(
    ("age_s", "state"),
    [
        (0.5, FlightState.FLYING),
        (0.51, FlightState.LEVEL_OUT),
        (2.0, FlightState.LEVEL_OUT),
        (2.01, FlightState.FREE_FALL),
    ],
)
def test_setpoint_age(bench: Bench, age_s: float, state: FlightState) -> None:
    bench.hold(0.2, thrusting=True)
    assert bench.hold(PERIOD_S, thrusting=True, setpoint_age_s=age_s) is state


def test_age_means_nothing_on_the_ground(bench: Bench) -> None:
    assert bench.hold(1.0, setpoint_age_s=100.0) is FlightState.READY


@pytest.mark.parametrize("flying", [False, True])
def test_emergency_stop_locks_from_anywhere(bench: Bench, flying: bool) -> None:
    bench.hold(0.2, thrusting=flying)
    bench.supervisor.emergency_stop()
    assert not bench.supervisor.motors_allowed, "at once, not at the next update"
    assert bench.hold(0.08) is FlightState.LOCKED
    bench.supervisor.request_arming(True)
    bench.supervisor.request_recovery()
    assert bench.hold(60.0) is FlightState.LOCKED


def test_broken_airframe_stays_crashed(bench: Bench) -> None:
    bench.hold(0.2, thrusting=True)
    assert bench.hold(0.04, broken=True) is FlightState.CRASHED
    assert not bench.supervisor.request_recovery()
