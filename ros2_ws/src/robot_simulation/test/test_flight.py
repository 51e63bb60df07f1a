"""The physical outcome of what a client sends."""

from __future__ import annotations

import errno
import math
import struct

import numpy as np
import pytest
from crazyflie_pilot import Pilot, cylinder, room
from robot_simulation.crazyflie.airframe import Airframe
from robot_simulation.crazyflie.crtp import Port
from robot_simulation.crazyflie.simulation import BOOT_S
from robot_simulation.crazyflie.supervisor import FlightState, SupervisorInfo


@pytest.fixture
def pilot() -> Pilot:
    return Pilot.in_room()


@pytest.fixture
def hovering(pilot: Pilot) -> Pilot:
    pilot.hover()
    return pilot


def test_take_off_go_to_and_land(pilot: Pilot) -> None:
    assert pilot.take_off() == b"\x07\x00\x00\x00"
    assert SupervisorInfo.FLYING not in pilot.info
    pilot.simulation.run(2.5)
    assert pilot.position == pytest.approx([0.0, 0.0, 1.0], abs=0.05)
    assert SupervisorInfo.FLYING | SupervisorInfo.HIGH_LEVEL_ACTIVE in pilot.info
    pilot.go_to(1.0, -1.0, 0.5, 3.0)
    pilot.simulation.run(1.5)
    assert SupervisorInfo.HIGH_LEVEL_FINISHED not in pilot.info
    pilot.simulation.run(3.0)
    assert SupervisorInfo.HIGH_LEVEL_FINISHED in pilot.info
    assert pilot.position == pytest.approx([1.0, -1.0, 0.5], abs=0.05)
    pilot.go_to(-0.5, 0.5, 0.0, 2.0, relative=True)
    pilot.simulation.run(4.0)
    assert pilot.position == pytest.approx([0.5, -0.5, 0.5], abs=0.05)
    pilot.land()
    pilot.simulation.run(3.0)
    assert pilot.position == pytest.approx([0.5, -0.5, 0.015], abs=0.05)
    assert max(pilot.simulation.dynamics.thrusts_n) < 1e-6
    pilot.simulation.run(3.0)
    assert SupervisorInfo.FLYING not in pilot.info
    assert pilot.simulation.dynamics.collision is None


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.5])
def test_full_state_setpoints_track_a_circle(hovering: Pilot, speed: float) -> None:
    radius, ramp = 1.0, 2.0
    rate = speed / radius
    errors = []
    start = hovering.simulation.time_s
    while (t := hovering.simulation.time_s - start) < ramp + 2 * math.pi / rate:
        # The angular speed ramps up, so that the reference has no jump to begin with.
        angle = rate * (t * t / (2 * ramp) if t < ramp else t - ramp / 2)
        omega, alpha = (rate * t / ramp, rate / ramp) if t < ramp else (rate, 0.0)
        out = np.array([math.cos(angle), math.sin(angle), 0.0])
        along = np.array([-out[1], out[0], 0.0])
        position = radius * out + [-radius, 0.0, 1.0]
        errors.append(np.linalg.norm(hovering.position - position))
        acceleration = radius * (alpha * along - omega**2 * out)
        hovering.full_state_setpoint(position, radius * omega * along, acceleration)
        hovering.simulation.run(0.01)
    assert max(errors) < 0.1
    assert hovering.simulation.dynamics.collision is None


def test_velocity_setpoints_move_in_world_axes(hovering: Pilot) -> None:
    hovering.repeat(lambda: hovering.velocity_setpoint(0.5, -0.3, 0.1), 3.0)
    assert hovering.velocity == pytest.approx([0.5, -0.3, 0.1], abs=0.05)


