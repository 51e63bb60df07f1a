"""Commands of ``python -m trajectory_learning``: data, train, export, evaluate, benchmark, list."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from planner_core.bundle import load_bundle, save_manifest
from planner_core.dataset_file import save as save_dataset
from planner_core.errors import DriftpilotError
from planner_core.manifest import Provenance
from planner_core.robots import crazyflie
from planner_core.world import random_world
from trajectory_learning import __version__, diffusion_commands, evaluation, figures
from trajectory_learning.arguments import add_options, from_options
from trajectory_learning.benchmarks import PROBLEMS, datasets, load_problem, results, runner
from trajectory_learning.checkpoint import Checkpoint, is_diffusion, load_checkpoint
from trajectory_learning.diffusion_export import SamplingConfig
from trajectory_learning.evaluation import EvaluationConfig
from trajectory_learning.export import PARITY_TOLERANCE, latency, onnx_graph, parity, write_bundle
from trajectory_learning.methods import METHODS
from trajectory_learning.model_card import write_model_card
from trajectory_learning.networks.late_branch import LateBranchConfig
from trajectory_learning.problems import navigation_data
from trajectory_learning.problems.flight import FlightConfig
from trajectory_learning.problems.navigation import cut_windows
from trajectory_learning.problems.navigation_data import DataConfig
from trajectory_learning.problems.navigation_diffusion import METHODS as DIFFUSION_METHODS
from trajectory_learning.problems.navigation_diffusion import DiffusionConfig
from trajectory_learning.problems.navigation_ranker import NavigationPlanner, RankerConfig
from trajectory_learning.problems.navigation_recordings import RecordingConfig, load_flights
from trajectory_learning.training import TrainingConfig, train
from trajectory_learning.training_record import TensorBoardLog, TrainingState

HORIZON = 32
CANDIDATES = 64


def data(options: argparse.Namespace) -> None:
    """Write a data set: training flights to a file, those of a benchmark in Minari's layout."""
    if options.problem != "navigation":
        made = datasets.make(options.problem, options.setting, options.quick, _command())
        digest = save_dataset(options.out, made)
        print(f"{options.out}: {len(made.episodes)} episodes, {made.total_steps} steps, "
              f"sha256 {digest}")  # fmt: skip
        return
    config = from_options(DataConfig, options)
    flights = navigation_data.fly(config, jobs=options.jobs, ray=options.ray)
    digest = navigation_data.save(flights, config, options.out, _command())
    print(f"{options.out}: {len(flights.flight)} samples, sha256 {digest}")


def training(options: argparse.Namespace) -> None:
    """Train a generator and write its checkpoint and a picture of its samples."""
    config = from_options(TrainingConfig, options)
    if config.method in DIFFUSION_METHODS:
        diffusion_commands.training(options, config, HORIZON, _command())
        return
    if config.method not in METHODS:
        raise ValueError(
            f"method {config.method!r}: one of {sorted([*METHODS, *DIFFUSION_METHODS])}"
        )
    network = from_options(LateBranchConfig, options)
    flights, flown, held = load_flights(options.data, from_options(RecordingConfig, options))
    windows = cut_windows(flights, flown, HORIZON)
    about = {**asdict(config), **asdict(network), "data": str(flights.provenance["sha256"])}
    state = TrainingState.beside(options.out, about, resume=options.resume)
    with TensorBoardLog(options.tensorboard) as log:
        model, report = train(windows, flown.dt_s, config, network, held=held, state=state, log=log)
    provenance = {
        "command": _command(),
        "version": __version__,
        "data_command": str(flights.provenance["command"]),
        "data_sha256": str(flights.provenance["sha256"]),
    }
    quality = {
        "training_steps": float(report.steps),
        "training_processor_s": report.seconds,
        "training_windows": float(report.windows),
        **{f"held_out_{name}": value for name, value in report.held_out.items()},
    }
    checkpoint = Checkpoint(
        model, network, config, HORIZON, flown.dt_s, flown.rays, flown.max_range_m,
        provenance, quality,
    )  # fmt: skip
    checkpoint.save(options.out)
    state.discard()
    planner = NavigationPlanner(model, RankerConfig(), flown.max_range_m)
    figures.samples_figure(
        planner, windows, options.out.with_suffix(".png"),
        candidates=CANDIDATES, stochastic=METHODS[config.method]().stochastic,
    )  # fmt: skip
    for name, value in quality.items():
        print(f"{name:32s} {value:.4g}")


