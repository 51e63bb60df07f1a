"""The network of every learned row of the mass-spring-damper, and the windows that it makes.

Letters: ``B`` queries, ``M`` samples of each, ``H`` steps, ``W = 3 H`` numbers of a relative
window: positions and velocities 1..H less those at 0, then the forces 0..H-1. In a library a window
is absolute and has ``3 H + 2`` numbers, for the cost counts the first state too.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from trajectory_learning.methods.retrieval import Array, Indices, Library
from trajectory_learning.networks.residual_mlp import ResidualMLP
from trajectory_learning.problems.mass_spring_data import (
    OMEGA_HIGH,
    OMEGA_LOW,
    START_BOUND,
    Trajectories,
)

NOISE = 32


def library_of(data: Trajectories) -> Library:
    """The trajectories as a library of absolute windows."""
    horizon = data.forces.shape[1]
    windows = np.concatenate([data.states[..., 0], data.states[..., 1], data.forces], axis=1)
    group = np.repeat([0, 1, 2], [horizon + 1, horizon + 1, horizon])
    return Library(data.states[:, 0], windows, group)


def force_indices(horizon: int) -> Indices:
    """Positions of the forces in an absolute window."""
    return np.arange(2 * horizon + 2, 3 * horizon + 2)


def relative(windows: Array, x: Array) -> Array:
    """(..., W) windows relative to their queries' states (..., 2)."""
    horizon = (windows.shape[-1] - 2) // 3
    return np.concatenate(
        [
            windows[..., 1 : horizon + 1] - x[..., :1],
            windows[..., horizon + 2 : 2 * horizon + 2] - x[..., 1:],
            windows[..., 2 * horizon + 2 :],
        ],
        axis=-1,
    )


class Generator(nn.Module):
    """One-step generator of z-scored relative windows.

    Args:
        horizon: ``H``.
        mean: (W,) of the data's relative windows.
        spread: (W,) their standard deviation.
        width: Features.
        blocks: Residual blocks.
    """

    def __init__(self, horizon: int, mean: Array, spread: Array, width: int, blocks: int) -> None:
        super().__init__()
        self.horizon = horizon
        self.body = ResidualMLP(NOISE + 5, width, blocks)
        self.head = nn.Linear(width, 3 * horizon)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("spread", torch.tensor(spread, dtype=torch.float32))
        self.register_buffer("log_low", torch.tensor(np.log(OMEGA_LOW), dtype=torch.float32))
        self.register_buffer("log_high", torch.tensor(np.log(OMEGA_HIGH), dtype=torch.float32))

    def forward(self, x: Tensor, omega: Tensor, noise: Tensor) -> Tensor:
        """Windows for each query.

        Args:
            x: (B, 2) states.
            omega: (B, 3) weights of the cost.
            noise: (B, M, 32).

        Returns:
            (B, M, W) z-scored relative windows.
        """
        scale = (torch.log(omega) - self.log_low) / (self.log_high - self.log_low)
        query = torch.cat([x / START_BOUND, 2 * scale - 1], dim=-1)
        query = query[:, None].expand(-1, noise.shape[1], -1)
        return self.head(self.body(torch.cat([query, noise], dim=-1)))

    def cost(self, windows: Tensor, x: Tensor, omega: Tensor) -> Tensor:
        """(B, M) cost of z-scored relative windows, less that of the first state (Eq. 1)."""
        raw = windows * self.spread + self.mean
        position, velocity, force = raw.split(self.horizon, dim=-1)
        position, velocity = position + x[:, None, :1], velocity + x[:, None, 1:]
        sums = torch.stack(
            [part.square().sum(dim=-1) for part in (position, velocity, force)], dim=-1
        )
        return (sums * omega[:, None]).sum(dim=-1)

    def first_force(self, windows: Tensor) -> Tensor:
        """(B, M) first force [N] of z-scored relative windows."""
        first = 2 * self.horizon
        return windows[..., first] * self.spread[first] + self.mean[first]


class BestOfM(nn.Module):
    """A planning step: generate, score, and give the first force of the cheapest (Algorithm 2)."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, x: Tensor, omega: Tensor, noise: Tensor) -> Tensor:
        """(B,) forces [N]; arguments as of `Generator.forward`."""
        windows = self.generator(x, omega, noise)
        best = self.generator.cost(windows, x, omega).argmin(dim=-1, keepdim=True)
        return self.generator.first_force(windows).gather(1, best)[:, 0]
