"""Decision Diffuser: diffusion of states alone, actions from an inverse dynamics model.

**Source**: A. Ajay et al., "Is conditional generative modeling all you need for decision making?",
2023, Eqs. 6 to 8. The present state reaches the network as a condition, as it does in all methods
that are compared here.

Letters: ``B`` windows, ``H`` samples of each, ``n_x`` states, ``n_u`` actions, ``C`` numbers of a
condition.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from trajectory_learning.methods.diffusion import Diffusion
from trajectory_learning.networks.denoisers import Denoiser
from trajectory_learning.networks.residual_mlp import ResidualMLP


class InverseDynamics(nn.Module):
    """The action that leads from one state to the next.

    Args:
        states: ``n_x``.
        actions: ``n_u``.
        width: Features of a block.
        blocks: Residual blocks.
    """

    def __init__(self, states: int, actions: int, width: int = 128, blocks: int = 2) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            ResidualMLP(2 * states, width, blocks), nn.Linear(width, actions)
        )

    def forward(self, state: Tensor, following: Tensor) -> Tensor:
        """(..., n_x), (..., n_x) -> (..., n_u)."""
        return self.layers(torch.cat([state, following - state], dim=-1))

    def loss(self, state: Tensor, following: Tensor, action: Tensor) -> Tensor:
        """() mean squared error."""
        return (self(state, following) - action).square().mean()


@dataclass(frozen=True)
class DecisionDiffuser:
    """Samples states, then reads the actions off them.

    Attributes:
        diffusion: Schedule and prediction.
        denoiser: Of windows of the states that follow the present one, ``n_x`` channels.
        inverse: Inverse dynamics model.
        states: ``n_x``; the first numbers of a condition are the present state.
    """

    diffusion: Diffusion
    denoiser: Denoiser
    inverse: InverseDynamics
    states: int

    def sample(
        self,
        noise: Tensor,
        condition: Tensor,
        *,
        steps: int,
        guidance_scale: float = 1.0,
        start: Tensor | None = None,
        start_level: int | None = None,
        clip: tuple[Tensor, Tensor] | None = None,
        step_noise: Tensor | None = None,
    ) -> Tensor:
        """Plans from noise, rows (x_{t+1}, u_t); see `Diffusion.sample`.

        Args:
            noise: (B, H, n_x) unit noise.
            condition: (B, C) present state, then the task.
            steps: Steps to take.
            guidance_scale: omega.
            start: (B, H, n_x) states of previous plans to begin near.
            start_level: Level of the beginning.
            clip: Range of the states.
            step_noise: (steps, B, H, n_x) for ancestral steps; None for DDIM.

        Returns:
            (B, H, n_x + n_u).
        """
        states = self.diffusion.sample(
            self.denoiser,
            noise,
            condition,
            steps=steps,
            guidance_scale=guidance_scale,
            start=start,
            start_level=start_level,
            clip=clip,
            step_noise=step_noise,
        )
        present = condition[:, None, : self.states]
        before = torch.cat([present, states[:, :-1]], dim=1)
        return torch.cat([states, self.inverse(before, states)], dim=-1)
