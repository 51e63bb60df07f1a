"""Diffusion planners of a navigating robot: Diffuser and MPDiffuser, sampled step by step.

A bundle of this kind holds a graph for each network, and the same ranking as the one-step planner's
in a graph of its own, so that planners differ in how candidates are made and in nothing else.

Letters: ``K`` candidates, ``H`` samples of a window, ``D`` channels: position, velocity and
acceleration along each axis.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from planner_core.bundle import Bundle
from planner_core.clock import nanoseconds
from planner_core.diffusion_model import DiffusionModel
from planner_core.errors import BundleMismatchError
from planner_core.inference import Graph
from planner_core.navigation import AXES, EncodedState
from planner_core.navigation_plans import NavigationPlans
from planner_core.plan import Array, GeneratorSpec, Observation, Plan, PlanBatch
from planner_core.planners import SamplerSettings
from planner_core.ranked_batch import RANKING

KIND: Final = "diffusion_navigation"
STATES, CHANNELS = 2 * AXES, 3 * AXES

Floats = NDArray[np.float32]


class DiffusionGenerator:
    """Plans flights with a diffusion model.

    Args:
        bundle: The model.
        candidates: ``K``; None takes the bundle's own number.
        settings: How it is sampled.

    Raises:
        BundleMismatchError: The bundle is of another kind, or its graphs do not fit its manifest.
        BundleFileError: A graph cannot be loaded.
        InvalidParameterError: A setting does not fit the model.
    """

    def __init__(
        self,
        bundle: Bundle,
        candidates: int | None = None,
        settings: SamplerSettings | None = None,
    ) -> None:
        manifest, settings = bundle.manifest, settings or SamplerSettings()
        self._plans = NavigationPlans(manifest, KIND, candidates)
        if (width := len(manifest.normalisation.mean)) != CHANNELS:
            raise BundleMismatchError(
                f"bundle {manifest.name}: normalisation", got=width,
                expected=f"statistics of {CHANNELS} channels",
            )  # fmt: skip
        self._model = DiffusionModel(
            bundle, settings, self._plans.spec.candidates, manifest.horizon
        )
        self._rank = Graph(bundle, "rank", settings.provider)

    @property
    def spec(self) -> GeneratorSpec:
        """What it takes and gives."""
        return self._plans.spec

    def warm_up(self) -> None:
        """Draw once."""
        self._candidates(self._plans.still(), np.random.default_rng(0), None)

    def plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        """Draw and rank ``K`` candidates; see `TrajectoryGenerator.plan`.

        Sampling begins near the previous plan, where there is one and the model has a warm start.
        The deadline is not used: the number of steps is fixed.

        Raises:
            InvalidObservationError: The observation does not fit the model.
        """
        inputs, state = self._plans.encode(observation)
        start = None
        if previous is not None and self._model.spec.warm_start_steps:
            start = self._seen_from(previous, observation, state)
        outputs = self._candidates(inputs, rng, start)
        return self._plans.batch(observation, state, outputs)

    def reset(self) -> None:
        """Nothing to forget: what a warm start needs is handed in."""

    def _candidates(
        self, inputs: dict[str, Floats], rng: np.random.Generator, start: Floats | None
    ) -> list[NDArray[np.float32]]:
        """Outputs of the ranking, in the order of `RANKING`."""
        present = np.concatenate([np.zeros(AXES, dtype=np.float32), inputs["velocity"]])
        mean, std = self._model.mean, self._model.std
        present = (present - mean[:STATES]) / std[:STATES]
        x = self._model.sample(inputs, rng, present[: self._model.spec.inpaint], start)
        actions = x[..., STATES:] * std[STATES:] + mean[STATES:]
        ranked: list[NDArray[np.float32]] = self._rank.run(RANKING, {"sample": actions, **inputs})
        return ranked

    def _seen_from(self, previous: Plan, observation: Observation, state: EncodedState) -> Floats:
        """(H, D) the previous plan from the new start on, normalised.

        After its end it stands still: what it would have done then, it does not say.
        """
        spec = self._plans.spec
        times = observation.stamp_ns + np.arange(spec.horizon) * nanoseconds(spec.dt_s)
        rows: Array = np.array([np.concatenate(previous.sample(int(t))) for t in times])
        rows = rows.reshape(spec.horizon, 3, -1)[..., :AXES]
        rows[:, 0] -= observation.position[:AXES]
        angle = -int(state.turn) * (2 * np.pi / self._plans.encoding.rays)
        c, s = np.cos(angle), np.sin(angle)
        local = rows @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
        flat = local.reshape(spec.horizon, CHANNELS).astype(np.float32)
        normalised: Floats = (flat - self._model.mean) / self._model.std
        return normalised
