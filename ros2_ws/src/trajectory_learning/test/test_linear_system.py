"""The linear system of MPDiffuser's App. E."""

from __future__ import annotations

import numpy as np
import pytest
from trajectory_learning.benchmarks.interface import Trial
from trajectory_learning.problems import linear_system as problem
from trajectory_learning.problems.linear_system import COST, PROBLEM

CONFIG = problem.QUICK


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def feedback(x):
    """The expert as a planner."""
    states, actions = [], []
    for _ in range(CONFIG.horizon):
        u = x @ problem.GAIN.T
        x = x @ problem.A.T + u @ problem.B.T
        states.append(x)
        actions.append(u)
    return np.stack(states, axis=1), np.stack(actions, axis=1)


def test_the_gain_is_the_optimum():
    x0 = rng().uniform(-1, 1, (50, 2))
    best, _ = problem.lqr(x0, 200)
    for change in (np.array([[0.3, 0.0]]), np.array([[0.0, -0.3]])):
        x, cost = x0, np.zeros(50)
        for _ in range(200):
            u = x @ (problem.GAIN + change).T
            cost = cost + problem.stage_cost(x, u)
            x = x @ problem.A.T + u @ problem.B.T
        assert cost.mean() > best.mean()


def test_the_expert_as_a_planner_costs_what_the_expert_does():
    x0 = rng().uniform(-0.2, 0.2, (20, 2))
    cost = problem.control(feedback, x0, steps=64, chunk=8)
    np.testing.assert_allclose(cost, problem.lqr(x0, 64)[0])
    imagined, executed = problem.state_errors(feedback, x0)
    assert max(imagined.max(), executed.max()) < 1e-12


def test_data_obey_the_dynamics_and_noise_makes_them_worse():
    costs = []
    for p in (0.0, 0.1, 0.4):
        states, actions = problem.expert_data(200, 200, p, 0.2, rng())
        following = states[:, :-1] @ problem.A.T + actions @ problem.B.T
        np.testing.assert_allclose(states[:, 1:], following, atol=1e-12)
        optimum = problem.lqr(states[:, 0], 200)[0].mean()
        costs.append(problem.stage_cost(states[:, :-1], actions).sum(axis=1).mean() / optimum)
    assert costs[0] == pytest.approx(1.0)
    # The module's reason for a small x_0.
    assert costs[1] == pytest.approx(1.8, abs=0.15)
    assert costs[2] == pytest.approx(4.2, abs=0.4)


def test_a_window_ends_in_its_task():
    windows = problem.cut_windows(*problem.expert_data(5, 40, 0.1, 0.2, rng()), horizon=32)
    assert len(windows) == 5 * 9
    assert (windows.task == windows.states[:, -1]).all()


def test_measurement_noise_reaches_the_dynamics_model_alone():
    clean = problem.make_family(CONFIG, Trial("p=0.8, sigma=0"))
    noisy = problem.make_family(CONFIG, Trial("p=0.8, sigma=0.02"))
    assert (clean.windows.states == noisy.windows.states).all()
    difference = noisy.dynamics_windows.states - noisy.windows.states
    assert float(difference.std()) == pytest.approx(0.02, rel=0.05)
    assert (noisy.dynamics_windows.actions == noisy.windows.actions).all()


def test_every_row_of_every_setting_runs():
    for setting in ("p=0.1", "p=0.8, sigma=0.02"):
        assert setting in PROBLEM.settings()
        names = [row.method for row in PROBLEM.rows(setting)]
        scores = PROBLEM.run(names, Trial(setting, quick=True))
        assert list(scores) == names
        for score in scores.values():
            measure = score.measures[COST]
            assert measure.values.shape == measure.reference.shape == (CONFIG.episodes,)
            assert np.isfinite(measure.values).all()
            assert score.train_cpu_s > 0


def test_runs_repeat_and_episodes_follow_their_seed():
    def run(**options):
        trial = Trial("p=0.2", quick=True, **options)
        return PROBLEM.run(["planner"], trial)["planner"].measures[COST]

    assert np.array_equal(run().values, run().values)
    assert np.array_equal(run().reference, run(seed=1).reference)
    assert not np.array_equal(run().values, run(seed=1).values)
    assert not np.array_equal(run().reference, run(episode_seed=3).reference)
