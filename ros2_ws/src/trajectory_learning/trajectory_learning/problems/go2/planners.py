"""Diffuser, Decision Diffuser, planner alone and MPDiffuser as the paper runs them on the Go2.

One sample in ten DDIM steps, or seven from the previous plan; four actions of a plan are executed.

**Source**: MPDiffuser, App. O and App. G.

Letters: ``B`` robots, ``H`` samples of a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from trajectory_learning.methods.decision_diffuser import DecisionDiffuser
from trajectory_learning.methods.diffuser import Diffuser
from trajectory_learning.methods.diffusion_family import Family
from trajectory_learning.methods.mpdiffuser import MPDiffuser

Array = NDArray[np.float64]

HORIZON: Final = 16
CHUNK: Final = 4
METHODS: Final[Mapping[str, str]] = {
    "Diffuser": "diffuser",
    "Decision Diffuser": "decision_diffuser",
    "planner": "planner",
    "MPDiffuser": "joint",
    "MPDiffuser as printed": "alternating",
    "behaviour cloning": "behaviour_cloning",
}
"""Rows of the table, and the method of the family behind each."""


@dataclass(frozen=True)
class WalkingSampling:
    """How plans are drawn.

    Attributes:
        steps: DDIM steps from noise.
        warm_start_steps: From the previous plan.
        guidance_scale: omega.
    """

    steps: int = 10
    warm_start_steps: int = 7
    guidance_scale: float = 1.0


class WalkingFamily(Family):
    """The family, with warm starts."""

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """What is trained, by part."""
        return self._trained

    @torch.no_grad()
    def plan_on(
        self,
        method: str,
        state: Tensor,
        task: Tensor,
        generator: torch.Generator,
        sampling: WalkingSampling,
        previous: Tensor | None = None,
    ) -> Tensor:
        """Plans, normalised, in the method's own rows.

        Args:
            method: Of the family.
            state: (B, n_x).
            task: (B, n_y).
            generator: Of all noise.
            sampling: How.
            previous: (B, H, channels) what is left of the plans before, filled up to ``H``.
        """
        x0 = self.of_states(state)
        condition = torch.cat([x0, self.of_task(task)], dim=-1)
        n_x, channels = self.n_x, self.n_x + self.n_u
        if method == "behaviour_cloning":
            return self.networks["cloning"](condition).unflatten(-1, (self.horizon, channels))
        drawn = n_x if method == "decision_diffuser" else channels
        options = {
            "steps": sampling.steps,
            "guidance_scale": sampling.guidance_scale,
            "clip": self.clip(drawn),
        }
        if previous is not None:
            steps = sampling.warm_start_steps
            level = round(self.diffusion.schedule.steps * steps / sampling.steps)
            options |= {"steps": steps, "start": previous[..., :drawn], "start_level": level}
        noise = torch.randn((len(state), self.horizon, drawn), generator=generator)
        if method == "diffuser":
            diffuser = Diffuser(self.diffusion, self.networks["diffuser"], n_x)
            return diffuser.sample(noise, x0, condition[:, n_x:], **options)
        if method == "decision_diffuser":
            networks = self.networks
            decision = DecisionDiffuser(
                self.diffusion, networks["states"], networks["inverse"], n_x
            )
            return decision.sample(noise, condition, **options)
        mpdiffuser = MPDiffuser(
            self.diffusion, self.networks["planner"], self.networks.get("dynamics"),
            coupling=method,
        )  # fmt: skip
        return mpdiffuser.sample(noise, condition, **options)

    def actions(self, plans: Tensor) -> Array:
        """(B, H, n_u) [rad] joint targets of normalised plans."""
        return self.of_actions.back(plans[..., self.n_x :]).double().numpy()


class WalkingPlanner:
    """Plans for many robots, a chunk after the other.

    Args:
        family: Trained.
        method: Of the family.
        sampling: How.
        seed: Of all noise.
    """

    def __init__(
        self, family: WalkingFamily, method: str, sampling: WalkingSampling, seed: int
    ) -> None:
        self._family, self._method, self._sampling = family, method, sampling
        self._generator = torch.Generator().manual_seed(seed)
        self._left: Tensor | None = None

    def __call__(self, state: Array, task: Array) -> Array:
        """(B, n_x), (B, n_y) -> (B, H, n_u) [rad] joint targets."""
        previous = self._left if self._sampling.warm_start_steps else None
        plans = self._family.plan_on(
            self._method, torch.from_numpy(state).float(), torch.from_numpy(task).float(),
            self._generator, self._sampling, previous,
        )  # fmt: skip
        # Beyond its end the previous plan says nothing: its last sample is repeated.
        self._left = torch.cat([plans[:, CHUNK:], plans[:, -1:].expand(-1, CHUNK, -1)], dim=1)
        return self._family.actions(plans)