def export(options: argparse.Namespace) -> None:
    """Write a checkpoint as a model bundle, if the graph computes what torch computes."""
    if is_diffusion(options.checkpoint):
        write_model_card(diffusion_commands.export(options), options.out)
        return
    checkpoint = load_checkpoint(options.checkpoint)
    stochastic = METHODS[checkpoint.training.method]().stochastic
    # One deterministic candidate has no alternative: braking in its place would replace it.
    ranker = from_options(RankerConfig, options)
    ranker = replace(ranker, brake=ranker.brake and stochastic)
    planner = NavigationPlanner(checkpoint.model, ranker, checkpoint.max_range_m).eval()
    graph = onnx_graph(planner, CANDIDATES)
    candidates = CANDIDATES if stochastic else 1
    error = parity(planner, graph, _examples(checkpoint, options.parity_inputs), candidates)
    if not error <= PARITY_TOLERANCE:
        raise ValueError(f"torch and onnxruntime differ by {error:.2g} > {PARITY_TOLERANCE:g}")
    timing = latency(planner, graph, candidates)
    history = checkpoint.provenance
    manifest = write_bundle(
        options.out,
        planner,
        graph,
        crazyflie(),
        name=options.out.name,
        candidates=candidates,
        stochastic=stochastic,
        provenance=Provenance(
            checkpoint.training.method, history["command"], history["version"],
            history["data_sha256"], history["data_command"], checkpoint.training.seed,
        ),
        quality={**checkpoint.quality, "parity_error": error},
        latencies={f"graph_k{candidates}_p50_ms": timing.p50_ms},
    )  # fmt: skip
    write_model_card(manifest, options.out)
    print(f"{options.out}: parity {error:.1e}, K={candidates} p50 {timing.p50_ms:.3f} ms")


def _examples(checkpoint: Checkpoint, count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "scan": rng.uniform(0.1, checkpoint.max_range_m * 1.2, (count, checkpoint.rays)).clip(
            max=checkpoint.max_range_m
        ),
        "velocity": rng.normal(0.0, 0.7, (count, 3)),
        "goal": rng.uniform(-6.0, 6.0, (count, 3)),
    }


def evaluate(options: argparse.Namespace) -> None:
    """Fly planners through unseen worlds; write table, figures and pictures."""
    config = from_options(EvaluationConfig, options)
    flight = from_options(FlightConfig, options)
    entries = [evaluation.parse_entry(text) for text in options.planners]
    flights = evaluation.evaluate(entries, config, flight)
    results = evaluation.write_report(flights, config, flight, _command(), options.out)
    shown = min(12, config.worlds)
    worlds = [
        random_world(config.first_seed + i, density_per_m2=config.density_per_m2)
        for i in range(shown)
    ]
    figures.flights_figure(worlds, flights, options.out / "flights.png")
    if options.record:
        for entry in entries:
            if entry.bundle:
                _record(Path(entry.bundle), results[entry.name])
    print((options.out / "results.md").read_text(encoding="utf-8"))


def _record(folder: Path, figures_of_planner: dict[str, float]) -> None:
    """Put measured figures into the manifest and the model card of a bundle."""
    manifest = load_bundle(folder).manifest
    timed = {k: v for k, v in figures_of_planner.items() if k.startswith("call_")}
    measured = {
        f"unseen_{name}": value
        for name, value in figures_of_planner.items()
        if name not in timed and np.isfinite(value)
    }
    manifest = replace(
        manifest,
        quality={**manifest.quality, **measured},
        latency={**manifest.latency, **timed},
    )
    save_manifest(manifest, folder)
    write_model_card(manifest, folder)


def benchmark(options: argparse.Namespace) -> None:
    """Train and test the methods of a problem side by side; a finished row is not run again."""
    out = options.out or Path("reports") / options.problem
    request = runner.Request(
        options.problem, out, tuple(options.rows), tuple(options.settings), options.seeds,
        options.episode_seed, options.quick, options.jobs, options.ray,
    )  # fmt: skip
    problem = load_problem(options.problem)
    runner.chosen_rows(problem, request)
    if options.background:
        again = [argument for argument in options.arguments if argument != "--background"]
        process, log = runner.in_background(again, out)
        print(f"process {process}; its progress: {log}")
        return
    lines = runner.run(request)
    if options.json:
        results.write(problem, lines, runner.settings_of(request), options.json)
    print(results.markdown(problem, lines))


