from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planner_core.errors import FrameError, InvalidObservationError, JointOrderError
from planner_core.executor import TimedPlan
from planner_core.limiter import Setpoint
from planner_core.plan import Plan
from planner_core.robots import crazyflie
from planner_core.world import random_world
from planner_interfaces.msg import Command, RobotState
from planner_ros.clock import duration_msg, nanoseconds, time_msg
from planner_ros.conversions import (
    command_msg,
    path_msg,
    plan_from_msg,
    plan_msg,
    setpoint_from_msg,
    state_from_msg,
    state_msg,
    world_scan,
)
from sensor_msgs.msg import LaserScan

ROBOT = crazyflie()


def some_plan() -> TimedPlan:
    arrays = np.random.default_rng(0).normal(size=(3, 8, 4))
    return TimedPlan(Plan(1_500_000_123, 0.1, *arrays, 0.5), 3, 9, 1_400_000_000)


@given(st.integers(0, 2**60))
def test_times_round_trip(value: int) -> None:
    assert nanoseconds(time_msg(value)) == value


def test_durations_round_trip() -> None:
    assert nanoseconds(duration_msg(0.25)) == 250_000_000


def test_plans_round_trip() -> None:
    timed = some_plan()
    msg = plan_msg(timed, ROBOT, planner="p", bundle="b", feasible=True)
    back = plan_from_msg(msg)
    assert (back.epoch, back.sequence, back.measured_ns) == (3, 9, 1_400_000_000)
    assert back.plan.start_ns == timed.plan.start_ns
    assert back.plan.dt_s == timed.plan.dt_s
    for name in ("position", "velocity", "acceleration"):
        assert (getattr(back.plan, name) == getattr(timed.plan, name)).all()


@pytest.mark.parametrize("field", ["position", "velocity", "acceleration"])
def test_a_plan_with_missing_numbers_is_refused(field: str) -> None:
    msg = plan_msg(some_plan(), ROBOT, planner="p", bundle="b", feasible=True)
    setattr(msg, field, list(getattr(msg, field))[:-1])
    with pytest.raises(JointOrderError, match="shape"):
        plan_from_msg(msg)


def test_a_plan_without_period_or_samples_is_refused() -> None:
    msg = plan_msg(some_plan(), ROBOT, planner="p", bundle="b", feasible=True)
    msg.period = duration_msg(0.0)
    with pytest.raises(JointOrderError):
        plan_from_msg(msg)
    with pytest.raises(JointOrderError):
        plan_from_msg(type(msg)())


def test_commands_round_trip() -> None:
    setpoint = Setpoint(*np.arange(12.0).reshape(3, 4))
    back = setpoint_from_msg(command_msg(Command.TRACK, ROBOT, 5, setpoint, some_plan()), ROBOT)
    assert (back.position == setpoint.position).all()
    assert (back.velocity == setpoint.velocity).all()
    assert (back.acceleration == setpoint.acceleration).all()


def test_commands_for_others_are_refused() -> None:
    msg = command_msg(Command.TRACK, ROBOT, 5, Setpoint.at_rest(np.zeros(4)), None)
    for change in ({"robot": "go2"}, {"names": ["y", "x", "z", "yaw"]}, {"velocity": [0.0]}):
        bad = command_msg(Command.TRACK, ROBOT, 5, Setpoint.at_rest(np.zeros(4)), None)
        for name, value in change.items():
            setattr(bad, name, value)
        with pytest.raises(JointOrderError):
            setpoint_from_msg(bad, ROBOT)
    assert setpoint_from_msg(msg, ROBOT)


def test_commands_and_states_in_another_frame_are_refused() -> None:
    command = command_msg(Command.TRACK, ROBOT, 5, Setpoint.at_rest(np.zeros(4)), None)
    state = state_msg(
        ROBOT, 5, np.zeros(4), np.zeros(4), status=RobotState.VALID, measured_ns=4
    )  # fmt: skip
    for msg in (command, state):
        msg.header.frame_id = "odom"
    with pytest.raises(FrameError, match="'map'"):
        setpoint_from_msg(command, ROBOT)
    with pytest.raises(FrameError, match="'map'"):
        state_from_msg(state, ROBOT)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_states_that_are_not_finite_are_refused(value: float) -> None:
    def state(x: float) -> RobotState:
        return state_msg(
            ROBOT, 5, np.array([x, 0, 0, 0]), np.zeros(4), status=RobotState.VALID, measured_ns=4
        )

    position, _ = state_from_msg(state(1.0), ROBOT)
    assert position[0] == 1.0
    with pytest.raises(JointOrderError):
        state_from_msg(state(value), ROBOT)


