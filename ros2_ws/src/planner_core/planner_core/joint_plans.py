"""Plans of a robot whose degrees of freedom are planned as they are: arms, legs.

The graph is told position, velocity, the named numbers of each sensor and the goal, all as the
observation has them; whatever it makes of them is inside the graph. Its windows are plans.

Letters: ``H`` samples of a plan, ``K`` candidates, ``n_q`` degrees of freedom.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from planner_core.errors import BundleMismatchError, InvalidObservationError
from planner_core.manifest import Manifest
from planner_core.navigation import integration_matrices
from planner_core.navigation_plans import candidates_of
from planner_core.plan import Array, GeneratorSpec, Observation, PlanBatch
from planner_core.ranked_batch import RankedBatch

Floats = NDArray[np.float32]


class JointPlans:
    """The frame of a bundle's plans: that of the robot.

    Args:
        manifest: Of the bundle.
        kind: Kind of bundle that the caller can run.
        candidates: ``K``; None takes the bundle's own number.

    Raises:
        BundleMismatchError: The bundle is of another kind.
        InvalidParameterError: ``candidates`` is out of range.
    """

    def __init__(self, manifest: Manifest, kind: str, candidates: int | None) -> None:
        if manifest.kind != kind:
            raise BundleMismatchError(
                f"bundle {manifest.name}: kind", got=manifest.kind, expected=kind
            )
        self.spec = GeneratorSpec(
            manifest.name, manifest.robot, manifest.dof_names, manifest.horizon, manifest.dt_s,
            candidates_of(manifest, candidates), dict(manifest.sensors), manifest.goal_names,
        )  # fmt: skip
        n_q = len(manifest.dof_names)
        self._sizes = {"position": n_q, "velocity": n_q, "goal": len(self.spec.goal_names)}
        self._sizes |= {name: len(names) for name, names in manifest.sensors.items()}
        to_velocity, to_position = integration_matrices(manifest.horizon, manifest.dt_s)
        self._to_velocity, self._to_position = to_velocity.T, to_position.T
        self._time_s = np.arange(manifest.horizon) * manifest.dt_s

    def encode(self, observation: Observation) -> tuple[dict[str, Floats], None]:
        """The inputs of the graph.

        Raises:
            InvalidObservationError: An array has another length, or a number is not finite.
        """
        inputs = {}
        for name, size in self._sizes.items():
            values = getattr(observation, name, None)
            values = observation.sensors.get(name) if values is None else values
            if values is None or values.shape != (size,) or not np.isfinite(values).all():
                raise InvalidObservationError(
                    f"observation {name}", got=values, expected=f"{size} finite numbers"
                )
            inputs[name] = values.astype(np.float32)
        return inputs, None

    def still(self) -> dict[str, Floats]:
        """Zeros, for warming up."""
        return {name: np.zeros(size, dtype=np.float32) for name, size in self._sizes.items()}

    def batch(self, observation: Observation, state: None, outputs: list[Any]) -> PlanBatch:
        """The candidates of an observation from the outputs of the graph."""
        return RankedBatch(
            observation.stamp_ns, self.spec.dt_s, outputs, _plans,
            partial(
                self.integrate, position=observation.position, velocity=observation.velocity
            ),
        )  # fmt: skip

    def integrate(self, acceleration: NDArray[Any], position: Array, velocity: Array) -> Array:
        """(K, n_q, H) accelerations and the present state (n_q,) -> (3, K, H, n_q) windows."""
        along = acceleration.astype(np.float64)
        start = velocity[:, None]
        windows = np.stack([
            position[:, None] + start * self._time_s + along @ self._to_position,
            start + along @ self._to_velocity,
            along,
        ])  # fmt: skip
        return np.asarray(windows.swapaxes(-1, -2))


def _plans(windows: NDArray[Any]) -> tuple[Array, Array, Array]:
    position, velocity, acceleration = windows.astype(np.float64)
    return position, velocity, acceleration
