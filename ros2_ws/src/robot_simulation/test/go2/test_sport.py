"""The built-in locomotion on the model: it stands, walks as asked, and lies down."""

from __future__ import annotations

import json

import numpy as np
import pytest
from robot_simulation.go2.simulation import TICK_S, Go2Simulation
from robot_simulation.go2.sport import Mode


def run(robot: Go2Simulation, seconds: float) -> None:
    for _ in range(round(seconds / TICK_S)):
        robot.step()


def move(robot: Go2Simulation, seconds: float, x: float, y: float, yaw: float) -> None:
    """Walk, as a client does: a new request every tenth of a second."""
    for _ in range(round(10 * seconds)):
        answer = robot.call("sport", 1008, json.dumps({"x": x, "y": y, "z": yaw}))
        assert answer is not None
        assert answer.code == 0
        run(robot, 0.1)


@pytest.fixture
def standing() -> Go2Simulation:
    """A robot that balances."""
    robot = Go2Simulation()
    robot.call("sport", 1006, "")
    run(robot, 2.0)
    assert robot.sport.mode is Mode.BALANCE
    return robot


def height(robot: Go2Simulation) -> float:
    return float(robot.dynamics.body().position[2])


def test_stands_up_with_locked_joints_that_balance_stand_unlocks() -> None:
    robot = Go2Simulation()
    run(robot, 0.5)
    assert height(robot) < 0.13
    refused = robot.call("sport", 1002, "")
    assert refused is not None
    assert refused.code == 4201, "it lies"
    robot.call("sport", 1004, "")
    run(robot, 2.0)
    assert height(robot) == pytest.approx(0.30, abs=0.02)
    assert robot.sport.mode is Mode.JOINT_LOCK
    locked = robot.call("sport", 1008, '{"x": 0.3, "y": 0, "z": 0}')
    assert locked is not None
    assert locked.code == 4201
    unlocked = robot.call("sport", 1002, "")
    assert unlocked is not None
    assert unlocked.code == 0
    assert robot.sport.mode is Mode.BALANCE


@pytest.mark.parametrize(
    ("velocity", "axis"), [((0.4, 0.0, 0.0), 0), ((-0.3, 0.0, 0.0), 0), ((0.0, 0.2, 0.0), 1)]
)
def test_walks_as_asked(
    standing: Go2Simulation, velocity: tuple[float, float, float], axis: int
) -> None:
    move(standing, 1.5, *velocity)
    start = standing.dynamics.body().position.copy()
    move(standing, 3.0, *velocity)
    body = standing.dynamics.body()
    mean = (body.position - start) / 3.0
    assert mean[axis] == pytest.approx(velocity[axis], rel=0.3)
    assert abs(mean[1 - axis]) < 0.06
    assert abs(body.rpy[:2]).max() < 0.15
    assert height(standing) > 0.25


def test_turns(standing: Go2Simulation) -> None:
    move(standing, 4.0, 0.0, 0.0, 0.6)
    assert 0.8 < standing.dynamics.body().rpy[2] < 3.0


def test_a_walk_without_new_requests_ends_in_standing(standing: Go2Simulation) -> None:
    move(standing, 1.0, 0.4, 0.0, 0.0)
    run(standing, 4.0)
    assert standing.sport.mode is Mode.BALANCE
    assert np.abs(standing.dynamics.body().velocity).max() < 0.02


def test_withstands_a_push(standing: Go2Simulation) -> None:
    move(standing, 1.0, 0.3, 0.0, 0.0)
    standing.dynamics.push(np.array([0.0, 0.4, 0.0]))
    move(standing, 2.0, 0.3, 0.0, 0.0)
    assert abs(standing.dynamics.body().rpy[:2]).max() < 0.2
    assert height(standing) > 0.25


def test_sits_and_lies_down(standing: Go2Simulation) -> None:
    standing.call("sport", 1009, "")
    run(standing, 2.0)
    assert standing.dynamics.body().rpy[1] < -0.3
    standing.call("sport", 1005, "")
    run(standing, 2.0)
    assert standing.sport.mode is Mode.LYING
    assert height(standing) < 0.13


def test_damp_lets_the_robot_sink_slowly(standing: Go2Simulation) -> None:
    standing.call("sport", 1001, "")
    fastest = 0.0
    for _ in range(1000):
        standing.step()
        fastest = min(fastest, standing.dynamics.body().velocity[2])
    assert height(standing) < 0.13
    assert fastest > -1.0, "a free fall over the same height reaches 2 m/s"
