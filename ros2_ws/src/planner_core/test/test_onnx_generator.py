"""The generator runtime, on a tiny hand-made graph."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from planner_core.bundle import load_bundle
from planner_core.errors import (
    BundleFileError,
    BundleMismatchError,
    InvalidObservationError,
    InvalidParameterError,
)
from planner_core.inference import available_providers
from planner_core.manifest import ScanSpec, TensorSpec
from planner_core.onnx_generator import OneStepGenerator, create
from planner_core.plan import Observation
from planner_core.robots import crazyflie, so100
from planner_core.selection import BudgetedSelection, Reason

RAYS, HORIZON = 8, 5  # of the tiny bundle in conftest.py
POSITION = np.array([1.0, -2.0, 0.7, 0.3])
GOAL = np.array([1.0, 1.0, 1.2, 0.0])


def observation(scan: np.ndarray | None = None) -> Observation:
    ranges = np.full(RAYS, 2.0) if scan is None else scan
    return Observation(5, POSITION, np.zeros(4), GOAL, {"scan": ranges})


def test_windows_arrive_in_the_world_frame(folder: Path):
    generator = create(crazyflie(), folder)
    generator.warm_up()
    batch = generator.plan(observation(), None, 0, np.random.default_rng(0))
    assert batch.position.shape == batch.velocity.shape == (16, HORIZON, 4)
    assert batch.start_ns == 5
    assert batch.dt_s == 0.1
    # The winner is the graph's own window, which goes straight to the goal.
    winner = batch.plan(batch.best)
    np.testing.assert_allclose(winner.position[0], POSITION, atol=1e-6)
    np.testing.assert_allclose(winner.position[-1, :3], GOAL[:3], atol=1e-6)
    # The first candidate has no noise, and so stays where it is.
    np.testing.assert_allclose(batch.position[0], np.tile(POSITION, (HORIZON, 1)), atol=1e-6)
    assert (batch.position[..., 3] == POSITION[3]).all()
    assert batch.feasible.dtype == np.bool_
    assert batch.feasible.all()
    assert batch.best == int(np.argmax(batch.value))
    assert generator.spec.sensors == {"scan": RAYS}


def test_other_candidates_follow_from_their_accelerations(folder: Path):
    batch = create(crazyflie(), folder).plan(observation(), None, 0, np.random.default_rng(0))
    index = int(np.argmin(batch.value))
    assert index != batch.best
    plan = batch.plan(index)
    np.testing.assert_array_equal(plan.position, batch.position[index])
    # The tiny graph's accelerations are constant.
    time_s = np.arange(HORIZON)[:, None] * batch.dt_s
    moved = plan.acceleration / 2 * time_s**2
    np.testing.assert_allclose(plan.position, POSITION + moved, atol=1e-6)
    np.testing.assert_allclose(plan.velocity, plan.acceleration * time_s, atol=1e-6)


def test_candidates_have_a_cost_that_a_budget_can_limit(folder: Path):
    batch = create(crazyflie(), folder).plan(observation(), None, 0, np.random.default_rng(0))
    assert batch.cost is not None
    choice = BudgetedSelection(0.1).choose(batch.value, batch.cost, batch.feasible)
    assert choice.reason is Reason.WITHIN_BUDGET
    assert choice.cost <= 0.1 < batch.cost[batch.best]


def test_batches_outlive_the_next_call(folder: Path):
    generator, rng = create(crazyflie(), folder), np.random.default_rng(0)
    first = generator.plan(observation(), None, 0, rng)
    value, position = first.value.copy(), first.plan(first.best).position
    generator.plan(observation(), None, 0, rng)
    np.testing.assert_array_equal(first.value, value)
    np.testing.assert_array_equal(first.plan(first.best).position, position)


@pytest.mark.parametrize("provider", ["cuda", "tensorrt", "abacus"])
def test_providers_that_do_not_work_are_refused(folder: Path, provider: str):
    if provider in available_providers():
        pytest.skip(f"{provider} is installed")
    with pytest.raises(InvalidParameterError, match=r"provider.*cpu"):
        create(crazyflie(), folder, provider=provider)


def test_candidates_are_chosen_at_run_time(folder: Path):
    for count in (1, 5, 64):
        generator = create(crazyflie(), folder, count)
        batch = generator.plan(observation(), None, 0, np.random.default_rng(0))
        assert len(batch.value) == count == generator.spec.candidates


@pytest.mark.parametrize("count", [0, -1, 5000])
def test_impossible_numbers_of_candidates_are_refused(folder: Path, count: int):
    with pytest.raises(InvalidParameterError, match="candidates"):
        create(crazyflie(), folder, count)


def test_every_call_draws_fresh_noise(folder: Path):
    generator, rng = create(crazyflie(), folder), np.random.default_rng(0)
    first, second = (generator.plan(observation(), None, 0, rng).value for _ in range(2))
    assert first[0] == second[0] == 0.0
    assert not np.isin(first[1:], second[1:]).any()


def test_the_same_seed_gives_the_same_plans(folder: Path):
    batches = [
        create(crazyflie(), folder).plan(observation(), None, 0, np.random.default_rng(7))
        for _ in range(2)
    ]
    np.testing.assert_array_equal(batches[0].position, batches[1].position)


def test_a_deterministic_model_has_one_candidate(write_tiny_bundle):
    folder = write_tiny_bundle(stochastic=False)
    generator = create(crazyflie(), folder, 64)
    batch = generator.plan(observation(), None, 0, np.random.default_rng(0))
    assert len(batch.value) == 1
    np.testing.assert_allclose(batch.plan(0).position[-1, :3], GOAL[:3], atol=1e-6)


def test_warm_up_leaves_the_noise_to_the_task(folder: Path):
    cold, warm = create(crazyflie(), folder), create(crazyflie(), folder)
    warm.warm_up()
    values = [
        generator.plan(observation(), None, 0, np.random.default_rng(3)).value
        for generator in (cold, warm)
    ]
    np.testing.assert_array_equal(*values)


@pytest.mark.parametrize("scan", [np.ones(RAYS + 1), np.ones((2, RAYS)), np.full(RAYS, np.nan)])
def test_unusable_scans_are_refused(folder: Path, scan: np.ndarray):
    with pytest.raises(InvalidObservationError):
        create(crazyflie(), folder).plan(observation(scan), None, 0, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"kind": "one_step_arm"}, "kind"),
        ({"dof_names": ("y", "x", "z", "yaw")}, "dof_names"),
        ({"scan": ScanSpec(12, 3.0)}, "scan.rays"),
        ({"inputs": (TensorSpec("scan", (12,), "m"),)}, "inputs scan"),
        ({"inputs": (TensorSpec("lidar", (RAYS,), "m"),)}, "inputs lidar"),
        ({"inputs": (TensorSpec("scan", (RAYS,), "m"),)}, "inputs missing"),
        ({"outputs": (TensorSpec("window", (3, 9, 3), "m"),)}, "outputs window"),
    ],
)
def test_a_manifest_that_does_not_fit_the_graph_is_refused(write_tiny_bundle, changes, named):
    bundle = load_bundle(write_tiny_bundle(**changes))
    with pytest.raises(BundleMismatchError, match=named):
        OneStepGenerator(bundle)


def test_a_graph_that_is_not_one_is_refused(write_tiny_bundle):
    garbage = b"not a graph"
    folder = write_tiny_bundle(sha256=hashlib.sha256(garbage).hexdigest())
    (folder / "model.onnx").write_bytes(garbage)
    with pytest.raises(BundleFileError, match="cannot be loaded"):
        create(crazyflie(), folder)


def test_another_robot_is_refused(folder: Path):
    with pytest.raises(BundleMismatchError, match="robot"):
        create(so100(), folder)


def test_onnxruntime_keeps_and_reports_nothing(tmp_path: Path):
    """What it would report it keeps at home first."""
    hidden = {"CI", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY", "PYTEST_CURRENT_TEST"}
    environment = {k: v for k, v in os.environ.items() if k not in hidden}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", "import planner_core.inference"]
    subprocess.run(command, env=environment, check=True)
    assert not list(tmp_path.iterdir())
