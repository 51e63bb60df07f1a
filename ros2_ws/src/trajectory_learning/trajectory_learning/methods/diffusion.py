"""Diffusion over windows: schedules, the training loss, and samplers that unroll into one graph.

Noise levels run from ``k = T`` (noise) to ``k = 0`` (clean):
x^k = sqrt(alpha_bar_k) x^0 + sqrt(1 - alpha_bar_k) epsilon. Samplers draw nothing themselves: all
their noise is passed in and levels are Python integers, so that a sampler of fixed length is a pure
function of tensors, and an exported graph gives what PyTorch gives.

**Source**: J. Ho et al., "Denoising diffusion probabilistic models", 2020 (DDPM); J. Song et al.,
"Denoising diffusion implicit models", 2021 (DDIM); J. Ho and T. Salimans, "Classifier-free
diffusion guidance", 2021; T. Salimans and J. Ho, "Progressive distillation for fast sampling of
diffusion models", 2022 (v-prediction).

Letters: ``B`` windows, ``H`` samples of each, ``D`` channels, ``C`` numbers of a condition, ``T``
noise levels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from planner_core.errors import InvalidParameterError
from torch import Tensor
from trajectory_learning.networks.denoisers import Denoiser

PREDICTIONS = ("x0", "v", "epsilon")
SCHEDULES = ("cosine", "linear")

Step = Callable[[Tensor, int, int, Tensor | None], Tensor]
"""From a noisy window, its level, the next level and the noise of an ancestral step to the window
at that level."""

Hook = Callable[[Tensor, Tensor, int], Tensor]
"""From a window before a step, after it, and the level reached, to the window to go on with."""


@dataclass(frozen=True)
class Schedule:
    """How much of the signal is left at each level.

    **Source**: "cosine": A. Nichol and P. Dhariwal, "Improved denoising diffusion probabilistic
    models", 2021, Eq. 17. "linear": DDPM, Sec. 4, its 1000 steps rescaled to ``T``.

    Attributes:
        steps: ``T``.
        kind: "cosine" or "linear".
    """

    steps: int = 50
    kind: str = "cosine"

    def __post_init__(self) -> None:
        if self.steps < 2:
            raise InvalidParameterError(
                "a noise schedule needs steps", got=self.steps, expected="at least 2"
            )
        if self.kind not in SCHEDULES:
            raise InvalidParameterError(
                "unknown noise schedule", got=self.kind, expected=", ".join(SCHEDULES)
            )

    def alpha_bar(self) -> Tensor:
        """(T + 1,) share of the signal's variance left at each level; 1 at level 0."""
        T = self.steps
        if self.kind == "cosine":
            angle = (torch.arange(T + 1, dtype=torch.float64) / T + 0.008) / 1.008
            level = torch.cos(angle * math.pi / 2) ** 2
            beta = 1 - level[1:] / level[:-1]
        else:
            beta = torch.linspace(0.1, 20.0, T, dtype=torch.float64) / T
        kept = torch.cumprod(1 - beta.clamp(max=0.999), dim=0)
        return torch.cat([torch.ones(1, dtype=torch.float64), kept])


@dataclass(frozen=True)
class Inpainting:
    """Entries of a window that are given, and stay as given at every level.

    Attributes:
        known: (H, D) bool.
        value: (B, H, D); only its known entries are read.
    """

    known: Tensor
    value: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """(B, H, D) with the given entries put in."""
        return torch.where(self.known, self.value, x)


