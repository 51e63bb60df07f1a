"""Physics of the airframe against closed forms."""

from __future__ import annotations

import math

import mujoco
import numpy as np
import pytest
from crazyflie_pilot import cylinder, room
from robot_simulation.crazyflie.airframe import GRAVITY_M_S2, Airframe
from robot_simulation.crazyflie.battery import FULL_VOLTAGE_V, Battery, open_circuit_voltage
from robot_simulation.crazyflie.dynamics import FlightDynamics
from robot_simulation.crazyflie.model import STEP_S

AIRFRAME = Airframe()
HOVER = (AIRFRAME.hover_thrust_n,) * 4


@pytest.fixture
def dynamics() -> FlightDynamics:
    dynamics = FlightDynamics(AIRFRAME, room())
    dynamics.place((0.0, 0.0, 1.0), 0.0)
    return dynamics


def run(dynamics: FlightDynamics, commands: tuple[float, ...], duration_s: float) -> None:
    for _ in range(round(duration_s / STEP_S)):
        dynamics.step(commands)


def test_hover_thrust_carries_the_weight(dynamics: FlightDynamics) -> None:
    run(dynamics, HOVER, 1.0)
    # What is lost while the motors spin up remains as speed: g times their time constant.
    assert dynamics.body.velocity[2] == pytest.approx(
        -GRAVITY_M_S2 * AIRFRAME.motor_time_constant_s, rel=0.2
    )
    assert dynamics.body.specific_force[2] == pytest.approx(GRAVITY_M_S2, rel=0.02)
    assert sum(dynamics.thrusts_n) == pytest.approx(AIRFRAME.mass_kg * GRAVITY_M_S2)


def test_free_fall(dynamics: FlightDynamics) -> None:
    run(dynamics, (0.0,) * 4, 0.3)
    assert dynamics.body.position[2] == pytest.approx(1.0 - 0.5 * GRAVITY_M_S2 * 0.09, rel=0.02)
    assert np.linalg.norm(dynamics.body.specific_force) < 0.01


def test_motor_lag_is_first_order(dynamics: FlightDynamics) -> None:
    run(dynamics, HOVER, AIRFRAME.motor_time_constant_s)
    assert dynamics.thrusts_n[0] / HOVER[0] == pytest.approx(1 - math.exp(-1), abs=0.01)


@pytest.mark.parametrize(
    ("raised", "axis", "sign"),
    [
        ((3, 4), 0, 1),  # left rotors up: rolls to the right, positive about x
        ((2, 3), 1, 1),  # back rotors up: nose down, positive about y
        ((2, 4), 2, 1),  # clockwise rotors up: turns to the left
    ],
)
def test_torques(dynamics: FlightDynamics, raised: tuple[int, int], axis: int, sign: int) -> None:
    extra = 0.001
    commands = tuple(h + (extra if n in raised else 0.0) for n, h in enumerate(HOVER, start=1))
    run(dynamics, commands, 0.1)
    lever = AIRFRAME.torque_per_thrust_m if axis == 2 else AIRFRAME.rotor_offset_m
    # Both raised rotors push one way; with the lag, 0.1 s count as 0.071 s.
    effective = 0.1 - AIRFRAME.motor_time_constant_s * (1 - math.exp(-0.1 / 0.03))
    expected = 2 * extra * lever / AIRFRAME.inertia_kg_m2[axis] * effective
    assert sign * dynamics.body.rates[axis] == pytest.approx(expected, rel=0.1)
    others = [rate for index, rate in enumerate(dynamics.body.rates) if index != axis]
    assert max(map(abs, others)) < 0.05 * expected


def test_drag_slows_level_flight(dynamics: FlightDynamics) -> None:
    run(dynamics, HOVER, 0.3)
    dynamics.data.qvel[0] = 2.0
    dynamics.body.velocity = (2.0, *dynamics.body.velocity[1:])
    run(dynamics, HOVER, 0.5)
    rotor_speed = math.sqrt(HOVER[0] / AIRFRAME.thrust_per_rotor_speed2)
    decay = AIRFRAME.drag[0] * 4 * rotor_speed / AIRFRAME.mass_kg
    assert dynamics.body.velocity[0] == pytest.approx(2.0 * math.exp(-0.5 * decay), rel=0.01)


