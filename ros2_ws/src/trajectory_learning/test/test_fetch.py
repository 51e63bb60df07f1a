"""FetchPickAndPlace: the script, the data, and the rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from trajectory_learning.benchmarks.interface import Trial
from trajectory_learning.problems import fetch, fetch_data
from trajectory_learning.problems.fetch import ALONE, DEVIATION, PROBLEM, QUICK, RANDOM, SUCCESS
from trajectory_learning.problems.fetch_data import BLOCK, FINGERS, GRIPPER, Arms


def test_arms_do_not_disturb_each_other() -> None:
    actions = np.random.default_rng(0).uniform(-1, 1, (6, 3, 4))
    together, alone = Arms([4, 5, 6]), Arms([5])
    assert not np.allclose(together.goal[0], together.goal[1])
    for step in actions:
        together.step(step)
        alone.step(step[1:2])
    np.testing.assert_array_equal(together.state[1], alone.state[0])


def test_an_action_moves_the_gripper_and_opens_the_fingers() -> None:
    arms = Arms([0])
    before = arms.state.copy()
    for _ in range(4):
        arms.step(np.array([[1.0, 0.0, 0.0, 1.0]]))
    moved = arms.state[0] - before[0]
    assert moved[GRIPPER][0] > 0.05
    assert abs(moved[GRIPPER][1]) < 0.02
    assert arms.state[0, FINGERS].sum() > 0.09
    np.testing.assert_allclose(moved[BLOCK], 0.0, atol=1e-3)


def test_the_script_brings_blocks_to_their_goals() -> None:
    made = fetch_data.run(lambda x, goal, step: fetch_data.script(x, goal), range(900, 912))
    assert fetch_data.success(made.states, made.goals).mean() >= 11 / 12
    # Half of the goals are above the table: there it has to be held.
    assert (made.goals[:, 2] > made.goals[:, 2].min() + 0.05).any()


def test_demonstrations_succeed_and_random_actions_do_not_repeat_them() -> None:
    shown = fetch_data.demonstrations(4, noise=0.1, seed=0)
    assert fetch_data.success(shown.states, shown.goals).all()
    assert shown.states.shape == (4, 51, fetch_data.STATES)
    random = fetch_data.random_trajectories(4, seed=0)
    assert np.array_equal(random.actions[:, 0], random.actions[:, 3])
    assert not np.array_equal(random.actions[:, 3], random.actions[:, 4])
    assert fetch_data.joined([shown, random]).goals.shape == (8, 3)
    windows = fetch_data.cut_windows(shown, 16)
    assert len(windows) == 4 * 35
    assert torch.equal(windows.state[4], windows.states[0, 0])
    np.testing.assert_allclose(windows.task[5].numpy(), shown.goals[1], rtol=1e-6)


def test_random_trajectories_reach_the_dynamics_models_alone() -> None:
    family = fetch.make_family(QUICK, Trial(RANDOM, quick=True))
    windows, others = len(family.windows), len(family.dynamics_windows)
    assert windows == QUICK.demonstrations * 35
    assert others == windows + QUICK.random * 35


def test_a_ranked_pilot_takes_the_plan_that_brings_the_block_nearest() -> None:
    class Two:
        """Two plans: one leaves the block where it is, one has it at its goal."""

        def plan(self, method, state, task, generator, sampling):
            states = state[:, None].repeat(1, QUICK.horizon, 1)
            states[1::2, -1, BLOCK] = task[1::2]
            actions = torch.zeros(len(state), QUICK.horizon, 4)
            actions[1::2] = 1.0
            return states, actions

    config = replace(QUICK, candidates=2)
    state, goal = np.zeros((3, fetch_data.STATES)), np.ones((3, 3))
    ranked = fetch.Pilot(Two(), config, "joint", ranked=True, seed=0)
    assert (ranked(state, goal, 0) == 1.0).all()
    assert len(ranked.imagined) == 1
    single = fetch.Pilot(Two(), config, "joint", ranked=False, seed=0)
    assert (single(state[:1], goal[:1], 0) == 0.0).all()


@pytest.mark.parametrize("setting", PROBLEM.settings())
def test_every_row_runs(setting: str) -> None:
    names = [row.method for row in PROBLEM.rows(setting) if row.method != fetch.SCRIPT]
    assert ("behaviour cloning" in names) is (setting == ALONE)
    scores = PROBLEM.run(names, Trial(setting, quick=True))
    assert list(scores) == names
    for score in scores.values():
        assert set(score.measures[SUCCESS].values) <= {0.0, 100.0}
        assert np.isfinite(score.measures[DEVIATION].values).all()
        assert score.train_cpu_s > 0


def test_the_script_is_a_row_of_its_own() -> None:
    (score,) = PROBLEM.run([fetch.SCRIPT], Trial(ALONE, quick=True)).values()
    assert score.measures[SUCCESS].values.shape == (QUICK.episodes,)
    assert score.train_cpu_s == 0.0
