"""Placing an object with an arm: windows of demonstrations, their metric, and the generator.

What the generator is told first is geometry (`arm_observation`). Which of the poses is next, when,
and how it is gone to is learned. `arm_ranking` makes the graph of it that a robot runs.

Letters: ``B`` conditions, ``H`` samples of a window, ``n`` windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from planner_core.navigation import integration_matrices
from torch import Tensor, nn
from trajectory_learning.networks.late_branch import LateBranch, LateBranchConfig, limited
from trajectory_learning.problems.arm_geometry import JOINTS
from trajectory_learning.problems.arm_observation import FEATURES, WAYS, observed

GAIN_HZ: Final = 10.0
"""Weights of ways are of the order of one, with which they are reached in time."""


@dataclass
class Windows:
    """What the script does from many states.

    Attributes:
        position: (n, 6) [rad] joints at the first sample.
        velocity: (n, 6) [rad/s].
        thing: (n, 4) [m, rad] centre of the object, and how it is turned.
        goal: (n, 3) [m] where the object is to be.
        window: (n, 3, H, 6) position, velocity, acceleration.
        episode: (n,) episode that each was cut from.
    """

    position: Tensor
    velocity: Tensor
    thing: Tensor
    goal: Tensor
    window: Tensor
    episode: Tensor

    def __len__(self) -> int:
        return len(self.position)

    @property
    def told(self) -> Tensor:
        """(n, TOLD) what a planner is told of each, in the order of `Known`."""
        return torch.cat([self.position, self.velocity, self.thing, self.goal], -1)

    def subset(self, rows: Tensor) -> Windows:
        """The windows of some rows."""
        return Windows(**{name: value[rows] for name, value in vars(self).items()})


class WindowMetric:
    """A norm of windows: their root-mean-square difference in units of the data's spread.

    A candidate follows from its accelerations and the state that it begins in, so the difference of
    two from the same state is a linear map of that of their accelerations. A window of the data,
    whose accelerations jump between samples where those of a candidate are linear, stands for the
    nearest candidate.

    Args:
        windows: Data that gives the spread.
        dt_s: Spacing of the samples.

    Attributes:
        scale: (3, H - 1, 6) spread of what windows add to the present motion.
    """

    WEIGHTS = (1.0, 1.0, 0.3)
    """Of position, velocity and acceleration."""

    def __init__(self, windows: Windows, dt_s: float) -> None:
        added = self.added(windows.window, windows.position, windows.velocity, dt_s)
        self.scale = added[:, :, 1:].std(dim=0).clamp_min(1e-3)
        horizon = windows.window.shape[-2]
        to_velocity, to_position = integration_matrices(horizon, dt_s)
        rows = torch.tensor(np.stack([to_position, to_velocity, np.eye(horizon)])[:, 1:])
        weight = torch.tensor(self.WEIGHTS)[:, None, None] / self.scale.square()
        self._to_square = torch.einsum("mta,mtj->mtja", rows, weight / self.scale.numel())
        # Of each joint the square of the norm, as a matrix between accelerations, and its root.
        square = torch.einsum("mtja,mtb->jab", self._to_square, rows)
        self._root = torch.linalg.cholesky(square).mT

    @staticmethod
    def added(window: Tensor, position: Tensor, velocity: Tensor, dt_s: float) -> Tensor:
        """What a window (..., 3, H, 6) adds to the motion from a state (..., 6)."""
        time = torch.arange(window.shape[-2])[:, None] * dt_s
        on = position[..., None, :] + velocity[..., None, :] * time
        moving = velocity[..., None, :].expand_as(on)
        return window - torch.stack([on, moving, torch.zeros_like(on)], dim=-3)

    def flatten(self, acceleration: Tensor) -> Tensor:
        """(..., 6, H) accelerations [rad/s^2] to (..., 6 H), whose norm is that of the windows."""
        return (self._root.float() @ acceleration.unsqueeze(-1)).flatten(-3)

    def nearest(self, windows: Windows, dt_s: float) -> Tensor:
        """(n, 6 H) the candidates that are nearest to windows of the data, flat."""
        added = self.added(windows.window, windows.position, windows.velocity, dt_s)[:, :, 1:]
        along = torch.einsum("mtja,nmtj->nja", self._to_square, added.double()).unsqueeze(-1)
        return torch.linalg.solve_triangular(self._root.mT, along, upper=False).flatten(1).float()


class ArmBranch(LateBranch):
    """A late branch whose candidates are in part mixtures of ways to go.

    What the network has to find out is which way is next, and when; that a pose is reached without
    an error is geometry, which is not learned. An arm that a network leads to within a few
    millimetres of where the next step begins waits there for ever.

    Args:
        horizon: ``H``.
        dt_s: Spacing of the samples.
        config: Sizes.
    """

    def __init__(self, horizon: int, dt_s: float, config: LateBranchConfig) -> None:
        super().__init__(FEATURES, horizon, dt_s, config, axes=JOINTS + WAYS)
        with torch.no_grad():
            rows = slice(JOINTS * config.modes, None)
            self.head.weight[rows] *= 0.1
            self.head.bias[rows] = 0.0

    def encode(self, condition: Tensor) -> Tensor:
        """(B, FEATURES + 6 WAYS) of `ManipulationModel.condition` to what candidates need."""
        seen, ways = condition.split([FEATURES, WAYS * JOINTS], dim=-1)
        return torch.cat([self.trunk(seen), ways], dim=-1)

    def along_time(self, features: Tensor, noise: Tensor) -> Tensor:
        """See `LateBranch.along_time`."""
        encoded, ways = features.split([self.config.trunk_width, WAYS * JOINTS], dim=-1)
        return self.along_ways(encoded, ways.unflatten(-1, (WAYS, JOINTS)), noise)

    def along_ways(self, encoded: Tensor, ways: Tensor, noise: Tensor) -> Tensor:
        """Candidates with time last.

        Args:
            encoded: (..., trunk_width) of the trunk; broadcasts against the noise.
            ways: (..., WAYS, 6) [rad/s] of `observed`; broadcasts as well.
            noise: (..., noise).

        Returns:
            (..., 6, H) [rad/s^2], of a norm below the acceleration limit.
        """
        # A joint by itself is a way, too: one product is less work than a sum and many small ones.
        alone = torch.eye(JOINTS).expand(*ways.shape[:-2], -1, -1)
        every = torch.cat([alone, GAIN_HZ * ways], dim=-2)
        # Modes first, for which the graph turns the head's weights once, and not its numbers.
        sizes = (self.axes, self.config.modes)
        weight = self.head.weight.unflatten(0, sizes).transpose(0, 1).flatten(0, 1)
        bias = self.head.bias.view(sizes).T.flatten()
        modes = nn.functional.linear(self.branched(encoded, noise), weight, bias)
        raw = (modes.unflatten(-1, sizes[::-1]) @ every).mT @ self.basis
        return limited(raw, self.config.acceleration_limit)


class ManipulationModel(nn.Module):
    """Normalisation and generator.

    Args:
        horizon: ``H``.
        dt_s: Spacing of the samples.
        config: Sizes of the network.
    """

    def __init__(self, horizon: int, dt_s: float, config: LateBranchConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("std", torch.ones(FEATURES))
        self.network = ArmBranch(horizon, dt_s, config)

    def set_statistics(self, windows: Windows) -> None:
        """Take mean and standard deviation of the features from data."""
        x, _ = observed(windows.told)
        self.mean.copy_(x.mean(dim=0))
        self.std.copy_(x.std(dim=0).clamp_min(1e-3))

    def condition(self, told: Tensor) -> Tensor:
        """(B, TOLD) to (B, FEATURES + 6 WAYS): normalised features, and the ways as they are."""
        seen, ways = observed(told)
        return torch.cat([self.normalised(seen), ways.flatten(1)], -1)

    def normalised(self, seen: Tensor) -> Tensor:
        """(B, FEATURES) of `observed`, in units of their spread."""
        return ((seen - self.mean) / self.std).clamp(-5.0, 5.0)
