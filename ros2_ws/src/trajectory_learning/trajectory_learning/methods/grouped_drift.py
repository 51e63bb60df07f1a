"""Grouped keyed drift: keyed drifting with several samples of each condition.

With a key-only kernel the drift of a sample does not depend on the sample, so only the conditional
mean is matched. Here the kernel is the product of a key kernel and a window kernel, and a condition
has several samples that repel each other.

**Source**: the drift of "Amortizing Trajectory Diffusion with Keyed Drift Fields", Eqs. 12-14, with
the kernel of the drifting models that it builds on, over whole windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class GroupedDrift:
    """Attraction and repulsion in key times window space.

    Attributes:
        samples: ``G``, samples that repel each other.
        key_temperature: Multiple of the median nearest-neighbour key distance.
        temperatures: Multiples of the mean distance between samples and data windows.
    """

    samples: int = 8
    key_temperature: float = 0.5
    temperatures: tuple[float, ...] = (0.1, 0.3, 1.0)
    stochastic: bool = True

    def loss(self, samples: Tensor, target: Tensor, key: Tensor) -> Tensor:
        """See `Method.loss`."""
        drift = self.drift(samples.detach(), target, key)
        # Normalised over the batch: a drift that is small everywhere but here stays small.
        drift = drift / (drift.square().sum(dim=-1).mean().sqrt() + 1e-6)
        return (samples - (samples.detach() + drift)).square().sum(dim=-1).mean()

    def drift(self, x: Tensor, target: Tensor, key: Tensor) -> Tensor:
        """The drift of each sample.

        Args:
            x: (B, G, D) samples.
            target: (B, D) data windows.
            key: (B, C) keys.
        """
        conditions, group, _ = x.shape
        distance = torch.cdist(key, key)
        off = distance.masked_fill(torch.eye(conditions, dtype=torch.bool), torch.inf)
        unit = off.min(dim=1).values.median().clamp_min(1e-6)
        of_key = -distance / (self.key_temperature * unit)
        flat = x.flatten(0, 1)
        to_data = torch.cdist(flat, target).unflatten(0, (conditions, group))
        within = torch.cdist(x, x)
        own = torch.eye(group, dtype=torch.bool)
        scale = to_data.mean()
        drift = torch.zeros_like(x)
        for temperature in self.temperatures:
            attract = torch.softmax(of_key[:, None] - to_data / (temperature * scale), dim=-1)
            repel = torch.softmax(
                (-within / (temperature * scale)).masked_fill(own, -torch.inf), dim=-1
            )
            drift += (attract @ target - repel @ x) / len(self.temperatures)
        return drift