def test_a_path_shows_position_and_heading() -> None:
    position = np.array([[0, 0, 1, 0.0], [1, 2, 1, math.pi / 2]])
    path = path_msg(Plan(0, 0.1, position, np.zeros((2, 4)), np.zeros((2, 4))), "map")
    pose = path.poses[1].pose
    assert (pose.position.x, pose.position.y) == (1.0, 2.0)
    assert pose.orientation.z == pytest.approx(math.sin(math.pi / 4))


def scan_of(yaw: float, angle_min: float, count: int = 48) -> tuple[LaserScan, np.ndarray]:
    """A scan by a sensor with a heading, and the true ranges in the world's directions."""
    world = random_world(3)
    origin = np.array([0.0, 0.4, 1.0])
    steps = np.arange(count) * (2 * math.pi / count)
    ranges = world.scan(origin, angle_min + yaw + steps, 10.0)
    msg = LaserScan(angle_min=angle_min, angle_increment=2 * math.pi / count)
    msg.ranges = ranges.astype(np.float32).tolist()
    return msg, world.scan(origin, steps, 10.0)


@pytest.mark.parametrize("angle_min", [0.0, -math.pi])
@pytest.mark.parametrize("turns", [0, 5, -7, 48])
def test_scans_turn_by_whole_rays_exactly(angle_min: float, turns: int) -> None:
    yaw = turns * 2 * math.pi / 48
    msg, truth = scan_of(yaw, angle_min)
    assert world_scan(msg, yaw) == pytest.approx(truth, abs=1e-4)


def test_between_rays_nothing_gets_narrower() -> None:
    yaw = 0.4 * 2 * math.pi / 48
    msg, _ = scan_of(yaw, 0.0)
    turned = world_scan(msg, yaw)
    raw = np.array(msg.ranges)
    # World ray i lies between sensor rays i - 1 and i.
    assert turned == pytest.approx(np.minimum(raw, np.roll(raw, 1)))


def test_missing_ranges_count_as_nothing_hit() -> None:
    msg = LaserScan(angle_increment=math.pi)
    msg.ranges = [math.nan, 2.0]
    assert world_scan(msg, 0.0).tolist() == [math.inf, 2.0]


@pytest.mark.parametrize("angle", [math.nan, math.inf])
def test_a_scan_without_a_direction_is_refused(angle: float) -> None:
    with pytest.raises(InvalidObservationError, match="finite angle"):
        world_scan(LaserScan(angle_min=angle, ranges=[1.0]), 0.0)


def test_a_scan_without_rays_is_refused() -> None:
    with pytest.raises(InvalidObservationError, match="0 rays"):
        world_scan(LaserScan(), 0.0)


@pytest.mark.parametrize(
    "increment", [0.0, -2 * math.pi / 48, 1.5 * math.pi / 48, math.pi, math.nan, math.inf]
)
def test_a_scan_that_does_not_go_round_once_to_the_left_is_refused(increment: float) -> None:
    """Its rays would be taken for those of other directions."""
    with pytest.raises(InvalidObservationError, match="full turn"):
        world_scan(LaserScan(angle_increment=increment, ranges=[1.0] * 48), 0.0)


@pytest.mark.parametrize("count", [359, 360, 361])
def test_a_ray_more_or_less_is_a_full_turn(count: int) -> None:
    msg = LaserScan(angle_increment=2 * math.pi / 360, ranges=[1.0] * count)
    assert world_scan(msg, 0.0).shape == (count,)


def test_a_blind_sensor_sees_no_open_space() -> None:
    msg = LaserScan(angle_increment=2 * math.pi / 8, ranges=[math.nan] * 8)
    with pytest.raises(InvalidObservationError, match="no range at all"):
        world_scan(msg, 0.0)
