"""The pendulum of MPDiffuser's Table 5."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from trajectory_learning.benchmarks.interface import Trial
from trajectory_learning.problems import pendulum as problem
from trajectory_learning.problems.pendulum import ORACLE, PROBLEM, SAFE, SUCCESS

CONFIG = problem.QUICK


@pytest.fixture(scope="module")
def safe() -> problem.Controller:
    return problem.Controller(61, problem.SPEED_LIMIT)


def test_the_pendulum_falls_and_rests():
    angle, speed = np.array([0.0, np.pi, 0.1]), np.zeros(3)
    angle, speed = problem.step(angle, speed, np.zeros(3))
    np.testing.assert_allclose(angle[:2], [0.0, np.pi])
    np.testing.assert_allclose(speed, [0.0, 0.0, 0.75 * np.sin(0.1)], atol=1e-12)


def test_the_safe_controller_swings_up_within_the_limit(safe):
    config = replace(CONFIG, episodes=50, steps=200)
    planner = problem._without_plan(safe, config)
    outcomes = problem.control(planner, config, np.random.default_rng(0))
    assert outcomes[SAFE].mean() == 100.0
    assert outcomes[SUCCESS].mean() >= 98.0


def test_the_other_controller_does_not_keep_the_limit():
    config = replace(CONFIG, episodes=50, steps=200)
    planner = problem._without_plan(problem.Controller(61, None), config)
    outcomes = problem.control(planner, config, np.random.default_rng(0))
    assert outcomes[SAFE].mean() < 90.0


def test_windows_are_told_whether_they_exceed_the_limit(safe):
    states = np.zeros((2, 61, 2))
    states[1, 55, 1] = 7.0
    windows = problem.cut_windows(states, np.zeros((2, 60, 1)), CONFIG)
    exceeds = (windows.states[..., 2].abs() > 6.5).any(dim=1)
    assert torch.equal(windows.task[:, 0] == 1, exceeds)
    assert 0 < exceeds.sum() < len(windows)


def test_the_ranker_prefers_the_limit_to_the_reward():
    class Family:
        """Two plans: one upright but too fast, one within the limit and hanging."""

        def plan(self, method, seen, task, generator, sampling, hook, previous):
            states = torch.zeros(len(seen), CONFIG.horizon, 3)
            states[0::2, :, 0], states[1::2, :, 0] = 1.0, -1.0
            states[0::2, 3, 2] = 7.0
            actions = torch.ones(len(seen), CONFIG.horizon, 1)
            actions[1::2] = -1.0
            return states, actions

    planner = problem.make_planner(Family(), CONFIG, problem.Way("planner", candidates=2), seed=0)
    assert (planner(np.zeros(3), np.zeros(3)) == -1.0).all()


def test_half_of_the_candidates_of_a_warm_row_begin_at_what_is_left_of_the_last_plan():
    begun = []

    class Family:
        """Plans whose torques count up, the first of each episode upright."""

        def plan(self, method, seen, task, generator, sampling, hook, previous):
            begun.append((len(seen), previous))
            states = torch.zeros(len(seen), CONFIG.horizon, 3)
            states[:, :, 0] = -1.0
            states[0, :, 0] = 1.0
            actions = torch.arange(CONFIG.horizon).float()[None, :, None]
            return states, actions.expand(len(seen), -1, -1)

    planner = problem.make_planner(Family(), CONFIG, problem.Way("p", candidates=4, warm=True), 0)
    planner(np.zeros(1), np.zeros(1))
    planner(np.zeros(1), np.zeros(1))
    assert [count for count, _ in begun] == [4, 2, 2]
    assert begun[0][1] is None
    assert begun[1][1] is None
    states, actions = begun[2][1]
    assert (states[..., 0] == 1.0).all()
    left = torch.arange(CONFIG.chunk, CONFIG.horizon + CONFIG.chunk).clamp(max=CONFIG.horizon - 1)
    assert torch.equal(actions[1, :, 0], left.float())


def test_every_row_runs():
    setting = PROBLEM.settings()[0]
    names = [row.method for row in PROBLEM.rows(setting)]
    assert "behaviour cloning, K=1" in names
    scores = PROBLEM.run(names, Trial(setting, quick=True))
    assert list(scores) == names
    for name, score in scores.items():
        assert set(score.measures[SUCCESS].values) <= {0.0, 100.0}
        assert (score.train_cpu_s > 0) == (name != ORACLE)
