"""Diffuser, Decision Diffuser, planner alone and MPDiffuser on the Go2.

As in the paper, one sample in ten DDIM steps, or seven from the previous plan, and four actions of
a plan are executed. Unlike there, noise has no part in it (alpha = 0): it would be noise in the
targets of legs.

**Source**: MPDiffuser, App. O and App. G.

Letters: ``B`` robots, ``H`` samples of a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from trajectory_learning.methods.diffusion_family import Family, Sampling, left_of

Array = NDArray[np.float64]

HORIZON: Final = 16
CHUNK: Final = 4
METHODS: Final[Mapping[str, str]] = {
    "Diffuser": "diffuser",
    "Decision Diffuser": "decision_diffuser",
    "planner": "planner",
    "planner, twice the training": "longer_planner",
    "MPDiffuser joint": "joint",
    "MPDiffuser as printed": "alternating",
    "MPDiffuser tracked": "tracked",
    "behaviour cloning": "behaviour_cloning",
}
"""Rows of the table, and the method of the family behind each."""


SAMPLING: Final = Sampling(steps=10, warm_start_steps=7, temperature=0.0)
"""Of the table, and of the bundles that are exported."""


class WalkingPlanner:
    """Plans for many robots, a chunk after the other.

    Args:
        family: Trained.
        method: Of the family.
        sampling: How.
        seed: Of all noise.
    """

    def __init__(self, family: Family, method: str, sampling: Sampling, seed: int) -> None:
        self._family, self._method, self._sampling = family, method, sampling
        self._generator = torch.Generator().manual_seed(seed)
        self._left: tuple[Tensor, Tensor] | None = None

    def __call__(self, state: Array, task: Array) -> Array:
        """(B, n_x), (B, n_y) -> (B, H, n_u) [rad] joint targets."""
        plans = self._family.plan(
            self._method, torch.from_numpy(state).float(), torch.from_numpy(task).float(),
            self._generator, self._sampling, previous=self._left,
        )  # fmt: skip
        self._left = left_of(plans, CHUNK)
        return plans[1].double().numpy()