def test_hover_setpoints_move_in_body_axes_and_turn_left(hovering: Pilot) -> None:
    hovering.repeat(lambda: hovering.hover_setpoint(0.0, 0.0, 90.0, 1.0), 1.0)
    hovering.repeat(lambda: hovering.hover_setpoint(0.0, 0.0, 0.0, 1.0), 1.0)
    yaw = hovering.simulation.firmware.estimator.estimate.yaw_rad
    assert yaw == pytest.approx(math.pi / 2, abs=0.15)
    hovering.repeat(lambda: hovering.hover_setpoint(0.4, 0.0, 0.0, 0.7), 3.0)
    forward = 0.4 * np.array([math.cos(yaw), math.sin(yaw)])
    assert hovering.velocity[:2] == pytest.approx(forward, abs=0.06)
    assert hovering.position[2] == pytest.approx(0.7, abs=0.05)


def test_position_setpoints_keep_the_speed_limit(hovering: Pilot) -> None:
    speeds: list[float] = []

    def send() -> None:
        hovering.position_setpoint(3.0, 0.0, 1.0)
        speeds.append(float(np.linalg.norm(hovering.velocity)))

    hovering.repeat(send, 6.0)
    assert max(speeds) < 1.25
    assert hovering.position == pytest.approx([3.0, 0.0, 1.0], abs=0.06)


def test_manual_setpoint_pitches_the_nose_down_and_flies_forward(hovering: Pilot) -> None:
    # The client negates pitch on the wire: +10 degrees of stick is -10 here, nose down.
    packet = struct.pack("<BfffHB", 11, 0.0, -10.0, 0.0, 37000, False)
    hovering.repeat(lambda: hovering.ask(Port.GENERIC_COMMANDER, 0, packet), 0.6)
    assert hovering.velocity[0] > 0.3
    assert abs(hovering.velocity[1]) < 0.1


def test_a_low_level_setpoint_locks_the_high_level_commander_out(hovering: Pilot) -> None:
    hovering.position_setpoint(0.0, 0.0, 1.0)
    assert SupervisorInfo.HIGH_LEVEL_DISABLED in hovering.info
    reply = hovering.land()
    assert reply is not None
    assert reply[3] == errno.ENOEXEC
    hovering.repeat(lambda: hovering.position_setpoint(0.0, 0.0, 1.0), 2.0)
    assert hovering.position[2] == pytest.approx(1.0, abs=0.05)
    hovering.notify_stop()
    assert SupervisorInfo.HIGH_LEVEL_DISABLED not in hovering.info
    assert hovering.land() == b"\x08\x00\x00\x00"
    hovering.simulation.run(3.0)
    assert hovering.position[2] < 0.03
    assert hovering.simulation.dynamics.collision is None


def test_setpoints_that_stop_level_out_then_fall_then_lock(hovering: Pilot) -> None:
    hovering.repeat(lambda: hovering.velocity_setpoint(0.8, 0.0, 0.0), 1.0)
    last = hovering.simulation.time_s
    hovering.run_until(lambda: hovering.state is FlightState.LEVEL_OUT, 1.0)
    assert 0.5 <= hovering.simulation.time_s - last < 0.6
    hovering.simulation.run(0.9)
    assert hovering.tilt_rad < math.radians(3)
    assert hovering.position[2] > 0.8
    hovering.run_until(lambda: hovering.state is FlightState.LOCKED, 1.0)
    assert 2.0 <= hovering.simulation.time_s - last < 2.15
    hovering.simulation.run(1.5)
    assert hovering.position[2] < 0.1
    assert SupervisorInfo.LOCKED in hovering.info
    assert SupervisorInfo.CAN_FLY not in hovering.info
    hovering.notify_stop()
    hovering.take_off()
    hovering.arm()
    hovering.simulation.run(2.0)
    assert hovering.position[2] < 0.1, "locked until reboot"


def test_a_setpoint_in_time_ends_the_level_out(hovering: Pilot) -> None:
    hovering.position_setpoint(0.0, 0.0, 1.0)
    hovering.run_until(lambda: hovering.state is FlightState.LEVEL_OUT, 1.0)
    hovering.repeat(lambda: hovering.position_setpoint(0.0, 0.0, 1.0), 1.0)
    assert hovering.state is FlightState.FLYING
    assert hovering.position == pytest.approx([0.0, 0.0, 1.0], abs=0.1)


