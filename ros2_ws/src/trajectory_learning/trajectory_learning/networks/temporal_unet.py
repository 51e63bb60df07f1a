"""The temporal U-Net: convolutions along time, condition and noise level through FiLM.

**Source**: M. Janner et al., "Planning with diffusion for flexible behavior synthesis", 2022, App.
C; six residual blocks of two convolutions, group norm and SiLU, FiLM conditioning: MPDiffuser,
App. B.

Letters: ``B`` windows, ``H`` samples of each, ``D`` channels, ``W`` features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from trajectory_learning.networks.denoisers import ConditionEmbedding, Film, StepEmbedding

GROUPS = 8


class TemporalBlock(nn.Module):
    """Two convolutions with a way past them.

    Args:
        inputs: Features in.
        outputs: Features out, a multiple of 8.
        embedding: Features of noise level and condition.
        kernel: Samples that a convolution sees; odd.
    """

    def __init__(self, inputs: int, outputs: int, embedding: int, kernel: int = 5) -> None:
        super().__init__()
        self.film = Film(embedding, outputs, 1)
        self.first = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2)
        self.second = nn.Conv1d(outputs, outputs, kernel, padding=kernel // 2)
        self.first_norm = nn.GroupNorm(GROUPS, outputs)
        self.second_norm = nn.GroupNorm(GROUPS, outputs)
        self.past = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, step: Tensor, condition: Tensor) -> Tensor:
        """(B, inputs, H) -> (B, outputs, H)."""
        scale, shift = self.film(step, condition)
        y = nn.functional.silu(self.first_norm(self.first(x)))
        y = (1 + scale[..., None]) * y + shift[..., None]
        y = nn.functional.silu(self.second_norm(self.second(y)))
        return y + self.past(x)


class TemporalUnet(nn.Module):
    """Two levels down, one block at the bottom, two up.

    Args:
        channels: ``D``.
        condition: Numbers of a condition; 0 without.
        always: See `ConditionEmbedding`.
        outputs: Channels out, the first ones; all by default.
        width: Features of the finest level, a multiple of 8; the coarser have twice and four times
            as many.
        kernel: Samples that a convolution sees; odd.
    """

    def __init__(
        self,
        channels: int,
        condition: int = 0,
        *,
        always: int = 0,
        outputs: int | None = None,
        width: int = 32,
        kernel: int = 5,
    ) -> None:
        super().__init__()
        embedding = 4 * width
        self.step = StepEmbedding(embedding)
        self.condition = ConditionEmbedding(condition, embedding, always)
        fine, middle, coarse = width, 2 * width, 4 * width

        def block(inputs: int, features: int) -> TemporalBlock:
            return TemporalBlock(inputs, features, embedding, kernel)

        self.fine_in, self.middle_in = block(channels, fine), block(fine, middle)
        self.halve_fine = nn.Conv1d(fine, fine, 3, stride=2, padding=1)
        self.halve_middle = nn.Conv1d(middle, middle, 3, stride=2, padding=1)
        self.coarse_in, self.coarse_out = block(middle, coarse), block(coarse, middle)
        self.middle_out, self.fine_out = block(2 * middle, fine), block(2 * fine, fine)
        self.head = nn.Conv1d(fine, outputs or channels, 1)

    def forward(
        self,
        x: Tensor,
        k: Tensor,
        condition: Tensor | None = None,
        keep: Tensor | None = None,
    ) -> Tensor:
        """See `Denoiser`."""
        step, given = self.step(k), self.condition(condition, keep, x)
        fine = self.fine_in(x.transpose(1, 2), step, given)
        middle = self.middle_in(self.halve_fine(fine), step, given)
        y = self.coarse_in(self.halve_middle(middle), step, given)
        y = _stretch(self.coarse_out(y, step, given), middle)
        y = self.middle_out(torch.cat([y, middle], dim=1), step, given)
        y = self.fine_out(torch.cat([_stretch(y, fine), fine], dim=1), step, given)
        return self.head(y).transpose(1, 2)


def _stretch(x: Tensor, like: Tensor) -> Tensor:
    """(B, W, h) repeated along time to the length of ``like``, odd lengths included."""
    return nn.functional.interpolate(x, size=like.shape[-1], mode="nearest")