class Diffusion:
    """A schedule together with what the network predicts.

    A denoiser may return fewer channels than it reads. They are then the first ones, and only they
    are learned and denoised; the others are context (the actions of a dynamics model).

    Args:
        schedule: Noise levels.
        prediction: "x0", "v" or "epsilon". Near ``T`` the clean window follows from epsilon by a
            division by almost nothing: with few sampling steps use "x0" or "v".
    """

    def __init__(self, schedule: Schedule, prediction: str = "v") -> None:
        if prediction not in PREDICTIONS:
            raise InvalidParameterError(
                "unknown prediction", got=prediction, expected=", ".join(PREDICTIONS)
            )
        self.schedule, self.prediction = schedule, prediction
        # Levels are numbers, on whatever device a model is being built.
        with torch.device("cpu"):
            alpha_bar = schedule.alpha_bar()
        self.signal = alpha_bar.sqrt().float()
        self.noise = (1 - alpha_bar).sqrt().float()
        self._alpha_bar = [float(a) for a in alpha_bar]

    def noised(self, clean: Tensor, k: int, noise: Tensor) -> Tensor:
        """(B, H, D) clean windows brought to level ``k`` with unit noise (B, H, D)."""
        alpha_bar = self._alpha_bar[k]
        return math.sqrt(alpha_bar) * clean + math.sqrt(1 - alpha_bar) * noise

    def loss(
        self,
        denoiser: Denoiser,
        clean: Tensor,
        condition: Tensor | None = None,
        *,
        known: Tensor | None = None,
        drop: float = 0.0,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Mean squared error of the prediction at random levels.

        Args:
            denoiser: Network.
            clean: (B, H, D) normalised windows of the data.
            condition: (B, C), or None.
            known: (H, D) bool, entries that the network sees clean and that are not scored.
            drop: Probability with which a condition is withheld, for classifier-free guidance.
            weight: Weights of the errors, any shape that broadcasts to (B, H, D).

        Returns:
            () loss.
        """
        B = len(clean)
        k = torch.randint(1, self.schedule.steps + 1, (B,), device=clean.device)
        signal = self.signal.to(clean.device)[k][:, None, None]
        scale = self.noise.to(clean.device)[k][:, None, None]
        noise = torch.randn_like(clean)
        x = signal * clean + scale * noise
        if known is not None:
            x = torch.where(known, clean, x)
        keep = None
        if condition is not None and drop > 0:
            keep = (torch.rand(B, 1, device=clean.device) >= drop).to(clean.dtype)
        predicted = denoiser(x, k.to(clean.dtype), condition, keep).float()
        learned = predicted.shape[-1]
        target = {"x0": clean, "epsilon": noise, "v": signal * noise - scale * clean}
        error = (predicted - target[self.prediction][..., :learned]).square()
        if weight is not None:
            error = error * weight[..., :learned]
        if known is not None:
            scored = (~known[..., :learned]).to(error.dtype)
            return (error * scored).sum() / (B * scored.sum())
        return error.mean()

    def predict_clean(
        self,
        denoiser: Denoiser,
        x: Tensor,
        k: int,
        condition: Tensor | None = None,
        *,
        guidance_scale: float = 1.0,
        clip: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """The clean window that the network sees in a noisy one.

        Guidance mixes predictions with weights that sum to one. Given the noisy window, clean
        window, v and epsilon are affine in each other, so mixing any of them is mixing epsilon.

        **Source** of guidance: MPDiffuser, Eq. 1.

        Args:
            denoiser: Network.
            x: (B, H, D) at level ``k``.
            k: Level, 1 to ``T``.
            condition: (B, C), or None.
            guidance_scale: omega; 1 is the conditional prediction itself.
            clip: Lowest and highest clean values, of shapes that broadcast to (B, H, D).

        Returns:
            (B, H, D), or as many first channels as the network gives.
        """
        # One number for the whole batch: in an exported graph its embedding is a constant.
        level = torch.full((1,), float(k), device=x.device, dtype=x.dtype)
        if condition is None or guidance_scale == 1.0:
            predicted = denoiser(x, level, condition, None)
        else:
            # Both predictions in one call: at K = 1 the second costs almost nothing.
            ones = torch.ones_like(condition[:, :1])
            both = denoiser(
                torch.cat([x, x]),
                level,
                torch.cat([condition, condition]),
                torch.cat([ones, torch.zeros_like(ones)]),
            )
            with_condition, without = both.chunk(2)
            predicted = without + guidance_scale * (with_condition - without)
        learned = predicted.shape[-1]
        clean = self.clean_from(predicted, x[..., :learned], k)
        if clip is not None:
            clean = torch.clamp(clean, clip[0][..., :learned], clip[1][..., :learned])
        return clean

    def clean_from(self, predicted: Tensor, x: Tensor, k: int) -> Tensor:
        """The clean window that a prediction stands for, both (B, H, D) at level ``k``."""
        alpha_bar = self._alpha_bar[k]
        signal, noise = math.sqrt(alpha_bar), math.sqrt(1 - alpha_bar)
        if self.prediction == "x0":
            return predicted
        if self.prediction == "v":
            return signal * x - noise * predicted
        return (x - noise * predicted) / signal

    def ddim_step(
        self, x: Tensor, clean: Tensor, k: int, k_next: int, noise: Tensor | None = None
    ) -> Tensor:
        """One step towards the data.

        **Source**: DDIM, Eq. 12 and 16: sigma = 0 without noise, and eta = 1, the ancestral step of
        DDPM, with it.

        Args:
            x: (B, H, D) at level ``k``.
            clean: (B, H, D) its predicted clean window.
            k: Level of ``x``.
            k_next: Level to reach, below ``k``.
            noise: (B, H, D) unit noise for an ancestral step; None for a deterministic one.

        Returns:
            (B, H, D) at level ``k_next``.
        """
        here, there = self._alpha_bar[k], self._alpha_bar[k_next]
        epsilon = (x - math.sqrt(here) * clean) / math.sqrt(1 - here)
        if noise is None or k_next == 0:
            return math.sqrt(there) * clean + math.sqrt(1 - there) * epsilon
        variance = (1 - there) / (1 - here) * (1 - here / there)
        direction = math.sqrt(max(1 - there - variance, 0.0))
        return math.sqrt(there) * clean + direction * epsilon + math.sqrt(variance) * noise

    def levels(self, steps: int, begin: int | None = None) -> list[tuple[int, int]]:
        """Levels that ``steps`` steps go through.

        Args:
            steps: Steps.
            begin: Level to begin at; ``T`` by default.

        Returns:
            Pairs of a level and the next, spread evenly from ``begin`` to 0.

        Raises:
            InvalidParameterError: There are fewer levels than steps.
        """
        begin = self.schedule.steps if begin is None else begin
        if not 1 <= steps <= begin <= self.schedule.steps:
            raise InvalidParameterError(
                "a sampler's steps do not fit its noise levels",
                got=f"{steps} steps from level {begin}",
                expected=f"1 <= steps <= level <= {self.schedule.steps}",
            )
        stops = [round(begin * i / steps) for i in range(steps, -1, -1)]
        return list(itertools.pairwise(stops))

    def sample(
        self,
        denoiser: Denoiser,
        noise: Tensor,
        condition: Tensor | None = None,
        *,
        steps: int,
        guidance_scale: float = 1.0,
        start: Tensor | None = None,
        start_level: int | None = None,
        inpaint: Inpainting | None = None,
        clip: tuple[Tensor, Tensor] | None = None,
        step_noise: Tensor | None = None,
        hook: Hook | None = None,
    ) -> Tensor:
        """Windows from noise.

        Args:
            denoiser: Network.
            noise: (B, H, D) unit noise. Scaled by the root of a temperature, together with
                ``step_noise``, it gives the alpha of MPDiffuser's Algorithm 1.
            condition: (B, C), or None.
            steps: Steps to take.
            guidance_scale: See `predict_clean`.
            start: (B, H, D) clean windows to begin near, a warm start (MPDiffuser, App. G).
            start_level: Level to which ``noise`` brings ``start``; ``steps`` by default.
            inpaint: Given entries.
            clip: See `predict_clean`: the range of the data, not a number of deviations.
            step_noise: (steps, B, H, D) unit noise for ancestral steps; None for DDIM.
            hook: Called after each step, before the given entries are put back.

        Returns:
            (B, H, D) clean windows.
        """

        def step(x: Tensor, k: int, k_next: int, drawn: Tensor | None) -> Tensor:
            clean = self.predict_clean(
                denoiser, x, k, condition, guidance_scale=guidance_scale, clip=clip
            )
            return self.ddim_step(x, clean, k, k_next, drawn)

        return self.unroll(
            step,
            noise,
            steps=steps,
            start=start,
            start_level=start_level,
            inpaint=inpaint,
            step_noise=step_noise,
            hook=hook,
        )

    def unroll(
        self,
        step: Step,
        noise: Tensor,
        *,
        steps: int,
        start: Tensor | None = None,
        start_level: int | None = None,
        inpaint: Inpainting | None = None,
        step_noise: Tensor | None = None,
        hook: Hook | None = None,
    ) -> Tensor:
        """Windows from noise by any rule for one step; otherwise as `sample`."""
        begin = None
        x = noise
        if start is not None:
            begin = steps if start_level is None else start_level
            x = self.noised(start, begin, noise)
        if inpaint is not None:
            x = inpaint(x)
        for i, (k, k_next) in enumerate(self.levels(steps, begin)):
            before = x
            x = step(x, k, k_next, None if step_noise is None else step_noise[i])
            if hook is not None:
                x = hook(before, x, k_next)
            if inpaint is not None:
                x = inpaint(x)
        return x