def test_notify_stop_alone_does_not_keep_the_vehicle_in_the_air(hovering: Pilot) -> None:
    hovering.position_setpoint(0.0, 0.0, 1.0)
    hovering.notify_stop()
    hovering.run_until(lambda: hovering.state is FlightState.LOCKED, 3.0)


def test_stop_setpoint_on_the_floor_does_not_lock(hovering: Pilot) -> None:
    hovering.repeat(lambda: hovering.velocity_setpoint(0.0, 0.0, -0.3), 4.0)
    hovering.generic(0)
    hovering.simulation.run(6.0)
    assert hovering.simulation.dynamics.collision is None
    assert hovering.state is FlightState.READY


def test_emergency_stop_latches(hovering: Pilot) -> None:
    hovering.emergency_stop()
    hovering.simulation.run(0.2)
    assert max(hovering.simulation.dynamics.thrusts_n) < 0.001
    hovering.simulation.run(1.0)
    assert hovering.state is FlightState.LOCKED
    hovering.recover()
    hovering.arm()
    hovering.take_off()
    hovering.simulation.run(2.0)
    assert hovering.state is FlightState.LOCKED
    assert max(hovering.simulation.dynamics.thrusts_n) < 1e-6


def test_emergency_watchdog_has_to_be_fed(hovering: Pilot) -> None:
    hovering.repeat(hovering.feed_watchdog, 3.0, period_s=0.5)
    assert hovering.state is FlightState.FLYING
    hovering.feed_watchdog()
    taken = hovering.run_until(lambda: hovering.state is FlightState.LOCKED, 2.0)
    assert 1.0 < taken < 1.15


def test_brushless_airframe_waits_for_arming() -> None:
    pilot = Pilot.in_room(airframe=Airframe(brushless=True))
    assert pilot.info & 0x0F == SupervisorInfo.CAN_ARM
    pilot.take_off()
    pilot.simulation.run(1.0)
    assert pilot.position[2] < 0.03
    assert pilot.arm() == b"\x81\x01\x01"
    pilot.simulation.run(0.1)
    assert SupervisorInfo.ARMED | SupervisorInfo.CAN_FLY in pilot.info
    pilot.simulation.run(30.1)
    assert SupervisorInfo.ARMED not in pilot.info, "an armed vehicle disarms after 30 s"
    pilot.arm()
    pilot.simulation.run(0.1)
    pilot.hover()
    assert pilot.position[2] == pytest.approx(1.0, abs=0.05)


def test_disarming_in_flight_lets_it_fall(hovering: Pilot) -> None:
    assert hovering.arm(False) == b"\x81\x01\x00"
    hovering.simulation.run(1.0)
    assert hovering.state is FlightState.LOCKED
    assert hovering.simulation.dynamics.collision is not None


def test_crash_into_a_cylinder_ends_the_flight() -> None:
    pilot = Pilot.in_room(room(cylinders=[cylinder(1.0, 0.0)]))
    crashes = []
    pilot.simulation.on_collision = crashes.append
    pilot.hover()
    pilot.go_to(2.0, 0.0, 1.0, 3.0)
    pilot.simulation.run(4.0)
    assert [crash.surface for crash in crashes] == ["cylinder_0"]
    assert crashes[0].position_m[0] == pytest.approx(1.0 - 0.2 - 0.065, abs=0.02)
    assert crashes[0].speed_m_s > 0.2
    assert pilot.state is FlightState.CRASHED
    assert SupervisorInfo.CRASHED in pilot.info
    assert pilot.recover() == b"\x82\x00\x00", "a broken vehicle does not recover"
    pilot.take_off()
    pilot.simulation.run(2.0)
    assert pilot.position[2] < 0.1
    assert pilot.position[0] < 1.0


