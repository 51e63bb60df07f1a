"""The part of the page that jointed robots have: joints over time against the plan."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec, SubplotSpec
from planner_core.robot import Robot

from robot_view.flight import Flight, JointHistory
from robot_view.page_style import CHOSEN, INK, LIMIT, say_missing, shade_goals, time_span

COLUMNS = 3
"""So that each leg of a walking robot is a row."""


def draw_joints(
    figure: Figure, place: SubplotSpec, flight: Flight, joints: JointHistory, robot: Robot | None
) -> None:
    """One plot a joint: where it was, where the plan that was followed asked it to be."""
    rows = -(-len(joints.names) // COLUMNS)
    grid = GridSpecFromSubplotSpec(rows, COLUMNS, place)
    first: Axes | None = None
    for index, name in enumerate(joints.names):
        axes = figure.add_subplot(grid[index // COLUMNS, index % COLUMNS], sharex=first)
        first = first or axes
        axes.set_title(name.replace("_", " "), fontweight="normal", fontsize=8, pad=2)
        _draw_joint(axes, flight, joints, index, robot)
        axes.tick_params(length=2, labelsize=7, labelbottom=index + COLUMNS >= len(joints.names))
        if index % COLUMNS == 0:
            axes.set_ylabel("[rad]")
    if first is not None:
        first.legend(loc="upper left", ncols=2, handlelength=1.2, borderaxespad=0.1)


def _draw_joint(
    axes: Axes, flight: Flight, joints: JointHistory, index: int, robot: Robot | None
) -> None:
    if not len(joints.stamp_ns):
        axes.set(xticks=[], yticks=[])
        say_missing(axes, "no states")
        return
    shade_goals(axes, flight, int(joints.stamp_ns[-1]))
    time_s, position = flight.seconds(joints.stamp_ns), joints.position[:, index]
    axes.plot(
        flight.seconds(joints.asked_ns), joints.asked[:, index], color=CHOSEN, lw=2.0, alpha=0.55,
        label="plan",
    )  # fmt: skip
    axes.plot(time_s, position, color=INK, lw=0.9, label="measured")
    axes.set_xlim(*time_span(flight, time_s))
    if robot is None or joints.names[index] not in robot.names:
        return
    # A limit is drawn where it is near: far ones would flatten what the joint did.
    low, high = axes.get_ylim()
    joint = robot.names.index(joints.names[index])
    for limit in (float(robot.lower[joint]), float(robot.upper[joint])):
        if low <= limit <= high:
            axes.axhline(limit, color=LIMIT, lw=0.9, ls=(0, (4, 3)))
