"""What every learned planner of a navigating robot does before and after its graphs.

Before: check the bundle, bring the observation into the goal frame. After: bring the winner back
into the world frame, and the other candidates when somebody looks at them.

Letters: ``H`` samples of a plan, ``K`` candidates, ``N`` rays.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from planner_core.errors import BundleFieldError, BundleMismatchError, InvalidParameterError
from planner_core.manifest import Manifest
from planner_core.navigation import (
    DOF_NAMES,
    EncodedState,
    NavigationEncoding,
    integration_matrices,
)
from planner_core.plan import Array, GeneratorSpec, Observation, PlanBatch
from planner_core.ranked_batch import RankedBatch

MAX_CANDIDATES: Final = 1024

Floats = NDArray[np.float32]


class NavigationPlans:
    """The frame of a bundle's plans.

    Args:
        manifest: Of the bundle.
        kind: Kind of bundle that the caller can run.
        candidates: ``K``; None takes the bundle's own number.

    Raises:
        BundleMismatchError: The bundle is of another kind, or for other degrees of freedom.
        BundleFieldError: It says nothing about the scan.
        InvalidParameterError: ``candidates`` is out of range.
    """

    def __init__(self, manifest: Manifest, kind: str, candidates: int | None) -> None:
        for name, got, expected in (
            ("kind", manifest.kind, kind), ("dof_names", manifest.dof_names, DOF_NAMES),
        ):  # fmt: skip
            if got != expected:
                raise BundleMismatchError(
                    f"bundle {manifest.name}: {name}", got=got, expected=expected
                )
        if manifest.scan is None:
            raise BundleFieldError(f"bundle {manifest.name}: scan is missing")
        count = candidates_of(manifest, candidates)
        self.encoding = NavigationEncoding(manifest.scan.rays, manifest.scan.max_range_m)
        self.spec = GeneratorSpec(
            manifest.name, manifest.robot, manifest.dof_names, manifest.horizon, manifest.dt_s,
            count, {"scan": manifest.scan.rays},
        )  # fmt: skip
        to_velocity, to_position = integration_matrices(manifest.horizon, manifest.dt_s)
        self._to_velocity, self._to_position = to_velocity.T, to_position.T
        self._time_s = np.arange(manifest.horizon) * manifest.dt_s

    def encode(self, observation: Observation) -> tuple[dict[str, Floats], EncodedState]:
        """The inputs of the graph, and what it takes to decode what it gives.

        Raises:
            InvalidObservationError: The observation does not fit the model.
        """
        state = self.encoding.encode_observation(observation)
        return self.inputs(state), state

    def batch(self, observation: Observation, state: EncodedState, outputs: list[Any]) -> PlanBatch:
        """The candidates of an observation from the outputs of the graph."""
        return RankedBatch(
            observation.stamp_ns, self.spec.dt_s, outputs,
            partial(
                self.encoding.decode, turn=int(state.turn), position=observation.position
            ),
            partial(self.integrate, velocity=state.velocity),
        )  # fmt: skip

    def inputs(self, state: EncodedState) -> dict[str, Floats]:
        """What every graph is told of the observation, goal frame: scan, velocity, goal."""
        return {
            "scan": state.scan.astype(np.float32),
            "velocity": state.velocity.astype(np.float32),
            "goal": state.goal.astype(np.float32),
        }

    def still(self) -> dict[str, Floats]:
        """The inputs of a robot at rest at its goal, for warming up."""
        rest = np.zeros(3, dtype=np.float32)
        return {
            "scan": np.ones(self.encoding.rays, dtype=np.float32), "velocity": rest, "goal": rest,
        }  # fmt: skip

    def integrate(self, acceleration: NDArray[Any], velocity: Array) -> Array:
        """(K, 3, H) accelerations and the present velocity (3,) -> (3, K, H, 3) windows."""
        along = acceleration.astype(np.float64)
        start = velocity[:, None]
        windows = np.stack([
            start * self._time_s + along @ self._to_position,
            start + along @ self._to_velocity,
            along,
        ])  # fmt: skip
        return np.asarray(windows.swapaxes(-1, -2))


def candidates_of(manifest: Manifest, asked: int | None) -> int:
    """``K`` of a call: one where the noise does not matter.

    Args:
        manifest: Of the bundle.
        asked: None takes the bundle's own number.

    Raises:
        InvalidParameterError: Too few or too many.
    """
    count = manifest.candidates if asked is None else asked
    if not 1 <= count <= MAX_CANDIDATES:
        raise InvalidParameterError("candidates", got=count, expected=f"1 to {MAX_CANDIDATES}")
    return count if manifest.stochastic else 1