@pytest.mark.parametrize(
    ("target", "surface"),
    [((5.0, 0.0, 1.0), "wall_east"), ((0.0, -4.0, 1.0), "wall_south"), ((0, 0, 3.5), "ceiling")],
)
def test_walls_and_ceiling_are_solid(hovering: Pilot, target, surface: str) -> None:
    hovering.go_to(*target, 4.0)
    hovering.run_until(lambda: hovering.simulation.dynamics.broken, 5.0)
    assert hovering.simulation.dynamics.collision.surface == surface


def test_hard_landing_is_a_crash_and_a_soft_one_is_not(hovering: Pilot) -> None:
    hovering.repeat(lambda: hovering.velocity_setpoint(0.0, 0.0, -2.0), 2.0)
    collision = hovering.simulation.dynamics.collision
    assert collision is not None
    assert collision.surface == "floor"
    assert hovering.state is FlightState.CRASHED


def test_a_failed_motor_ends_in_a_crash(hovering: Pilot) -> None:
    hovering.simulation.inject("motor_failure", 2)
    hovering.run_until(lambda: hovering.simulation.dynamics.broken, 3.0)
    hovering.simulation.run(0.1)
    assert hovering.state is FlightState.CRASHED


def test_low_battery_is_reported(hovering: Pilot) -> None:
    hovering.simulation.inject("low_battery", 0.97)
    hovering.simulation.run(0.1)
    battery = hovering.simulation.firmware.battery
    assert battery.low
    assert battery.percent <= 3
    assert hovering.state is FlightState.FLYING


def test_an_empty_battery_brings_the_vehicle_down(hovering: Pilot) -> None:
    hovering.simulation.inject("low_battery", 1.0)
    hovering.run_until(lambda: hovering.simulation.dynamics.broken, 5.0)
    assert hovering.simulation.dynamics.collision.surface == "floor"


def test_reboot_forgets_everything_and_unlocks(hovering: Pilot) -> None:
    hovering.land()
    hovering.simulation.run(3.0)
    hovering.emergency_stop()
    hovering.simulation.run(0.5)
    assert hovering.state is FlightState.LOCKED
    hovering.simulation.inject("restart", 1.0)
    assert hovering.ask(Port.LINK, 1, b"\x00") is None, "no radio while booting"
    hovering.simulation.run(BOOT_S + 0.5)
    assert hovering.ask(Port.LINK, 1, b"\x00") is not None
    hovering.hover()
    assert hovering.position[2] == pytest.approx(1.0, abs=0.05)


def test_reboot_in_flight_falls(hovering: Pilot) -> None:
    hovering.simulation.inject("restart", 1.0)
    hovering.simulation.run(1.0)
    assert hovering.simulation.dynamics.collision.surface == "floor"


def test_a_new_flight_keeps_parameters_and_log_blocks(hovering: Pilot) -> None:
    firmware = hovering.simulation.firmware
    hovering.ask(Port.LOG, 1, b"\x06\x01\x07\x00\x00")
    hovering.ask(Port.LOG, 1, b"\x03\x01\x01")
    firmware.settings.gains.max_speed_xy_m_s = 0.5
    hovering.emergency_stop()
    hovering.simulation.run(1.0)
    hovering.simulation.begin_flight()
    assert hovering.simulation.dynamics.collision is None
    firmware.outbox.clear()
    hovering.simulation.run(0.5)
    assert sum(p.port == Port.LOG for p in firmware.outbox) == 50
    assert firmware.settings.gains.max_speed_xy_m_s == 0.5
    hovering.hover()
    assert hovering.position == pytest.approx([0.0, 0.0, 1.0], abs=0.05)


def test_the_same_seed_gives_the_same_flight() -> None:
    ends = []
    for seed in (3, 3, 4):
        pilot = Pilot.in_room(seed=seed)
        pilot.hover()
        ends.append(pilot.position)
    assert np.array_equal(ends[0], ends[1])
    assert not np.array_equal(ends[0], ends[2])
