"""Diffusion planners from training to the robot: what PyTorch samples is what the robot samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from planner_core.bundle import load_bundle
from planner_core.diffusion_generator import DiffusionGenerator
from planner_core.diffusion_sampler import DiffusionSampler
from planner_core.errors import BundleMismatchError, InvalidParameterError
from planner_core.manifest import Provenance, Statistics
from planner_core.plan import Observation, Plan
from planner_core.planners import PlannerRequest, SamplerSettings, load_planner, planner_of
from planner_core.robots import crazyflie
from trajectory_learning.__main__ import main
from trajectory_learning.checkpoint import (
    DiffusionCheckpoint,
    is_diffusion,
    load_checkpoint,
    load_diffusion_checkpoint,
)
from trajectory_learning.diffusion_export import (
    ExportedGraph,
    SamplingConfig,
    graphs,
    sampler_spec,
    write_diffusion_bundle,
)
from trajectory_learning.diffusion_training import train_diffusion
from trajectory_learning.errors import CheckpointError
from trajectory_learning.methods.diffuser import Diffuser
from trajectory_learning.methods.mpdiffuser import MPDiffuser
from trajectory_learning.model_card import model_card
from trajectory_learning.networks.late_branch import LateBranchConfig
from trajectory_learning.problems.navigation import NavigationModel, Windows
from trajectory_learning.problems.navigation_diffusion import (
    CHANNELS,
    METHODS,
    STATES,
    DiffusionConfig,
    NavigationDiffusion,
)
from trajectory_learning.problems.navigation_ranker import NavigationRanker, RankerConfig
from trajectory_learning.training import TrainingConfig

RAYS, HORIZON, K = 48, 32, 3
SMALL = DiffusionConfig(levels=8, unet_width=8, mlp_width=16, mlp_blocks=1)
BRANCH = LateBranchConfig(trunk_width=16, trunk_blocks=1, branch_width=8, noise=4, value_width=8)
SAMPLING = SamplingConfig(steps=4, warm_start_steps=2, candidates=K)


def windows(count: int) -> Windows:
    """Straight flights with random velocities, past random scans."""
    rng = np.random.default_rng(0)
    velocity = rng.normal(0, 0.5, (count, 3))
    time_s = np.arange(HORIZON)[:, None] * 0.1
    window = np.zeros((count, 3, HORIZON, 3))
    acceleration = rng.normal(0, 0.2, (count, 1, 3))
    window[:, 0] = velocity[:, None] * time_s + acceleration * time_s**2 / 2
    window[:, 1] = velocity[:, None] + acceleration * time_s
    window[:, 2] = acceleration
    tensors = (rng.uniform(0.3, 4, (count, RAYS)), velocity, rng.normal(0, 2, (count, 3)), window,
               np.zeros((count, 2, 2)), np.zeros((count, 2)))  # fmt: skip
    return Windows(
        *(torch.from_numpy(x.astype(np.float32)) for x in tensors),
        flight=np.arange(count, dtype=np.int32) // 2,
    )


def untrained(method: str) -> NavigationDiffusion:
    torch.manual_seed(0)
    model = NavigationDiffusion(method, RAYS, HORIZON, SMALL)
    model.set_statistics(windows(200))
    for weights in model.parameters():  # zeros would hide what the condition does
        torch.nn.init.normal_(weights, std=0.2)
    return model.eval()


@pytest.fixture(scope="module")
def ranker() -> NavigationRanker:
    torch.manual_seed(1)
    model = NavigationModel(RAYS, HORIZON, 0.1, BRANCH).eval()
    return NavigationRanker(model, RankerConfig(), 4.0).eval()


@pytest.fixture(scope="module", params=METHODS)
def made(
    request: pytest.FixtureRequest, ranker: NavigationRanker
) -> tuple[NavigationDiffusion, dict[str, ExportedGraph]]:
    model = untrained(request.param)
    return model, graphs(model, ranker, K)


@pytest.fixture
def bundle(made, ranker: NavigationRanker, tmp_path: Path) -> Path:
    model, exports = made
    folder = tmp_path / "tiny"
    write_diffusion_bundle(
        folder, model, ranker, exports, crazyflie(), SAMPLING,
        provenance=Provenance(model.method, "train", "0", "0", "data", 0),
        quality={"success": 0.5}, latencies={},
    )  # fmt: skip
    return folder


def observation(stamp_ns: int = 0) -> Observation:
    return Observation(
        stamp_ns, np.array([0.2, -0.1, 1.0, 0.2]), np.array([0.5, 0.1, 0, 0]),
        np.array([-1.0, 2.0, 1, 0]), {"scan": np.linspace(0.5, 5.0, RAYS)},
    )  # fmt: skip


def test_torch_and_onnxruntime_agree(made) -> None:
    _, exports = made
    for name, graph in exports.items():
        compared = ("value", "acceleration") if name == "rank" else graph.outputs
        assert graph.parity(20, compared) < 1e-4, name


@pytest.mark.parametrize("coupling", ["planner", "joint", "alternating"])
@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("guidance", [1.0, 1.7])
@pytest.mark.parametrize("ancestral", [False, True])
@torch.no_grad()
def test_the_robot_samples_what_torch_samples(
    coupling: str, warm: bool, guidance: float, ancestral: bool
) -> None:
    model = untrained("diffuser" if coupling == "planner" else "mpdiffuser")
    sampling = replace(SAMPLING, coupling=coupling, guidance_scale=guidance, warm_start_steps=4)
    spec = replace(sampler_spec(model, sampling), ancestral=ancestral)
    part = windows(K)
    condition = model.condition(part.scan, part.velocity, part.goal)[:1]
    present = (torch.cat([torch.zeros(3), part.velocity[0]]) - model.mean[:6]) / model.std[:6]
    start = model.normalised(part.window)[:1] if warm else None

    def network(role: str, x: np.ndarray, k: int):
        denoiser = model.planner if role == "planner" else model.dynamics
        level = torch.tensor([float(k)])
        keep = torch.zeros(1, 1)
        said = denoiser(torch.from_numpy(x), level, condition, None).numpy()
        return said, denoiser(torch.from_numpy(x), level, condition, keep).numpy()

    sampler = DiffusionSampler(spec, (K, HORIZON, CHANNELS))
    got = sampler.sample(
        network, np.random.default_rng(5), present.numpy()[: spec.inpaint],
        None if start is None else start[0].numpy(),
    )  # fmt: skip
    rng = np.random.default_rng(5)
    shape = (K, HORIZON, CHANNELS)
    noise = torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
    later = [torch.from_numpy(rng.standard_normal(shape, dtype=np.float32)) for _ in range(3)]
    # The last step draws nothing.
    step_noise = torch.stack([*later, torch.zeros(shape)]) if ancestral else None
    arguments = {
        "steps": 4, "guidance_scale": guidance, "clip": (model.low, model.high),
        "step_noise": step_noise,
        "start": start, "start_level": SMALL.levels if warm else None,
    }  # fmt: skip
    every = condition.expand(K, -1)
    if coupling == "planner":
        diffuser = Diffuser(model.diffusion, model.planner, STATES)
        expected = diffuser.sample(noise, present.expand(K, -1), every, **arguments)
    else:
        both = MPDiffuser(model.diffusion, model.planner, model.dynamics, coupling)
        expected = both.sample(noise, every, **arguments)
    np.testing.assert_allclose(got, expected.numpy(), atol=2e-4)


def test_a_bundle_plans_from_noise_and_from_the_last_plan(bundle: Path) -> None:
    method = planner_of(load_bundle(bundle))
    generator = load_planner(method, PlannerRequest(crazyflie(), bundle))
    generator.warm_up()
    rng = np.random.default_rng(0)
    batch = generator.plan(observation(), None, 0, rng)
    assert batch.position.shape == (K, HORIZON, 4)
    np.testing.assert_allclose(
        batch.position[:, 0], np.tile([0.2, -0.1, 1, 0.2], (K, 1)), atol=1e-6
    )
    np.testing.assert_allclose(batch.velocity[:, 0, :2], np.tile([0.5, 0.1], (K, 1)), atol=1e-6)
    norm = np.linalg.norm(batch.acceleration, axis=-1)
    assert norm[:-1].max() <= BRANCH.acceleration_limit + 1e-5
    plan = batch.plan(batch.best)
    np.testing.assert_allclose(plan.position, batch.position[batch.best], atol=1e-5)
    later = generator.plan(observation(50_000_000), plan, 0, rng)
    assert np.isfinite(later.position).all()
    assert batch.cost is not None


def test_the_previous_plan_is_seen_from_the_new_start(bundle: Path) -> None:
    generator = DiffusionGenerator(load_bundle(bundle))
    time_s = np.arange(HORIZON)[:, None] * 0.1
    velocity = np.array([0.4, -0.3, 0.1, 0.0])
    previous = Plan(
        0, 0.1, velocity * time_s, np.tile(velocity, (HORIZON, 1)), np.zeros((HORIZON, 4))
    )
    now = Observation(
        1_000_000_000, velocity, velocity, np.array([0.4, 5.0, 1.0, 0.0]),
        {"scan": np.full(RAYS, 3.0)},
    )  # fmt: skip
    state = generator._plans.encoding.encode_observation(now)
    rows = generator._seen_from(previous, now, state) * generator._model.std + generator._model.mean
    # The goal is to the left: the frame is turned by a quarter circle.
    turned = np.array([velocity[1], -velocity[0], velocity[2]])
    left = HORIZON - 10
    np.testing.assert_allclose(rows[:left, :3], turned * time_s[:left], atol=1e-4)
    np.testing.assert_allclose(rows[:left, 3:6], np.tile(turned, (left, 1)), atol=1e-4)
    # Where the plan has ended it stands still.
    np.testing.assert_allclose(rows[left:, 3:6], 0.0, atol=1e-4)


def test_settings_reach_the_sampler(bundle: Path) -> None:
    def planned(**settings: object) -> np.ndarray:
        request = PlannerRequest(crazyflie(), bundle, sampler=SamplerSettings(**settings))
        generator = load_planner(planner_of(load_bundle(bundle)), request)
        return generator.plan(observation(), None, 0, np.random.default_rng(0)).acceleration

    usual = planned()
    np.testing.assert_array_equal(usual, planned(steps=4))
    assert not np.array_equal(usual, planned(steps=8))
    assert not np.array_equal(usual, planned(guidance_scale=2.0))
    with pytest.raises(InvalidParameterError, match="steps"):
        planned(steps=100)


def test_the_wrong_planner_or_bundle_is_refused(bundle: Path) -> None:
    method = planner_of(load_bundle(bundle))
    other = next(name for name in METHODS if name != method)
    for planner in (other, "one_step"):
        with pytest.raises(BundleMismatchError, match=r"method|kind"):
            load_planner(planner, PlannerRequest(crazyflie(), bundle))
    loaded = load_bundle(bundle)
    for field, value in (("sampler", None), ("normalisation", Statistics((0.0,), (1.0,)))):
        manifest = replace(loaded.manifest, **{field: value})
        with pytest.raises(BundleMismatchError, match=field):
            DiffusionGenerator(replace(loaded, manifest=manifest))


def test_the_model_card_names_the_method(bundle: Path) -> None:
    manifest = load_bundle(bundle).manifest
    assert manifest.provenance.method in model_card(manifest)


@pytest.mark.parametrize("method", METHODS)
def test_training_lowers_the_loss_and_checkpoints_survive(method: str, tmp_path: Path) -> None:
    data = windows(300)
    config = TrainingConfig(method=method, steps=1, batch=64, learning_rate=3e-3, held_out=0.2)
    _, first = train_diffusion(data, config, SMALL, progress=False)
    model, last = train_diffusion(data, replace(config, steps=60), SMALL, progress=False)
    assert last.held_out["denoising_loss"] < 0.9 * first.held_out["denoising_loss"]
    path = tmp_path / "model.safetensors"
    checkpoint = DiffusionCheckpoint(model, SMALL, config, HORIZON, RAYS, {"a": "b"}, {"c": 1.0})
    checkpoint.save(path)
    read = load_diffusion_checkpoint(path)
    assert replace(read, model=None) == replace(checkpoint, model=None)
    for name, value in model.state_dict().items():
        assert torch.equal(read.model.state_dict()[name], value)
    assert is_diffusion(path)
    with pytest.raises(CheckpointError, match="not a navigation checkpoint"):
        load_checkpoint(path)
    for sizes in ({"levels": 10**10}, {"mlp_blocks": 10**20}):
        replace(checkpoint, diffusion=replace(SMALL, **sizes)).save(path)
        with pytest.raises(CheckpointError, match="at most 1000"):
            load_diffusion_checkpoint(path)


@pytest.mark.slow
def test_train_export_evaluate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flights, one_step = tmp_path / "flights.h5", tmp_path / "energy.safetensors"
    model, out = tmp_path / "mpdiffuser.safetensors", tmp_path / "small"
    data = ["--data", str(flights)]
    assert main(["data", "navigation", "--out", str(flights), "--worlds", "10",
                 "--flights-per-world", "3"]) == 0  # fmt: skip
    assert main(["train", "navigation", *data, "--out", str(one_step), "--steps", "20",
                 "--trunk-width", "32", "--trunk-blocks", "1"]) == 0  # fmt: skip
    assert main(["train", "navigation", *data, "--out", str(model), "--method", "mpdiffuser",
                 "--steps", "20", "--mlp-width", "16", "--mlp-blocks", "1", "--resume",
                 "--tensorboard", str(tmp_path / "logs")]) == 0  # fmt: skip
    assert model.with_suffix(".png").stat().st_size > 10_000
    assert list((tmp_path / "logs").iterdir())
    export = ["export", "navigation", "--checkpoint", str(model), "--out", str(out)]
    assert main(export) == 1
    assert "--ranker" in capsys.readouterr().err
    export += ["--ranker", str(one_step), "--parity-inputs", "10", "--candidates", "4"]
    assert main([*export, "--steps", "5", "--warm-start-steps", "2"]) == 0
    assert main(["evaluate", "navigation", "--out", str(tmp_path / "results"), "--worlds", "1",
                 "--replan-s", "0.2", "--time-limit-s", "2", "--record", "--sampler-steps", "3",
                 "--planners", f"mpdiffuser={out}"]) == 0  # fmt: skip
    manifest = load_bundle(out).manifest
    assert manifest.quality["parity_error"] <= 1e-4
    assert manifest.quality["unseen_worlds"] == 1
    assert manifest.provenance.method == "mpdiffuser"
    assert manifest.sampler is not None
    assert manifest.sampler.coupling == "joint"
    assert "| mpdiffuser |" in capsys.readouterr().out
