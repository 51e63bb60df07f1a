"""The report of a flight: one page, drawn without a display."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Circle, Patch, Rectangle
from matplotlib.transforms import Affine2D
from planner_core.robot import Robot

from robot_view.bodies import body_of
from robot_view.flight import Candidates, Flight
from robot_view.joint_page import draw_joints
from robot_view.key_figures import PUBLISHED, planning_times_ms, table
from robot_view.page_style import (
    CHOSEN,
    END_TO_END,
    FAINT,
    FEASIBLE,
    FREE,
    INFEASIBLE,
    INK,
    LIMIT,
    OBSTACLE,
    PLANNER,
    RULE,
    SPEED_MAP,
    STYLE,
    say_missing,
    shade_goals,
    time_span,
)
from robot_view.shapes import Array, Kind, Shape


def write_page(flight: Flight, robot: Robot | None, path: Path, dpi: int = 160) -> None:
    """Draw the page of a flight and write it.

    Safe in any thread: nothing of matplotlib's global state is used but the style, for a moment.

    Args:
        flight: What was flown.
        robot: Whose limits are drawn, None for no limits.
        path: File to write; its suffix gives the format.
        dpi: Dots per inch of a bitmap.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(STYLE):
        figure = draw_page(flight, robot)
        FigureCanvasAgg(figure)
        figure.savefig(path, dpi=dpi)


def draw_page(flight: Flight, robot: Robot | None) -> Figure:
    """The page as a figure; see `write_page`."""
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08, hspace=0.04, wspace=0.04)
    figure = Figure(figsize=(11.7, 8.3), layout=layout, facecolor="white")
    figure.suptitle(_heading(flight), x=0.012, ha="left", fontsize=12, fontweight="bold")
    columns = figure.add_gridspec(1, 2, width_ratios=(1.85, 1.0))
    left = GridSpecFromSubplotSpec(2, 1, columns[0], height_ratios=(1.75, 1.0))
    right = GridSpecFromSubplotSpec(4, 1, columns[1], height_ratios=(1.0, 1.0, 1.0, 1.35))

    if flight.joints is None:
        draw_path(figure, figure.add_subplot(left[0]), flight)
        instants = GridSpecFromSubplotSpec(1, 3, left[1])
        draw_instants([figure.add_subplot(instants[i]) for i in range(3)], flight)
    else:
        draw_joints(figure, left[0], flight, flight.joints, robot)
        draw_path(figure, figure.add_subplot(left[1]), flight)
    draw_speed(figure.add_subplot(right[0]), flight, robot)
    draw_height(figure.add_subplot(right[1]), flight, robot)
    draw_latency(figure.add_subplot(right[2]), flight)
    draw_table(figure.add_subplot(right[3]), flight)
    return figure


def draw_path(figure: Figure, axes: Axes, flight: Flight) -> None:
    """The path over the obstacles from above, coloured by speed."""
    body = body_of(flight.robot)
    of_tool = body is not None and body.fixed
    axes.set_title("Path of the tool, from above" if of_tool else "Path, from above")
    _draw_world(axes, flight.shapes)
    for task in flight.tasks:
        x, y = task.goal[:2]
        if task.of_robot:
            axes.add_patch(
                Circle((x, y), task.tolerance_m, fill=False, color=CHOSEN, lw=0.8, ls="--")
            )
        axes.plot(x, y, marker="*", ms=11, color=CHOSEN, mec="white", mew=0.6, zorder=6)
    xy = flight.position[:, :2]
    if not len(xy):
        say_missing(axes, "no odometry")
    else:
        segments = np.stack([xy[:-1], xy[1:]], axis=1)
        lines = LineCollection(
            list(segments), cmap=SPEED_MAP, linewidths=2.4, capstyle="round", zorder=5
        )
        lines.set_array(flight.speed[1:])
        lines.set_clim(0.0, max(0.1, float(flight.speed.max())))
        axes.add_collection(lines)
        axes.plot(*xy[0], marker="o", ms=6, color=INK, mec="white", mew=0.8, zorder=6)
        bar = figure.colorbar(lines, ax=axes, shrink=0.75, aspect=28, pad=0.01)
        bar.set_label("speed [m/s]")
        bar.outline.set_visible(False)
    # Without a floor that says what belongs to it, the plot takes the room that there is.
    floor = any(shape.is_floor for shape in flight.shapes)
    axes.set_aspect("equal", adjustable="box" if floor else "datalim")
    if not floor and len(xy):
        axes.margins(0.08)
    axes.set_xlabel("x [m]")
    axes.set_ylabel("y [m]")


