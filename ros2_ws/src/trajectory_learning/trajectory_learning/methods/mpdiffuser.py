"""Model Predictive Diffuser: a planner over states and actions, a dynamics model over states.

A row of a window is the action at an instant and the state that follows it, states first:
(x_{t+1}, u_t). The present state x_0 is the beginning of the condition; the task follows it.

**Source**: "Model-based diffusion sampling for predictive control in offline decision making",
Sec. 3, Algorithm 1 and App. I.

Letters: ``B`` windows, ``H`` samples of each, ``n_x`` states, ``n_u`` actions, ``C`` numbers of a
condition.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from planner_core.errors import InvalidParameterError
from torch import Tensor
from trajectory_learning.methods.diffusion import Diffusion, Hook
from trajectory_learning.networks.denoisers import Denoiser

COUPLINGS = ("planner", "alternating", "joint")


@dataclass(frozen=True)
class MPDiffuser:
    """Samples plans from two denoisers.

    Couplings:
        "planner" leaves the dynamics model out.
        "alternating" is Algorithm 1 as printed: the dynamics model takes the states a step, then
        the planner takes states and actions a step from there, under the label of the level before
        both.
        "joint" takes one step for all, with the dynamics model's prediction for the states and the
        planner's for the actions: states are denoised once a step, so that both networks are told
        the level that they are at.

    Attributes:
        diffusion: Schedule and prediction of both.
        planner: Gives ``n_x + n_u`` channels.
        dynamics: Gives the first ``n_x``; reads actions at the noise level of the states.
        coupling: One of `COUPLINGS`.
        dynamics_share: Share of the dynamics model in the states of a joint step; 1 takes its
            prediction, less is the convex combination of scores of App. I.
    """

    diffusion: Diffusion
    planner: Denoiser
    dynamics: Denoiser | None = None
    coupling: str = "joint"
    dynamics_share: float = 1.0

    def __post_init__(self) -> None:
        if self.coupling not in COUPLINGS:
            raise InvalidParameterError(
                "unknown coupling of planner and dynamics model",
                got=self.coupling,
                expected=", ".join(COUPLINGS),
            )
        if self.dynamics is None and self.coupling != "planner":
            raise InvalidParameterError(
                f"the coupling {self.coupling!r} needs a dynamics model",
                remedy="Give one, or take the coupling 'planner'.",
            )

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
        hook: Hook | None = None,
    ) -> Tensor:
        """Plans from noise; see `Diffusion.sample`.

        Args:
            noise: (B, H, n_x + n_u) unit noise.
            condition: (B, C) present state, then the task.
            steps: Steps to take.
            guidance_scale: omega of both networks.
            start: (B, H, n_x + n_u) previous plans to begin near.
            start_level: Level of the beginning.
            clip: Range of the data.
            step_noise: (steps, B, H, n_x + n_u) for ancestral steps; None for DDIM.
            hook: Called after each step.

        Returns:
            (B, H, n_x + n_u).
        """
        diffusion = self.diffusion

        def clean(denoiser: Denoiser, x: Tensor, k: int) -> Tensor:
            return diffusion.predict_clean(
                denoiser, x, k, condition, guidance_scale=guidance_scale, clip=clip
            )

        def planner_step(x: Tensor, k: int, k_next: int, drawn: Tensor | None) -> Tensor:
            return diffusion.ddim_step(x, clean(self.planner, x, k), k, k_next, drawn)

        def joint_step(x: Tensor, k: int, k_next: int, drawn: Tensor | None) -> Tensor:
            plan, states = clean(self.planner, x, k), clean(self.dynamics, x, k)
            n_x = states.shape[-1]
            states = torch.lerp(plan[..., :n_x], states, self.dynamics_share)
            both = torch.cat([states, plan[..., n_x:]], dim=-1)
            return diffusion.ddim_step(x, both, k, k_next, drawn)

        def alternating_step(x: Tensor, k: int, k_next: int, drawn: Tensor | None) -> Tensor:
            states = clean(self.dynamics, x, k)  # line 3
            n_x = states.shape[-1]
            states = diffusion.ddim_step(x[..., :n_x], states, k, k_next)  # line 4, its mean
            x = torch.cat([states, x[..., n_x:]], dim=-1)
            return planner_step(x, k, k_next, drawn)  # lines 5 to 7, still told k

        step = {
            "planner": planner_step,
            "joint": joint_step,
            "alternating": alternating_step,
        }[self.coupling]
        return diffusion.unroll(
            step,
            noise,
            steps=steps,
            start=start,
            start_level=start_level,
            step_noise=step_noise,
            hook=hook,
        )
