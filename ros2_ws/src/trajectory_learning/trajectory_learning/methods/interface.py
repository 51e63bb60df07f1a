"""What a training method is: a rule for the noise, and a loss between samples and data.

A window enters a loss as a flat vector whose Euclidean norm is a root-mean-square error in units of
the data's spread (see `trajectory_learning.problems.navigation.WindowMetric`).

Letters: ``B`` conditions, ``G`` samples of each, ``D`` numbers of a window, ``C`` of a key.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Method(Protocol):
    """One way to teach a generator."""

    samples: int
    """``G``, samples that it needs of each condition."""

    stochastic: bool
    """False where the generator is asked without noise, in training and in use."""

    def loss(self, samples: Tensor, target: Tensor, key: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            samples: (B, G, D) windows generated for each condition.
            target: (B, D) window of the data for each condition.
            key: (B, C) normalised condition.

        Returns:
            () mean loss.
        """
        ...
