"""Export of walking planners: a graph for each network, and one for the velocity.

Letters: ``K`` candidates, ``H`` periods of a window, ``D`` channels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime as ort
import torch
from planner_core.bundle import save_manifest
from planner_core.joint_diffusion import KIND
from planner_core.manifest import (
    FORMAT_VERSION,
    GraphSpec,
    Manifest,
    Provenance,
    SamplerSpec,
    Statistics,
    TensorSpec,
)
from planner_core.robots import go2
from planner_core.trunk_velocity import GRAPH
from torch import Tensor, nn
from trajectory_learning.export import PARITY_TOLERANCE, exported
from trajectory_learning.methods.diffusion_family import Family, Sampling
from trajectory_learning.networks.denoisers import Denoiser
from trajectory_learning.problems.go2.planners import HORIZON
from trajectory_learning.problems.go2.velocity import FRAMES, SENSED, VelocityNetwork
from trajectory_learning.problems.go2.walking import PERIOD_S

BODY: Final = (
    "rate_x", "rate_y", "rate_z", "gravity_x", "gravity_y", "gravity_z",
    "velocity_x", "velocity_y", "velocity_z",
)  # fmt: skip
"""What the planner is told of the trunk [rad/s, 1, m/s]."""
GOAL: Final = ("velocity_x", "velocity_y", "turn_rate")
PREDICTIONS: Final = ("prediction", "unconditioned")
UNITS: Final = {
    "sample": "1", "level": "1", "position": "rad", "velocity": "rad/s", "body": "rad/s, 1, m/s",
    "goal": "m/s, m/s, rad/s",
}  # fmt: skip


class WalkingDenoiser(nn.Module):
    """One prediction of one network, with the task and without it.

    Args:
        family: Scalings.
        denoiser: One of its networks.
        outcome: (2,) reward and cost that are asked for.
    """

    mean: Tensor
    std: Tensor
    outcome: Tensor
    keep: Tensor

    def __init__(self, family: Family, denoiser: nn.Module, outcome: Tensor) -> None:
        super().__init__()
        self.denoiser = denoiser
        for name in ("mean", "std"):
            values = [getattr(scaling, name) for scaling in (family.of_states, family.of_task)]
            self.register_buffer(name, torch.cat(values))
        self.register_buffer("outcome", outcome)
        self.register_buffer("keep", torch.tensor([1.0, 0.0])[:, None, None])

    def forward(
        self,
        sample: Tensor,
        level: Tensor,
        position: Tensor,
        velocity: Tensor,
        body: Tensor,
        goal: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """(K, H, D) at level (1,), given the observation -> two predictions (K, H, D)."""
        told = torch.cat([body[:6], position, velocity, body[6:], goal, self.outcome])
        condition = ((told - self.mean) / self.std)[None, None]
        denoiser: Denoiser = self.denoiser
        # Both in one pass: of a few rows it costs hardly more than of one.
        given, withheld = denoiser(sample, level, condition, self.keep)
        return given, withheld


class VelocityGraph(nn.Module):
    """The estimator for one robot.

    Args:
        network: Of many.
    """

    def __init__(self, network: VelocityNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, history: Tensor) -> Tensor:
        """(F, 30) -> (3,) [m/s]."""
        return self.network(history[None])[0]


@dataclass(frozen=True)
class WalkingGraph:
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
    def parity(self, inputs: int = 100) -> float:
        """Largest difference between torch and onnxruntime, relative to 1 + magnitude."""
        session = ort.InferenceSession(self.content, providers=["CPUExecutionProvider"])
        rng = np.random.default_rng(0)
        worst = 0.0
        for _ in range(inputs):
            values = {
                name: rng.standard_normal(tensor.shape).astype(np.float32)
                for name, tensor in self.example.items()
            }
            if "level" in values:
                values["level"] = rng.integers(1, 10, 1).astype(np.float32)
            expected = self.module(**{k: torch.from_numpy(v) for k, v in values.items()})
            expected = expected if isinstance(expected, tuple) else (expected,)
            for a, b in zip(expected, session.run(list(self.outputs), values), strict=True):
                worst = max(worst, float((np.abs(a.numpy() - b) / (1 + np.abs(b))).max()))
        return worst


def graphs(
    family: Family, parts: Sequence[str], velocity: VelocityNetwork, outcome: Tensor
) -> dict[str, WalkingGraph]:
    """The graphs of a bundle, by what they are for.

    Args:
        family: Trained.
        parts: Of the family.
        velocity: Trained.
        outcome: (2,) reward and cost that are asked for.
    """
    example = {
        "sample": torch.zeros(2, HORIZON, family.n_x + family.n_u), "level": torch.ones(1),
        "position": torch.zeros(family.n_u), "velocity": torch.zeros(family.n_u),
        "body": torch.zeros(len(BODY)), "goal": torch.zeros(len(GOAL)),
    }  # fmt: skip
    made = {}
    for part in parts:
        module = WalkingDenoiser(family, family.networks[part], outcome).eval()
        content = exported(module, example, PREDICTIONS, {"sample": "K"})
        made[part] = WalkingGraph(module, example, PREDICTIONS, content)
    module, history = VelocityGraph(velocity).eval(), {"history": torch.zeros(FRAMES, SENSED)}
    content = exported(module, history, (GRAPH,), {})
    made[GRAPH] = WalkingGraph(module, history, (GRAPH,), content)
    return made


def write_walking_bundle(
    folder: Path,
    family: Family,
    made: Mapping[str, WalkingGraph],
    sampling: Sampling,
    provenance: Provenance,
    quality: Mapping[str, float],
) -> Manifest:
    """Write graphs and manifest, if the graphs compute what torch computes.

    Args:
        folder: Where; its name is the bundle's.
        family: Trained.
        made: `graphs` of it.
        sampling: How it is sampled.
        provenance: Where it comes from.
        quality: Measured quality by name.

    Raises:
        ValueError: A graph differs from what was trained.
    """
    error = max(graph.parity() for graph in made.values())
    if not error <= PARITY_TOLERANCE:
        raise ValueError(f"torch and onnxruntime differ by {error:.2g} > {PARITY_TOLERANCE:g}")
    robot = go2()
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, graph in made.items():
        (folder / f"{name}.onnx").write_bytes(graph.content)
        digest = hashlib.sha256(graph.content).hexdigest()
        files[name] = GraphSpec(f"{name}.onnx", digest, *_tensors(name, family, graph))
    low, high = family.clip(family.n_x + family.n_u)
    scalings = (family.of_states, family.of_actions)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        name=folder.name,
        kind=KIND,
        robot=robot.name,
        frame_id=robot.frame_id,
        dof_names=robot.names,
        dof_units=robot.units,
        horizon=HORIZON + 1,
        dt_s=PERIOD_S,
        candidates=1,
        stochastic=True,
        scan=None,
        limits={},
        graphs=files,
        normalisation=Statistics(
            tuple(torch.cat([s.mean for s in scalings]).tolist()),
            tuple(torch.cat([s.std for s in scalings]).tolist()),
        ),
        sampler=SamplerSpec(
            alpha_bar=tuple(family.diffusion.schedule.alpha_bar().tolist()),
            prediction=family.diffusion.prediction,
            coupling="joint" if "dynamics" in made else "planner",
            steps=sampling.steps,
            warm_start_steps=sampling.warm_start_steps,
            guidance_scale=sampling.guidance_scale,
            ancestral=False,
            inpaint=0,
            low=tuple(low.tolist()),
            high=tuple(high.tolist()),
            temperature=sampling.temperature,
        ),
        provenance=provenance,
        quality={**quality, "parity_error": error},
        sensors={"body": BODY},
        goal_names=GOAL,
    )
    save_manifest(manifest, folder)
    return manifest


def _tensors(
    name: str, family: Family, graph: WalkingGraph
) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    if name == GRAPH:
        history = TensorSpec("history", (FRAMES, SENSED), "rad/s, 1, rad, rad/s")
        return (history,), (TensorSpec(GRAPH, (3,), "m/s"),)
    channels = family.n_x if name == "dynamics" else family.n_x + family.n_u
    inputs = tuple(
        TensorSpec(key, ("K", *tensor.shape[1:]) if key == "sample" else tuple(tensor.shape), unit)
        for (key, tensor), unit in zip(graph.example.items(), UNITS.values(), strict=True)
    )
    return inputs, tuple(TensorSpec(o, ("K", HORIZON, channels), "1") for o in PREDICTIONS)
