"""One page that shows whether a data set is worth training on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from planner_core.dataset_file import VALIDATION, StoredEpisode
from planner_core.robot import Robot

from episode_recorder.conversion import Converted

LISTED = 14
"""Lines of cuts that fit the page."""


def write_report(
    path: Path,
    bags: Sequence[Converted],
    episodes: Sequence[StoredEpisode],
    robot: Robot,
    max_gap_s: float,
) -> None:
    """Draw the page: rates, gaps, coverage, actions, lengths, cuts.

    Args:
        path: Of the PNG.
        bags: What became of each bag.
        episodes: As in the data set.
        robot: Whose.
        max_gap_s: Longer times between states were cut [s].
    """
    figure, axes = plt.subplots(2, 3, figsize=(16, 9), layout="constrained")
    steps = sum(e.steps for e in episodes)
    validation = sum(e.attributes["split"] == VALIDATION for e in episodes)
    figure.suptitle(
        f"{robot.name}: {len(episodes)} episodes ({validation} for validation), {steps} steps, "
        f"from {len(bags)} recordings of {sum(b.duration_s for b in bags):.0f} s"
    )
    _rates(axes[0, 0], bags)
    _gaps(axes[0, 1], bags, max_gap_s)
    _coverage(axes[0, 2], episodes, robot)
    _actions(axes[1, 0], episodes, robot)
    _lengths(axes[1, 1], episodes)
    _cuts(axes[1, 2], bags)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _rates(axes: Axes, bags: Sequence[Converted]) -> None:
    topics = sorted({topic for bag in bags for topic in bag.rates_hz})
    rates = [[bag.rates_hz.get(topic, 0.0) for bag in bags] for topic in topics]
    least, mean, most = (np.array([of(rate) for rate in rates]) for of in (min, np.mean, max))
    # A mean of equal numbers may differ from them in its last digit.
    spread = np.maximum([mean - least, most - mean], 0.0)
    axes.barh(topics, mean, xerr=spread, color="tab:blue")
    axes.set(title="rates (mean, least and most of a recording)", xlabel="Hz", xscale="symlog")
    axes.tick_params(axis="y", labelsize=7)


def _gaps(axes: Axes, bags: Sequence[Converted], max_gap_s: float) -> None:
    steps_ms = np.concatenate([bag.state_steps_s for bag in bags] or [np.zeros(0)]) * 1e3
    steps_ms = steps_ms[steps_ms > 0]
    if len(steps_ms):
        edges = np.geomspace(max(steps_ms.min(), 0.1), max(steps_ms.max(), 0.2) * 1.01, 60)
        axes.hist(steps_ms, bins=edges, color="tab:green")
    axes.axvline(max_gap_s * 1e3, color="tab:red", label="cut beyond")
    axes.set(title="time between states", xlabel="ms", xscale="log", yscale="log")
    axes.legend()


def _coverage(axes: Axes, episodes: Sequence[StoredEpisode], robot: Robot) -> None:
    if episodes:
        position = np.concatenate([e.arrays["infos/position"] for e in episodes])
        axes.hist2d(position[:, 0], position[:, 1], bins=60, cmin=1)
    x, y = robot.names[:2]
    axes.set(title="coverage", xlabel=f"{x} [{robot.units[0]}]", ylabel=f"{y} [{robot.units[1]}]")


def _actions(axes: Axes, episodes: Sequence[StoredEpisode], robot: Robot) -> None:
    if episodes:
        actions = np.concatenate([e.arrays["actions"] for e in episodes])
        for column, name in enumerate(robot.names):
            axes.hist(actions[:, column], bins=60, histtype="step", label=name)
        axes.legend(fontsize=7)
    axes.set(title="actions: acceleration", xlabel="unit/s²", yscale="log")


def _lengths(axes: Axes, episodes: Sequence[StoredEpisode]) -> None:
    for success, colour in ((True, "tab:green"), (False, "tab:orange")):
        steps = [e.steps for e in episodes if bool(e.attributes["success"]) is success]
        label = "success" if success else "no success"
        axes.hist(steps, bins=30, color=colour, alpha=0.6, label=f"{label}: {len(steps)}")
    axes.set(title="lengths", xlabel="steps")
    axes.legend()


def _cuts(axes: Axes, bags: Sequence[Converted]) -> None:
    lines = [f"{bag.folder.name} {cut}" for bag in bags for cut in bag.cuts]
    shown = [line[:90] for line in lines[:LISTED]]
    if len(lines) > LISTED:
        shown.append(f"and {len(lines) - LISTED} more")
    axes.axis("off")
    axes.set_title(f"cuts: {len(lines)}")
    axes.text(0, 1, "\n".join(shown) or "none", va="top", fontsize=7, wrap=True)
