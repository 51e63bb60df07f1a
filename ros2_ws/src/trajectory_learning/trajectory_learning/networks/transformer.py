"""A small transformer over time: one token a sample, adaptive layer norms.

**Source**: W. Peebles and S. Xie, "Scalable diffusion models with transformers", 2023, the
adaLN-Zero block.

Letters: ``B`` windows, ``H`` samples of each, ``D`` channels, ``W`` features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from trajectory_learning.networks.denoisers import ConditionEmbedding, StepEmbedding


class TransformerBlock(nn.Module):
    """Attention and two layers, both scaled, shifted and gated by noise level and condition.

    Args:
        width: Features of a token.
        heads: Attention heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention = nn.LayerNorm(width, elementwise_affine=False)
        self.before_layers = nn.LayerNorm(width, elementwise_affine=False)
        self.read = nn.Linear(width, 3 * width)
        self.write = nn.Linear(width, width)
        self.layers = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )
        self.modulation = nn.Linear(width, 6 * width)
        # Gates of zero: every block begins as the identity.
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(B, H, W), (B, 1, W) -> (B, H, W)."""
        scale, shift, gate, scale2, shift2, gate2 = self.modulation(embedding).chunk(6, dim=-1)
        x = x + gate * self.attend((1 + scale) * self.before_attention(x) + shift)
        return x + gate2 * self.layers((1 + scale2) * self.before_layers(x) + shift2)

    def attend(self, x: Tensor) -> Tensor:
        """(B, H, W) -> (B, H, W)."""
        split = (3, self.heads, x.shape[-1] // self.heads)
        query, key, value = self.read(x).unflatten(-1, split).permute(2, 0, 3, 1, 4)
        y = nn.functional.scaled_dot_product_attention(query, key, value)
        return self.write(y.transpose(1, 2).flatten(2))


class Transformer(nn.Module):
    """Tokens in, blocks, tokens out.

    Args:
        horizon: ``H``.
        channels: ``D``.
        condition: Numbers of a condition; 0 without.
        always: See `ConditionEmbedding`.
        outputs: Channels out, the first ones; all by default.
        width: Features of a token, a multiple of ``heads``.
        blocks: Blocks.
        heads: Attention heads.
    """

    def __init__(
        self,
        horizon: int,
        channels: int,
        condition: int = 0,
        *,
        always: int = 0,
        outputs: int | None = None,
        width: int = 128,
        blocks: int = 3,
        heads: int = 4,
    ) -> None:
        super().__init__()
        self.step = StepEmbedding(width)
        self.condition = ConditionEmbedding(condition, width, always)
        self.start = nn.Linear(channels, width)
        self.place = nn.Parameter(0.02 * torch.randn(horizon, width))
        self.blocks = nn.ModuleList(TransformerBlock(width, heads) for _ in range(blocks))
        self.last = nn.LayerNorm(width)
        self.head = nn.Linear(width, outputs or channels)

    def forward(
        self,
        x: Tensor,
        k: Tensor,
        condition: Tensor | None = None,
        keep: Tensor | None = None,
    ) -> Tensor:
        """See `Denoiser`."""
        embedding = (self.step(k) + self.condition(condition, keep, x))[:, None]
        tokens = self.start(x) + self.place
        for block in self.blocks:
            tokens = block(tokens, embedding)
        return self.head(self.last(tokens))
