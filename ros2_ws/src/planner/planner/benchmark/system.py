"""The whole graph in flight: rates, delays and missed periods, with and without disturbance."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from ament_index_python.packages import get_package_prefix
from planner_core.errors import RobotError
from rclpy.experimental import EventsExecutor

from planner.benchmark.first_plan import first_plan_s
from planner.benchmark.machine_floor import machine_floor
from planner.benchmark.observer import Notes, Observer
from planner.benchmark.processes import LaunchedGraph, hogs

SETTLE_S = 3.0
"""Flown before anything counts: first touches of memory are no figures of a flight."""
SWAP_WATCHED_S = 0.3
"""How long after an exchange its effects are looked for."""


@dataclass(frozen=True, slots=True)
class SystemRun:
    """What is measured.

    Attributes:
        robot: ``loopback`` or ``simulation``.
        planner: Planner plugin.
        model: Its bundle.
        replan_rate_hz: How often plans are asked for; 0 for as often as possible.
        seconds: Length of the measured flight.
        hogs: Processes that take all the processor time they get.
        swaps: Exchanges of the planner while it flies.
        swap_to: The planner that is exchanged with the first.
        swap_candidates: Its candidates.
        starts: Starts of a planner server, to measure the time to its first plan.
    """

    robot: str = "loopback"
    planner: str = "one_step"
    model: str = "crazyflie_navigation"
    replan_rate_hz: float = 100.0
    seconds: float = 30.0
    hogs: int = 0
    swaps: int = 0
    swap_to: str = "straight_line"
    swap_candidates: int = 64
    starts: int = 1


def measure(run: SystemRun) -> dict[str, Any]:
    """Launch, fly, note and end.

    Raises:
        RobotError: The graph does not come up, or a change of planner is refused.
    """
    rclpy.init(args=[])
    executor = EventsExecutor()
    observer = Observer(executor)
    try:
        program = Path(get_package_prefix("planner")) / "lib" / "planner" / "planner_server"
        starts = [first_plan_s(executor, program, run.planner, run.model)
                  for _ in range(run.starts)]  # fmt: skip
        launched = LaunchedGraph(
            f"robot:={run.robot}", f"planner:={run.planner}", f"model:={run.model}", "goal:=none",
            "view:=false",
        )  # fmt: skip
        with launched as graph, hogs(run.hogs):
            figures = _fly(run, observer, graph)
        return {
            "run": {name: getattr(run, name) for name in run.__slots__},
            "first_plan_s": [round(s, 2) for s in starts],
            **figures,
        }
    finally:
        executor.shutdown()
        observer.destroy_node()
        rclpy.shutdown()


def _fly(run: SystemRun, observer: Observer, graph: LaunchedGraph) -> dict[str, Any]:
    try:
        observer.until(lambda: graph.ended or observer.planner is not None, "a planner", 60.0)
        observer.shuttle()
        if refusal := observer.change(replan_rate_hz=run.replan_rate_hz):
            raise RobotError("replan_rate_hz", got=refusal)
        observer.until(lambda: observer.execution and observer.execution.sequence, "a flight", 60.0)
    except RobotError as error:
        raise RobotError(f"{error.what}; the graph said: {graph.output[-2000:]}") from error
    observer.spin_for(SETTLE_S)
    notes = observer.notes = Notes()
    before, cpu, began = observer.execution, graph.cpu_seconds(), time.monotonic()
    assert before is not None
    with machine_floor(run.seconds) as floor:
        swaps = [_swap(run, observer, number) for number in range(run.swaps)]
        observer.spin_for(max(0.0, run.seconds - (time.monotonic() - began)))
    took_s = time.monotonic() - began
    after, planner, used = observer.execution, observer.planner, graph.cpu_seconds()
    observer.notes = None
    assert after is not None
    assert planner is not None
    periods = after.periods - before.periods
    missed = after.missed_periods - before.missed_periods
    figures: dict[str, Any] = {
        "seconds": round(took_s, 1),
        "flights": notes.flights,
        "failed": notes.failed,
        "plans": len(notes.planning_ms),
        "replan_hz": _rate(notes.plan_gaps_ms),
        "planning_ms": _percentiles(notes.planning_ms),
        "end_to_end_ms": _percentiles(notes.end_to_end_ms),
        "period_error_p99_ms": round(after.period_error_p99_ms, 3),
        "periods": periods,
        "missed_periods": missed,
        "missed_share": missed / max(periods, 1),
        "machine_floor": floor,
        "longest_command_gap_ms": round(max(notes.command_gaps_ms, default=0.0), 1),
        "deadlines_missed": planner.deadlines_missed,
        "cpu_share": {
            name: round((seconds - cpu.get(name, 0.0)) / took_s, 3)
            for name, seconds in sorted(used.items())
        },
    }
    if swaps:
        figures["swaps"] = {
            "count": len(swaps),
            "without_missed_period": sum(s["missed_periods"] == 0 for s in swaps),
            "load_s": _percentiles([s["load_s"] for s in swaps]),
            "longest_plan_gap_ms": round(max(s["longest_plan_gap_ms"] for s in swaps), 1),
        }
    return figures


def _swap(run: SystemRun, observer: Observer, number: int) -> dict[str, float]:
    """Exchange the planner once, and say what became of the control loop meanwhile."""
    planner, candidates = (run.planner, 64) if number % 2 else (run.swap_to, run.swap_candidates)
    assert observer.execution is not None
    assert observer.notes is not None
    # A status of its own on both sides: the counts are those of the whole exchange.
    observer.spin_for(SWAP_WATCHED_S)
    missed = observer.execution.missed_periods
    gaps, began = len(observer.notes.plan_gaps_ms), time.monotonic()
    if refusal := observer.change(planner=planner, num_candidates=candidates):
        raise RobotError(f"change to {planner}", got=refusal)
    observer.until(
        lambda: (
            observer.planner is not None
            and observer.planner.loading == ""
            and observer.planner.change.startswith(f"in use: {planner} ")
        ),
        f"planner {planner} in use",
    )
    load_s = time.monotonic() - began
    observer.spin_for(SWAP_WATCHED_S)
    return {
        "missed_periods": observer.execution.missed_periods - missed,
        "load_s": load_s,
        "longest_plan_gap_ms": max(observer.notes.plan_gaps_ms[gaps:], default=0.0),
    }


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    delay, planning = figures["end_to_end_ms"], figures["planning_ms"]
    floor = figures["machine_floor"]
    rows = {
        "first plan after the server's start": f"{max(figures['first_plan_s'], default=0):.2f} s",
        "replan rate": f"{figures['replan_hz']:.1f} Hz",
        "planning p50 / p99": f"{planning['p50']:.2f} / {planning['p99']:.2f} ms",
        "end to end p50 / p90 / p99": " / ".join(f"{delay[q]:.1f}" for q in delay) + " ms",
        "period error p99": f"{figures['period_error_p99_ms']:.2f} ms",
        "missed control periods": f"{figures['missed_periods']} of {figures['periods']} "
        f"({figures['missed_share']:.2%})",
        "periods that an idle loop beside it missed": f"{floor['missed_periods']} of "
        f"{floor['periods']} ({floor['missed_share']:.2%}), longest gap "
        f"{floor['longest_gap_ms']} ms",
        "longest gap between commands": f"{figures['longest_command_gap_ms']} ms",
        "flights, failed": f"{figures['flights']}, {len(figures['failed'])}",
    }
    if swaps := figures.get("swaps"):
        rows["swaps without a missed period"] = (
            f"{swaps['without_missed_period']} of {swaps['count']}, "
            f"longest gap between plans {swaps['longest_plan_gap_ms']} ms"
        )
    rows |= {f"processor, {k}": f"{v:.1%}" for k, v in figures["cpu_share"].items()}
    lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]
    return "\n".join(lines)


def _percentiles(values: list[float]) -> dict[str, float]:
    return {f"p{q}": round(float(np.percentile(values, q)), 3) if values else 0.0
            for q in (50, 90, 99)}  # fmt: skip


def _rate(gaps_ms: list[float]) -> float:
    return round(1e3 / float(np.mean(gaps_ms)), 2) if gaps_ms else 0.0
