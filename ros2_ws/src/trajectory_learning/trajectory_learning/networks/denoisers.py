"""What a denoiser is, how it hears of its noise level and condition, and the fastest one.

A condition reaches every block through FiLM layers (E. Perez et al., 2018; MPDiffuser, App. B). The
shares of the noise level and of the condition are added: in an unrolled sampler the first is then a
constant and the second is computed once for all steps.

Letters: ``B`` windows, ``H`` samples of each, ``D`` channels, ``C`` numbers of a condition.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from planner_core.errors import InvalidParameterError
from torch import Tensor, nn


class Denoiser(Protocol):
    """A network that sees a noisy window."""

    def __call__(
        self,
        x: Tensor,
        k: Tensor,
        condition: Tensor | None = None,
        keep: Tensor | None = None,
    ) -> Tensor:
        """Predict.

        Args:
            x: (B, H, D) noisy windows.
            k: (B,) or (1,) noise level.
            condition: (B, C) normalised; None withholds all of it.
            keep: (B, 1), 0 where the condition is withheld and 1 where it is given; None gives it
                everywhere.

        Returns:
            (B, H, D), or the first channels of it.
        """
        ...


class StepEmbedding(nn.Module):
    """Cosines of the noise level, and two layers.

    **Source**: DDPM, App. B.

    Args:
        width: Features out; even.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        frequency = torch.exp(-math.log(1e4) * torch.arange(half) / max(half - 1, 1))
        self.register_buffer("frequency", frequency, persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(2 * half, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )

    def forward(self, k: Tensor) -> Tensor:
        """(B,) -> (B, width)."""
        angle = k[:, None] * self.frequency
        return self.layers(torch.cat([angle.sin(), angle.cos()], dim=-1))


class ConditionEmbedding(nn.Module):
    """Two layers over the condition; a learned vector where it is withheld.

    Args:
        condition: ``C``; 0 without a condition.
        width: Features out.
        always: First numbers of the condition that are never withheld: the present state stays
            known when the task is withheld (MPDiffuser, Sec. 3.1).
    """

    def __init__(self, condition: int, width: int, always: int = 0) -> None:
        super().__init__()
        self.always, self.droppable = always, condition - always
        self.width = width
        self.null = nn.Parameter(torch.zeros(width))
        self.of_state = nn.Linear(always, width) if always else None
        self.of_task = nn.Linear(self.droppable, width) if self.droppable else None
        self.mix = nn.Sequential(nn.SiLU(), nn.Linear(width, width), nn.SiLU())

    def forward(self, condition: Tensor | None, keep: Tensor | None, like: Tensor) -> Tensor:
        """(B, C), (B, 1) -> (B, width), or (1, width) without a condition; device as ``like``.

        Dimensions before these broadcast.
        """
        if condition is None:
            if self.always:
                raise InvalidParameterError(
                    "a denoiser was asked without the state that it always knows",
                    expected=f"a condition of {self.always + self.droppable} numbers",
                    remedy="Withhold the task alone with keep = 0.",
                )
            return self.mix(self.null.to(like.device)[None])
        if self.of_task is None:
            features = self.null
        else:
            features = self.of_task(condition[..., self.always :])
            if keep is not None:
                features = torch.where(keep > 0, features, self.null)
        if self.of_state is not None:
            features = features + self.of_state(condition[..., : self.always])
        return self.mix(features)


class Film(nn.Module):
    """Scales and shifts from noise level and condition.

    Args:
        width: Features of each of the two embeddings.
        features: Features to scale and shift.
        blocks: Blocks to serve.
    """

    def __init__(self, width: int, features: int, blocks: int) -> None:
        super().__init__()
        self.blocks = blocks
        self.of_step = nn.Linear(width, 2 * features * blocks)
        self.of_condition = nn.Linear(width, 2 * features * blocks, bias=False)
        for layer in (self.of_step, self.of_condition):
            # Scale 1 and shift 0 at first: every block begins as if it had no condition.
            nn.init.zeros_(layer.weight)
        nn.init.zeros_(self.of_step.bias)

    def forward(self, step: Tensor, condition: Tensor) -> tuple[Tensor, ...]:
        """(B, width), (B, width) -> for each block a scale less 1 and a shift, (B, features)."""
        both = self.of_step(step) + self.of_condition(condition)
        return both.chunk(2 * self.blocks, dim=-1)


class MlpDenoiser(nn.Module):
    """Residual blocks over the flat window: the fast one, for short windows.

    Conditions (A, 1, C) over the same windows (B, H, D) give (A, B, H, D): what does not depend on
    the condition is computed once.

    Args:
        horizon: ``H``.
        channels: ``D``.
        condition: ``C``; 0 without a condition.
        always: See `ConditionEmbedding`.
        outputs: Channels out, the first ones; all by default.
        width: Features of a block.
        blocks: Residual blocks.
        embedding: Features of noise level and condition; ``width`` by default. Their way into the
            blocks is much of the arithmetic where the window is short.
    """

    def __init__(
        self,
        horizon: int,
        channels: int,
        condition: int = 0,
        *,
        always: int = 0,
        outputs: int | None = None,
        width: int = 256,
        blocks: int = 3,
        embedding: int | None = None,
    ) -> None:
        super().__init__()
        self.horizon, self.outputs = horizon, outputs or channels
        self.step = StepEmbedding(64)
        embedding = embedding or width
        self.step_out = nn.Linear(64, embedding)
        self.condition = ConditionEmbedding(condition, embedding, always)
        self.film = Film(embedding, width, blocks)
        self.start = nn.Linear(horizon * channels, width)
        self.norms = nn.ModuleList(
            nn.LayerNorm(width, elementwise_affine=False) for _ in range(blocks)
        )
        self.inner = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))
        self.outer = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))
        self.last = nn.LayerNorm(width)
        self.head = nn.Linear(width, horizon * self.outputs)

    def forward(
        self,
        x: Tensor,
        k: Tensor,
        condition: Tensor | None = None,
        keep: Tensor | None = None,
    ) -> Tensor:
        """See `Denoiser`."""
        film = self.film(self.step_out(self.step(k)), self.condition(condition, keep, x))
        features = self.start(x.flatten(1))
        for i, norm in enumerate(self.norms):
            inner = self.inner[i]((1 + film[2 * i]) * norm(features) + film[2 * i + 1])
            features = features + self.outer[i](nn.functional.silu(inner))
        return self.head(self.last(features)).unflatten(-1, (self.horizon, self.outputs))
