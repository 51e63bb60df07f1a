"""One robot without a network: modes, services, faults."""

from __future__ import annotations

import json

import numpy as np
import pytest
from robot_simulation.errors import FaultError
from robot_simulation.go2 import wire
from robot_simulation.go2.simulation import BOOT_S, TICK_S, Go2Simulation


def run(robot: Go2Simulation, seconds: float) -> None:
    for _ in range(round(seconds / TICK_S)):
        robot.step()


def mode(robot: Go2Simulation) -> str:
    answer = robot.call("motion_switcher", 1001, "")
    assert answer is not None
    return json.loads(answer.data)["name"]


def state(robot: Go2Simulation) -> np.void:
    """The LowState, read back by way of its C struct."""
    body = robot.low_state()[4:]
    c = body[:77] + bytes(3) + body[77:78] + bytes(3) + body[80:]
    return np.frombuffer(c, wire.LOW_STATE)[0]


def test_a_mode_is_released_after_a_while_and_selected_again() -> None:
    robot = Go2Simulation()
    assert mode(robot) == "normal"
    robot.call("sport", 1004, "")
    run(robot, 2.0)
    robot.call("motion_switcher", 1003, "")
    assert mode(robot) == "normal", "not at once"
    run(robot, 1.5)
    assert mode(robot) == ""
    assert robot.dynamics.body().position[2] < 0.15, "released while it stood: it sinks"
    assert robot.call("sport", 1004, "") is None, "no mode, no sport service"
    answer = robot.call("motion_switcher", 1002, '{"name": "normal"}')
    assert answer is not None
    assert answer.code == 0
    assert mode(robot) == "normal"


@pytest.mark.parametrize(
    ("service", "function", "parameter", "code"),
    [
        ("sport", 9999, "", 3203),
        ("motion_switcher", 9999, "", 3203),
        ("motion_switcher", 1002, '{"name": "swim"}', 3204),
        ("motion_switcher", 1002, "not json", 3204),
        ("sport", 1008, '{"x": 0.1}', 3204),
        ("sport", 1008, "[1, 2, 3]", 3204),
        ("sport", 1008, '{"x": "fast", "y": 0, "z": 0}', 3204),
    ],
)
def test_bad_requests_are_refused(service: str, function: int, parameter: str, code: int) -> None:
    answer = Go2Simulation().call(service, function, parameter)
    assert answer is not None
    assert answer.code == code


def test_low_state_says_what_is() -> None:
    robot = Go2Simulation()
    run(robot, 1.0)
    first = state(robot)
    robot.step()
    second = state(robot)
    assert second["tick"] - first["tick"] == 2
    np.testing.assert_allclose(second["motor_state"]["q"][:12], robot.dynamics.q, atol=1e-6)
    assert second["imu_state"]["accelerometer"][2] == pytest.approx(9.81, abs=0.1)
    assert second["foot_force"].sum() == pytest.approx(15.2 * 9.81, rel=0.1)
    assert second["bms_state"]["soc"] == 90
    assert wire.crc(second.tobytes()) == second["crc"]


def test_faults() -> None:
    robot = Go2Simulation()
    robot.inject("bad_crc", 1.0, duration_s=0.1)
    assert wire.crc(state(robot).tobytes()) != state(robot)["crc"]
    run(robot, 0.2)
    assert wire.crc(state(robot).tobytes()) == state(robot)["crc"], "it has cleared itself"
    robot.inject("low_battery", 0.95)
    assert state(robot)["bms_state"]["soc"] == 5
    assert str(robot.faults) == "low_battery=0.95"


def test_a_restart_takes_the_mode_and_the_clock_back() -> None:
    robot = Go2Simulation()
    robot.call("motion_switcher", 1003, "")
    run(robot, 1.0)
    robot.inject("restart", 1.0)
    assert robot.booting
    assert robot.call("motion_switcher", 1001, "") is None
    run(robot, BOOT_S + 0.1)
    assert not robot.booting
    assert mode(robot) == "normal"
    assert state(robot)["tick"] == pytest.approx(1e3 * (BOOT_S + 0.1), abs=10)


@pytest.mark.parametrize(
    ("name", "value", "duration_s"),
    [("gremlins", 1.0, 0.0), ("silence", 2.0, 0.0), ("silence", 1.0, -1.0)],
)
def test_impossible_faults_are_refused(name: str, value: float, duration_s: float) -> None:
    with pytest.raises(FaultError):
        Go2Simulation().inject(name, value, duration_s)


def test_reset_lays_the_robot_at_the_origin() -> None:
    robot = Go2Simulation()
    robot.call("sport", 1004, "")
    run(robot, 2.0)
    robot.dynamics.push(np.array([1.0, 0.0, 0.0]))
    run(robot, 0.5)
    robot.reset()
    position = robot.dynamics.body().position
    assert abs(position[:2]).max() == 0.0
    assert position[2] < 0.13
    assert mode(robot) == "normal"