def draw_instants(panels: list[Axes], flight: Flight) -> None:
    """Candidates and choice at three instants, spread over the flight."""
    chosen = _spread(flight.candidates, len(panels))
    reach = max((_reach(candidates) for candidates in chosen), default=1.0)
    for index, axes in enumerate(panels):
        axes.set_aspect("equal")
        axes.set_xlabel("x [m]")
        axes.tick_params(length=2)
        if index >= len(chosen):
            axes.set_title("Candidates")
            axes.set(xlim=(-1, 1), ylim=(-1, 1), xticks=[], yticks=[])
            say_missing(axes, "no candidates")
            continue
        candidates = chosen[index]
        axes.set_title(f"Candidates at {float(flight.seconds(candidates.stamp_ns)):.1f} s")
        _draw_world(axes, flight.shapes)
        _draw_candidates(axes, candidates)
        centre = _centre(candidates)
        axes.set_xlim(centre[0] - reach, centre[0] + reach)
        axes.set_ylim(centre[1] - reach, centre[1] + reach)
    panels[0].set_ylabel("y [m]")
    if chosen:
        handles = [
            Patch(color=FEASIBLE, label="feasible"),
            Patch(color=INFEASIBLE, label="infeasible"),
            Patch(color=CHOSEN, label="chosen"),
        ]
        panels[0].legend(
            handles=handles, ncols=3, loc="lower left", handlelength=0.8, handleheight=0.5,
            columnspacing=0.9, handletextpad=0.4, borderaxespad=0.3, frameon=True,
            edgecolor="none", framealpha=0.85, borderpad=0.25,
        )  # fmt: skip


def draw_speed(axes: Axes, flight: Flight, robot: Robot | None) -> None:
    """Speed over time with the limit of one axis."""
    axes.set_title("Speed")
    limit = _limit(robot, "x", "velocity")
    _draw_history(axes, flight, flight.speed, "[m/s]", [limit] if limit else [], "limit per axis")
    axes.set_ylim(bottom=0.0)


def draw_height(axes: Axes, flight: Flight, robot: Robot | None) -> None:
    """Height over time with floor and ceiling of the geofence."""
    axes.set_title("Height")
    limits = [_limit(robot, "z", side) for side in ("lower", "upper")]
    heights = [value for value in limits if value is not None]
    _draw_history(axes, flight, flight.position[:, 2], "z [m]", heights, "limits")
    axes.set_xlabel("time since the goal [s]" if flight.tasks else "time [s]")


def draw_latency(axes: Axes, flight: Flight) -> None:
    """Histograms of the planning call, and from measurement to command."""
    axes.set_title("Latency")
    axes.set_xlabel("[ms]")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    rows = [
        (planning_times_ms(flight), PLANNER, "planning call"),
        (flight.end_to_end_s * 1e3, END_TO_END, "measurement to command"),
    ]
    known = [values for values, _, _ in rows if len(values)]
    if not known:
        say_missing(axes, "no plans and no commands")
        return
    # A single spike must not squeeze everything else into one bar; it is counted in words.
    right = max(1.0, *(1.35 * float(np.percentile(values, 98)) for values in known))
    edges = np.linspace(0.0, right, 51)
    axes.set_xlim(0.0, right)
    axes.set_ylim(0.0, 1.5)  # room for the words above the bars
    for index, (values, colour, name) in enumerate(rows):
        if not len(values):
            continue
        counts, _ = np.histogram(values, edges)
        axes.stairs(counts / max(counts.max(), 1), edges, fill=True, color=colour, alpha=0.7)
        median, beyond = float(np.median(values)), int((values > right).sum())
        axes.plot([median, median], [0.0, 1.08], color=colour, lw=1.0)
        note = f", {beyond} of {len(values)} beyond" if beyond else ""
        axes.text(
            0.99, 0.98 - 0.14 * index, f"{name}: median {median:.1f} ms{note}",
            transform=axes.transAxes, ha="right", va="top", fontsize=7, color=colour,
        )  # fmt: skip


def draw_table(axes: Axes, flight: Flight) -> None:
    """The key figures beside the published ones."""
    axes.set_axis_off()
    rows = [("", "measured", "published"), *table(flight)]
    positions, aligns = (0.0, 0.70, 1.0), ("left", "right", "right")
    step = 1.0 / (len(rows) + 1)
    for index, row in enumerate(rows):
        y = 1.0 - (index + 0.5) * step
        for column, text in enumerate(row):
            weight = "bold" if index == 0 or column == 1 else "normal"
            colour = FAINT if column == 2 or index == 0 else INK
            axes.text(
                positions[column], y, text, ha=aligns[column], va="center", fontsize=8,
                fontweight=weight, color=colour, transform=axes.transAxes,
            )  # fmt: skip
        axes.plot([0, 1], [y - step / 2] * 2, color=FAINT if index == 0 else RULE, lw=0.6,
                  transform=axes.transAxes, clip_on=False)  # fmt: skip
    if flight.robot not in PUBLISHED:
        return
    source = "published: Keyed Drifting Policies, Table VII"
    axes.text(
        0.0, step * 0.45, source, fontsize=6.5, color=FAINT, va="center", transform=axes.transAxes
    )


