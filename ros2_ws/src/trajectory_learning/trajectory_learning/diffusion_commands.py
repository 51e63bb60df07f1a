"""What the commands do for diffusion planners; `trajectory_learning.__main__` calls it."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from planner_core.bundle import load_bundle
from planner_core.diffusion_generator import DiffusionGenerator
from planner_core.manifest import Manifest, Provenance
from planner_core.plan import Observation
from planner_core.robots import crazyflie
from trajectory_learning import __version__, figures
from trajectory_learning.arguments import from_options
from trajectory_learning.checkpoint import (
    DiffusionCheckpoint,
    load_checkpoint,
    load_diffusion_checkpoint,
)
from trajectory_learning.diffusion_export import (
    PREDICTIONS,
    SamplingConfig,
    graphs,
    write_diffusion_bundle,
)
from trajectory_learning.diffusion_training import train_diffusion
from trajectory_learning.export import COMPARED, PARITY_TOLERANCE
from trajectory_learning.problems import navigation_data
from trajectory_learning.problems.navigation import cut_windows
from trajectory_learning.problems.navigation_diffusion import DiffusionConfig
from trajectory_learning.problems.navigation_ranker import NavigationRanker, RankerConfig
from trajectory_learning.training import TrainingConfig
from trajectory_learning.training_record import TensorBoardLog, TrainingState

DRAWN_PLANS = 16


def training(
    options: argparse.Namespace, config: TrainingConfig, horizon: int, command: str
) -> None:
    """Train a diffusion planner and write its checkpoint."""
    diffusion = from_options(DiffusionConfig, options)
    flights, flown = navigation_data.load(options.data)
    windows = cut_windows(flights, flown, horizon)
    about = {**asdict(config), **asdict(diffusion), "data": str(flights.provenance["sha256"])}
    state = TrainingState.beside(options.out, about, resume=options.resume)
    with TensorBoardLog(options.tensorboard) as log:
        model, report = train_diffusion(windows, config, diffusion, state=state, log=log)
    quality = {
        "training_steps": float(report.steps),
        "training_processor_s": report.seconds,
        "training_windows": float(report.windows),
        **{f"held_out_{name}": value for name, value in report.held_out.items()},
    }
    provenance = {
        "command": command,
        "version": __version__,
        "data_command": str(flights.provenance["command"]),
        "data_sha256": str(flights.provenance["sha256"]),
    }
    checkpoint = DiffusionCheckpoint(
        model, diffusion, config, horizon, flown.rays, provenance, quality
    )
    checkpoint.save(options.out)
    state.discard()
    figures.diffusion_figure(
        model, windows, flown.max_range_m, options.out.with_suffix(".png"), DRAWN_PLANS
    )
    for name, value in quality.items():
        print(f"{name:32s} {value:.4g}")


def export(options: argparse.Namespace) -> Manifest:
    """Write the checkpoint of a diffusion planner as a model bundle.

    Raises:
        ValueError: No ranker was named, or a graph does not compute what torch computes.
    """
    if options.ranker is None:
        raise ValueError("a diffusion planner needs --ranker, the checkpoint of a one-step planner")
    checkpoint, ranking = (
        load_diffusion_checkpoint(options.checkpoint),
        load_checkpoint(options.ranker),
    )
    sampling = from_options(SamplingConfig, options)
    ranker = NavigationRanker(
        ranking.model, from_options(RankerConfig, options), ranking.max_range_m
    ).eval()
    made = graphs(checkpoint.model, ranker, sampling.candidates)
    error = max(
        graph.parity(options.parity_inputs, COMPARED[1:] if name == "rank" else PREDICTIONS)
        for name, graph in made.items()
    )
    if not error <= PARITY_TOLERANCE:
        raise ValueError(f"torch and onnxruntime differ by {error:.2g} > {PARITY_TOLERANCE:g}")
    history = checkpoint.provenance
    manifest = write_diffusion_bundle(
        options.out, checkpoint.model, ranker, made, crazyflie(), sampling,
        provenance=Provenance(
            checkpoint.training.method, history["command"], history["version"],
            history["data_sha256"], history["data_command"], checkpoint.training.seed,
        ),
        quality={**checkpoint.quality, "parity_error": error}, latencies={},
    )  # fmt: skip
    print(f"{options.out}: parity {error:.1e}, {_call_ms(options.out):.1f} ms from noise")
    return manifest


def _call_ms(folder: Path) -> float:
    """Median time of a planning call from noise [ms]."""
    generator = DiffusionGenerator(load_bundle(folder))
    generator.warm_up()
    rest, rng, durations = np.zeros(4), np.random.default_rng(0), []
    observation = Observation(0, rest, rest, rest, {"scan": np.full(48, 4.0)})
    for _ in range(5):
        begin = time.perf_counter()
        generator.plan(observation, None, 0, rng)
        durations.append(time.perf_counter() - begin)
    return float(np.median(durations)) * 1e3
