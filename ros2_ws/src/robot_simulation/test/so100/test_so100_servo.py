"""Memory and firmware of one servo, on a shaft of its own."""

from __future__ import annotations

import math

import pytest
from robot_simulation.so100.registers import REGISTERS, SIZE, Memory
from robot_simulation.so100.servo import RAD_PER_COUNT, STALL_TORQUE_N_M, Servo, Status

DT_S = 0.002


class Shaft:
    """A servo with a flywheel on it, 0 rad at 2048 counts."""

    def __init__(self, inertia: float = 0.03, load_n_m: float = 0.0) -> None:
        self.servo = Servo(1)
        self.servo.lose_power()
        self.inertia, self.load = inertia, load_n_m
        self.angle = self.velocity = self.torque = 0.0
        self.speeds: list[float] = []
        self.run(DT_S)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / DT_S)):
            self.torque = self.servo.step(self.angle, self.velocity, DT_S)
            friction = 0.3 * self.velocity
            self.velocity += (self.torque - self.load - friction) / self.inertia * DT_S
            self.angle += self.velocity * DT_S
            self.speeds.append(abs(self.velocity))

    def block(self, seconds: float) -> None:
        """Run with the shaft held."""
        for _ in range(round(seconds / DT_S)):
            self.torque = self.servo.step(self.angle, 0.0, DT_S)

    def write(self, name: str, value: int) -> None:
        register = REGISTERS[name]
        assert self.servo.write(register.address, register.encoded(value))

    def read(self, name: str) -> int:
        register = REGISTERS[name]
        data = self.servo.read(register.address, register.size)
        assert data is not None
        return register.decoded(data)


def test_registers_do_not_overlap() -> None:
    taken = [a for r in REGISTERS.values() for a in range(r.address, r.address + r.size)]
    assert len(taken) == len(set(taken))
    assert max(taken) < SIZE


@pytest.mark.parametrize(
    ("name", "value", "data"),
    [
        ("homing_offset", -5, "0508"),
        ("homing_offset", 2047, "ff07"),
        ("present_position", -1, "0180"),
        ("goal_position", 2048, "0008"),
        ("present_load", -300, "2c05"),
        ("model_number", 777, "0903"),
    ],
)
def test_words_are_little_endian_with_a_sign_bit(name: str, value: int, data: str) -> None:
    register = REGISTERS[name]
    assert register.encoded(value) == bytes.fromhex(data)
    assert register.decoded(bytes.fromhex(data)) == value


def test_read_only_registers_stay_and_neighbours_are_written() -> None:
    memory = Memory()
    before = memory["present_position"]
    # Lock and, behind it, the present position.
    assert memory.write(55, bytes((0, 0x34, 0x12))) == ["lock"]
    assert memory["lock"] == 0
    assert memory["present_position"] == before
    assert memory.write(SIZE - 1, b"\x00\x00") is None
    assert memory.read(SIZE - 1, 2) is None


@pytest.mark.parametrize(("lock", "kept"), [(0, 700), (1, 0)])
def test_a_closed_lock_loses_settings_with_the_power(lock: int, kept: int) -> None:
    shaft = Shaft()
    shaft.write("lock", lock)
    shaft.write("min_limit", 700)
    assert shaft.read("min_limit") == 700
    shaft.servo.lose_power()
    assert shaft.read("min_limit") == kept


def test_present_is_actual_less_homing() -> None:
    shaft = Shaft()
    assert shaft.read("present_position") == 2048
    shaft.write("homing_offset", 48)
    shaft.run(DT_S)
    assert shaft.read("present_position") == 2000
    # One turn and no more: the seam moves with the offset.
    shaft.write("homing_offset", -2047)
    shaft.run(DT_S)
    assert shaft.read("present_position") == 4095


def test_goes_to_its_goal_and_reports_motion() -> None:
    shaft = Shaft()
    shaft.write("torque_enable", 1)
    shaft.write("goal_position", 2548)
    shaft.run(0.3)
    assert shaft.read("moving") == 1
    assert shaft.read("present_velocity") > 100
    shaft.run(1.5)
    assert shaft.read("present_position") == pytest.approx(2548, abs=2)
    assert shaft.read("moving") == 0


