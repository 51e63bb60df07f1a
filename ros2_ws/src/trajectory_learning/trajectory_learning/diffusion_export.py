"""Export of diffusion planners: a graph for each network, and the one-step planner's ranking.

Letters: ``K`` candidates, ``H`` samples of a window, ``D`` channels, ``N`` rays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from planner_core.bundle import save_manifest
from planner_core.diffusion_generator import KIND
from planner_core.manifest import (
    FORMAT_VERSION,
    GraphSpec,
    Manifest,
    Provenance,
    SamplerSpec,
    ScanSpec,
    Statistics,
    TensorSpec,
)
from planner_core.robot import Robot
from torch import Tensor, nn
from trajectory_learning.export import OUTPUTS, exported, observation_inputs, ranking_outputs
from trajectory_learning.networks.denoisers import Denoiser
from trajectory_learning.networks.residual_mlp import dct_basis
from trajectory_learning.problems.navigation_diffusion import (
    ACTIONS,
    CHANNELS,
    STATES,
    NavigationDiffusion,
)
from trajectory_learning.problems.navigation_ranker import NavigationRanker, Ranking

INPUTS = ("sample", "level", "scan", "velocity", "goal")
PREDICTIONS = ("prediction", "unconditioned")


@dataclass(frozen=True)
class SamplingConfig:
    """How an exported diffusion model is sampled; one-step models have no such choice.

    Attributes:
        steps: Steps of a call that starts from noise.
        warm_start_steps: Steps of a call that starts from the previous plan.
        guidance_scale: Weight of the condition.
        coupling: How MPDiffuser's networks meet: "joint", "alternating" or "planner".
        candidates: Candidates of a call, unless the user asks for another number.
    """

    steps: int = 20
    warm_start_steps: int = 5
    guidance_scale: float = 1.0
    coupling: str = "joint"
    candidates: int = 16


class DenoiserGraph(nn.Module):
    """One prediction of one network, with the condition and without it.

    Args:
        model: Normalisation and networks.
        denoiser: One of its networks.
    """

    def __init__(self, model: NavigationDiffusion, denoiser: nn.Module) -> None:
        super().__init__()
        self.model, self.denoiser = model, denoiser

    def forward(
        self, sample: Tensor, level: Tensor, scan: Tensor, velocity: Tensor, goal: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(K, H, D) at level (1,), given the observation -> two predictions (K, H, D)."""
        condition = self.model.condition(scan[None], velocity[None], goal[None])
        denoiser: Denoiser = self.denoiser
        withheld = torch.zeros_like(condition[:, :1])
        return (
            denoiser(sample, level, condition, None),
            denoiser(sample, level, condition, withheld),
        )


class RankGraph(nn.Module):
    """Accelerations in, ranked candidates out.

    Args:
        ranker: The ranking, with a trained value head.
        modes: Cosines of the acceleration that are kept along each axis: what a sampler leaves
            above them is noise, and a robot would feel it.
    """

    def __init__(self, ranker: NavigationRanker, modes: int) -> None:
        super().__init__()
        self.ranker = ranker
        network = ranker.model.network
        basis = dct_basis(network.horizon, modes)
        self.register_buffer("smooth", basis.T @ basis, persistent=False)
        self.limit = network.config.acceleration_limit

    def forward(self, sample: Tensor, scan: Tensor, velocity: Tensor, goal: Tensor) -> Ranking:
        """(K, H, 3) [m/s^2] accelerations, and the observation."""
        model = self.ranker.model
        encoded = model.network.encode(model.condition(scan[None], velocity[None], goal[None]))
        acceleration = sample.transpose(1, 2) @ self.smooth
        norm = (acceleration * acceleration).sum(dim=1, keepdim=True).add(1e-8).sqrt()
        acceleration = acceleration * (self.limit / norm).clamp(max=1.0)
        return self.ranker(scan, velocity, goal, encoded, acceleration)


@dataclass(frozen=True)
class ExportedGraph:
    """A module and its export.

    Attributes:
        module: The original.
        example: Its inputs by name.
        outputs: Names of its outputs.
        content: The graph.
    """

    module: nn.Module
    example: Mapping[str, Tensor]
    outputs: Sequence[str]
    content: bytes

    @torch.no_grad()
    def parity(self, inputs: int, compared: Sequence[str]) -> float:
        """Largest difference between torch and onnxruntime, relative to 1 + magnitude.

        Args:
            inputs: Random inputs to compare at.
            compared: Names of the outputs to compare.
        """
        session = ort.InferenceSession(self.content, providers=["CPUExecutionProvider"])
        rng = np.random.default_rng(0)
        worst = 0.0
        for _ in range(inputs):
            values = {
                name: np.asarray(rng.standard_normal(tensor.shape), dtype=np.float32)
                for name, tensor in self.example.items()
            }
            values["scan"] = rng.uniform(0.1, 4.0, values["scan"].shape).astype(np.float32)
            if "level" in values:
                values["level"] = rng.integers(1, 20, 1).astype(np.float32)
            expected = self.module(**{k: torch.from_numpy(v) for k, v in values.items()})
            got = session.run(list(self.outputs), values)
            for name, a, b in zip(self.outputs, expected, got, strict=True):
                if name in compared:
                    worst = max(worst, float((np.abs(a.numpy() - b) / (1 + np.abs(b))).max()))
        return worst