def _heading(flight: Flight) -> str:
    parts = ["Report"]
    if flight.robot:
        parts.append(flight.robot)
    if flight.planner:
        parts.append(flight.planner)
    if flight.start_ns:
        moment = datetime.fromtimestamp(flight.start_ns * 1e-9, tz=UTC)
        parts.append(f"{moment:%Y-%m-%d %H:%M:%S} UTC")
    return "  ·  ".join(parts)


def _draw_world(axes: Axes, shapes: tuple[Shape, ...]) -> None:
    for shape in shapes:
        (x, y, _), (length, width, _) = shape.centre, shape.size
        if shape.is_floor:
            corner = (x - length / 2, y - width / 2)
            axes.add_patch(Rectangle(corner, length, width, fc=FREE, ec=FAINT, lw=0.8, zorder=0))
            axes.set_xlim(corner[0], corner[0] + length)
            axes.set_ylim(corner[1], corner[1] + width)
        elif shape.kind is Kind.CYLINDER:
            axes.add_patch(Circle((x, y), length / 2, fc=OBSTACLE, ec="none", zorder=2))
        elif shape.kind is Kind.BOX:
            turn = Affine2D().rotate(shape.yaw).translate(x, y) + axes.transData
            box = Rectangle((-length / 2, -width / 2), length, width, fc=OBSTACLE, ec="none")
            box.set(transform=turn, zorder=2)
            axes.add_patch(box)


def _draw_candidates(axes: Axes, candidates: Candidates) -> None:
    paths = candidates.position[:, :, 0, :2]
    for mask, colour, order in (
        (~candidates.feasible, INFEASIBLE, 3),
        (candidates.feasible, FEASIBLE, 4),
    ):
        lines = LineCollection(list(paths[mask]), colors=colour, linewidths=0.5, alpha=0.55)
        lines.set_zorder(order)
        axes.add_collection(lines)
    axes.plot(*paths[candidates.best].T, color=CHOSEN, lw=2.0, zorder=5)
    axes.plot(*paths[candidates.best, 0], "o", ms=4.5, color=INK, mec="white", mew=0.6, zorder=6)


def _draw_history(
    axes: Axes, flight: Flight, values: Array, label: str, limits: list[float], name: str
) -> None:
    axes.set_ylabel(label)
    if not len(values):
        axes.set(xticks=[], yticks=[])
        say_missing(axes, "no odometry")
        return
    time_s = flight.seconds(flight.stamp_ns)
    shade_goals(axes, flight, int(flight.stamp_ns[-1]))
    axes.plot(time_s, values, color=INK, lw=1.1)
    for limit in limits:
        axes.axhline(limit, color=LIMIT, lw=0.9, ls=(0, (4, 3)))
    if limits:
        axes.text(0.995, limits[-1], name, transform=axes.get_yaxis_transform(), ha="right",
                  va="bottom", fontsize=6.5, color=LIMIT)  # fmt: skip
    axes.set_xlim(*time_span(flight, time_s))
    low, high = min([float(values.min()), *limits]), max([float(values.max()), *limits])
    margin = 0.12 * max(high - low, 0.1)
    axes.set_ylim(low - 0.4 * margin, high + 1.4 * margin)


def _limit(robot: Robot | None, name: str, attribute: str) -> float | None:
    if robot is None or name not in robot.names:
        return None
    return float(getattr(robot, attribute)[robot.names.index(name)])


def _spread(sets: tuple[Candidates, ...], count: int) -> list[Candidates]:
    if len(sets) <= count:
        return list(sets)
    return [sets[int((i + 0.5) * len(sets) / count)] for i in range(count)]


def _centre(candidates: Candidates) -> Array:
    flat = candidates.position[:, :, 0, :2].reshape(-1, 2)
    return np.asarray((flat.min(axis=0) + flat.max(axis=0)) / 2, dtype=np.float64)


def _reach(candidates: Candidates) -> float:
    flat = candidates.position[:, :, 0, :2].reshape(-1, 2)
    return float((flat.max(axis=0) - flat.min(axis=0)).max()) / 2 * 1.2 + 0.1
