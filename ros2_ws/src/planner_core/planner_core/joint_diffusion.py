"""Diffusion planners of a robot whose joints are planned as they are: one sample, warm-started.

A window of the model has a row for each period: the state at its end, and the joint targets that
are to be reached there. The plan goes from what is commanded at its start through those targets;
the states are what the model expects to come of it, and where the next call begins its sampling.

**Source**: MPDiffuser, App. O.

Letters: ``K`` candidates, ``H`` periods of a window, ``D`` channels, ``n_q`` joints.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from planner_core.bundle import Bundle
from planner_core.clock import nanoseconds, seconds
from planner_core.diffusion_model import DiffusionModel
from planner_core.joint_plans import JointPlans
from planner_core.plan import Array, GeneratorSpec, Observation, Plan, PlanBatch
from planner_core.planners import SamplerSettings

KIND: Final = "diffusion_joints"

Floats = NDArray[np.float32]

LEAD_STEPS: Final = 5
"""Periods in which a standing robot is led from where it stands to its targets."""
SEAM_STEPS: Final = 4
"""Periods in which a robot in motion is led over from the plan before. Where the two differ, the
newer one would else begin with an acceleration that no limit allows, and be refused."""


class JointDiffusionGenerator:
    """Plans joint motions with a diffusion model.

    Candidates are not ranked: of more than one, the first is taken.

    Args:
        bundle: The model. Its graphs are told position, velocity, sensors and goal as the
            observation has them.
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
        manifest = bundle.manifest
        self._plans = JointPlans(manifest, KIND, candidates)
        # A plan has one sample more than a window has rows: the one that it begins with.
        self._model = DiffusionModel(
            bundle, settings or SamplerSettings(), self._plans.spec.candidates, manifest.horizon - 1
        )
        channels = self._model.channels
        self._targets = slice(channels - len(manifest.dof_names), channels)
        # In double precision, as plans are.
        self._mean = np.array(manifest.normalisation.mean[self._targets])
        self._std = np.array(manifest.normalisation.std[self._targets])
        self._last: tuple[int, Floats] | None = None

    @property
    def spec(self) -> GeneratorSpec:
        """What it takes and gives."""
        return self._plans.spec

    def warm_up(self) -> None:
        """Draw once."""
        self._draw(self._plans.still(), np.random.default_rng(0), None)

    def plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        """Draw plans; see `TrajectoryGenerator.plan`.

        Sampling begins near the window of the last call, where the plan in execution is of this
        generator. The deadline is not used: the number of steps is fixed.

        Raises:
            InvalidObservationError: The observation does not fit the model.
        """
        inputs, _ = self._plans.encode(observation)
        stamp_ns = observation.stamp_ns
        start = None if previous is None else self._seen_from(stamp_ns)
        windows = self._draw(inputs, rng, start)
        self._last = stamp_ns, windows[0]
        targets = windows[..., self._targets] * self._std + self._mean
        if previous is None:
            # A robot that stands is not where its targets will be.
            position, velocity = observation.position, np.zeros_like(observation.position)
            before = np.tile(position, (LEAD_STEPS, 1))
        else:
            position, velocity, _ = previous.sample(stamp_ns)
            period_ns = nanoseconds(self.spec.dt_s)
            times = [stamp_ns + (i + 1) * period_ns for i in range(SEAM_STEPS)]
            before = np.array([previous.sample(time_ns)[0] for time_ns in times])
        share = (np.arange(1, len(before) + 1) / len(before))[: targets.shape[1], None]
        led, before = targets[:, : len(before)], before[: targets.shape[1]]
        led += (share * share * (3.0 - 2.0 * share) - 1.0) * (led - before)
        return self._batch(stamp_ns, position, velocity, targets)

    def reset(self) -> None:
        """Begin the next call with noise."""
        self._last = None

    def _draw(
        self, inputs: dict[str, Floats], rng: np.random.Generator, start: Floats | None
    ) -> Floats:
        """(K, H, D) normalised windows."""
        return self._model.sample(inputs, rng, np.zeros(0, dtype=np.float32), start)

    def _seen_from(self, stamp_ns: int) -> Floats | None:
        """(H, D) the last window from another beginning; beyond its end, its last row."""
        if self._last is None:
            return None
        began_ns, window = self._last
        last = len(window) - 1
        place = np.clip(
            np.arange(len(window)) + seconds(stamp_ns - began_ns) / self.spec.dt_s, 0, last
        )
        before = place.astype(int)
        share = (place - before).astype(np.float32)[:, None]
        after = np.minimum(before + 1, last)
        seen: Floats = window[before] * (1 - share) + window[after] * share
        return seen

    def _batch(self, start_ns: int, position: Array, velocity: Array, targets: Array) -> PlanBatch:
        """Plans from a position and velocity (n_q,) through targets (K, H, n_q)."""
        K, dt_s = len(targets), self.spec.dt_s
        first = np.broadcast_to(position, (K, 1, len(position)))
        through = np.concatenate([first, targets], axis=1)
        rates = np.gradient(through, dt_s, axis=1)
        # As the plan before ends, this one begins: a join without an offset.
        rates[:, 0] = velocity
        return PlanBatch(
            start_ns, dt_s, through, rates, np.gradient(rates, dt_s, axis=1),
            np.zeros(K), np.ones(K, dtype=np.bool_),
        )  # fmt: skip