def test_rests_on_the_floor() -> None:
    dynamics = FlightDynamics(AIRFRAME, room())
    run(dynamics, (0.0,) * 4, 1.0)
    assert dynamics.collision is None
    assert dynamics.body.position[2] == pytest.approx(AIRFRAME.hull_half_height_m, abs=1e-3)
    assert dynamics.body.specific_force[2] == pytest.approx(GRAVITY_M_S2, rel=0.01)


@pytest.mark.parametrize(("height", "crash"), [(0.03, False), (0.3, True)])
def test_touch_down_speed_decides(dynamics: FlightDynamics, height: float, crash: bool) -> None:
    dynamics.place((0.0, 0.0, height), 0.0)
    run(dynamics, (0.0,) * 4, 0.5)
    assert dynamics.broken is crash
    if crash:
        assert dynamics.collision.surface == "floor"
        fall = height - AIRFRAME.hull_half_height_m
        assert dynamics.collision.speed_m_s == pytest.approx(
            math.sqrt(2 * GRAVITY_M_S2 * fall), rel=0.03
        )


def test_a_broken_vehicle_has_no_thrust() -> None:
    dynamics = FlightDynamics(AIRFRAME, room(cylinders=[cylinder(0.6, 0.0)]))
    dynamics.place((0.0, 0.0, 1.0), 0.0)
    run(dynamics, HOVER, 0.2)
    dynamics.data.qvel[0] = 2.0
    run(dynamics, HOVER, 0.6)
    assert dynamics.collision.surface == "cylinder_0"
    first = dynamics.collision
    run(dynamics, HOVER, 1.0)
    assert dynamics.collision is first, "only the first contact counts"
    assert max(dynamics.thrusts_n) < 1e-6
    dynamics.place_at_start()
    assert not dynamics.broken


def test_boxes_of_a_world_are_solid_where_the_world_says() -> None:
    box = {"x_m": 1.0, "y_m": 0.0, "z_m": 1.0, "length_m": 0.4, "width_m": 2.0, "height_m": 1.0,
           "yaw_rad": 0.5}  # fmt: skip
    world = room(boxes=[box])
    dynamics = FlightDynamics(AIRFRAME, world)
    rng = np.random.default_rng(0)
    for point in rng.uniform([-1, -2, 0.3], [2.5, 2, 2.2], size=(200, 3)):
        clearance = float(world.clearance(point))
        if -0.02 < clearance < 0.08:
            continue  # Within the hull's size the two cannot agree.
        dynamics.place(tuple(point), 0.0)
        assert (dynamics.data.ncon > 0) == (clearance < 0)


def test_command_is_limited_and_weak_battery_limits_more(dynamics: FlightDynamics) -> None:
    run(dynamics, (1.0,) * 4, 0.3)
    assert dynamics.thrusts_n[0] == pytest.approx(AIRFRAME.max_thrust_n, rel=1e-3)
    dynamics.battery.charge = 0.0
    run(dynamics, (1.0,) * 4, 0.3)
    assert dynamics.thrusts_n[0] < 0.7 * AIRFRAME.max_thrust_n
    dynamics.rotors.effectiveness[0] = 0.0
    run(dynamics, (1.0,) * 4, 0.3)
    assert dynamics.thrusts_n[0] < 1e-3


def test_battery_lasts_as_long_as_a_real_one() -> None:
    battery = Battery()
    weight = AIRFRAME.mass_kg * GRAVITY_M_S2
    seconds = 0
    while not battery.low:
        battery.discharge(weight, 1.0)
        seconds += 1
    assert 5 * 60 < seconds < 9 * 60


def test_battery_voltage_sags_under_load() -> None:
    battery = Battery()
    battery.discharge(0.0, 0.01)
    idle = battery.voltage_v
    battery.discharge(0.265, 0.01)
    assert 0.1 < idle - battery.voltage_v < 0.6
    charges = np.linspace(0, 1, 50)
    assert np.all(np.diff([open_circuit_voltage(c) for c in charges]) > 0)
    assert open_circuit_voltage(1.0) == pytest.approx(FULL_VOLTAGE_V, abs=0.1)


def test_model_compiles_with_the_airframes_numbers(dynamics: FlightDynamics) -> None:
    model = dynamics.model
    hull = model.body("crazyflie")
    assert mujoco.mj_getTotalmass(model) == pytest.approx(AIRFRAME.mass_kg)
    assert sorted(hull.inertia) == pytest.approx(sorted(AIRFRAME.inertia_kg_m2))
    assert model.opt.timestep == STEP_S