def show(options: argparse.Namespace) -> None:
    """List benchmark problems with their settings and methods, training methods and networks."""
    for name in PROBLEMS:
        problem = load_problem(name)
        print(f"{name}: {problem.title}")
        print(f"  settings: {'; '.join(problem.settings())}")
        methods = {row.method: None for s in problem.settings() for row in problem.rows(s)}
        print(f"  methods:  {'; '.join(methods)}")
    print(f"training methods: {', '.join(METHODS)}")
    folder = resources.files("trajectory_learning.networks")
    modules = sorted(file.name.removesuffix(".py") for file in folder.iterdir())
    print(f"networks: {', '.join(name for name in modules if not name.startswith('__'))}")


def _command() -> str:
    return " ".join(["python -m trajectory_learning", *sys.argv[1:]])


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser("python -m trajectory_learning", description=__doc__)
    commands = root.add_subparsers(required=True, metavar="command")
    verbs = {
        "data": (data, (DataConfig,)),
        "train": (
            training,
            (TrainingConfig, LateBranchConfig, DiffusionConfig, RecordingConfig),
        ),
        "export": (export, (RankerConfig, SamplingConfig)),
        "evaluate": (evaluate, (EvaluationConfig, FlightConfig)),
    }
    made = {}
    for name, (run, configs) in verbs.items():
        verb = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        problems = ["navigation", *datasets.NAMES] if name == "data" else ["navigation"]
        verb.add_argument("problem", choices=problems)
        verb.add_argument("--out", type=Path, required=True, help="file or folder to write")
        for config in configs:
            add_options(verb, config)
        verb.set_defaults(run=run)
        made[name] = verb
    made["data"].add_argument(
        "--setting", default="", help="of a benchmark problem; see `list` (default: its first)"
    )
    made["data"].add_argument(
        "--quick", action="store_true", help="a small one of a benchmark problem"
    )
    made["data"].add_argument(
        "--jobs", type=int, default=1, help="processes that fly (those of a benchmark take one)"
    )
    made["data"].add_argument("--ray", default="", metavar="ADDRESS", help="fly on a Ray cluster")
    made["train"].add_argument(
        "--data", type=Path, required=True, help="file of flights, or folder of recorded ones"
    )
    made["train"].add_argument(
        "--resume", action="store_true", help="go on where the same command was interrupted"
    )
    made["train"].add_argument(
        "--tensorboard", type=Path, metavar="FOLDER", help="write logs for TensorBoard"
    )
    made["export"].add_argument("--checkpoint", type=Path, required=True, help="file of `train`")
    made["export"].add_argument(
        "--ranker",
        type=Path,
        help="checkpoint of a one-step planner, which ranks",
    )
    made["export"].add_argument(
        "--parity-inputs", type=int, default=1000, help="random inputs of the parity check"
    )
    made["evaluate"].add_argument(
        "--planners", nargs="+", required=True, metavar="NAME[=BUNDLE]",
        help=f"planners: NAME=BUNDLE_FOLDER, {', '.join(evaluation.CLASSICAL)}",
    )  # fmt: skip
    made["evaluate"].add_argument(
        "--record", action="store_true", help="write the figures into the bundles' manifests"
    )
    verb = commands.add_parser("benchmark", help=benchmark.__doc__, description=benchmark.__doc__)
    verb.add_argument("problem", help=f"one of {', '.join(PROBLEMS)}")
    verb.add_argument("--json", type=Path, help="file of figures to write")
    verb.add_argument(
        "--out", type=Path,
        help="folder of finished rows, table and figure (default: reports/<problem>)",
    )  # fmt: skip
    verb.add_argument("--rows", nargs="+", default=[], help="methods to run (default: all)")
    verb.add_argument("--settings", nargs="+", default=[], help="settings to run (default: all)")
    verb.add_argument("--quick", action="store_true", help="small sizes: a check, not a result")
    verb.add_argument("--seeds", type=int, default=3, help="seeds of the rows that carry a claim")
    verb.add_argument("--episode-seed", type=int, help="other test episodes than the published")
    verb.add_argument("--jobs", type=int, default=1, help="rows at a time, each on one thread")
    verb.add_argument(
        "--ray",
        default="",
        metavar="ADDRESS",
        help="run rows on a Ray cluster instead",
    )
    verb.add_argument("--background", action="store_true", help="return at once, and run on")
    verb.set_defaults(run=benchmark)
    verb = commands.add_parser("list", help=show.__doc__, description=show.__doc__)
    verb.set_defaults(run=show)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    options = parser().parse_args(arguments)
    options.arguments = list(sys.argv[1:] if arguments is None else arguments)
    # More threads do not speed networks of this size up, and they disturb measured latencies.
    torch.set_num_threads(1)
    try:
        options.run(options)
    except (DriftpilotError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    # `kill` is an interrupt, too: rows that run in processes come to their end, and are kept.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
