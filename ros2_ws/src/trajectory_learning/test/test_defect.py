"""The weak actuator, and what is fine-tuned after it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from trajectory_learning.benchmarks.interface import Trial
from trajectory_learning.problems import defect
from trajectory_learning.problems.defect import DEFECTIVE, PROBLEM, QUICK, SOUND, TUNED, UNAWARE

CONFIG = defect.DefectConfig()


def start() -> np.ndarray:
    return defect.starts(50, CONFIG, np.random.default_rng(0))


def test_the_optimum_of_a_plant_is_that_of_its_own_actuator() -> None:
    def cost(known: float, effect: float) -> float:
        states, actions = defect.run(
            lambda x, _: x @ defect.feedback(known).T, start(), 200, effect
        )
        return float(defect.stage_cost(states[:, :-1], actions).sum(axis=1).mean())

    assert cost(0.4, 0.4) < min(cost(1.0, 0.4), cost(0.35, 0.4), cost(0.45, 0.4))
    assert cost(1.0, 1.0) < cost(0.4, 1.0)


def test_optimal_plans_of_the_sound_plant_cost_much_more_on_the_defective_one() -> None:
    planner = defect.unaware(CONFIG.plant.horizon)
    cost, deviation = defect.measured(planner, start(), CONFIG, effect=1.0)
    np.testing.assert_allclose(cost.values, cost.reference)
    assert deviation.values.max() < 1e-12
    cost, deviation = defect.measured(planner, start(), CONFIG, CONFIG.effect)
    # The module's reason for this defect.
    assert cost.values.mean() / cost.reference.mean() == pytest.approx(1.65, abs=0.1)
    assert deviation.values.mean() > 0.01


@pytest.mark.parametrize("kind", PROBLEM.settings())
def test_the_trajectories_are_those_of_the_defective_plant(kind: str) -> None:
    family = defect.sound_family(QUICK, 0)
    data = defect.trajectories_of_the_defective_plant(kind, family, QUICK)
    assert len(data) == QUICK.trajectories * (QUICK.steps - QUICK.plant.horizon + 1)
    before = torch.cat([data.state[:, None], data.states[:, :-1]], dim=1).double().numpy()
    after = before @ defect.A.T + 0.4 * data.actions.double().numpy() @ defect.B.T
    np.testing.assert_allclose(data.states.numpy(), after, atol=1e-5)
    assert torch.equal(data.task, data.states[:, -1])


@pytest.mark.parametrize("kind", PROBLEM.settings())
def test_every_row_runs_and_only_what_was_tuned_has_changed(kind: str) -> None:
    names = [row.method for row in PROBLEM.rows(kind) if row.method != UNAWARE]
    assert "behaviour cloning" in names
    scores = PROBLEM.run(names, Trial(kind, quick=True))
    assert list(scores) == names
    for score in scores.values():
        costs = [score.measures[f"{defect.COST}, {w}"] for w in (TUNED, DEFECTIVE, SOUND)]
        for cost in costs:
            assert cost.values.shape == cost.reference.shape == (QUICK.plant.episodes,)
            assert np.isfinite(cost.values).all()
        # The weights moved, and so did the plant.
        assert not np.array_equal(costs[0].values, costs[1].values)
        assert not np.array_equal(costs[1].values, costs[2].values)
        assert np.array_equal(costs[0].reference, costs[1].reference)


def test_the_plans_that_do_not_know_are_a_row_of_their_own() -> None:
    (score,) = PROBLEM.run([UNAWARE], Trial(defect.RANDOM, quick=True)).values()
    assert set(score.measures) == {
        f"{metric}, {when}"
        for metric in (defect.COST, defect.DEVIATION)
        for when in (DEFECTIVE, SOUND)
    }
