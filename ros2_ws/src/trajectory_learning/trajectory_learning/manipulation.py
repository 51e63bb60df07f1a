"""``python -m trajectory_learning.manipulation``: train and export the planner of an arm.

The demonstrations come from ``python -m robot_simulation.so100.demonstrations``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort
import torch
from planner_core.bundle import save_manifest
from planner_core.manifest import (
    FORMAT_VERSION,
    GraphSpec,
    Manifest,
    Provenance,
    Statistics,
    TensorSpec,
)
from planner_core.manipulation import GOAL, OBJECT, OBJECTS
from planner_core.onnx_generator import GRAPH, JOINT_KIND
from planner_core.robots import so100
from planner_core.scripted_manipulation import DT_S, HORIZON
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from trajectory_learning import __version__
from trajectory_learning.arguments import add_options, from_options
from trajectory_learning.export import exported
from trajectory_learning.methods import METHODS
from trajectory_learning.model_card import write_model_card
from trajectory_learning.networks.late_branch import LateBranchConfig
from trajectory_learning.problems.arm_ranking import ManipulationPlanner, Ranking
from trajectory_learning.problems.manipulation import ManipulationModel, WindowMetric, Windows
from trajectory_learning.training import TrainingConfig

CANDIDATES: Final = 64
SAMPLES: Final = 4
"""Of each condition in a step, of a stochastic method: more take longer than they teach."""
PARITY_TOLERANCE: Final = 1e-3
"""[rad] Largest difference of a window between torch and onnxruntime."""
INPUTS: Final = ("position", "velocity", OBJECTS, "goal", "noise")
NETWORK: Final = LateBranchConfig(
    trunk_width=256, trunk_blocks=3, branch_width=128, modes=10, acceleration_limit=40.0
)


def load(paths: list[Path]) -> tuple[Windows, dict[str, str]]:
    """Demonstrations of several files, and where they come from."""
    parts: dict[str, list[np.ndarray]] = {}
    about = []
    for path in paths:
        with np.load(path, allow_pickle=False) as archive:
            about.append(json.loads(str(archive["about"])))
            for name in ("position", "velocity", "object", "goal", "window", "episode"):
                parts.setdefault(name, []).append(archive[name])
    tensors = {name: torch.from_numpy(np.concatenate(rows)) for name, rows in parts.items()}
    tensors["thing"] = tensors.pop("object")
    # The script plans from within the limits of the joints, wherever they were measured.
    tensors["position"] = tensors["window"][:, 0, 0]
    digest = hashlib.sha256("".join(a["sha256"] for a in about).encode()).hexdigest()
    command = "; ".join(a["command"] for a in about)
    return Windows(**tensors), {"data_command": command, "data_sha256": digest}


def train(
    windows: Windows, config: TrainingConfig, start: ManipulationModel | None = None
) -> tuple[ManipulationModel, Tensor, dict[str, float]]:
    """Train a generator.

    Args:
        windows: Demonstrations.
        config: How; the value head is not trained, and nothing is mirrored.
        start: Where training begins, with its statistics; None begins anew.

    Returns:
        The averaged model, the spread of windows, and held-out figures.
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    method = METHODS[config.method]()
    episodes = np.unique(windows.episode.numpy())
    held = episodes[rng.random(len(episodes)) < config.held_out]
    is_held = torch.from_numpy(np.isin(windows.episode.numpy(), held))
    data, measured = windows.subset(~is_held), windows.subset(is_held)
    metric = WindowMetric(data, DT_S)
    model = ManipulationModel(HORIZON, DT_S, NETWORK)
    if start is None:
        model.set_statistics(data)
    else:
        model.load_state_dict(start.state_dict())
    average = ManipulationModel(HORIZON, DT_S, NETWORK)
    average.load_state_dict(model.state_dict())
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    with torch.no_grad():
        keys = model.condition(data.told)
        targets = metric.nearest(data, DT_S)
    kept, new = list(average.parameters()), list(model.parameters())
    begin, step, done = time.process_time(), 0, 0.0
    while done < 1.0:
        for group in optimiser.param_groups:
            warm = min(1.0, (step + 1) / 200)
            group["lr"] = config.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * done))
        rows = torch.from_numpy(rng.integers(0, len(data), config.batch))
        loss = _loss(model, method, metric, keys[rows], targets[rows])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        decay = min(config.averaging, (step + 1) / (step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(kept, new, 1 - decay)
        spent = time.process_time() - begin
        done = step / config.steps if config.steps else spent / config.seconds
        if step % 500 == 0:
            print(f"{done:5.0%} step {step} loss {float(loss.detach()):.4f}", flush=True)
    quality = {
        "training_steps": float(step),
        "training_processor_s": time.process_time() - begin,
        "training_windows": float(len(data)),
    }
    if start is None:
        # What it began with may have been taught what is held out here.
        quality |= _held_out(average, method, metric, measured)
    return average.eval(), metric.scale, quality


def _noise(method: Any, rows: int, samples: int) -> Tensor:
    noise = torch.randn(rows, samples, NETWORK.noise)
    return noise if method.stochastic else torch.zeros_like(noise)


def _loss(
    model: ManipulationModel, method: Any, metric: WindowMetric, key: Tensor, target: Tensor
) -> Tensor:
    noise = _noise(method, len(key), min(method.samples, SAMPLES))
    encoded = model.network.encode(key).unsqueeze(1)
    samples = metric.flatten(model.network.along_time(encoded, noise))
    return method.loss(samples, target, key)


@torch.no_grad()
def _held_out(
    model: ManipulationModel, method: Any, metric: WindowMetric, windows: Windows
) -> dict[str, float]:
    if not len(windows):
        return {}
    torch.manual_seed(0)
    windows = windows.subset(torch.arange(min(4000, len(windows))))
    key = model.condition(windows.told)
    noise = _noise(method, len(windows), 16)
    encoded = model.network.encode(key).unsqueeze(1)
    samples = metric.flatten(model.network.along_time(encoded, noise))
    to_data = (samples - metric.nearest(windows, DT_S)[:, None]).norm(dim=-1)
    apart = torch.cdist(samples, samples).sum(dim=(1, 2)) / (16 * 15)
    return {
        "held_out_energy_score": float((to_data.mean(dim=1) - 0.5 * apart).mean()),
        "held_out_distance_of_nearest": float(to_data.min(dim=1).values.mean()),
        "held_out_spread": float(apart.mean()),
    }


def export(
    model: ManipulationModel,
    scale: Tensor,
    config: TrainingConfig,
    history: dict[str, str],
    quality: dict[str, float],
    folder: Path,
) -> None:
    """Write a model bundle, if the graph computes what torch computes.

    Raises:
        ValueError: It does not.
    """
    stochastic = METHODS[config.method]().stochastic
    planner = ManipulationPlanner(model, scale).eval()
    example = (
        torch.tensor([0.0, -1.6, 1.3, 0.8, 0.0, 0.8]), torch.zeros(6),
        torch.tensor([0.2, 0.0, 0.0125, 0.1]), torch.tensor([0.2, 0.1, 0.0125]),
        torch.zeros(CANDIDATES, NETWORK.noise),
    )  # fmt: skip
    inputs = dict(zip(INPUTS, example, strict=True))
    graph = exported(planner, inputs, Ranking._fields, {"noise": "K"})
    candidates = CANDIDATES if stochastic else 1
    error, p50_ms = _compare(planner, graph, max(candidates, 2), example)
    if not error <= PARITY_TOLERANCE:
        raise ValueError(f"torch and onnxruntime differ by {error:.2g} > {PARITY_TOLERANCE:g}")
    robot = so100()
    units = {"position": "rad", "velocity": "rad/s", OBJECTS: "m, rad", "goal": "m", "noise": "1"}
    shapes: dict[str, tuple[int | str, ...]] = {
        **{name: tuple(value.shape) for name, value in inputs.items()},
        "noise": ("K", NETWORK.noise),
    }  # fmt: skip
    manifest = Manifest(
        format_version=FORMAT_VERSION, name=folder.name, kind=JOINT_KIND, robot=robot.name,
        frame_id=robot.frame_id, dof_names=robot.names, dof_units=robot.units, horizon=HORIZON,
        dt_s=DT_S, candidates=candidates, stochastic=stochastic, scan=None,
        limits={"acceleration_rad_s2": NETWORK.acceleration_limit, "floor_m": planner.floor_m},
        graphs={
            GRAPH: GraphSpec(
                "model.onnx", hashlib.sha256(graph).hexdigest(),
                tuple(TensorSpec(name, shapes[name], units[name]) for name in INPUTS),
                (
                    TensorSpec("window", (3, HORIZON, 6), "rad, rad/s, rad/s^2"),
                    TensorSpec("value", ("K",), "1"),
                    TensorSpec("feasible", ("K",), "1"),
                    TensorSpec("cost", ("K",), "s"),
                    TensorSpec("acceleration", ("K", 6, HORIZON), "rad/s^2"),
                ),
            )
        },
        normalisation=Statistics(tuple(model.mean.tolist()), tuple(model.std.tolist())),
        sampler=None,
        provenance=Provenance(
            config.method, history["command"], __version__, history["data_sha256"],
            history["data_command"], config.seed,
        ),
        quality={**quality, "parity_error_rad": error},
        latency={f"graph_k{candidates}_p50_ms": p50_ms},
        sensors={OBJECTS: OBJECT},
        goal_names=GOAL,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(graph)
    save_manifest(manifest, folder)
    write_model_card(manifest, folder)
    print(f"{folder}: parity {error:.1e} rad, K={candidates} p50 {p50_ms:.3f} ms")


def _compare(
    planner: ManipulationPlanner, graph: bytes, candidates: int, example: tuple[Tensor, ...]
) -> tuple[float, float]:
    """Largest difference [rad] of the candidates' accelerations, integrated, and p50 [ms]."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    worst, durations = 0.0, []
    spread = (torch.full((6,), 0.3), torch.full((6,), 0.5), torch.full((4,), 0.02))
    for _ in range(300):
        values = [
            x + s * torch.randn(x.shape, generator=generator)
            for x, s in zip(example, (*spread, torch.full((3,), 0.02)), strict=False)
        ]
        values.append(torch.randn(candidates, NETWORK.noise, generator=generator))
        feeds = {name: value.numpy() for name, value in zip(INPUTS, values, strict=True)}
        begin = time.perf_counter()
        got = Ranking(*session.run(Ranking._fields, feeds))
        durations.append(time.perf_counter() - begin)
        with torch.no_grad():
            expected = planner(*values)
        to_position = planner.model.network.to_position.numpy().T
        gap = (got.acceleration - expected.acceleration.numpy()) @ to_position
        worst = max(worst, float(np.abs(gap).max()))
    return worst, float(np.percentile(durations, 50) * 1e3)


def restored(checkpoint: Path) -> tuple[ManipulationModel, Tensor, dict[str, Any]]:
    """A model from the file that `train` wrote, its spread of windows, and what is known of it."""
    with safe_open(checkpoint, framework="pt") as file:
        about = json.loads(file.metadata()["manipulation"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    scale = tensors.pop("scale")
    model = ManipulationModel(HORIZON, DT_S, NETWORK)
    model.load_state_dict(tensors)
    return model, scale, about


def main() -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser("python -m trajectory_learning.manipulation")
    commands = parser.add_subparsers(required=True, dest="verb")
    verb = commands.add_parser("train", help="train a generator and write its checkpoint")
    verb.add_argument("--data", type=Path, nargs="+", required=True, help="demonstrations")
    verb.add_argument("--out", type=Path, required=True, help="checkpoint to write")
    verb.add_argument("--start", type=Path, help="checkpoint that training goes on from")
    add_options(verb, TrainingConfig)
    verb = commands.add_parser("export", help="write a checkpoint as a model bundle")
    verb.add_argument("--checkpoint", type=Path, required=True, help="file of `train`")
    verb.add_argument("--out", type=Path, required=True, help="folder to write")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.verb == "train":
        config = from_options(TrainingConfig, options)
        windows, history = load(options.data)
        command = " ".join(["python -m trajectory_learning.manipulation", *sys.argv[1:]])
        if options.start is None:
            model, scale, quality = train(windows, config)
        else:
            start, _, before = restored(options.start)
            model, scale, quality = train(windows, config, start)
            command = f"{before['history']['command']}; {command}"
            for name in ("training_steps", "training_processor_s"):
                quality[name] += before["quality"][name]
        history["command"] = command
        about = {"training": asdict(config), "history": history, "quality": quality}
        tensors = {name: value.contiguous() for name, value in model.state_dict().items()}
        options.out.parent.mkdir(parents=True, exist_ok=True)
        save_file({**tensors, "scale": scale}, options.out, {"manipulation": json.dumps(about)})
        for name, value in quality.items():
            print(f"{name:32s} {value:.4g}")
        return 0
    model, scale, about = restored(options.checkpoint)
    config = TrainingConfig(**about["training"])
    export(model, scale, config, about["history"], about["quality"], options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
