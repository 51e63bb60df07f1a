"""Flights through the bridge's own topics and services, judged by what the vehicle really did."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from crazyflie_harness import Operator, Vehicle, distance, operator, vehicle
from planner_core.limiter import Setpoint
from planner_interfaces.msg import Command
from rclpy.parameter import Parameter
from robot_bridge.bridge import Phase

pytest.importorskip("cflib")
GROUND_M = 0.05


@pytest.fixture(scope="module")
def robot() -> Iterator[Vehicle]:
    with vehicle() as running:
        yield running


@pytest.fixture(scope="module")
def bridge(robot: Vehicle) -> Iterator[Operator]:
    with operator(robot.uri) as running:
        yield running


@pytest.fixture
def pilot(bridge: Operator) -> Iterator[Operator]:
    bridge.wait_for(Phase.READY)
    bridge.phases.clear()
    yield bridge
    bridge.command(None)
    bridge.call("rest")


def landed(robot: Vehicle) -> bool:
    truth = robot.truth
    return truth.position[2] < GROUND_M and truth.motors == 0.0 and truth.state != "LOCKED"


def circle(
    start: tuple[float, float, float], radius_m: float = 0.3, period_s: float = 5.0
) -> Callable[[float], Setpoint]:
    """A circle to the left, away from the wall behind, that begins at rest as the vehicle does."""
    w, r = 2 * math.pi / period_s, radius_m

    def at(t: float) -> Setpoint:
        phase = w * t - math.sin(w * t)
        rate, growth = w - w * math.cos(w * t), w * w * math.sin(w * t)
        c, s = math.cos(phase), math.sin(phase)
        x, y, z = start
        return Setpoint(
            np.array([x + r * s, y + r * (1 - c), z, 0.0]),
            np.array([r * rate * c, r * rate * s, 0.0, 0.0]),
            np.array([r * (growth * c - rate**2 * s), r * (growth * s + rate**2 * c), 0.0, 0.0]),
        )

    return at


def test_circle_and_landing(robot: Vehicle, pilot: Operator) -> None:
    pilot.take_off()
    assert robot.truth.position[2] == pytest.approx(0.4, abs=0.12)
    pilot.pass_time(0.5)
    path = circle(pilot.position)
    pilot.command(path)
    flown: list[list[float]] = []
    began = time.monotonic()
    pilot.wait(lambda: flown.append(robot.truth.position) or time.monotonic() - began > 5.0)
    # By distance from the line, not from the setpoint: a busy machine delays commands and truth.
    line = [path(0.02 * i).position for i in range(251)]
    assert max(min(distance(p, q) for q in line) for p in flown) < 0.12
    assert max(distance(flown[0], p) for p in flown) > 0.5
    assert distance(pilot.position, robot.truth.position) < 0.1
    # Commands go on: the landing must not be undone by them.
    assert pilot.call("rest").success
    pilot.wait_for(Phase.READY)
    assert landed(robot)
    assert robot.truth.collision is None
    assert pilot.phases == [Phase.ENGAGING, Phase.ACTIVE, Phase.RESTING, Phase.READY]


def test_telemetry(robot: Vehicle, pilot: Operator) -> None:
    for seen in (pilot.odometry, pilot.imu, pilot.battery):
        seen.clear()
    pilot.pass_time(1.0)
    assert 60 <= len(pilot.odometry) <= 130
    assert 60 <= len(pilot.imu) <= 130
    assert 5 <= len(pilot.battery) <= 15
    assert pilot.imu[-1].linear_acceleration.z == pytest.approx(9.81, abs=0.3)
    assert pilot.imu[-1].header.frame_id == "base_link"
    assert 3.6 < pilot.battery[-1].voltage < 4.25
    stamps = [m.header.stamp.sec + m.header.stamp.nanosec * 1e-9 for m in pilot.odometry]
    assert 0 <= pilot.clock.now_ns() * 1e-9 - stamps[-1] < 0.3
    steps = np.diff(stamps)
    assert steps.min() > 0
    assert np.median(steps) == pytest.approx(0.01, abs=0.002)
    assert distance(pilot.position, robot.truth.position) < 0.05
    status = pilot.status
    assert status is not None
    assert status.link_quality > 0.5
    assert status.link_age_ms < 300
    assert status.error_code == 0


def test_commands_that_stop_coming_end_in_a_landing(robot: Vehicle, pilot: Operator) -> None:
    pilot.take_off()
    pilot.pass_time(0.5)
    pilot.command(None)
    states = set()

    def resting() -> bool:
        states.add(robot.truth.state)
        return pilot.phase is Phase.RESTING

    # command_timeout_s, one period of the status, and what a busy machine adds.
    assert pilot.wait(resting) < 0.5
    pilot.wait(lambda: states.add(robot.truth.state) or pilot.phase is Phase.READY)
    assert landed(robot)
    assert not states & {"LEVEL_OUT", "FREE_FALL", "LOCKED", "CRASHED"}


def test_rest_while_taking_off(robot: Vehicle, pilot: Operator) -> None:
    assert pilot.call("engage").success
    pilot.wait(lambda: robot.height > 0.1)
    pilot.send_mode(Command.REST)  # Ignored: nothing is followed yet.
    assert pilot.call("rest").success
    pilot.wait_for(Phase.RESTING)
    pilot.wait_for(Phase.READY)
    assert landed(robot)


def test_other_setpoints_move_the_robot_the_same_way(robot: Vehicle, pilot: Operator) -> None:
    assert pilot.bridge is not None
    pilot.take_off()
    height = robot.height
    for kind, side in (("position", 1), ("velocity_world", -1), ("hover", 1)):
        pilot.bridge.set_parameters([Parameter("setpoint", value=kind)])
        start = robot.truth.position

        def aside(t: float, kind: str = kind, side: int = side) -> Setpoint:
            x, y, _ = pilot.position
            ahead = 0.2 * side if kind == "position" else 0.0
            velocity = np.array([0.0, side * min(t, 1.0) * 0.4, 0.0, 0.0])
            return Setpoint(np.array([x, y + ahead, height, 0.0]), velocity, np.zeros(4))

        def moved(start: list[float] = start, side: int = side) -> bool:
            return side * (robot.truth.position[1] - start[1]) > 0.25

        pilot.command(aside)
        pilot.wait(moved, timeout_s=8.0)
        assert abs(robot.truth.position[0] - start[0]) < 0.15
        assert robot.height == pytest.approx(height, abs=0.2)
    pilot.bridge.set_parameters([Parameter("setpoint", value="full_state")])


def test_a_reboot_on_the_ground_is_noticed_and_checked(robot: Vehicle, pilot: Operator) -> None:
    robot.inject("restart")
    pilot.wait_for(Phase.FAULT)
    pilot.wait_for(Phase.READY)
    # Ready only by the same checks as at first: the estimator converges anew.
    assert pilot.phases[-2:] == [Phase.CONNECTED, Phase.READY]


def test_battery_that_runs_low(robot: Vehicle, pilot: Operator) -> None:
    pilot.take_off()
    robot.inject("low_battery", 0.95)
    pilot.wait_for(Phase.RESTING)
    assert "battery empty" in pilot.reasons
    pilot.wait_for(Phase.CONNECTED)
    assert landed(robot)
    assert "battery low" in pilot.reasons
    response = pilot.call("engage")
    assert not response.success
    assert "battery low" in response.message
    assert landed(robot)
