"""Diffusion planners for navigation: windows, conditions and networks of Diffuser and MPDiffuser.

A row of a window holds position, velocity and acceleration at one instant, in the goal frame and
relative to the robot. The first six channels are the states, the last three the actions. What is
executed are the actions: the ranker integrates them from the robot's true velocity, so that a plan
never disagrees with itself, and the states are what the networks reason about.

Letters: ``B`` windows, ``K`` plans of one observation, ``H`` samples of each, ``D`` channels, ``N``
rays, ``C`` numbers of a condition, ``T`` noise levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from trajectory_learning.methods.diffuser import Diffuser, first_state
from trajectory_learning.methods.diffusion import Diffusion, Schedule
from trajectory_learning.methods.mpdiffuser import MPDiffuser
from trajectory_learning.networks.denoisers import MlpDenoiser
from trajectory_learning.networks.temporal_unet import TemporalUnet
from trajectory_learning.problems.navigation import Windows, features

STATES, ACTIONS = 6, 3
CHANNELS = STATES + ACTIONS

METHODS = ("diffuser", "mpdiffuser")


@dataclass(frozen=True)
class DiffusionConfig:
    """Networks and noise levels of a diffusion planner; other methods ignore them.

    Attributes:
        levels: ``T``.
        schedule: How the signal fades: "cosine" or "linear".
        prediction: What the networks predict: "x0", "v" or "epsilon".
        drop: Probability with which the condition is withheld in training.
        unet_width: Features of the Diffuser's temporal U-Net.
        mlp_width: Features of MPDiffuser's networks.
        mlp_blocks: Residual blocks of MPDiffuser's networks.
    """

    levels: int = 20
    schedule: str = "cosine"
    prediction: str = "x0"
    drop: float = 0.1
    unet_width: int = 32
    mlp_width: int = 192
    mlp_blocks: int = 3


class NavigationDiffusion(nn.Module):
    """Normalisation and denoisers of one method.

    The condition is the velocity, which MPDiffuser never withholds (its present state), followed by
    the features that all navigation networks see. The Diffuser has its present state painted into
    the window and may lose the whole condition.

    Args:
        method: One of `METHODS`.
        rays: ``N``.
        horizon: ``H``.
        config: Sizes and levels.
    """

    def __init__(self, method: str, rays: int, horizon: int, config: DiffusionConfig) -> None:
        super().__init__()
        self.method, self.rays, self.horizon, self.config = method, rays, horizon, config
        self.diffusion = Diffusion(Schedule(config.levels, config.schedule), config.prediction)
        width = 3 + rays + 8
        self.register_buffer("condition_mean", torch.zeros(width))
        self.register_buffer("condition_std", torch.ones(width))
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("std", torch.ones(CHANNELS))
        self.register_buffer("low", torch.full((CHANNELS,), -1.0))
        self.register_buffer("high", torch.ones(CHANNELS))
        self.register_buffer("known", first_state(horizon, STATES, ACTIONS), persistent=False)
        self.planner: nn.Module
        self.dynamics: nn.Module | None = None
        if method == "diffuser":
            self.planner = TemporalUnet(CHANNELS, width, width=config.unet_width)
        else:
            sizes = {"always": 3, "width": config.mlp_width, "blocks": config.mlp_blocks}
            self.planner = MlpDenoiser(horizon, CHANNELS, width, **sizes)
            self.dynamics = MlpDenoiser(horizon, CHANNELS, width, outputs=STATES, **sizes)

    def set_statistics(self, windows: Windows) -> None:
        """Take normalisation and the range of the data from windows."""
        raw = raw_condition(windows.scan, windows.velocity, windows.goal)
        self.condition_mean.copy_(raw.mean(dim=0))
        self.condition_std.copy_(raw.std(dim=0).clamp_min(1e-3))
        rows = flat_rows(windows.window).flatten(0, 1)
        self.mean.copy_(rows.mean(dim=0))
        self.std.copy_(rows.std(dim=0).clamp_min(1e-3))
        scaled = (rows - self.mean) / self.std
        self.low.copy_(scaled.amin(dim=0))
        self.high.copy_(scaled.amax(dim=0))

    def condition(self, scan: Tensor, velocity: Tensor, goal: Tensor) -> Tensor:
        """(B, C) normalised condition."""
        raw = raw_condition(scan, velocity, goal)
        return (raw - self.condition_mean) / self.condition_std

    def normalised(self, window: Tensor) -> Tensor:
        """(B, 3, H, 3) physical windows -> (B, H, D)."""
        return (flat_rows(window) - self.mean) / self.std

    def sample(self, noise: Tensor, scan: Tensor, velocity: Tensor, goal: Tensor) -> Tensor:
        """Plans for one observation, without a ranker; MPDiffuser by its joint step.

        Args:
            noise: (K, H, D) unit noise.
            scan: (N,) [m].
            velocity: (3,) [m/s].
            goal: (3,) [m].

        Returns:
            (K, H, D) rows in physical units.
        """
        condition = self.condition(scan[None], velocity[None], goal[None]).expand(len(noise), -1)
        options = {"steps": self.config.levels, "clip": (self.low, self.high)}
        if self.dynamics is None:
            at_rest = torch.zeros(CHANNELS, device=noise.device)
            present = torch.cat([at_rest[:3], velocity, at_rest[STATES:]])
            state = ((present - self.mean) / self.std)[:STATES].expand(len(noise), -1)
            diffuser = Diffuser(self.diffusion, self.planner, STATES)
            plans = diffuser.sample(noise, state, condition, **options)
        else:
            both = MPDiffuser(self.diffusion, self.planner, self.dynamics)
            plans = both.sample(noise, condition, **options)
        return plans * self.std + self.mean

    def losses(self, windows: Windows) -> Tensor:
        """() loss of a batch, summed over the networks."""
        clean = self.normalised(windows.window)
        condition = self.condition(windows.scan, windows.velocity, windows.goal)
        drop = self.config.drop
        if self.dynamics is None:
            return self.diffusion.loss(self.planner, clean, condition, known=self.known, drop=drop)
        planner = self.diffusion.loss(self.planner, clean, condition, drop=drop)
        return planner + self.diffusion.loss(self.dynamics, clean, condition, drop=drop)


def raw_condition(scan: Tensor, velocity: Tensor, goal: Tensor) -> Tensor:
    """(B, C): the present state, then the features of the observation."""
    return torch.cat([velocity, features(scan, velocity, goal)], dim=-1)


def flat_rows(window: Tensor) -> Tensor:
    """(B, 3, H, 3) position, velocity, acceleration -> (B, H, D) rows."""
    return window.transpose(1, 2).flatten(-2)
