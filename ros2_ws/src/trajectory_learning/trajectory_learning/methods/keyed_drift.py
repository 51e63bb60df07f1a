"""Keyed Drifting Policies: Algorithm 1, and what its ablations take away.

The weights of attraction and repulsion come from distances between keys alone, the update acts on
the whole window. So the drift of a sample does not depend on the sample: only the conditional mean
is matched, and nothing ties the spread over the noise to the data. The methods that keep the modes
are `grouped_drift` and `energy`.

**Source**: "Amortizing Trajectory Diffusion with Keyed Drift Fields", Eqs. 9-15, Algorithm 1 and
Table IV. Temperatures and key scaling are not given there; here temperatures are multiples of the
median distance between neighbouring keys of the batch. Eq. 7 puts actions before states and Eq. 6
states before actions: masks and weights are therefore given entry by entry.

Letters: ``B`` samples, one a condition, ``D`` numbers of a window, ``C`` of a key.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class KeyedDrift:
    """Attraction to data windows and repulsion from samples, both weighted by key distance alone.

    Attributes:
        temperatures: Multiples of the median nearest-neighbour distance (Eq. 12); drifts average.
        normalise: Scale every drift to unit root-mean-square (Sec. IV-D). Algorithm 1 as printed
            does not.
        keyed: Distances between keys; False compares whole windows (Table IV, "no keying").
        mask_self: Leave a sample out of its own negatives; without, it cancels the repulsion.
        repulsion: False leaves attraction alone (Table IV).
        free: (D,) bool, entries that a drift may change; clamped ones are given (Eqs. 6 and 7).
        weight: (D,) weight of an entry's error, lambda_s or lambda_a of Eq. 15.
    """

    temperatures: tuple[float, ...] = (0.5, 1.0, 2.0)
    normalise: bool = True
    keyed: bool = True
    mask_self: bool = True
    repulsion: bool = True
    free: Tensor | None = None
    weight: Tensor | None = None
    samples: int = 1
    stochastic: bool = True

    def loss(self, samples: Tensor, target: Tensor, key: Tensor) -> Tensor:
        """See `Method.loss`."""
        x = samples[:, 0]
        drift = self.drift(x.detach(), target, key)
        if self.free is not None:
            drift = drift * self.free
        if self.normalise:
            # A window is already scaled by the root of its length: its norm is the printed rms.
            drift = drift / (drift.norm(dim=-1, keepdim=True) + 1e-6)
        # Eqs. 14 and 15: regress on the stop-gradient drifted target.
        error = (x - (x.detach() + drift)).square()
        if self.weight is not None:
            error = error * self.weight
        return error.sum(dim=-1).mean()

    def drift(self, x: Tensor, target: Tensor, key: Tensor) -> Tensor:
        """The keyed drift of each sample (Eqs. 11-13).

        Args:
            x: (B, D) samples, one a condition.
            target: (B, D) data windows.
            key: (B, C) keys.
        """
        if self.keyed:
            # Samples are clamped to their conditions, so both distances are those of conditions.
            to_data = to_samples = torch.cdist(key, key)
        else:
            to_data, to_samples = torch.cdist(x, target), torch.cdist(x, x)
        own = torch.eye(len(x), dtype=torch.bool)
        unit = to_data.masked_fill(own, torch.inf).min(dim=1).values.median().clamp_min(1e-6)
        if self.mask_self:
            to_samples = to_samples.masked_fill(own, torch.inf)
        drift = torch.zeros_like(x)
        for temperature in self.temperatures:
            attract = torch.softmax(-to_data / (temperature * unit), dim=1)
            drift += attract @ target / len(self.temperatures)
            if self.repulsion:
                repel = torch.softmax(-to_samples / (temperature * unit), dim=1)
                drift -= repel @ x / len(self.temperatures)
        return drift
