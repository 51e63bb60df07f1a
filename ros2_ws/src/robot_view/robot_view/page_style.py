"""Colours and marks that all parts of the page share."""

from __future__ import annotations

from matplotlib.axes import Axes

from robot_view.flight import Flight
from robot_view.shapes import Array

INK, FAINT, RULE = "#1f2933", "#7b8794", "#d9dee4"
OBSTACLE, FREE = "#aeb8c4", "#f7f8fa"
FEASIBLE, INFEASIBLE, CHOSEN = "#3b7dd8", "#e0705a", "#12813e"
PLANNER, END_TO_END, LIMIT = "#c47f17", "#3b7dd8", "#c0392b"
SPEED_MAP = "viridis"
AROUND_S = 0.5
"""Time shown before the first goal; after the last one twice as much."""
STYLE = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 7,
}


def shade_goals(axes: Axes, flight: Flight, last_ns: int) -> None:
    """Mark the times during which there was a goal; one without an end lasts to ``last_ns``."""
    for task in flight.tasks:
        end_ns = task.end_ns if task.end_ns is not None else last_ns
        axes.axvspan(
            float(flight.seconds(task.start_ns)), float(flight.seconds(end_ns)),
            color=FREE, zorder=0, lw=0,
        )  # fmt: skip


def time_span(flight: Flight, time_s: Array) -> tuple[float, float]:
    """The times worth showing: the flight, and what little was recorded around it."""
    first, last = float(time_s[0]), float(time_s[-1]) + 1e-6
    if not flight.tasks:
        return first, last
    ends = [task.end_ns for task in flight.tasks if task.end_ns is not None]
    begin = max(first, -AROUND_S)
    if flight.tasks[-1].end_ns is None:
        return begin, last
    return begin, min(last, float(flight.seconds(max(ends))) + 2 * AROUND_S)


def say_missing(axes: Axes, text: str) -> None:
    """Say in the middle of an empty plot what it lacks."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=FAINT)
