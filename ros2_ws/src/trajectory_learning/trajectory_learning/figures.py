"""Pictures to look at: samples over data, and flights through worlds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from planner_core.world import World
from trajectory_learning.problems.flight import Flight, Outcome
from trajectory_learning.problems.navigation import Windows
from trajectory_learning.problems.navigation_diffusion import CHANNELS, NavigationDiffusion
from trajectory_learning.problems.navigation_ranker import NavigationPlanner

COLOURS = ("tab:blue", "tab:orange", "tab:green", "tab:red", "tab:purple")


def draw_world(axes: Axes, world: World) -> None:
    """Obstacles, start and goal from above."""
    for x, y, radius, *_ in world.cylinders:
        axes.add_patch(plt.Circle((x, y), radius, color="0.75"))
    for x, y, _, length, width, _, yaw in world.boxes:
        axes.add_patch(
            plt.Rectangle(
                (x - length / 2, y - width / 2), length, width,
                angle=np.degrees(yaw), rotation_point="center", color="0.75",
            )
        )  # fmt: skip
    axes.plot(*world.start[:2], "o", color="0.3", markersize=4)
    axes.plot(*world.goal[:2], "*", color="k", markersize=8)
    axes.set_xlim(world.lower[0], world.upper[0])
    axes.set_ylim(world.lower[1], world.upper[1])
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])


def flights_figure(worlds: list[World], flights: dict[str, list[Flight]], path: Path) -> None:
    """Tracks of all planners, one panel a world; a cross marks a collision."""
    columns = 3
    rows = -(-len(worlds) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(6 * columns, 3.7 * rows), squeeze=False)
    for i, (panel, world) in enumerate(zip(axes.flat, worlds, strict=False)):
        draw_world(panel, world)
        panel.set_title(world.name, fontsize=8)
        for (name, row), colour in zip(flights.items(), COLOURS, strict=False):
            track = row[i].track
            label = f"{name} {row[i].time_s:.1f} s"
            panel.plot(track[:, 0], track[:, 1], color=colour, linewidth=1.2, label=label)
            if row[i].outcome is Outcome.COLLISION:
                panel.plot(*track[-1, :2], "x", color=colour, markersize=8)
        panel.legend(fontsize=6, loc="upper left")
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    plt.close(figure)


@torch.no_grad()
def samples_figure(
    planner: NavigationPlanner, windows: Windows, path: Path, *, candidates: int, stochastic: bool
) -> None:
    """Samples (blue: feasible, grey: not, red: chosen) over the data's own window (black)."""
    generator = torch.Generator().manual_seed(1)

    def draw(panel: Axes, i: int) -> None:
        noise = torch.randn(candidates, planner.model.network.config.noise, generator=generator)
        result = planner(
            windows.scan[i], windows.velocity[i], windows.goal[i], noise * float(stochastic)
        )
        acceleration = result.acceleration.transpose(-1, -2)[None]
        track, _ = planner.model.network.windows(acceleration, windows.velocity[i][None])
        for k in range(candidates):
            colour = "tab:blue" if result.feasible[k] else "0.7"
            panel.plot(track[0, k, :, 0], track[0, k, :, 1], color=colour, linewidth=0.5)
        panel.plot(result.window[0, :, 0], result.window[0, :, 1], "tab:red", linewidth=1.5)

    _over_data(windows, draw, planner.ranking.max_range_m, path)


@torch.no_grad()
def diffusion_figure(
    model: NavigationDiffusion, windows: Windows, max_range_m: float, path: Path, candidates: int
) -> None:
    """Samples (blue) over the data's own window (black); nothing is ranked in training."""
    generator = torch.Generator().manual_seed(1)

    def draw(panel: Axes, i: int) -> None:
        noise = torch.randn(candidates, model.horizon, CHANNELS, generator=generator)
        seen = (windows.scan[i], windows.velocity[i], windows.goal[i])
        for position in model.sample(noise, *seen)[..., :2]:
            panel.plot(*position.T, color="tab:blue", linewidth=0.5)

    _over_data(windows, draw, max_range_m, path)


def _over_data(
    windows: Windows, draw: Callable[[Axes, int], None], max_range_m: float, path: Path
) -> None:
    """Twelve windows of the data with what they see; ``draw`` adds samples to each."""
    columns, rows = 4, 3
    figure, axes = plt.subplots(rows, columns, figsize=(4 * columns, 3.4 * rows))
    picks = np.linspace(0, len(windows) - 1, columns * rows).astype(int)
    angle = 2 * np.pi * np.arange(windows.scan.shape[1]) / windows.scan.shape[1]
    for panel, i in zip(axes.flat, picks, strict=True):
        scan = windows.scan[i].numpy()
        hit = (scan * np.stack([np.cos(angle), np.sin(angle)]))[:, scan < max_range_m - 1e-3]
        panel.plot(*hit, "s", color="0.5", markersize=3)
        draw(panel, i)
        panel.plot(*windows.window[i, 0, :, :2].T, "k", linewidth=2)
        panel.plot(*windows.goal[i, :2], "k*", markersize=8)
        panel.set_xlim(-2, 4.2)
        panel.set_ylim(-2.6, 2.6)
        panel.set_aspect("equal")
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    plt.close(figure)
