"""The diffusion rows of the mass-spring-damper: a DDPM given the state, with and without guidance.

Guidance pushes each denoising step down the gradient of the logarithm of the cost, which has no
scale of its own: the same strength serves all weights and horizons.

**Source**: "Receding-Horizon Control via Drifting Models", Sec. V (baselines, 64 denoising steps);
M. Janner et al., "Planning with diffusion for flexible behavior synthesis", 2022, Algorithm 1.

Letters: ``B`` queries, ``H`` steps of a plan; a row of a window is position, velocity, force.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from trajectory_learning.methods.diffusion import Diffusion, Schedule
from trajectory_learning.methods.diffusion_training import FitConfig, fit
from trajectory_learning.methods.retrieval import Array
from trajectory_learning.networks.denoisers import Denoiser, MlpDenoiser
from trajectory_learning.problems.mass_spring_data import START_BOUND
from trajectory_learning.problems.mass_spring_generator import Generator
from trajectory_learning.problems.mass_spring_oracle import Policy
from trajectory_learning.problems.mass_spring_training import Trainer

STEPS = 64


@dataclass(frozen=True)
class WindowDiffusion:
    """Samples z-scored relative windows (B, H, 3), one a query.

    Attributes:
        diffusion: Schedule and prediction.
        denoiser: Network; its condition is the state.
        scales: Gives windows their units and their cost; its weights are not used.
        guidance: Strength; 0 samples what the data do.
        steps: Denoising steps.
    """

    diffusion: Diffusion
    denoiser: Denoiser
    scales: Generator
    guidance: float
    steps: int

    def sample(self, x: Tensor, omega: Tensor, noise: Tensor, step_noise: Tensor) -> Tensor:
        """(B, 3 H) windows for states (B, 2) and weights (B, 3), laid out as `relative` does."""
        levels = self.diffusion.levels(self.steps)
        spread = {after: float(self.diffusion.noise[after]) for _, after in levels}

        def guide(before: Tensor, after: Tensor, level: int) -> Tensor:
            with torch.enable_grad():
                free = after.detach().requires_grad_()
                cost = self.scales.cost(flat(free)[:, None], x, omega)
                (slope,) = torch.autograd.grad(torch.log(cost).sum(), free)
            return after - self.guidance * spread[level] ** 2 * slope

        windows = self.diffusion.sample(
            self.denoiser, noise, x / START_BOUND, steps=self.steps, step_noise=step_noise,
            hook=guide if self.guidance else None,
        )  # fmt: skip
        return flat(windows)

    def policy(self, seed: int = 0) -> Policy:
        """The first force of one sample."""
        draw = torch.Generator().manual_seed(seed)

        @torch.no_grad()
        def force(x: Array, omega: Array) -> Array:
            shape = (len(x), self.scales.horizon, 3)
            noise = torch.randn(shape, generator=draw)
            step_noise = torch.randn((self.steps, *shape), generator=draw)
            state, weights = torch.from_numpy(x).float(), torch.from_numpy(omega).float()
            window = self.sample(state, weights, noise, step_noise)
            return self.scales.first_force(window).numpy().astype(np.float64)

        return force


def flat(windows: Tensor) -> Tensor:
    """(B, H, 3) -> (B, 3 H), all positions first."""
    return windows.transpose(-1, -2).flatten(-2)


def train_diffusion(trainer: Trainer, seed: int) -> tuple[Diffusion, Denoiser, Generator, float]:
    """Train the denoiser for the time of every other row.

    Returns:
        Diffusion, denoiser, the scales of windows, and the processor time [s].
    """
    sizes, horizon = trainer.sizes, trainer.horizon
    starts = trainer.library.starts
    windows = trainer.normalised(trainer.library.windows, starts)
    clean = windows.unflatten(1, (3, horizon)).transpose(1, 2)
    condition = torch.from_numpy(starts / START_BOUND).float()
    diffusion = Diffusion(Schedule(STEPS))
    denoiser, report = fit(
        MlpDenoiser(horizon, 3, 2, width=sizes.width, blocks=sizes.blocks),
        lambda network, batch: diffusion.loss(network, batch[0], batch[1]),
        (clean, condition),
        FitConfig(sizes.budget.seconds, sizes.budget.steps, seed=seed),
    )
    return diffusion, denoiser, trainer.network(), report.cpu_s
