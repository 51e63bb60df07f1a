"""The toy with two ways round: its truth, and what methods make of it."""

from __future__ import annotations

import pytest
import torch
from trajectory_learning.benchmarks import Trial
from trajectory_learning.benchmarks.training import Budget
from trajectory_learning.methods import EnergyScore, KeyedDrift
from trajectory_learning.problems import bimodal


def test_sides_of_the_data_are_the_truth() -> None:
    drawn = torch.Generator().manual_seed(0)
    condition, path = bimodal.draw(20_000, drawn)
    side = bimodal.sides(condition, path[:, None])[:, 0]
    assert ((side - 1).abs() < bimodal.NEAR).float().mean() == pytest.approx(0.7, abs=0.02)
    assert ((side + 1).abs() < bimodal.NEAR).float().mean() == pytest.approx(0.3, abs=0.02)
    assert side.std() == pytest.approx(bimodal.TRUE_STD, rel=0.02)


def shares(method: bimodal.Method, steps: int) -> dict[str, float]:
    torch.manual_seed(0)
    generator, _ = bimodal.train(method, Budget(steps=steps), 0)
    score = bimodal.evaluate(generator, method, 0)
    return {name: float(measure.values.mean()) for name, measure in score.measures.items()}


def test_energy_score_keeps_both_ways_and_algorithm_1_does_not() -> None:
    ours = shares(EnergyScore(8), 300)
    assert ours["share at +1"] == pytest.approx(0.7, abs=0.15)
    assert ours["share at -1"] == pytest.approx(0.3, abs=0.15)
    printed = shares(KeyedDrift(normalise=False), 100)
    assert printed["share at +1"] + printed["share at -1"] < 0.5


def test_every_row_runs_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bimodal, "graph_step_ms", lambda *_: 1.0)
    for row in bimodal.PROBLEM.rows("two modes"):
        score = bimodal.PROBLEM.run([row.method], Trial("two modes", quick=True))[row.method]
        assert list(score.measures) == ["share at +1", "share at -1", "std over truth"]
        assert score.train_cpu_s > 0
