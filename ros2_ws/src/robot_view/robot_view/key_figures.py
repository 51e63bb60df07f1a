"""The figures by which a flight is compared with the literature."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from robot_view.flight import Array, Flight, Task


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """The figures of one flight; NaN where the flight says nothing about them.

    Attributes:
        goals: Goals given and not replaced by newer ones.
        successes: Goals at which the robot was when the navigator ended them.
        time_to_success_s: Median over the successes, see `time_to_success`.
        replan_rate_hz: Plans a second while there was a goal.
        planner_p50_ms: One planning call.
        planner_p99_ms: One planning call.
        end_to_end_p50_ms: From a measurement to the first command made of it.
        end_to_end_p99_ms: The same.
        max_command_gap_ms: Longest time between commands.
        least_clearance_m: From the centre of the robot to the nearest obstacle, while there was
            a goal.
    """

    goals: int
    successes: int
    time_to_success_s: float
    replan_rate_hz: float
    planner_p50_ms: float
    planner_p99_ms: float
    end_to_end_p50_ms: float
    end_to_end_p99_ms: float
    max_command_gap_ms: float
    least_clearance_m: float


PUBLISHED = {
    "crazyflie": {
        "success": "94 %",
        "time to success": "12.0 s",
        "replan rate": "38 Hz",
        "planner p50": "8 ms",
        "end to end p50": "26 ms",
    },
    "so100": {
        "success": "90 %",
        "time to success": "32 s",
        "replan rate": "17 Hz",
        "planner p50": "9 ms",
        "end to end p50": "47 ms",
    },
}
"""By robot: a Crazyflie in a cluttered room, an arm that moves objects.

**Source**: Keyed Drifting Policies, Table VII.
"""


def key_figures(flight: Flight) -> KeyFigures:
    """The figures of a flight."""
    tasks = [task for task in flight.tasks if not task.replaced]
    times = [time for task in tasks if (time := time_to_success(flight, task)) is not None]
    planning_ms, end_to_end_ms = planning_times_ms(flight), flight.end_to_end_s * 1e3
    return KeyFigures(
        goals=len(tasks),
        successes=len(times),
        time_to_success_s=float(np.median(times)) if times else float("nan"),
        replan_rate_hz=_replan_rate_hz(flight),
        planner_p50_ms=_percentile(planning_ms, 50),
        planner_p99_ms=_percentile(planning_ms, 99),
        end_to_end_p50_ms=_percentile(end_to_end_ms, 50),
        end_to_end_p99_ms=_percentile(end_to_end_ms, 99),
        max_command_gap_ms=flight.max_command_gap_ms,
        least_clearance_m=_least_clearance_m(flight),
    )


def time_to_success(flight: Flight, task: Task) -> float | None:
    """Time from a goal to the moment from which the robot stayed there, None if it did not [s].

    For a goal that is not a place of the robot: to the moment at which the navigator called it
    reached.
    """
    if task.end_ns is None or task.replaced:
        return None
    if not task.of_robot:
        return (task.end_ns - task.start_ns) * 1e-9 if task.succeeded else None
    during = (flight.stamp_ns >= task.start_ns) & (flight.stamp_ns <= task.end_ns)
    stamps, offset = flight.stamp_ns[during], flight.position[during] - task.goal
    distance = np.sqrt(np.nansum(offset**2, axis=1))
    away = np.flatnonzero(distance > task.tolerance_m)
    if not len(stamps) or (len(away) and away[-1] == len(stamps) - 1):
        return None
    arrival = stamps[away[-1] + 1] if len(away) else stamps[0]
    return float(arrival - task.start_ns) * 1e-9


def planning_times_ms(flight: Flight) -> Array:
    """Times of the planning calls that are known, (P,) [ms]."""
    return np.asarray(flight.planning_s[np.isfinite(flight.planning_s)] * 1e3)


def _replan_rate_hz(flight: Flight) -> float:
    plans, seconds = 0, 0.0
    for task in flight.tasks:
        end_ns = task.end_ns if task.end_ns is not None else np.iinfo(np.int64).max
        stamps = flight.plan_ns[(flight.plan_ns >= task.start_ns) & (flight.plan_ns <= end_ns)]
        if len(stamps) > 1:
            plans += len(stamps) - 1
            seconds += float(stamps[-1] - stamps[0]) * 1e-9
    return plans / seconds if seconds > 0 else float("nan")


def _least_clearance_m(flight: Flight) -> float:
    flown = np.zeros(len(flight.stamp_ns), dtype=np.bool_)
    for task in flight.tasks:
        end_ns = task.end_ns if task.end_ns is not None else np.iinfo(np.int64).max
        flown |= (flight.stamp_ns >= task.start_ns) & (flight.stamp_ns <= end_ns)
    obstacles = [shape for shape in flight.shapes if shape.is_obstacle]
    if not flown.any() or not obstacles:
        return float("nan")
    points = flight.position[flown]
    return float(min(shape.distance(points).min() for shape in obstacles))


def _percentile(values: Array, q: float) -> float:
    return float(np.percentile(values, q)) if len(values) else float("nan")


def table(flight: Flight) -> list[tuple[str, str, str]]:
    """Rows of name, value and published value, for print and for the page."""
    figures, published = key_figures(flight), PUBLISHED.get(flight.robot, {})
    success = f"{figures.successes} of {figures.goals}" if figures.goals else "-"
    rows = [
        ("success", success),
        ("time to success", _text(figures.time_to_success_s, "s", 1)),
        ("replan rate", _text(figures.replan_rate_hz, "Hz", 1)),
        ("planner p50", _text(figures.planner_p50_ms, "ms", 1)),
        ("planner p99", _text(figures.planner_p99_ms, "ms", 1)),
        ("end to end p50", _text(figures.end_to_end_p50_ms, "ms", 1)),
        ("end to end p99", _text(figures.end_to_end_p99_ms, "ms", 1)),
        ("max command gap", _text(figures.max_command_gap_ms, "ms", 1)),
        ("least clearance", _text(figures.least_clearance_m, "m", 2)),
    ]
    return [(name, value, published.get(name, "-")) for name, value in rows]


def text_table(flight: Flight) -> str:
    """The table for a terminal."""
    rows = [("", "measured", "published"), *table(flight)]
    return "\n".join(f"{name:<16}{value:>12}{published:>12}" for name, value, published in rows)


def _text(value: float, unit: str, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f} {unit}"
