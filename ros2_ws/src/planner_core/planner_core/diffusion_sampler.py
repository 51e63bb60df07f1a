"""Sampling of diffusion models on the robot: a few steps from noise, or fewer from the last plan.

The networks are behind one function, so the sampler knows neither graphs nor robots. Levels run
from ``T`` (noise) to 0 (clean), as in training: x^k = sqrt(alpha_bar_k) x^0 + sqrt(1 - alpha_bar_k)
epsilon.

**Source**: J. Ho et al., "Denoising diffusion probabilistic models", 2020 (ancestral steps); J.
Song et al., "Denoising diffusion implicit models", 2021 (deterministic steps); MPDiffuser, Eq. 1
(guidance), Algorithm 1 (alternation, temperature), App. G (warm start).

Letters: ``K`` candidates, ``H`` samples of a window, ``D`` channels, ``n_x`` of them states, ``T``
noise levels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from planner_core.errors import InvalidParameterError
from planner_core.manifest import SamplerSpec
from planner_core.planners import SamplerSettings

Floats = NDArray[np.float32]

Network = Callable[[str, Floats, int], tuple[Floats, Floats | None]]
"""From "planner" or "dynamics", a noisy window (K, H, D) and its level to the prediction with the
condition, and without it where guidance needs that; (K, H, D), or (K, H, n_x) of a dynamics
model."""

CONDITIONAL: Final = 1.0
"""The guidance scale at which the unconditional prediction has no weight."""


def configured(spec: SamplerSpec, settings: SamplerSettings) -> SamplerSpec:
    """The sampler of a bundle with what the user chose.

    Raises:
        InvalidParameterError: A number does not fit the model.
    """
    levels = len(spec.alpha_bar) - 1
    steps = spec.steps if settings.steps is None else settings.steps
    if not 1 <= steps <= levels:
        raise InvalidParameterError("steps of the sampler", got=steps, expected=f"1 to {levels}")
    warm = settings.warm_start_steps
    if warm is None:
        # The bundle's own warm start keeps its place among fewer steps.
        warm = min(spec.warm_start_steps, steps)
    if not 0 <= warm <= steps:
        raise InvalidParameterError(
            "warm_start_steps", got=warm, expected=f"0 to {steps}, the steps of the sampler"
        )
    scale = spec.guidance_scale if settings.guidance_scale is None else settings.guidance_scale
    if not 0 <= scale <= 100:
        raise InvalidParameterError("guidance_scale", got=scale, expected="0 to 100")
    temperature = spec.temperature if settings.temperature is None else settings.temperature
    if not 0 <= temperature <= 1:
        raise InvalidParameterError("temperature", got=temperature, expected="0 to 1")
    return replace(
        spec, steps=steps, warm_start_steps=warm, guidance_scale=scale, temperature=temperature
    )


class DiffusionSampler:
    """Draws clean windows.

    Args:
        spec: How.
        shape: (K, H, D) of what is drawn.
    """

    def __init__(self, spec: SamplerSpec, shape: tuple[int, int, int]) -> None:
        self.spec, self.shape = spec, shape
        alpha_bar = np.array(spec.alpha_bar)
        # Python floats: a float64 array would turn every float32 product into float64.
        self._alpha_bar = [float(x) for x in alpha_bar]
        self._signal = [float(x) for x in np.sqrt(alpha_bar)]
        self._noise = [float(x) for x in np.sqrt(1 - alpha_bar)]
        self._low = np.array(spec.low, dtype=np.float32)
        self._high = np.array(spec.high, dtype=np.float32)
        self._spread = np.float32(spec.temperature**0.5)
        levels = len(alpha_bar) - 1
        self._stops = [round(levels * i / spec.steps) for i in range(spec.steps, -1, -1)]

    @property
    def guided(self) -> bool:
        """Whether predictions without the condition are needed."""
        return self.spec.guidance_scale != CONDITIONAL

    def sample(
        self,
        network: Network,
        rng: np.random.Generator,
        present: Floats,
        start: Floats | None = None,
    ) -> Floats:
        """Draw ``K`` windows.

        Args:
            network: The model, with its condition.
            rng: The only source of randomness.
            present: (inpaint,) normalised present state, for the first channels of the first
                sample.
            start: (H, D) normalised clean window to begin near, the previous plan; None begins
                with noise.

        Returns:
            (K, H, D) normalised clean windows.
        """
        stops = self._stops
        x = self._spread * rng.standard_normal(self.shape, dtype=np.float32)
        if start is not None and self.spec.warm_start_steps:
            stops = stops[-self.spec.warm_start_steps - 1 :]
            x *= self._noise[stops[0]]
            x += self._signal[stops[0]] * start
        self._inpaint(x, present)
        for k, k_next in pairwise(stops):
            x = self._step(network, x, k, k_next, rng)
            self._inpaint(x, present)
        return x

    def _inpaint(self, x: Floats, present: Floats) -> None:
        if self.spec.inpaint:
            x[:, 0, : self.spec.inpaint] = present

    def _step(
        self, network: Network, x: Floats, k: int, k_next: int, rng: np.random.Generator
    ) -> Floats:
        """One step of planner and dynamics model, in the order that the coupling says."""
        coupling = self.spec.coupling
        if coupling == "alternating":
            # Algorithm 1, lines 3 and 4: the mean of the states' step; the planner is still told k.
            clean = self._clean(network, "dynamics", x, k)
            states = clean.shape[-1]
            x = x.copy()
            x[..., :states] = self._towards(x[..., :states], clean, k, k_next, None)
        clean = self._clean(network, "planner", x, k)
        if coupling == "joint":
            dynamics = self._clean(network, "dynamics", x, k)
            clean[..., : dynamics.shape[-1]] = dynamics
        return self._towards(x, clean, k, k_next, rng if self.spec.ancestral else None)

    def _clean(self, network: Network, role: str, x: Floats, k: int) -> Floats:
        """The clean window that a network sees in a noisy one, within the range of the data."""
        predicted, without = network(role, x, k)
        if without is not None:
            scale = np.float32(self.spec.guidance_scale)
            predicted = without + scale * (predicted - without)
        channels = predicted.shape[-1]
        x = x[..., :channels]
        if self.spec.prediction == "v":
            predicted = self._signal[k] * x - self._noise[k] * predicted
        elif self.spec.prediction == "epsilon":
            predicted = np.divide(x - self._noise[k] * predicted, self._signal[k], dtype=np.float32)
        clean: Floats = np.minimum(
            np.maximum(predicted, self._low[:channels]), self._high[:channels]
        )
        return clean

    def _towards(
        self, x: Floats, clean: Floats, k: int, k_next: int, rng: np.random.Generator | None
    ) -> Floats:
        """The window at a lower level; **Source**: DDIM, Eq. 12 and 16, with sigma = 0 without rng.

        x' = sqrt(a') x^0 + c epsilon + sigma z, with epsilon = (x - sqrt(a) x^0) / sqrt(1 - a).
        """
        here, there = self._alpha_bar[k], self._alpha_bar[k_next]
        variance = (1 - there) / (1 - here) * (1 - here / there) if rng is not None else 0.0
        share = max(1 - there - variance, 0.0) ** 0.5 / self._noise[k]
        result: Floats = np.multiply(clean, self._signal[k_next] - share * self._signal[k])
        result += share * x
        if rng is not None and k_next:
            drawn = rng.standard_normal(x.shape, dtype=np.float32)
            result += np.float32(variance**0.5) * self._spread * drawn
        return result
