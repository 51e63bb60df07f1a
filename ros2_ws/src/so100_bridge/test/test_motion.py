"""The goals of the servos: bounded in speed, in distance and in range, whatever is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planner_core.robots import so100
from so100_bridge.motion import GoalMotion, MotionLimits

ROBOT = so100()
LIMITS = MotionLimits(relative_target_rad=0.3, speed_rad_s=2.0, braking_rad_s2=10.0)
START = np.array([0.0, -1.5, 1.5, 0.0, 0.0, 0.5])
DT_S = 0.01

poses = st.lists(st.floats(-1e3, 1e3), min_size=6, max_size=6).map(np.array)


@given(st.lists(st.tuples(poses, poses), min_size=1, max_size=20))
def test_no_goal_leaves_the_bounds(steps: list[tuple[np.ndarray, np.ndarray]]) -> None:
    motion = GoalMotion(ROBOT, LIMITS, START)
    for target, present in steps:
        present = np.clip(present, ROBOT.lower, ROBOT.upper)
        goal = motion.follow(target, present, DT_S)
        assert (goal >= ROBOT.lower).all()
        assert (goal <= ROBOT.upper).all()
        assert (np.abs(goal - present) <= LIMITS.relative_target_rad + 1e-9).all()


@given(poses)
def test_a_goal_never_jumps_while_the_arm_keeps_up(target: np.ndarray) -> None:
    motion = GoalMotion(ROBOT, LIMITS, START)
    before = START
    for _ in range(50):
        goal = motion.follow(target, before, DT_S)
        assert (np.abs(goal - before) <= LIMITS.speed_rad_s * DT_S + 1e-12).all()
        before = goal


def test_arrives_at_what_is_asked_for() -> None:
    motion = GoalMotion(ROBOT, LIMITS, START)
    target = START + 0.5
    for _ in range(40):
        motion.follow(target, motion.goal, DT_S)
    assert motion.goal == pytest.approx(target)


def test_a_goal_waits_for_an_arm_that_is_held_back() -> None:
    motion = GoalMotion(ROBOT, LIMITS, START)
    for _ in range(200):
        goal = motion.follow(START + 1.0, START, DT_S)
    assert goal == pytest.approx(START + 0.3)


def test_brakes_to_rest_within_the_way_that_the_deceleration_takes() -> None:
    motion = GoalMotion(ROBOT, LIMITS, START)
    for _ in range(20):
        motion.follow(START + 1.0, motion.goal, DT_S)
    assert not motion.at_rest
    begun, periods = motion.goal, 0
    while not motion.at_rest:
        motion.brake(motion.goal, DT_S)
        periods += 1
    assert periods == pytest.approx(2.0 / 10.0 / DT_S, abs=2)
    assert motion.goal - begun == pytest.approx(np.full(6, 2.0**2 / 2 / 10.0), rel=0.1)
