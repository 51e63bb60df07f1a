"""The car with weak motors, and what is fine-tuned after it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from trajectory_learning.benchmarks.interface import Trial
from trajectory_learning.problems import car_maze, defect
from trajectory_learning.problems.car_maze_expert import ACTION_LIMIT, rollout
from trajectory_learning.problems.defect import CEILING, DEFECTIVE, PROBLEM, QUICK, SOUND, TUNED


def test_weak_motors_give_a_share_of_what_they_are_told_within_their_limits() -> None:
    state = np.zeros((2, 5))
    actions = np.full((2, 4, 2), 0.5)
    actions[1] = 99.0
    assert (defect.drive(state, actions, 1.0) == rollout(state, actions)).all()
    weak = defect.drive(state, actions, 0.7)
    np.testing.assert_allclose(weak[0], rollout(state, 0.7 * actions)[0])
    np.testing.assert_allclose(weak[1], rollout(state, np.tile(0.7 * ACTION_LIMIT, (2, 4, 1)))[1])


def test_the_drives_are_those_of_the_defective_car_and_hold_what_was_commanded() -> None:
    actions = defect.random_actions(5, 32, np.random.default_rng(0))
    state, _ = car_maze.starts_and_goals(5, np.random.default_rng(0))
    data = defect.drives(state, actions, 0.7)
    np.testing.assert_allclose(data.actions.numpy(), actions, atol=1e-6)
    np.testing.assert_allclose(data.states.numpy(), rollout(state, 0.7 * actions), atol=1e-4)
    assert torch.equal(data.task, data.states[:, -1, :2])


def test_the_controller_that_knows_the_defect_reaches_every_goal() -> None:
    score = PROBLEM.run([CEILING], Trial(defect.RANDOM, quick=True))[CEILING]
    assert score.measures[f"{defect.SUCCESS}, {TUNED}"].values.mean() == 100.0


@pytest.mark.parametrize("kind", PROBLEM.settings())
def test_every_row_runs_and_only_what_was_tuned_has_changed(kind: str) -> None:
    names = [row.method for row in PROBLEM.rows(kind) if row.method != CEILING]
    assert "behaviour cloning" in names
    scores = PROBLEM.run(names, Trial(kind, quick=True))
    assert list(scores) == names
    for score in scores.values():
        ends = [score.measures[f"{defect.DISTANCE}, {w}"].values for w in (TUNED, DEFECTIVE, SOUND)]
        assert all(np.isfinite(end).all() and end.shape == (QUICK.car.episodes,) for end in ends)
        # The weights moved, and so did the car.
        assert not np.array_equal(ends[0], ends[1])
        assert not np.array_equal(ends[1], ends[2])
