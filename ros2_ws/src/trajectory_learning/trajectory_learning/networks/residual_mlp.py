"""Pre-norm residual blocks."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """x + W2 SiLU(W1 LayerNorm(x)).

    Args:
        width: Features in and out.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., width)."""
        return x + self.outer(nn.functional.silu(self.inner(self.norm(x))))


class ResidualMLP(nn.Sequential):
    """A linear layer, residual blocks, and a last norm.

    Args:
        inputs: Features in.
        width: Features out.
        blocks: Residual blocks.
    """

    def __init__(self, inputs: int, width: int, blocks: int) -> None:
        super().__init__(
            nn.Linear(inputs, width),
            *(ResidualBlock(width) for _ in range(blocks)),
            nn.LayerNorm(width),
            nn.SiLU(),
        )


def dct_basis(samples: int, modes: int) -> Tensor:
    """(modes, samples) the first cosines of the orthonormal DCT-II, slowest first.

    **Source**: N. Ahmed, T. Natarajan and K. R. Rao, "Discrete cosine transform", 1974.
    """
    n = torch.arange(samples, dtype=torch.float64) + 0.5
    k = torch.arange(modes, dtype=torch.float64)[:, None]
    basis = torch.cos(torch.pi / samples * k * n) * (2 / samples) ** 0.5
    basis[0] /= 2**0.5
    return basis.float()
