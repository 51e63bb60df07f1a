"""Chunk length against planning delay: how a planner flies when its plans come late.

Without ROS: `planner_core.delayed_flight`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from planner_core.delayed_flight import DelayedFlight, fly
from planner_core.planners import PlannerRequest, load_planner
from planner_core.robots import load_robot
from planner_core.worlds import find_world

from planner.planner_parameters import model_folder


@dataclass(frozen=True, slots=True)
class SweepRun:
    """What is swept.

    Attributes:
        planners: ``plugin`` or ``plugin=model``.
        chunks: Periods of a plan that are executed before the next one begins.
        delays_ms: Times of a planning call.
        worlds: Random worlds for each combination.
        seed: Of the first world; the others count up.
        candidates: ``K``.
    """

    planners: tuple[str, ...] = ("one_step=crazyflie_navigation",)
    chunks: tuple[int, ...] = (1, 2, 4, 8, 16)
    delays_ms: tuple[int, ...] = (0, 20, 50, 100, 200, 400)
    worlds: int = 20
    seed: int = 3000
    candidates: int = 64


def sweep(run: SweepRun) -> list[dict[str, Any]]:
    """Fly every combination.

    Returns:
        A row each: planner, chunk, delay, and the figures of its flights.

    Raises:
        DriftpilotError: A planner cannot be made.
    """
    robot = load_robot("crazyflie")
    worlds = [find_world("random", run.seed + i) for i in range(run.worlds)]
    rows = []
    for entry in run.planners:
        planner, _, model = entry.partition("=")
        folder = model_folder(model, planner)
        generators = [
            load_planner(planner, PlannerRequest(robot, folder, run.candidates, world))
            for world in (worlds if planner == "grid_search" else worlds[:1])
        ]
        for generator in generators:
            generator.warm_up()
        for chunk in run.chunks:
            for delay_ms in run.delays_ms:
                flights = [
                    fly(robot, world, generators[i % len(generators)], chunk=chunk,
                        delay_s=delay_ms * 1e-3, seed=run.seed + i)
                    for i, world in enumerate(worlds)
                ]  # fmt: skip
                row = {"planner": planner, "model": model, "chunk": chunk, "delay_ms": delay_ms}
                rows.append(row | _figures(flights))
                print(_line(rows[-1]), flush=True)
    return rows


def plot(rows: list[dict[str, Any]], file: Path) -> None:
    """Success and smoothness over the delay, a line for each chunk length."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    planners = list(dict.fromkeys((row["planner"], row["model"]) for row in rows))
    figure, axes = pyplot.subplots(
        3, len(planners), figsize=(5 * len(planners), 8), sharex=True, squeeze=False
    )
    shown = (("success", "arrived"), ("rms_jerk", "jerk, rms [m/s³]"),
             ("held_share", "time without a plan"))  # fmt: skip
    for column, planner in enumerate(planners):
        mine = [row for row in rows if (row["planner"], row["model"]) == planner]
        chunks = sorted({row["chunk"] for row in mine})
        for line, (key, label) in enumerate(shown):
            axis = axes[line][column]
            for number, chunk in enumerate(chunks):
                points = sorted((r["delay_ms"], r[key]) for r in mine if r["chunk"] == chunk)
                shade = pyplot.get_cmap("viridis")(number / max(len(chunks) - 1, 1) * 0.9)
                axis.plot(*zip(*points, strict=True), "o-", ms=3, color=shade, label=f"L = {chunk}")
            axis.set_ylabel(label)
            axis.grid(alpha=0.3)
        axes[0][column].set_title("\n".join(planner).strip(), fontsize=9)
        axes[0][column].set_ylim(-0.05, 1.05)
        axes[-1][column].set_xlabel("delay [ms]")
    axes[0][0].legend(title="chunk", fontsize=8)
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=120)
    pyplot.close(figure)


def _figures(flights: list[DelayedFlight]) -> dict[str, Any]:
    arrived = [f for f in flights if f.outcome == "success"]
    return {
        "flights": len(flights),
        "success": len(arrived) / len(flights),
        "collisions": sum(f.outcome == "collision" for f in flights),
        "duration_s": round(float(np.mean([f.duration_s for f in arrived])), 2)
        if arrived
        else None,
        "rms_jerk": round(float(np.mean([f.rms_jerk for f in flights])), 2),
        "held_share": round(float(np.mean([f.held_share for f in flights])), 3),
        "largest_splice_m": round(max(f.largest_splice_m for f in flights), 3),
    }


def _line(row: dict[str, Any]) -> str:
    return "  ".join(f"{key} {value}" for key, value in row.items() if key != "flights")