def graphs(
    model: NavigationDiffusion, ranker: NavigationRanker, candidates: int
) -> dict[str, ExportedGraph]:
    """The graphs of a bundle, by what they are for.

    Args:
        model: Networks.
        ranker: Ranking.
        candidates: Number of candidates of the example; any other works as well.
    """
    observation = {
        "scan": torch.ones(model.rays), "velocity": torch.zeros(3), "goal": torch.ones(3),
    }  # fmt: skip
    sample = torch.zeros(candidates, model.horizon, CHANNELS)
    noisy = {"sample": sample, "level": torch.ones(1), **observation}
    networks = {"planner": model.planner, "dynamics": model.dynamics}
    made: dict[str, ExportedGraph] = {}
    for name, network in networks.items():
        if network is not None:
            module = DenoiserGraph(model, network).eval()
            content = exported(module, noisy, PREDICTIONS, {"sample": "K"})
            made[name] = ExportedGraph(module, noisy, PREDICTIONS, content)
    rank = RankGraph(ranker, ranker.model.network.config.modes).eval()
    actions = {"sample": torch.zeros(candidates, model.horizon, ACTIONS), **observation}
    content = exported(rank, actions, OUTPUTS, {"sample": "K"})
    made["rank"] = ExportedGraph(rank, actions, OUTPUTS, content)
    return made


def write_diffusion_bundle(
    folder: Path,
    model: NavigationDiffusion,
    ranker: NavigationRanker,
    made: Mapping[str, ExportedGraph],
    robot: Robot,
    sampling: SamplingConfig,
    *,
    provenance: Provenance,
    quality: Mapping[str, float],
    latencies: Mapping[str, float],
) -> Manifest:
    """Write graphs and manifest.

    Args:
        folder: Where; its name is the bundle's.
        model: Networks.
        ranker: Ranking.
        made: `graphs` of both.
        robot: Robot that it plans for.
        sampling: How it is sampled.
        provenance: Where the model comes from.
        quality: Measured quality by name.
        latencies: Measured latency by name.
    """
    network = ranker.model.network
    files = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, graph in made.items():
        file = f"{name}.onnx"
        (folder / file).write_bytes(graph.content)
        digest = hashlib.sha256(graph.content).hexdigest()
        files[name] = GraphSpec(file, digest, *_tensors(name, model))
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        name=folder.name,
        kind=KIND,
        robot=robot.name,
        frame_id=robot.frame_id,
        dof_names=robot.names,
        dof_units=robot.units,
        horizon=model.horizon,
        dt_s=network.dt_s,
        candidates=sampling.candidates,
        stochastic=True,
        scan=ScanSpec(model.rays, ranker.max_range_m),
        limits={
            "acceleration_m_s2": network.config.acceleration_limit,
            "speed_m_s": ranker.config.speed_limit,
            "clearance_m": ranker.config.clearance_m,
            "exposure_m": ranker.config.exposure_m,
        },
        graphs=files,
        normalisation=Statistics(tuple(model.mean.tolist()), tuple(model.std.tolist())),
        sampler=sampler_spec(model, sampling),
        provenance=provenance,
        quality=dict(quality),
        latency=dict(latencies),
    )
    save_manifest(manifest, folder)
    return manifest


def sampler_spec(model: NavigationDiffusion, sampling: SamplingConfig) -> SamplerSpec:
    """What the robot has to know to sample the model."""
    single = model.dynamics is None
    return SamplerSpec(
        alpha_bar=tuple(model.diffusion.schedule.alpha_bar().tolist()),
        prediction=model.diffusion.prediction,
        coupling="planner" if single else sampling.coupling,
        steps=sampling.steps,
        warm_start_steps=sampling.warm_start_steps,
        guidance_scale=sampling.guidance_scale,
        ancestral=False,
        # A Diffuser's present state is painted into its windows; MPDiffuser is told it.
        inpaint=STATES if single else 0,
        low=tuple(model.low.tolist()),
        high=tuple(model.high.tolist()),
    )


def _tensors(
    name: str, model: NavigationDiffusion
) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    observation = observation_inputs(model.rays)
    if name == "rank":
        sample = TensorSpec("sample", ("K", model.horizon, ACTIONS), "m/s^2")
        return (sample, *observation), ranking_outputs(model.horizon)
    channels = CHANNELS if name == "planner" else STATES
    sample = TensorSpec("sample", ("K", model.horizon, CHANNELS), "1")
    return (
        (sample, TensorSpec("level", (1,), "1"), *observation),
        tuple(TensorSpec(output, ("K", model.horizon, channels), "1") for output in PREDICTIONS),
    )
