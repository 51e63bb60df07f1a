"""Checkpoints, export and parity of a tiny, freshly made model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from planner_core.bundle import load_bundle
from planner_core.manifest import Provenance
from planner_core.onnx_generator import create
from planner_core.plan import Observation
from planner_core.robots import crazyflie
from trajectory_learning.checkpoint import Checkpoint, load_checkpoint
from trajectory_learning.errors import CheckpointError
from trajectory_learning.export import latency, onnx_graph, parity, write_bundle
from trajectory_learning.model_card import model_card
from trajectory_learning.networks.late_branch import LateBranchConfig
from trajectory_learning.problems.navigation import NavigationModel
from trajectory_learning.problems.navigation_ranker import NavigationPlanner, RankerConfig
from trajectory_learning.training import TrainingConfig

SMALL = LateBranchConfig(trunk_width=32, trunk_blocks=1, branch_width=16, noise=4, value_width=8)


@pytest.fixture(scope="module")
def planner() -> NavigationPlanner:
    torch.manual_seed(0)
    return NavigationPlanner(NavigationModel(48, 32, 0.1, SMALL), RankerConfig(), 4.0).eval()


@pytest.fixture(scope="module")
def graph(planner: NavigationPlanner) -> bytes:
    return onnx_graph(planner, 64)


def examples(count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "scan": rng.uniform(0.1, 4.5, (count, 48)).clip(max=4.0),
        "velocity": rng.normal(size=(count, 3)),
        "goal": rng.uniform(-5, 5, (count, 3)),
    }


@pytest.mark.parametrize("candidates", [2, 16, 64])
def test_torch_and_onnxruntime_agree_for_any_number_of_candidates(planner, graph, candidates):
    assert parity(planner, graph, examples(50), candidates) < 1e-4


def test_parity_notices_another_model(graph):
    torch.manual_seed(1)
    other = NavigationPlanner(NavigationModel(48, 32, 0.1, SMALL), RankerConfig(), 4.0).eval()
    assert parity(other, graph, examples(3), 8) > 1e-2


def test_the_graph_is_one_file_of_standard_operators(graph):
    model = onnx.load_model_from_string(graph)
    onnx.checker.check_model(model)
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
    # Nothing of the machine that exported is left in the file.
    assert b"forward" not in graph
    assert b".py" not in graph
    assert [i.name for i in model.graph.input] == ["scan", "velocity", "goal", "noise"]


def test_an_exported_bundle_plans(planner, graph, tmp_path: Path):
    manifest = write_bundle(
        tmp_path / "tiny", planner, graph, crazyflie(), name="tiny", candidates=16,
        stochastic=True, provenance=Provenance("energy", "train", "0", "0", "data", 0),
        quality={"success": 0.5}, latencies={},
    )  # fmt: skip
    assert load_bundle(tmp_path / "tiny").manifest == manifest
    generator = create(crazyflie(), tmp_path / "tiny")
    observation = Observation(
        0, np.array([0, 0, 1.0, 0.2]), np.array([0.5, 0, 0, 0]), np.array([2.0, 1, 1, 0]),
        {"scan": np.full(48, np.inf)},
    )  # fmt: skip
    batch = generator.plan(observation, None, 0, np.random.default_rng(0))
    assert batch.position.shape == (16, 32, 4)
    np.testing.assert_allclose(batch.position[:, 0], np.tile([0, 0, 1.0, 0.2], (16, 1)), atol=1e-6)
    np.testing.assert_allclose(batch.velocity[:, 0, 0], 0.5, atol=1e-6)
    assert "tiny" in model_card(manifest)
    assert "success" in model_card(manifest)


def test_latency_is_measured(planner, graph):
    timing = latency(planner, graph, 16, calls=20)
    assert 0 < timing.p50_ms <= timing.p99_ms


def test_a_checkpoint_survives_writing_and_reading(planner, tmp_path: Path):
    checkpoint = Checkpoint(
        planner.model, SMALL, replace(TrainingConfig(), seed=5), 32, 0.1, 48, 4.0,
        {"command": "train"}, {"loss": 0.25},
    )  # fmt: skip
    checkpoint.save(tmp_path / "model.safetensors")
    read = load_checkpoint(tmp_path / "model.safetensors")
    assert replace(read, model=None) == replace(checkpoint, model=None)
    for name, value in checkpoint.model.state_dict().items():
        assert torch.equal(read.model.state_dict()[name], value)


@pytest.mark.parametrize(
    ("horizon", "network"),
    [
        (32, {"trunk_blocks": 10**20}),
        (32, {"branch_blocks": 10**9}),
        (32, {"trunk_blocks": -1}),
        (10**7, {}),
    ],
)
def test_sizes_that_nobody_trains_are_refused_at_once(
    planner, tmp_path: Path, horizon: int, network: dict[str, int]
):
    path = tmp_path / "model.safetensors"
    sizes = replace(SMALL, **network)
    Checkpoint(planner.model, sizes, TrainingConfig(), horizon, 0.1, 48, 4.0, {}, {}).save(path)
    with pytest.raises(CheckpointError, match="at most 1000"):
        load_checkpoint(path)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path):
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match="not a navigation checkpoint"):
        load_checkpoint(tmp_path / "x.safetensors")
