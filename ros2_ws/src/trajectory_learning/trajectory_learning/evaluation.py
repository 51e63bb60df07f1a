"""Planners side by side on the same unseen worlds, without ROS."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from planner_core.bundle import load_bundle
from planner_core.classical import GridSearchPlanner, StraightLinePlanner
from planner_core.plan import TrajectoryGenerator
from planner_core.planners import PlannerRequest, SamplerSettings, load_planner, planner_of
from planner_core.robots import crazyflie
from planner_core.world import World, random_world
from tqdm import tqdm
from trajectory_learning.parallel import each
from trajectory_learning.problems.flight import Flight, FlightConfig, Outcome, fly
from trajectory_learning.problems.navigation_data import FIRST_TRAINING_SEED

CLASSICAL = ("straight_line", "grid_search")


@dataclass(frozen=True)
class EvaluationConfig:
    """Which worlds are flown.

    Attributes:
        worlds: Number of worlds.
        first_seed: Seed of the first; training seeds are refused.
        density_per_m2: Obstacles per square metre.
        candidates: Candidates of one planning call; 0 takes the bundle's own number.
        sampler_steps: Steps of diffusion planners from noise; 0 takes the bundle's own number.
        warm_start_steps: Steps of diffusion planners from the previous plan; -1 takes the bundle's
            own number.
        jobs: Processes.
    """

    worlds: int = 1000
    first_seed: int = 0
    density_per_m2: float = 0.25
    candidates: int = 0
    sampler_steps: int = 0
    warm_start_steps: int = -1
    jobs: int = 1


@dataclass(frozen=True)
class Entry:
    """A planner of the comparison.

    Attributes:
        name: Its name in the table.
        bundle: Folder of its bundle; empty for planners without one.
    """

    name: str
    bundle: str = ""


def parse_entry(text: str) -> Entry:
    """A planner from ``name=bundle`` or the name of a planner without a bundle.

    Raises:
        ValueError: The text is neither.
    """
    name, _, bundle = text.partition("=")
    if not bundle and name not in CLASSICAL:
        raise ValueError(f"planner {text!r}: give NAME=BUNDLE_FOLDER or one of {CLASSICAL}")
    return Entry(name, bundle)


def evaluate(
    entries: Sequence[Entry],
    config: EvaluationConfig,
    flight: FlightConfig,
    progress: bool = True,
) -> dict[str, list[Flight]]:
    """Fly every planner through every world.

    Args:
        entries: Planners.
        config: Worlds.
        flight: The robot and the rules.
        progress: Show a progress bar.

    Raises:
        ValueError: The worlds reach into the seeds of training.
    """
    last = config.first_seed + config.worlds
    if config.first_seed < 0 or last > FIRST_TRAINING_SEED:
        raise ValueError(f"worlds {config.first_seed}..{last - 1}: training seeds begin at "
                         f"{FIRST_TRAINING_SEED}")  # fmt: skip
    tasks = [(entry, seed) for entry in entries for seed in range(config.first_seed, last)]
    with tqdm(total=len(tasks), unit="flight", disable=not progress) as bar:
        flown = each(partial(_fly, config, flight), tasks, lambda *_: bar.update(), config.jobs)
    results: dict[str, list[Flight]] = {entry.name: [] for entry in entries}
    for (entry, _), one in zip(tasks, flown, strict=True):
        results[entry.name].append(one)
    return results


def _fly(config: EvaluationConfig, flight: FlightConfig, task: tuple[Entry, int]) -> Flight:
    entry, seed = task
    world = random_world(seed, density_per_m2=config.density_per_m2)
    return fly(_generator(entry, config, world), world, flight, seed)


def _generator(entry: Entry, config: EvaluationConfig, world: World) -> TrajectoryGenerator:
    if entry.bundle:
        return _learned(entry.bundle, config)
    if entry.name == "grid_search":
        return GridSearchPlanner(crazyflie(), world)
    return StraightLinePlanner(crazyflie())


@cache
def _learned(bundle: str, config: EvaluationConfig) -> TrajectoryGenerator:
    name = planner_of(load_bundle(bundle))
    sampler = SamplerSettings()
    if name != "one_step":
        warm = config.warm_start_steps
        sampler = SamplerSettings(config.sampler_steps or None, None if warm < 0 else warm)
    request = PlannerRequest(crazyflie(), Path(bundle), config.candidates or None, sampler=sampler)
    generator = load_planner(name, request)
    generator.warm_up()
    return generator


def summary(flights: Sequence[Flight]) -> dict[str, float]:
    """Figures of one planner; times and lengths over the flights that arrived."""
    arrived = [flight for flight in flights if flight.outcome is Outcome.ARRIVED]
    outcomes = Counter(flight.outcome for flight in flights)
    calls = np.concatenate([flight.call_s for flight in flights]) * 1e3
    nan = [float("nan")]
    times = [flight.time_s for flight in arrived] or nan
    clearances = [flight.clearance_m for flight in arrived] or nan
    return {
        "worlds": len(flights),
        "success": len(arrived) / len(flights),
        **{outcome.value: outcomes[outcome] / len(flights) for outcome in Outcome},
        "time_to_goal_s": float(np.mean(times)),
        "time_to_goal_p95_s": float(np.percentile(times, 95)),
        "length_m": float(np.mean([flight.length_m for flight in arrived] or nan)),
        "clearance_m": float(np.mean(clearances)),
        "clearance_p5_m": float(np.percentile(clearances, 5)),
        "effort_m_s2": float(np.mean([flight.effort for flight in arrived] or nan)),
        "call_p50_ms": float(np.percentile(calls, 50)),
        "call_p99_ms": float(np.percentile(calls, 99)),
    }


def paired_time_s(flights: dict[str, list[Flight]]) -> dict[str, float]:
    """Mean time to goal of each planner over the worlds in which all that ever arrive arrive.

    Means over a planner's own successes favour the one that fails in the long worlds.
    """
    able = {
        name: row for name, row in flights.items()
        if sum(f.outcome is Outcome.ARRIVED for f in row) > 0.8 * len(row)
    }  # fmt: skip
    if not able:
        return {}
    common = np.all([[f.outcome is Outcome.ARRIVED for f in row] for row in able.values()], axis=0)
    return {
        name: float(np.mean(np.array([f.time_s for f in row])[common]))
        for name, row in able.items()
    }


def write_report(
    flights: dict[str, list[Flight]],
    config: EvaluationConfig,
    flight: FlightConfig,
    command: str,
    folder: Path,
) -> dict[str, dict[str, float]]:
    """Write ``results.json`` and ``results.md``.

    Returns:
        The figures by planner.
    """
    figures = {name: summary(row) for name, row in flights.items()}
    paired = paired_time_s(flights)
    for name, row in figures.items():
        row["paired_time_to_goal_s"] = paired.get(name, float("nan"))
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "command": command,
        "worlds": asdict(config),
        "flight": asdict(flight),
        "planners": figures,
        "failures": {
            name: [[config.first_seed + i, f.outcome.value] for i, f in enumerate(row)
                   if f.outcome is not Outcome.ARRIVED]
            for name, row in flights.items()
        },
    }  # fmt: skip
    (folder / "results.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (folder / "results.md").write_text(markdown(figures), encoding="utf-8")
    return figures


def markdown(figures: dict[str, dict[str, float]]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| planner | arrived | collision | time-out | time to goal, mean (p95) | same worlds "
        "| length | clearance, mean (p5) | call p50 (p99) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, f in figures.items():
        lines.append(
            f"| {name} | {f['success']:.1%} | {f['collision']:.1%} "
            f"| {f['time_out'] + f['no_plan']:.1%} "
            f"| {f['time_to_goal_s']:.2f} s ({f['time_to_goal_p95_s']:.2f}) "
            f"| {f['paired_time_to_goal_s']:.2f} s | {f['length_m']:.2f} m "
            f"| {f['clearance_m']:.2f} m ({f['clearance_p5_m']:.2f}) "
            f"| {f['call_p50_ms']:.2f} ms ({f['call_p99_ms']:.2f}) |"
        )
    return "\n".join(lines) + "\n"
