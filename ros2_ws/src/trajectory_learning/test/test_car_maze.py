"""The car in the U-maze of MPDiffuser's App. C."""

from __future__ import annotations

import numpy as np
import pytest
from trajectory_learning.benchmarks.interface import Trial
from trajectory_learning.problems import car_maze as problem
from trajectory_learning.problems import car_maze_expert as expert
from trajectory_learning.problems.car_maze import CLEAR, DEVIATION, DISTANCE, PROBLEM, SUCCESS


def test_a_steered_car_drives_the_circle_of_its_wheelbase():
    steering, speed = 0.4, 1.0
    state = np.array([[0.0, 0.0, 0.0, speed, steering]])
    states = expert.rollout(state, np.zeros((1, 40, 2)))[0]
    radius = expert.WHEELBASE_M / np.tan(steering)
    from_centre = np.hypot(states[:, 0], states[:, 1] - radius)
    np.testing.assert_allclose(from_centre, radius, rtol=0.02)


def test_actions_beyond_the_limits_do_not_count():
    state = np.zeros((1, 5))
    np.testing.assert_array_equal(
        expert.step(state, np.array([[99.0, -99.0]])),
        expert.step(state, np.array([[3.0, -2.0]])),
    )


def test_references_go_around_the_wall_and_end_at_the_goal():
    state, goal = problem.starts_and_goals(100, np.random.default_rng(0))
    reference = problem.u_shaped(state, goal, 32)
    np.testing.assert_allclose(reference[:, -1], goal, atol=1e-9)
    path = np.concatenate([state[:, None, :2], reference], axis=1)
    assert not problem.crosses_wall(path).any()
    assert set(np.sign(goal[:, 1] - state[:, 1])) == {-1.0, 1.0}


def test_the_expert_reaches_every_goal_without_crossing_the_wall():
    state, goal = problem.starts_and_goals(60, np.random.default_rng(0))
    outcomes = problem.execute(problem._expert_planner(problem.CarMazeConfig()), state, goal)
    assert outcomes[SUCCESS].mean() == outcomes[CLEAR].mean() == 100.0
    assert outcomes[DISTANCE].max() < 0.1
    assert outcomes[DEVIATION].max() < 1e-9


def test_a_straight_line_to_the_goal_crosses_the_wall():
    states = np.zeros((2, 3, 5))
    states[:, :, 1] = [2.0, 2.5, 4.0]
    states[0, :, 0], states[1, :, 0] = 2.0, 5.5
    assert problem.crosses_wall(states).tolist() == [True, False]


def test_data_hold_expert_drives_then_random_ones():
    states, actions = problem.drives(problem.QUICK, np.random.default_rng(0))
    assert len(states) == problem.QUICK.expert + problem.QUICK.random
    np.testing.assert_allclose(states[:, 1:], expert.rollout(states[:, 0], actions), atol=1e-12)


def test_a_heading_is_the_same_after_a_turn():
    states, actions = problem.drives(problem.QUICK, np.random.default_rng(0))
    turned = states + 2 * np.pi * np.array([0.0, 0.0, 1.0, 0.0, 0.0])
    once, twice = (problem.whole_windows(s, actions) for s in (states, turned))
    np.testing.assert_allclose(once.states, twice.states, atol=1e-6)
    assert (once.task == once.states[:, -1, :2]).all()


def test_every_row_runs():
    names = [row.method for row in PROBLEM.rows("U")]
    assert "behaviour cloning" in names
    scores = PROBLEM.run(names, Trial("U", quick=True))
    assert list(scores) == names
    for score in scores.values():
        assert score.measures[DISTANCE].values.shape == (problem.QUICK.episodes,)
        assert np.isfinite(score.measures[DEVIATION].values).all()
    assert scores[problem.ORACLE].measures[SUCCESS].values.mean() == pytest.approx(100.0)
