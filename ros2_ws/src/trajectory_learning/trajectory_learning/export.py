"""Export of a one-step generator as a model bundle, with a check that nothing changed."""

from __future__ import annotations

import hashlib
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from planner_core.bundle import save_manifest
from planner_core.manifest import (
    FORMAT_VERSION,
    GraphSpec,
    Manifest,
    Provenance,
    ScanSpec,
    Statistics,
    TensorSpec,
)
from planner_core.onnx_generator import GRAPH, KIND
from planner_core.robot import Robot
from planner_core.selection import best_feasible
from trajectory_learning.problems.navigation_ranker import NavigationPlanner, Ranking

PARITY_TOLERANCE = 1e-4
INPUTS = ("scan", "velocity", "goal", "noise")
OUTPUTS = Ranking._fields
COMPARED = ("window", "value", "clearance", "acceleration")
"""Outputs that parity compares; the others are steps, at whose edges the last bit decides."""


@dataclass(frozen=True)
class Latency:
    """Duration of the graph alone, one thread, for a number of candidates.

    Attributes:
        candidates: ``K``.
        p50_ms: Median [ms].
        p99_ms: 99th percentile [ms].
    """

    candidates: int
    p50_ms: float
    p99_ms: float


def onnx_graph(planner: NavigationPlanner, candidates: int) -> bytes:
    """The planner as an ONNX graph with a free number of candidates.

    Args:
        planner: What to export.
        candidates: Number of candidates of the example; any other works as well.
    """
    noise = torch.zeros(candidates, planner.model.network.config.noise)
    example = (torch.ones(planner.model.rays), torch.zeros(3), torch.ones(3), noise)
    return exported(planner, dict(zip(INPUTS, example, strict=True)), OUTPUTS, {"noise": "K"})


def exported(
    module: torch.nn.Module,
    example: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    batched: Mapping[str, str],
) -> bytes:
    """A module as an ONNX graph.

    Args:
        module: What to export.
        example: Its inputs by name, in order.
        outputs: Names of its outputs, in order.
        batched: Name of the first dimension of the inputs that may have any length.
    """
    lengths = {name: torch.export.Dim(name, min=2, max=4096) for name in set(batched.values())}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            module.eval(),
            tuple(example.values()),
            path,
            input_names=list(example),
            output_names=list(outputs),
            dynamic_shapes=tuple(
                {0: lengths[batched[name]]} if name in batched else None for name in example
            ),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        return _without_metadata(onnx.load(path)).SerializeToString()


