"""The energy score: a proper scoring rule as a training loss for one-step generators.

**Source**: T. Gneiting and A. E. Raftery, "Strictly proper scoring rules, prediction, and
estimation", 2007, Eq. 22 with beta = 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class EnergyScore:
    """E|x - y| - 1/2 E|x - x'| over the samples x, x' of one condition and its data window y.

    It needs a single data window a condition, and its minimum is the conditional distribution.

    Attributes:
        samples: ``G``; the unbiased estimate needs two or more.
    """

    samples: int = 8
    stochastic: bool = True

    def loss(self, samples: Tensor, target: Tensor, key: Tensor) -> Tensor:
        """See `Method.loss`; the key is not used."""
        g = samples.shape[1]
        attraction = _norm(samples - target[:, None]).mean()
        i, j = torch.triu_indices(g, g, offset=1)
        return attraction - 0.5 * _norm(samples[:, i] - samples[:, j]).mean()


def _norm(difference: Tensor) -> Tensor:
    # The root has no gradient at 0, where two samples agree.
    return (difference.square().sum(dim=-1) + 1e-8).sqrt()
