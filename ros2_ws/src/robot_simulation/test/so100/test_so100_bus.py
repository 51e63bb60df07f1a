"""What the six servos answer, in bytes."""

from __future__ import annotations

import pytest
from robot_simulation.so100.bus import ServoBus
from robot_simulation.so100.packets import BROADCAST, Instruction, Request
from robot_simulation.so100.servo import Servo


@pytest.fixture
def bus() -> ServoBus:
    servos = [Servo(number) for number in range(1, 7)]
    for servo in servos:
        servo.lose_power()
        servo.step(0.0, 0.0, 0.002)
    return ServoBus(servos)


def ask(bus: ServoBus, id_: int, instruction: int, *parameters: int) -> list[str]:
    return [a.hex() for a in bus.answers(Request(id_, instruction, bytes(parameters)))]


def test_ping(bus: ServoBus) -> None:
    assert ask(bus, 3, Instruction.PING) == ["ffff030200fa"]
    assert ask(bus, 9, Instruction.PING) == []
    assert len(ask(bus, BROADCAST, Instruction.PING)) == 6


def test_read(bus: ServoBus) -> None:
    assert ask(bus, 1, Instruction.READ, 3, 2) == ["ffff0104000903ee"]  # model number 777
    assert ask(bus, 1, Instruction.READ, 56, 2) == ["ffff0104000008f2"]  # 2048
    assert ask(bus, 1, Instruction.READ, 86, 2) == []
    assert ask(bus, 1, Instruction.READ, 56) == []


def test_write_is_confirmed(bus: ServoBus) -> None:
    assert ask(bus, 2, Instruction.WRITE, 42, 0x10, 0x09) == ["ffff020200fb"]
    assert bus.servos[1].memory["goal_position"] == 0x0910
    assert ask(bus, 2, Instruction.WRITE, 200, 1) == []


def test_sync_write_is_not(bus: ServoBus) -> None:
    assert ask(bus, BROADCAST, Instruction.SYNC_WRITE, 42, 2, 1, 1, 8, 6, 2, 8, 9, 3, 8) == []
    goals = [servo.memory["goal_position"] for servo in bus.servos]
    assert goals == [0x0801, 2048, 2048, 2048, 2048, 0x0802]


def test_sync_read_answers_in_the_order_asked(bus: ServoBus) -> None:
    answers = ask(bus, BROADCAST, Instruction.SYNC_READ, 56, 2, 6, 9, 1)
    assert answers == ["ffff0604000008ed", "ffff0104000008f2"]


def test_prepared_writes_act_together(bus: ServoBus) -> None:
    for number in (1, 2):
        assert len(ask(bus, number, Instruction.REG_WRITE, 42, 0, 9)) == 1
    assert {servo.memory["goal_position"] for servo in bus.servos} == {2048}
    assert ask(bus, BROADCAST, Instruction.ACTION) == []
    assert [servo.memory["goal_position"] for servo in bus.servos[:3]] == [2304, 2304, 2048]


def test_an_overloaded_servo_says_so_in_every_answer(bus: ServoBus) -> None:
    bus.servos[5].overload()
    assert ask(bus, 6, Instruction.PING) == ["ffff060220d7"]
    assert ask(bus, BROADCAST, Instruction.SYNC_READ, 56, 2, 6) == ["ffff0604200008cd"]


def test_unknown_instructions_are_ignored(bus: ServoBus) -> None:
    assert ask(bus, 1, 0x55, 1, 2, 3) == []
