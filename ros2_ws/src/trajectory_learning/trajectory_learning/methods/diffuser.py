"""Diffuser: the present state is painted into the window.

A row of a window is a state and the action taken there, (x_t, u_t), states first; the first state
is given. MPDiffuser's planner reads it as a condition instead (its App. D compares the two).

**Source**: M. Janner et al., "Planning with diffusion for flexible behavior synthesis", 2022, Sec.
3.2 and Algorithm 1, with classifier-free guidance in place of a guide's gradient, as in the
comparisons of MPDiffuser.

Letters: ``B`` windows, ``H`` samples of each, ``n_x`` states, ``n_u`` actions, ``C`` numbers of a
task.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from trajectory_learning.methods.diffusion import Diffusion, Inpainting
from trajectory_learning.networks.denoisers import Denoiser


def first_state(horizon: int, states: int, actions: int) -> Tensor:
    """(H, n_x + n_u) bool, true where a window holds the present state."""
    known = torch.zeros(horizon, states + actions, dtype=torch.bool)
    known[0, :states] = True
    return known


@dataclass(frozen=True)
class Diffuser:
    """Samples plans from one denoiser.

    Attributes:
        diffusion: Schedule and prediction.
        denoiser: Trained by `Diffusion.loss` with ``known=first_state(...)``.
        states: ``n_x``.
    """

    diffusion: Diffusion
    denoiser: Denoiser
    states: int

    def sample(
        self,
        noise: Tensor,
        state: Tensor,
        task: Tensor | None = None,
        *,
        steps: int,
        guidance_scale: float = 1.0,
        start: Tensor | None = None,
        start_level: int | None = None,
        clip: tuple[Tensor, Tensor] | None = None,
        step_noise: Tensor | None = None,
    ) -> Tensor:
        """Plans from noise; see `Diffusion.sample`.

        Args:
            noise: (B, H, n_x + n_u) unit noise.
            state: (B, n_x) present state, normalised.
            task: (B, C), or None.
            steps: Steps to take.
            guidance_scale: omega.
            start: (B, H, n_x + n_u) previous plans to begin near.
            start_level: Level of the beginning.
            clip: Range of the data.
            step_noise: (steps, B, H, n_x + n_u) for ancestral steps; None for DDIM.

        Returns:
            (B, H, n_x + n_u).
        """
        horizon, channels = noise.shape[1:]
        known = first_state(horizon, self.states, channels - self.states).to(noise.device)
        given = torch.nn.functional.pad(state, (0, channels - self.states))
        value = given[:, None].expand(-1, horizon, -1)
        return self.diffusion.sample(
            self.denoiser,
            noise,
            task,
            steps=steps,
            guidance_scale=guidance_scale,
            start=start,
            start_level=start_level,
            inpaint=Inpainting(known, value),
            clip=clip,
            step_noise=step_noise,
        )
