"""How long planning calls take: ``python -m planner_core.benchmark latency``.

A call is the whole of `TrajectoryGenerator.plan`, from an observation to ranked candidates, plus
the winner as a plan; one thread, warm-up left out. The share of the peak compares the arithmetic of
the graphs with what one thread reaches in a large float32 product on the same machine, in the same
run.

Letters: ``K`` candidates, ``H`` samples of a window, ``D`` channels.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from planner_core.benchmark_graphs import (
    bundle_of,
    denoiser_graph,
    multiplications,
    product_graph,
)
from planner_core.bundle import Bundle, load_bundle
from planner_core.diffusion_sampler import DiffusionSampler, configured
from planner_core.errors import DriftpilotError
from planner_core.inference import Graph
from planner_core.manifest import SamplerSpec
from planner_core.plan import Observation, Plan, TrajectoryGenerator
from planner_core.planners import PlannerRequest, SamplerSettings, load_planner, planner_of
from planner_core.robots import load_robot

Floats = NDArray[np.float32]

MINIMUM_CALLS = 20
PRODUCT = 512
FACTOR = 100
"""How much faster than the Diffuser from noise, K = 64, the one-step planner is to be."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What one case came to.

    Attributes:
        bundle: Model.
        generator: Planner, and how it was asked.
        K: Candidates.
        p50_ms: Median duration of a call [ms].
        p90_ms: 90th percentile [ms].
        p99_ms: 99th percentile [ms].
        cpu_ms: Mean processor time of a call [ms].
        peak_share: Arithmetic of the median call over what the machine could do in that time.
    """

    bundle: str
    generator: str
    K: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    cpu_ms: float
    peak_share: float


def measure(call: Callable[[], object], seconds: float) -> tuple[Floats, float]:
    """Time a call again and again.

    Args:
        call: What to time; called three times first.
        seconds: How long; some calls are made in any case.

    Returns:
        (n,) [s] durations, and the mean processor time of a call [s].
    """
    for _ in range(3):
        call()
    durations: list[float] = []
    begin, processor = time.perf_counter(), time.process_time()
    while time.perf_counter() - begin < seconds or len(durations) < MINIMUM_CALLS:
        start = time.perf_counter()
        call()
        durations.append(time.perf_counter() - start)
    return np.array(durations, np.float32), (time.process_time() - processor) / len(durations)


def peak_per_s(seconds: float = 0.5) -> float:
    """Floating-point operations that one thread does in a second, in a large float32 product."""
    graph = Graph(bundle_of({"product": product_graph(PRODUCT)}), "product")
    matrix = np.random.default_rng(0).standard_normal((PRODUCT, PRODUCT), dtype=np.float32)
    durations, _ = measure(lambda: graph.run(["c"], {"a": matrix, "b": matrix}), seconds)
    # The best of them: the machine's peak is not what is left of it while others compute.
    return 2 * PRODUCT**3 / float(durations.min())


def timing(
    names: tuple[str, str, int], call: Callable[[], object], arithmetic: int, run: Run
) -> Timing:
    """Time a case.

    Args:
        names: Bundle, generator and ``K``.
        call: One planning call.
        arithmetic: Floating-point operations of it.
        run: How long, and the machine's peak.
    """
    durations, processor_s = measure(call, run.seconds)
    p50, p90, p99 = (float(x) for x in np.percentile(durations, [50, 90, 99]))
    share = arithmetic / (p50 * run.peak_per_s)
    return Timing(*names, p50 * 1e3, p90 * 1e3, p99 * 1e3, processor_s * 1e3, share)


@dataclass(frozen=True, slots=True)
class Run:
    """What all cases have in common.

    Attributes:
        seconds: Time for each case [s].
        peak_per_s: Floating-point operations that one thread does in a second.
    """

    seconds: float
    peak_per_s: float


def time_bundle(folder: Path, candidates: Sequence[int], run: Run) -> list[Timing]:
    """Time the planner of a bundle, from noise and, where it has one, from a warm start."""
    bundle = load_bundle(folder)
    manifest = bundle.manifest
    planner = planner_of(bundle)
    found = []
    for count in candidates if manifest.stochastic else [1]:
        request = PlannerRequest(load_robot(manifest.robot), folder, count)
        generator = load_planner(planner, request)
        generator.warm_up()
        arithmetic = {name: multiplications(bundle.graphs[name], count) for name in bundle.graphs}
        cases: list[tuple[str, Plan | None, int]] = [(planner, None, sum(arithmetic.values()))]
        if (sampler := manifest.sampler) is not None:
            of_step = sum(arithmetic.get(role, 0) for role in ("planner", "dynamics"))
            # An exported network predicts with and without its condition; one of them is computed.
            of_step //= 2
            cases = [
                (f"{planner}, {steps} steps {start}", previous, steps * of_step + rank)
                for steps, start, previous in (
                    (sampler.steps, "from noise", None),
                    (sampler.warm_start_steps, "from the last plan", _previous(generator)),
                )
                for rank in [arithmetic.get("rank", 0)]
                if steps
            ]
        for name, previous, operations in cases:
            call = _call(generator, previous)
            found.append(timing((manifest.name, name, count), call, operations, run))
    return found


def _call(generator: TrajectoryGenerator, previous: Plan | None) -> Callable[[], object]:
    rng = np.random.default_rng(0)
    observation = _observation(generator)

    def call() -> object:
        batch = generator.plan(observation, previous, 0, rng)
        return batch.plan(batch.best)

    return call


def _observation(generator: TrajectoryGenerator) -> Observation:
    """A robot in flight, 4 m from its goal, in a room with something on all sides.

    One without a scan is all zeros: what a network is told changes nothing in its arithmetic.
    """
    spec = generator.spec
    if "scan" not in spec.sensors:
        sensors = {name: np.zeros(spec.width(name)) for name in spec.sensors}
        still = np.zeros(len(spec.dof_names))
        return Observation(0, still, still, np.zeros(len(spec.goal_names)), sensors)
    scan = 2.0 + np.cos(np.arange(spec.width("scan")))
    velocity, goal = np.array([0.6, 0.2, 0.0, 0.0]), np.array([4.0, 1.0, 1.2, 0.0])
    return Observation(0, np.array([0.0, 0.0, 1.0, 0.0]), velocity, goal, {"scan": scan})


def _previous(generator: TrajectoryGenerator) -> Plan:
    batch = generator.plan(_observation(generator), None, 0, np.random.default_rng(1))
    return batch.plan(batch.best)


def time_joints(run: Run) -> list[Timing]:
    """Samplers of a robot with 12 joints: one sample, H = 16, 7 steps from the last plan.

    Random weights: what is timed is the sampler, with networks of the size that such a robot needs.
    """
    horizon, joints, condition = 16, 12, 60
    channels, states = 3 * joints, 2 * joints
    found = []
    for coupling, outputs in (("planner", {}), ("joint", {"dynamics": states})):
        sizes = {"planner": channels, **outputs}
        bundle: Bundle = bundle_of(
            {name: denoiser_graph(horizon, channels, size, condition) for name, size in
             sizes.items()}
        )  # fmt: skip
        networks = {name: Graph(bundle, name) for name in sizes}
        levels = np.linspace(1.0, 0.01, 21)
        spec = SamplerSpec(
            tuple(levels.tolist()), "x0", coupling, 10, 7, 1.0, False, 0,
            (-5.0,) * channels, (5.0,) * channels,
        )  # fmt: skip
        sampler = DiffusionSampler(configured(spec, SamplerSettings()), (1, horizon, channels))
        told = np.zeros((1, condition), dtype=np.float32)
        start = np.zeros((horizon, channels), dtype=np.float32)
        rng = np.random.default_rng(0)

        def network(
            role: str, x: Floats, k: int, networks: dict[str, Graph] = networks,
            told: Floats = told,
        ) -> tuple[Floats, Floats | None]:  # fmt: skip
            level = np.array([k], dtype=np.float32)
            inputs = {"sample": x, "level": level, "condition": told}
            return networks[role].run(["prediction"], inputs)[0], None

        def call(
            sampler: DiffusionSampler = sampler, network: object = network, start: Floats = start,
            rng: np.random.Generator = rng,
        ) -> object:  # fmt: skip
            return sampler.sample(network, rng, start[0, :0], start)  # type: ignore[arg-type]

        arithmetic = 7 * sum(multiplications(bundle.graphs[name], 1) for name in sizes)
        names = ("synthetic_12_joints", f"{coupling}, 7 steps from the last plan", 1)
        found.append(timing(names, call, arithmetic, run))
    return found


def table(timings: Sequence[Timing]) -> str:
    """The figures in Markdown."""
    lines = [
        "| bundle | planner | K | p50 [ms] | p90 [ms] | p99 [ms] | CPU [ms] | of the peak |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for t in timings:
        lines.append(
            f"| {t.bundle} | {t.generator} | {t.K} | {t.p50_ms:.3f} | {t.p90_ms:.3f} "
            f"| {t.p99_ms:.3f} | {t.cpu_ms:.3f} | {t.peak_share:.0%} |"
        )
    return "\n".join(lines) + "\n"


def factor(timings: Sequence[Timing]) -> float | None:
    """How many times faster the one-step planner is than the Diffuser from noise, both K = 64."""
    p50 = {
        (t.generator.split(",")[0], "noise" in t.generator): t.p50_ms for t in timings if t.K == 64
    }
    fast, slow = p50.get(("one_step", False)), p50.get(("diffuser", True))
    return slow / fast if fast and slow else None


def latency(options: argparse.Namespace) -> None:
    """Time planning calls, one thread."""
    if options.bundle == "all":
        folders = sorted(path.parent for path in options.models.glob("*/manifest.yaml"))
    else:
        folders = [options.models / options.bundle]
    run = Run(options.seconds, peak_per_s())
    timings = [t for folder in folders for t in time_bundle(folder, options.candidates, run)]
    if options.bundle == "all":
        timings += time_joints(run)
    report = table(timings)
    report += f"\nPeak of one thread: {run.peak_per_s / 1e9:.0f} GFLOP/s (float32 product).\n"
    if (ratio := factor(timings)) is not None:
        report += f"One step against the Diffuser from noise, K = 64: {ratio:.0f} times faster"
        report += f" (bar: {FACTOR}).\n"
    print(report)
    if options.json:
        options.json.write_text(json.dumps([asdict(t) for t in timings], indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(report, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser("python -m planner_core.benchmark", description=__doc__)
    verb = parser.add_subparsers(required=True).add_parser("latency", help=latency.__doc__)
    verb.add_argument("--bundle", default="all", help="name of a bundle, or all")
    verb.add_argument("--models", type=Path, default=Path("models"), help="folder of bundles")
    verb.add_argument("--candidates", type=int, nargs="+", default=[1, 16, 64, 256])
    verb.add_argument("--seconds", type=float, default=2.0, help="for each case")
    verb.add_argument("--json", type=Path, help="file for the figures")
    verb.add_argument("--markdown", type=Path, help="file for the table")
    verb.set_defaults(run=latency)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except DriftpilotError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
