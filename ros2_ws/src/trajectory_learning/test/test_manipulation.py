"""A planner for an arm from demonstrations to a bundle, which another robot refuses."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from planner_core import arm_kinematics
from planner_core.bundle import load_bundle
from planner_core.errors import BundleMismatchError, InvalidObservationError
from planner_core.gates import PlanGate
from planner_core.manipulation import GOAL, OBJECT, OBJECTS
from planner_core.navigation import integration_matrices
from planner_core.plan import Observation
from planner_core.planners import PlannerRequest, load_planner
from planner_core.robots import crazyflie, go2, so100
from planner_core.scripted_manipulation import HOME, ManipulationScript
from planner_core.timed_plan import TimedPlan
from trajectory_learning.manipulation import export, load, train
from trajectory_learning.networks.late_branch import LateBranchConfig
from trajectory_learning.problems import arm_geometry, arm_observation, arm_ranking, manipulation
from trajectory_learning.training import TrainingConfig

# Exporting takes many seconds on a quiet machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ROWS = 60


@pytest.fixture(scope="module")
def demonstrations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script does from random states."""
    rng, script = np.random.default_rng(0), ManipulationScript()
    columns: dict[str, list[np.ndarray]] = {}
    for row in range(ROWS):
        position = HOME + rng.normal(0.0, 0.2, 6)
        velocity = rng.normal(0.0, 0.2, 6)
        thing = np.array([rng.uniform(0.17, 0.22), rng.uniform(-0.1, 0.1), 0.0125, 0.2])
        goal = np.array([rng.uniform(0.17, 0.22), rng.uniform(-0.1, 0.1), 0.0125])
        window = script.window(position, velocity, thing[:3], float(thing[3]), goal)
        values = (position, velocity, thing, goal, window, np.array(row // 6))
        for name, value in zip(
            ("position", "velocity", "object", "goal", "window", "episode"), values, strict=True
        ):
            columns.setdefault(name, []).append(value)
    path = tmp_path_factory.mktemp("demonstrations") / "data.npz"
    arrays = {name: np.array(rows, dtype=np.float32) for name, rows in columns.items()}
    about = {"command": "none", "sha256": "0" * 64}
    np.savez(path, about=np.array(json.dumps(about)), **arrays)
    return path


@pytest.fixture(scope="module")
def bundle(demonstrations: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planner that was trained for a moment."""
    folder = tmp_path_factory.mktemp("models") / "arm"
    windows, history = load([demonstrations])
    config = TrainingConfig(steps=5, batch=16, held_out=0.2)
    model, scale, quality = train(windows, config)
    assert np.isfinite(list(quality.values())).all()
    export(model, scale, config, {**history, "command": "none"}, quality, folder)
    return folder


def test_training_goes_on_from_what_was_trained(demonstrations: Path) -> None:
    windows, _ = load([demonstrations])
    first, _, quality = train(windows, TrainingConfig(steps=1, batch=8, held_out=0.2))
    assert "held_out_energy_score" in quality
    still = TrainingConfig(steps=1, batch=8, learning_rate=0.0)
    second, _, quality = train(windows.subset(torch.arange(20)), still, first)
    assert not any(name.startswith("held_out") for name in quality)
    for name, value in second.state_dict().items():
        torch.testing.assert_close(value, first.state_dict()[name])


def test_geometry_in_the_graph_is_that_of_the_arm() -> None:
    rng, robot = np.random.default_rng(0), so100()
    joints = rng.uniform(robot.lower, robot.upper, (50, 6))
    tool = arm_geometry.tool_of(torch.tensor(joints).float()).numpy()
    assert tool == pytest.approx(arm_kinematics.tool_of(joints), abs=1e-6)
    drop = arm_geometry.slopes(torch.tensor(joints).float()).sin() @ arm_geometry.LINK_M
    assert arm_kinematics.SHOULDER_M[1] - drop.numpy() == pytest.approx(tool[:, 2], abs=1e-6)
    for _ in range(20):
        x, y, z = rng.uniform([0.16, -0.1, 0.012], [0.24, 0.1, 0.07])
        yaw = rng.uniform(-0.7, 0.7)
        expected = arm_kinematics.reach(x, y, z, yaw_rad=yaw, open_m=0.006)
        got = arm_geometry.reach(torch.tensor([x, y, z, yaw]).float(), 0.006)
        assert got.numpy() == pytest.approx(expected, abs=1e-5)


def test_the_ways_to_go_hold_what_the_script_does() -> None:
    rng, script, robot = np.random.default_rng(0), ManipulationScript(), so100()
    for case in range(200):
        yaw = rng.uniform(-0.7, 0.7)
        thing, goal = rng.uniform([0.17, -0.1, 0.0125], [0.22, 0.1, 0.0125], (2, 3))
        if case % 2:
            goal = thing + rng.normal(0.0, 0.004, 3)
        point = thing + rng.normal(0.0, (0.01, 0.01, 0.002)) + (0.0, 0.0, rng.choice([0.004, 0.06]))
        joints = arm_kinematics.reach(*point, yaw_rad=yaw, open_m=rng.choice([0.0, 0.006]))
        joints = np.clip([*joints, rng.choice([-0.05, 0.3, 0.7])], robot.lower, robot.upper)
        wanted = script.pose(joints, thing, yaw, goal) - joints
        told = np.concatenate([joints, np.zeros(6), thing, [yaw], goal])
        _, ways = arm_observation.observed(torch.tensor(told).float()[None])
        # Ways are velocities: as far as the joints are off, or slower, but in that direction.
        off = [np.abs(way * np.linalg.norm(wanted[:5]) / (np.linalg.norm(way) + 1e-9) - wanted[:5])
               for way in ways[0, :9, :5].numpy()]  # fmt: skip
        assert np.max(off, axis=1).min() < 0.01
        assert any(np.sign(ways[0, 9:12, 5].numpy()) == np.sign(wanted[5])) or wanted[5] == 0.0


def test_what_is_out_of_reach_is_reached_for() -> None:
    away, behind = [0.6, 0.1, 0.05, 0.0], [-0.3, 0.0, 0.05, 0.0]
    origin, on_the_axis = [0.0, 0.0, 0.0, 0.0], [arm_kinematics.PAN_X_M, 0.0, 0.0, 0.0]
    joints = arm_geometry.reach(torch.tensor([away, behind, origin, on_the_axis]), 0.0)
    assert joints.isfinite().all()
    x, y, _ = arm_geometry.tool_of(joints[0]).tolist()
    assert x > 0.2
    assert math.atan2(y, x - arm_kinematics.PAN_X_M) == pytest.approx(
        math.atan2(0.1, 0.555), abs=0.02
    )


def test_candidates_are_ranked_as_their_windows_say() -> None:
    torch.manual_seed(0)
    robot, horizon, dt_s = so100(), 16, 0.05
    config = LateBranchConfig(modes=10, acceleration_limit=40.0)
    model = manipulation.ManipulationModel(horizon, dt_s, config)
    scale = torch.rand(3, horizon - 1, 6) + 0.1
    planner = arm_ranking.ManipulationPlanner(model, scale)
    to_velocity, to_position = (m.T for m in integration_matrices(horizon, dt_s))
    kept = []
    for lift, spread in ((-1.6, 1.0), (-1.6, 10.0), (-1.1, 10.0), (0.2, 10.0)):
        position = torch.tensor([0.1, lift, 1.3, 1.2, 0.1, 0.3])
        velocity = torch.randn(6) * 0.3
        thing, goal = torch.tensor([0.2, 0.0, 0.0125, 0.1]), torch.tensor([0.2, 0.1, 0.0125])
        with torch.no_grad():
            # Of a network that was taught nothing, candidates differ little.
            got = planner(position, velocity, thing, goal, spread * torch.randn(32, config.noise))
        start, rate = position.numpy()[:, None], velocity.numpy()[:, None]
        added = got.acceleration.numpy() @ to_position
        joints = start + rate * np.arange(horizon) * dt_s + added
        speeds = rate + got.acceleration.numpy() @ to_velocity
        seen = joints[:, :, 3::4]
        feasible = (np.abs(speeds[:, :, -1]) <= robot.velocity).all(-1)
        feasible &= ((seen >= robot.lower[:, None]) & (seen <= robot.upper[:, None])).all((1, 2))
        heights = arm_kinematics.tool_of(seen.swapaxes(1, 2))[..., 2]
        feasible &= (heights > planner.floor_m).all(-1)
        assert (got.feasible.numpy() == feasible).all()
        kept.append(float(feasible.mean()))
        flat = (added[:, :, 3::4] / scale[0, 2::4].T.numpy()).reshape(32, -1)
        pool = feasible if feasible.any() else np.ones(32, dtype=bool)
        apart = np.linalg.norm(flat[:, None] - flat[pool], axis=-1)
        assert got.value.numpy() == pytest.approx(-apart.mean(axis=1), abs=1e-3)
        best = np.where(pool, got.value.numpy(), -np.inf).argmax()
        window = np.stack([joints[best], speeds[best], got.acceleration[best].numpy()])
        window[0] = np.clip(window[0], robot.lower[:, None], robot.upper[:, None])
        assert got.window.numpy() == pytest.approx(window.swapaxes(1, 2), abs=1e-4)
    # All, some and none.
    assert {0.0, 1.0} < set(kept)


def test_a_window_follows_from_its_accelerations(demonstrations: Path) -> None:
    windows, _ = load([demonstrations])
    added = manipulation.WindowMetric.added(
        windows.window, windows.position, windows.velocity, dt_s=0.05
    )
    # Nothing is added at the first sample, and little in the first twentieth of a second.
    assert added[:, :2, 0].abs().max() < 1e-5
    assert added[:, 0, 1].abs().max() < 0.03


def test_a_candidate_among_the_data_stands_for_itself(demonstrations: Path) -> None:
    windows, _ = load([demonstrations])
    metric = manipulation.WindowMetric(windows, 0.05)
    horizon = windows.window.shape[2]
    acceleration = torch.randn(len(windows), 6, horizon, generator=torch.Generator().manual_seed(0))
    to_velocity, to_position = (
        torch.tensor(m).float().T for m in integration_matrices(horizon, 0.05)
    )
    still = torch.zeros_like(windows.position)
    window = torch.stack([acceleration @ to_position, acceleration @ to_velocity, acceleration], 1)
    made = replace(windows, position=still, velocity=still, window=window.mT)
    flat = metric.flatten(acceleration)
    torch.testing.assert_close(metric.nearest(made, 0.05), flat, atol=1e-3, rtol=1e-3)
    # The norm is that of the windows in units of their spread.
    added = metric.added(made.window, still, still, 0.05)[:, :, 1:] / metric.scale
    weight = torch.tensor(metric.WEIGHTS)[:, None, None]
    square = (added.square() * weight).sum((1, 2, 3)) / metric.scale.numel()
    torch.testing.assert_close(flat.norm(dim=-1), square.sqrt(), atol=1e-4, rtol=1e-4)


def test_the_bundle_plans_for_the_arm(bundle: Path) -> None:
    robot, rng = so100(), np.random.default_rng(0)
    planner = load_planner("one_step", PlannerRequest(robot, bundle, candidates=8))
    spec = planner.spec
    assert (spec.sensors, spec.goal_names) == ({OBJECTS: OBJECT}, GOAL)
    planner.warm_up()
    thing, goal = np.array([0.2, 0.05, 0.0125, 0.1]), np.array([0.2, -0.1, 0.0125])
    observation = Observation(10**9, HOME, np.zeros(6), goal, {OBJECTS: thing})
    batch = planner.plan(observation, None, 0, rng)
    plan = batch.plan(batch.best)
    assert batch.position.shape == (8, spec.horizon, 6)
    assert plan.position == pytest.approx(batch.position[batch.best], abs=1e-4)
    assert plan.position[0] == pytest.approx(HOME, abs=1e-6)
    PlanGate(robot).check(
        TimedPlan(plan, 1, 1, plan.start_ns), robot=robot.name, names=robot.names,
        frame_id=robot.frame_id, now_ns=plan.start_ns,
    )  # fmt: skip
    short = Observation(10**9, HOME, np.zeros(6), goal, {OBJECTS: thing[:3]})
    with pytest.raises(InvalidObservationError, match=OBJECTS):
        planner.plan(short, None, 0, rng)


@pytest.mark.parametrize("robot", [crazyflie(), go2()], ids=lambda robot: robot.name)
def test_another_robot_refuses_the_bundle(bundle: Path, robot: object) -> None:
    with pytest.raises(BundleMismatchError, match="robot"):
        load_planner("one_step", PlannerRequest(robot, bundle))  # type: ignore[arg-type]


def test_the_card_says_what_it_plans_from(bundle: Path) -> None:
    card = (bundle / "README.md").read_text()
    assert "cube_0_yaw" in card
    assert "object_z" in card
    assert "scan" not in card
    assert load_bundle(bundle).manifest.scan is None