@pytest.mark.parametrize(("goal", "reached"), [(3500, 3000), (500, 1500)])
def test_limits_bound_the_goal(goal: int, reached: int) -> None:
    shaft = Shaft()
    shaft.write("min_limit", 1500)
    shaft.write("max_limit", 3000)
    shaft.write("torque_enable", 1)
    shaft.write("goal_position", goal)
    shaft.run(2.0)
    assert shaft.read("present_position") == pytest.approx(reached, abs=2)


def test_goal_velocity_is_the_greatest_speed() -> None:
    shaft = Shaft()
    shaft.write("goal_velocity", 400)
    shaft.write("torque_enable", 1)
    shaft.write("goal_position", 3048)
    shaft.run(0.5)
    before = shaft.angle
    shaft.run(1.0)
    assert shaft.angle - before == pytest.approx(400 * RAD_PER_COUNT, rel=0.02)


def test_without_torque_it_does_nothing() -> None:
    shaft = Shaft()
    shaft.write("goal_position", 3000)
    shaft.run(0.5)
    assert shaft.torque == 0.0
    assert shaft.read("present_position") == 2048


def test_torque_on_runs_to_the_old_goal() -> None:
    shaft = Shaft()
    shaft.write("torque_enable", 1)
    shaft.write("goal_position", 2248)
    shaft.run(1.0)
    shaft.write("torque_enable", 0)
    shaft.angle = math.radians(60.0)  # moved by hand
    shaft.run(0.1)
    shaft.write("torque_enable", 1)
    shaft.run(2.0)
    assert shaft.read("present_position") == pytest.approx(2248, abs=2)


def test_torque_limit_holds() -> None:
    shaft = Shaft()
    shaft.write("torque_limit", 300)
    shaft.write("torque_enable", 1)
    shaft.write("goal_position", 3000)
    shaft.block(0.5)
    assert shaft.torque == pytest.approx(0.3 * STALL_TORQUE_N_M)
    assert shaft.read("present_load") == 300


def test_a_blocked_servo_protects_itself_until_its_torque_is_switched() -> None:
    shaft = Shaft()
    shaft.write("torque_enable", 1)
    shaft.write("goal_position", 3000)
    shaft.block(1.9)
    assert shaft.servo.status == 0
    shaft.block(0.3)
    assert shaft.servo.status == Status.OVERLOAD
    assert shaft.torque == pytest.approx(0.2 * STALL_TORQUE_N_M)
    shaft.write("goal_position", 2048)
    shaft.run(1.0)
    assert shaft.servo.status == Status.OVERLOAD
    shaft.write("torque_enable", 1)
    assert shaft.servo.status == 0


@pytest.mark.parametrize(
    ("attribute", "value", "status"),
    [("voltage_v", 3.0, Status.VOLTAGE), ("temperature_c", 90.0, Status.OVERHEATED)],
)
def test_bad_conditions_switch_the_motor_off(attribute: str, value: float, status: Status) -> None:
    shaft = Shaft()
    shaft.write("torque_enable", 1)
    shaft.write("goal_position", 3000)
    setattr(shaft.servo, attribute, value)
    shaft.block(0.1)
    assert shaft.servo.status == status
    assert shaft.torque == 0.0


def test_a_slow_servo_is_slow() -> None:
    fast, slow = Shaft(), Shaft()
    slow.servo.slowness = 0.8
    for shaft in (fast, slow):
        shaft.write("torque_enable", 1)
        shaft.write("goal_position", 4000)
        shaft.run(1.5)
    assert max(slow.speeds) < 0.4 * max(fast.speeds)


def test_prepared_writes_wait_for_the_action() -> None:
    shaft = Shaft()
    shaft.servo.prepare(42, (3000).to_bytes(2, "little"))
    assert shaft.read("goal_position") == 2048
    shaft.servo.act()
    assert shaft.read("goal_position") == 3000
