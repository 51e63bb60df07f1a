"""Post-hoc filter of D-MPC: the dynamics model judges action proposals after they are made.

Proposals come from a planner; a multi-step dynamics model then imagines the states that follow
each, and only there does it matter: with a single proposal it changes nothing that is executed.

**Source**: G. Zhou et al., "Diffusion model predictive control", 2025, Algorithm 1, as compared
with in MPDiffuser, Sec. 4.1.

Letters: ``B`` windows, ``H`` samples of each, ``n_x`` states, ``n_u`` actions, ``C`` numbers of a
condition.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from trajectory_learning.methods.diffusion import Diffusion, Inpainting
from trajectory_learning.networks.denoisers import Denoiser


def given_actions(horizon: int, states: int, actions: int) -> Tensor:
    """(H, n_x + n_u) bool, true where a window holds an action."""
    known = torch.zeros(horizon, states + actions, dtype=torch.bool)
    known[:, states:] = True
    return known


@dataclass(frozen=True)
class PostHocFilter:
    """Imagines the states that follow given actions.

    Attributes:
        diffusion: Schedule and prediction.
        dynamics: Gives ``n_x`` channels and reads clean actions: trained by `Diffusion.loss` with
            ``known=given_actions(...)``.
    """

    diffusion: Diffusion
    dynamics: Denoiser

    def imagine(
        self,
        actions: Tensor,
        noise: Tensor,
        condition: Tensor,
        *,
        steps: int,
        clip: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Proposals with the states that the dynamics model expects of them.

        Args:
            actions: (B, H, n_u) proposals.
            noise: (B, H, n_x) unit noise.
            condition: (B, C) present state, then the task.
            steps: Steps to take.
            clip: Range of the data.

        Returns:
            (B, H, n_x + n_u) for a ranker, see `planner_core.selection`.
        """
        horizon, n_x, n_u = noise.shape[1], noise.shape[2], actions.shape[2]
        given = Inpainting(
            given_actions(horizon, n_x, n_u).to(noise.device),
            torch.cat([torch.zeros_like(noise), actions], dim=-1),
        )

        def step(x: Tensor, k: int, k_next: int, drawn: Tensor | None) -> Tensor:
            states = self.diffusion.predict_clean(self.dynamics, x, k, condition, clip=clip)
            states = self.diffusion.ddim_step(x[..., :n_x], states, k, k_next, drawn)
            return torch.cat([states, actions], dim=-1)

        whole = torch.cat([noise, actions], dim=-1)
        return self.diffusion.unroll(step, whole, steps=steps, inpaint=given)
