"""``python -m robot_simulation.so100.evaluation``: a planner and places that it has not seen."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from planner_core.errors import PlanningError
from planner_core.planners import PlannerRequest, load_planner
from planner_core.robots import so100
from robot_simulation.so100.demonstrations import TASKS
from robot_simulation.so100.episodes import ArmEpisode, EpisodeOutcome


def evaluate(planner: str, model: Path | None, task: str, seeds: range) -> dict[str, object]:
    """Run episodes one after another; the figures, and how each ended."""
    generator = load_planner(planner, PlannerRequest(so100(), model))
    generator.warm_up()
    outcomes: list[EpisodeOutcome] = []
    for seed in seeds:
        episode = ArmEpisode(TASKS[task], task, seed)
        try:
            outcomes.append(episode.run(generator, np.random.default_rng((seed, 104))))
        except PlanningError:
            outcomes.append(EpisodeOutcome(False, 0.0, float("nan")))
    done = [outcome.duration_s for outcome in outcomes if outcome.success]
    return {
        "task": task,
        "planner": planner,
        "model": model.name if model else "",
        "episodes": len(outcomes),
        "success_rate": len(done) / len(outcomes),
        "time_to_success_s": float(np.median(done)) if done else None,
        "failed_seeds": [s for s, o in zip(seeds, outcomes, strict=True) if not o.success],
    }


def main() -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        "python -m robot_simulation.so100.evaluation", description=__doc__
    )
    parser.add_argument("--planner", default="one_step", help="planner plugin")
    parser.add_argument("--model", type=Path, help="folder of its bundle")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--episodes", type=int, default=100, help="of each task")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="file to write")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.episodes)
    results = [evaluate(options.planner, options.model, task, seeds) for task in options.tasks]
    for result in results:
        print(json.dumps(result), flush=True)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
