"""The late-branch generator: one deep trunk for the condition, a shallow branch for each candidate.

The condition is the same for all ``K`` candidates, so its encoding is paid once; the noise enters
late, through two FiLM blocks, and a DCT head turns the branch's features into smooth accelerations.
Ranking ``K = 64`` candidates then costs little more than making one.

**Source** of FiLM: E. Perez et al., "FiLM: visual reasoning with a general conditioning layer",
2018.

Letters: ``B`` conditions, ``G`` noise samples of each, ``H`` samples of a window, ``L`` points at
which the value is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from planner_core.navigation import AXES, integration_matrices
from torch import Tensor, nn
from trajectory_learning.networks.residual_mlp import ResidualMLP, dct_basis


@dataclass(frozen=True)
class LateBranchConfig:
    """Sizes of the network.

    Attributes:
        trunk_width: Features of the trunk.
        trunk_blocks: Residual blocks of the trunk.
        branch_width: Features of a candidate.
        branch_blocks: FiLM blocks of a candidate.
        noise: Length of the noise vector.
        modes: Cosines of the acceleration along each axis.
        value_width: Features of the value head.
        acceleration_limit: Acceleration at which candidates saturate [m/s^2].
    """

    trunk_width: int = 256
    trunk_blocks: int = 3
    branch_width: int = 128
    branch_blocks: int = 2
    noise: int = 16
    modes: int = 8
    value_width: int = 64
    acceleration_limit: float = 3.0


class FilmBlock(nn.Module):
    """x + W SiLU(scale * LayerNorm(x) + shift), scale and shift given by the condition."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.mix = nn.Linear(width, width)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """(..., width) with a scale and a shift that broadcast against it."""
        return x + self.mix(nn.functional.silu((1 + scale) * self.norm(x) + shift))


class LateBranch(nn.Module):
    """Generates accelerations, and predicts how far the goal is from any point nearby.

    Args:
        condition: Features of a normalised condition.
        horizon: ``H``.
        dt_s: Spacing of the samples.
        config: Sizes.
        axes: Degrees of freedom that a window moves along.
    """

    def __init__(
        self,
        condition: int,
        horizon: int,
        dt_s: float,
        config: LateBranchConfig,
        axes: int = AXES,
    ) -> None:
        super().__init__()
        self.axes = axes
        self.config, self.horizon, self.dt_s = config, horizon, dt_s
        width = config.branch_width
        self.trunk = ResidualMLP(condition, config.trunk_width, config.trunk_blocks)
        self.film = nn.Linear(config.trunk_width, 2 * width * config.branch_blocks)
        self.start = nn.Linear(config.trunk_width, width)
        self.noise = nn.Linear(config.noise, width)
        self.branch = nn.ModuleList(FilmBlock(width) for _ in range(config.branch_blocks))
        self.head = nn.Linear(width, axes * config.modes)
        self.value_condition = nn.Linear(config.trunk_width, config.value_width)
        self.value_point = nn.Linear(2, config.value_width)
        self.value_mix = nn.Linear(config.value_width, config.value_width)
        self.value_out = nn.Linear(config.value_width, 1)
        self.register_buffer("basis", dct_basis(horizon, config.modes), persistent=False)
        to_velocity, to_position = integration_matrices(horizon, dt_s)
        self.register_buffer("to_velocity", torch.tensor(to_velocity).float(), persistent=False)
        self.register_buffer("to_position", torch.tensor(to_position).float(), persistent=False)
        time = torch.arange(horizon, dtype=torch.float32)[:, None] * dt_s
        self.register_buffer("time_s", time, persistent=False)

    def encode(self, condition: Tensor) -> Tensor:
        """(B, condition) normalised -> (B, trunk_width)."""
        return self.trunk(condition)

    def along_time(self, features: Tensor, noise: Tensor) -> Tensor:
        """Candidates with time last, as the ranker and the exported graph want them.

        Args:
            features: (..., trunk_width) from `encode`; broadcasts against the noise.
            noise: (..., noise).

        Returns:
            (..., axes, H) per second squared, of a norm below the acceleration limit.
        """
        return limited(self.modes(features, noise) @ self.basis, self.config.acceleration_limit)

    def modes(self, features: Tensor, noise: Tensor) -> Tensor:
        """What `along_time` makes candidates of: (..., axes, modes) amplitudes of the cosines."""
        x = self.head(self.branched(features, noise))
        return x.unflatten(-1, (self.axes, self.config.modes))

    def branched(self, features: Tensor, noise: Tensor) -> Tensor:
        """(..., branch_width) of each candidate, from which the head reads its modes."""
        film = self.film(features).chunk(2 * self.config.branch_blocks, dim=-1)
        x = self.start(features) + self.noise(noise)
        for i, block in enumerate(self.branch):
            x = block(x, film[2 * i], film[2 * i + 1])
        return x

    def accelerations(self, features: Tensor, noise: Tensor) -> Tensor:
        """Candidates for each condition.

        Args:
            features: (B, trunk_width) from `encode`.
            noise: (B, G, noise).

        Returns:
            (B, G, H, 3) [m/s^2], of a norm below the acceleration limit.
        """
        return self.along_time(features.unsqueeze(1), noise).transpose(-1, -2)

    def windows(self, acceleration: Tensor, velocity: Tensor) -> tuple[Tensor, Tensor]:
        """Positions and velocities that follow from accelerations.

        Args:
            acceleration: (B, G, H, 3) [m/s^2].
            velocity: (B, 3) [m/s] present velocity.

        Returns:
            (B, G, H, 3) [m] position relative to the robot, and (B, G, H, 3) [m/s] velocity.
        """
        v0 = velocity[:, None, None]
        # With time last and the matrix on the right it is one product for all candidates.
        along_time = acceleration.transpose(-1, -2)
        return (
            v0 * self.time_s + (along_time @ self.to_position.T).transpose(-1, -2),
            v0 + (along_time @ self.to_velocity.T).transpose(-1, -2),
        )

    def distance(self, features: Tensor, points: Tensor) -> Tensor:
        """Predicted length of the way from points near the robot to the goal.

        Args:
            features: (B, trunk_width) from `encode`.
            points: (B, L, 2) [m] relative to the robot, goal frame.

        Returns:
            (B, L) [m].
        """
        x = self.value_condition(features).unsqueeze(1) + self.value_point(points)
        return self._way(x)

    def distance_of_one(self, features: Tensor, points: Tensor) -> Tensor:
        """`distance` for a single condition, (1, trunk_width) and (L, 2) to (L,).

        The condition's share is a bias here, which makes one operation of three in the graph.
        """
        bias = self.value_condition(features).squeeze(0) + self.value_point.bias
        return self._way(nn.functional.linear(points, self.value_point.weight, bias))

    def _way(self, x: Tensor) -> Tensor:
        x = self.value_mix(nn.functional.silu(x))
        return self.value_out(nn.functional.silu(x)).squeeze(-1)


def limited(raw: Tensor, limit: float) -> Tensor:
    """(..., 3, H) vectors, softly saturated at a norm of ``limit``."""
    square = (raw * raw).sum(dim=-2, keepdim=True)
    return raw * torch.rsqrt(1.0 + square * (1.0 / limit**2))