def _without_metadata(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop the exporter's notes: they hold source paths of the machine that exported."""
    holders = [model, model.graph, *model.graph.node, *model.graph.initializer]
    holders += [*model.graph.input, *model.graph.output, *model.graph.value_info]
    for holder in holders:
        holder.ClearField("metadata_props")
        holder.ClearField("doc_string")
    return model


def parity(
    planner: NavigationPlanner, graph: bytes, examples: Mapping[str, NDArray], candidates: int
) -> float:
    """Largest difference between torch and onnxruntime.

    Args:
        planner: The original.
        graph: The export.
        examples: ``scan`` (n, N), ``velocity`` (n, 3) and ``goal`` (n, 3).
        candidates: ``K``.

    Returns:
        Largest absolute difference of window, values, clearances and accelerations over all
        examples, in their units, relative to 1 + magnitude.
    """
    session = _session(graph)
    rng = np.random.default_rng(0)
    worst = 0.0
    for scan, velocity, goal in zip(*(examples[name] for name in INPUTS[:3]), strict=True):
        noise = rng.standard_normal((candidates, planner.model.network.config.noise))
        values = [np.asarray(x, dtype=np.float32) for x in (scan, velocity, goal, noise)]
        with torch.no_grad():
            expected = planner(*map(torch.from_numpy, values))
            got = Ranking(*session.run(OUTPUTS, dict(zip(INPUTS, values, strict=True))))
            # Of two candidates that are equal but for the last bit either may win.
            winner = best_feasible(got.value, got.feasible)[0]
            window = planner.ranking.window(expected.acceleration[winner], torch.tensor(values[1]))
            expected = expected._replace(window=window)
        for name in COMPARED:
            a, b = getattr(expected, name).numpy(), getattr(got, name)
            # Clearance is 1e3 where nothing was hit: there, the last bit is more than 1e-4.
            worst = max(worst, float((np.abs(a - b) / (1 + np.abs(b))).max()))
    return worst


def latency(
    planner: NavigationPlanner, graph: bytes, candidates: int, calls: int = 2000
) -> Latency:
    """Time the graph on one thread."""
    session = _session(graph)
    rng = np.random.default_rng(0)
    shapes = ((planner.model.rays,), (3,), (3,), (candidates, planner.model.network.config.noise))
    inputs = {
        name: rng.random(shape).astype(np.float32)
        for name, shape in zip(INPUTS, shapes, strict=True)
    }
    durations = []
    for _ in range(calls + 50):
        begin = time.perf_counter()
        session.run(OUTPUTS, inputs)
        durations.append(time.perf_counter() - begin)
    p50, p99 = np.percentile(durations[50:], [50, 99]) * 1e3
    return Latency(candidates, float(p50), float(p99))


def write_bundle(
    folder: Path,
    planner: NavigationPlanner,
    graph: bytes,
    robot: Robot,
    *,
    name: str,
    candidates: int,
    stochastic: bool,
    provenance: Provenance,
    quality: Mapping[str, float],
    latencies: Mapping[str, float],
) -> Manifest:
    """Write graph and manifest.

    Args:
        folder: Where.
        planner: What the graph computes.
        graph: The graph.
        robot: Robot that it plans for.
        name: Name of the bundle.
        candidates: ``K`` unless the user asks for another number.
        stochastic: Whether the noise matters.
        provenance: Where the model comes from.
        quality: Measured quality by name.
        latencies: Measured latency by name.
    """
    network, ranker = planner.model.network, planner.ranking.config
    horizon, rays = network.horizon, planner.model.rays
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        name=name,
        kind=KIND,
        robot=robot.name,
        frame_id=robot.frame_id,
        dof_names=robot.names,
        dof_units=robot.units,
        horizon=horizon,
        dt_s=network.dt_s,
        candidates=candidates,
        stochastic=stochastic,
        scan=ScanSpec(rays, planner.ranking.max_range_m),
        limits={
            "acceleration_m_s2": network.config.acceleration_limit,
            "speed_m_s": ranker.speed_limit,
            "clearance_m": ranker.clearance_m,
            "exposure_m": ranker.exposure_m,
        },
        graphs={
            GRAPH: GraphSpec(
                "model.onnx",
                hashlib.sha256(graph).hexdigest(),
                (*observation_inputs(rays), TensorSpec("noise", ("K", network.config.noise), "1")),
                ranking_outputs(horizon),
            )
        },
        normalisation=Statistics(
            tuple(planner.model.mean.tolist()), tuple(planner.model.std.tolist())
        ),
        sampler=None,
        provenance=provenance,
        quality=dict(quality),
        latency=dict(latencies),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / manifest.graph(GRAPH).file).write_bytes(graph)
    save_manifest(manifest, folder)
    return manifest


def observation_inputs(rays: int) -> tuple[TensorSpec, ...]:
    """What every graph of a navigating robot is told of the observation."""
    return (
        TensorSpec("scan", (rays,), "m"),
        TensorSpec("velocity", (3,), "m/s"),
        TensorSpec("goal", (3,), "m"),
    )


def ranking_outputs(horizon: int) -> tuple[TensorSpec, ...]:
    """What every graph that ranks gives."""
    return (
        TensorSpec("window", (3, horizon, 3), "m, m/s, m/s^2"),
        TensorSpec("value", ("K",), "m"),
        TensorSpec("clearance", ("K",), "m"),
        TensorSpec("feasible", ("K",), "1"),
        TensorSpec("cost", ("K",), "s"),
        TensorSpec("acceleration", ("K", 3, horizon), "m/s^2"),
    )


def _session(graph: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
