"""Who commands the joints: checksum, timeout, two writers."""

from __future__ import annotations

import numpy as np
import pytest
from go2_payloads import low_cmd_payload
from robot_simulation.go2 import wire
from robot_simulation.go2.low_level import TIMEOUT_S, LowLevel
from robot_simulation.go2.motors import DAMPING, POSITION_STOP, VELOCITY_STOP, MotorCommand

DT_S = 0.002


def test_a_good_command_is_followed() -> None:
    low_level = LowLevel()
    low_level.receive(low_cmd_payload(), writer=1, mode="")
    command = low_level.step(DT_S, None)
    np.testing.assert_allclose(command.q, 0.5)
    np.testing.assert_allclose(command.kp, 60.0)
    assert low_level.traffic.accepted == 1
    assert low_level.conflict == ""


@pytest.mark.parametrize(
    ("bad", "counter"),
    [
        (low_cmd_payload(crc=1), "bad_crc"),
        (low_cmd_payload(head=0x00), "malformed"),
        (low_cmd_payload()[:-8], "malformed"),
        (low_cmd_payload(q=float("nan")), "not_finite"),
        (low_cmd_payload(kp=float("inf")), "not_finite"),
    ],
    ids=["checksum", "head", "size", "position", "gain"],
)
def test_a_bad_command_is_counted_and_ignored(bad: bytes, counter: str) -> None:
    low_level = LowLevel()
    low_level.receive(bad, writer=1, mode="")
    assert getattr(low_level.traffic, counter) == 1
    assert low_level.traffic.accepted == 0
    assert not low_level.commanded
    np.testing.assert_allclose(low_level.step(DT_S, None).kd, DAMPING)


def test_joints_damp_when_commands_stop() -> None:
    low_level = LowLevel()
    low_level.receive(low_cmd_payload(), writer=1, mode="")
    steps = round(TIMEOUT_S / DT_S)
    stiff = [low_level.step(DT_S, None).kp.max() for _ in range(2 * steps)]
    assert stiff[steps - 2] == 60.0
    assert stiff[steps + 1] == 0.0
    assert low_level.traffic.timeouts == 1


def test_a_command_beside_an_active_mode_is_two_writers() -> None:
    low_level = LowLevel()
    locomotion = MotorCommand.held(np.full(12, -0.5), 90.0, 3.0)
    low_level.receive(low_cmd_payload(), writer=1, mode="normal")
    # Both are followed in turn: the joints twitch, as they do on the robot.
    assert low_level.step(DT_S, locomotion).q[0] == 0.5
    assert low_level.step(DT_S, locomotion).q[0] == -0.5
    assert "two writers" in low_level.conflict
    assert "'normal'" in low_level.conflict
    assert low_level.traffic.conflicts == 1
    for _ in range(round(2 * TIMEOUT_S / DT_S)):
        low_level.step(DT_S, locomotion)
    assert low_level.conflict == ""


def test_two_clients_are_two_writers() -> None:
    low_level = LowLevel()
    for _ in range(3):
        low_level.receive(low_cmd_payload(), writer=1, mode="")
        low_level.step(DT_S, None)
    assert low_level.conflict == ""
    low_level.receive(low_cmd_payload(), writer=2, mode="")
    assert "2 clients" in low_level.conflict


def test_special_values_switch_loops_off() -> None:
    motors = np.zeros(12, wire.LOW_CMD["motor_cmd"].base)
    motors["mode"], motors["kp"], motors["kd"] = 1, 60.0, 5.0
    motors["q"], motors["dq"] = POSITION_STOP, VELOCITY_STOP
    command = MotorCommand.from_wire(motors)
    assert not command.torque(np.ones(12), np.ones(12)).any()
    motors["q"], motors["dq"], motors["mode"] = 0.0, 0.0, 0
    assert not MotorCommand.from_wire(motors).torque(np.ones(12), np.ones(12)).any()
