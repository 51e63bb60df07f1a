"""Drifting MPC: the drift towards retrieved windows, tilted by what they would cost.

A sample is drawn to the positives, near ones first, cheap ones first, and pushed away from the
other samples of its query. Without tilt (beta = 0) this is the Drifting Prior.

**Source**: "Receding-Horizon Control via Drifting Models", Eqs. 13-16 and Algorithm 1; z-scored and
clipped cost, schedule of beta and temperatures from the authors' published configuration.

Letters: ``B`` queries, ``M`` samples of each, ``K`` positives of each, ``D`` numbers of a window.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

COST_CLIP = 5.0


@dataclass(frozen=True)
class DriftingMpc:
    """Drift loss of Eq. 14.

    Attributes:
        beta: Final inverse temperature of the cost, which is z-scored within the positives.
        ramp: Share of training over which beta rises linearly from 0.
        temperatures: ``T`` of the kernel exp(-d^2 / T), over z-scored windows; drifts average.
        relative: Temperatures are multiples of the mean squared distance to the positives. A fixed
            T much smaller than that picks the nearest positive, and no tilt can change its mind.
        samples: ``M``.
    """

    beta: float = 1.0
    ramp: float = 0.4
    temperatures: tuple[float, ...] = (5.0,)
    relative: bool = False
    samples: int = 8
    stochastic: bool = True

    def loss(self, samples: Tensor, positives: Tensor, cost: Tensor, progress: float) -> Tensor:
        """The drift loss of a batch.

        Args:
            samples: (B, M, D) generated windows, z-scored.
            positives: (B, K, D) windows of the prior, z-scored.
            cost: (B, K) of the positives under the query's weights.
            progress: Share of training done, for the schedule of beta.

        Returns:
            () mean loss.
        """
        drift = self.drift(samples.detach(), positives, cost, progress)
        return (samples - (samples.detach() + drift)).square().sum(dim=-1).mean()

    def drift(self, x: Tensor, positives: Tensor, cost: Tensor, progress: float) -> Tensor:
        """(B, M, D) tilted drift of samples (Eqs. 15 and 16); see `loss`."""
        tilt = -self.tilt_strength(progress) * z_scored(cost)[:, None]
        to_data = torch.cdist(x, positives).square()
        within = torch.cdist(x, x).square()
        own = torch.eye(x.shape[1], dtype=torch.bool)
        scale = to_data.mean() if self.relative else 1.0
        drift = torch.zeros_like(x)
        for temperature in self.temperatures:
            t = temperature * scale
            attract = torch.softmax(tilt - to_data / t, dim=-1)
            # Eq. 16: the negatives are the other samples.
            repel = torch.softmax((-within / t).masked_fill(own, -torch.inf), dim=-1)
            # The sample itself cancels between attraction and repulsion.
            drift += (attract @ positives - repel @ x) / len(self.temperatures)
        return drift

    def tilt_strength(self, progress: float) -> float:
        """beta after a share of training."""
        return self.beta * min(1.0, progress / self.ramp)


def z_scored(cost: Tensor) -> Tensor:
    """(B, K) cost, z-scored within each query's positives and clipped."""
    centred = cost - cost.mean(dim=-1, keepdim=True)
    return (centred / (centred.std(dim=-1, keepdim=True) + 1e-9)).clamp(-COST_CLIP, COST_CLIP)
