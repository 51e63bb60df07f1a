"""The navigation problem: windows of flights, the network's inputs, and the one-step generator.

Letters: ``B`` conditions, ``G`` candidates, ``H`` samples of a window, ``L`` points at which the
value is asked for, ``N`` rays, ``D`` numbers of a window in a loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from planner_core.navigation import NavigationEncoding
from torch import Tensor, nn
from trajectory_learning.networks.late_branch import LateBranch, LateBranchConfig
from trajectory_learning.problems.navigation_data import DataConfig, Flights


@dataclass
class Windows:
    """Windows of flights in their goal frames.

    Attributes:
        scan: (n, N) [m].
        velocity: (n, 3) [m/s] at the first sample.
        goal: (n, 3) [m] relative to the first sample.
        window: (n, 3, H, 3) position relative to the first sample, velocity, acceleration.
        query: (n, Q, 2) [m] points near the robot.
        query_distance: (n, Q) [m] distance from there to the goal.
        flight: (n,) flight that each was cut from.
    """

    scan: Tensor
    velocity: Tensor
    goal: Tensor
    window: Tensor
    query: Tensor
    query_distance: Tensor
    flight: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.scan)

    def subset(self, rows: NDArray[np.intp]) -> Windows:
        """The windows of some rows."""
        index = torch.from_numpy(rows)
        tensors = {name: v[index] for name, v in vars(self).items() if isinstance(v, Tensor)}
        return Windows(**tensors, flight=self.flight[rows])


def cut_windows(flights: Flights, config: DataConfig, horizon: int, stride: int = 2) -> Windows:
    """Cut every ``stride``-th window that lies within one flight.

    Args:
        flights: Where to cut.
        config: How they were flown.
        horizon: ``H``.
        stride: Samples between the beginnings of windows.
    """
    begin = np.arange(0, len(flights.flight) - horizon + 1, stride)
    begin = begin[flights.flight[begin] == flights.flight[begin + horizon - 1]]
    encoding = NavigationEncoding(config.rays, config.max_range_m)
    state = encoding.encode(
        flights.position[begin], flights.velocity[begin], flights.goal[begin], flights.scan[begin]
    )
    angle = (-state.turn * (2 * np.pi / config.rays)).astype(np.float32)
    rotation = np.zeros((len(begin), 3, 3), dtype=np.float32)
    rotation[:, 0, 0] = rotation[:, 1, 1] = np.cos(angle)
    rotation[:, 0, 1], rotation[:, 1, 0] = np.sin(angle), -np.sin(angle)
    rotation[:, 2, 2] = 1.0
    index = begin[:, None] + np.arange(horizon)
    window = np.empty((len(begin), 3, horizon, 3), dtype=np.float32)
    for i, name in enumerate(("position", "velocity", "acceleration")):
        values = getattr(flights, name)[index]
        if name == "position":
            values = values - values[:, :1]
        window[:, i] = values @ rotation
    tensor = {
        "scan": state.scan, "velocity": state.velocity, "goal": state.goal, "window": window,
        "query": flights.query[begin] @ rotation[:, :2, :2],
        "query_distance": flights.query_distance[begin],
    }  # fmt: skip
    return Windows(
        **{name: torch.from_numpy(np.asarray(v, dtype=np.float32)) for name, v in tensor.items()},
        flight=flights.flight[begin],
    )


def features(scan: Tensor, velocity: Tensor, goal: Tensor) -> Tensor:
    """What the network sees of an observation, before normalisation.

    Ranges enter as proximities, so that near surfaces have the resolution; the goal enters as a
    direction that fades within the last decimetres and as a vector that saturates far away.

    Args:
        scan: (B, N) [m].
        velocity: (B, 3) [m/s].
        goal: (B, 3) [m].

    Returns:
        (B, N + 8).
    """
    planar, far = goal[:, :2], goal[:, :2].square().sum(dim=-1, keepdim=True).add(1e-8).sqrt()
    return torch.cat(
        [1 / (0.3 + scan), velocity, planar / (0.2 + far), planar * 2 / (2 + far), goal[:, 2:]],
        dim=-1,
    )


class WindowMetric:
    """Windows as flat vectors whose norm is a root-mean-square error in units of the data's spread.

    Positions are scaled by the spread of what acceleration adds to the present motion. That spread
    is small at the beginning of a window, which is what a receding horizon executes: there, a
    decimetre counts for more than at the end.

    Args:
        windows: Data that gives the spread.
        dt_s: Spacing of the samples.
        every: Samples between the instants that count.
    """

    WEIGHTS = (1.0, 1.0, 0.5)

    def __init__(self, windows: Windows, dt_s: float, every: int = 2) -> None:
        horizon = windows.window.shape[2]
        self.instants = torch.arange(1, horizon, every)
        added = windows.window.clone()
        added[:, 0] -= windows.velocity[:, None] * (torch.arange(horizon) * dt_s)[:, None]
        added[:, 1] -= windows.velocity[:, None]
        self.scale = added[:, :, self.instants].std(dim=0)

    def flatten(self, windows: Tensor) -> Tensor:
        """(..., 3, H, 3) -> (..., D)."""
        weight = torch.tensor(self.WEIGHTS).sqrt()[:, None, None] / self.scale
        scaled = windows[..., self.instants, :] * weight
        return scaled.flatten(-3) / self.scale.numel() ** 0.5


class NavigationModel(nn.Module):
    """Normalisation and generator.

    Args:
        rays: ``N``.
        horizon: ``H``.
        dt_s: Spacing of the samples.
        config: Sizes of the network.
    """

    def __init__(self, rays: int, horizon: int, dt_s: float, config: LateBranchConfig) -> None:
        super().__init__()
        self.rays = rays
        width = rays + 8
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("std", torch.ones(width))
        self.network = LateBranch(width, horizon, dt_s, config)

    def set_statistics(self, windows: Windows) -> None:
        """Take mean and standard deviation of the features from data."""
        x = features(windows.scan, windows.velocity, windows.goal)
        self.mean.copy_(x.mean(dim=0))
        self.std.copy_(x.std(dim=0).clamp_min(1e-3))

    def condition(self, scan: Tensor, velocity: Tensor, goal: Tensor) -> Tensor:
        """(B, N + 8) normalised features."""
        return (features(scan, velocity, goal) - self.mean) / self.std

    def generate(self, encoded: Tensor, velocity: Tensor, noise: Tensor) -> Tensor:
        """Windows from encoded conditions.

        Args:
            encoded: (B, trunk_width).
            velocity: (B, 3) [m/s].
            noise: (B, G, n_z).

        Returns:
            (B, G, 3, H, 3) position, velocity, acceleration.
        """
        acceleration = self.network.accelerations(encoded, noise)
        position, speed = self.network.windows(acceleration, velocity)
        return torch.stack([position, speed, acceleration], dim=2)

    def distance(self, encoded: Tensor, goal: Tensor, points: Tensor) -> Tensor:
        """(B, L) [m] predicted way from points (B, L, 2) to the goal: straight line plus detour."""
        straight = (points - goal[:, None, :2]).square().sum(dim=-1).add(1e-6).sqrt()
        return straight + self.network.distance(encoded, points)
