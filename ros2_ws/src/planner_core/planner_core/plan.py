"""Observations, plans and batches of plans: what travels between estimation, planner and executor.

Letters: ``H`` samples of a plan, ``K`` candidates, ``n_q`` degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from planner_core.clock import nanoseconds

Array = NDArray[np.float64]


def frozen(values: ArrayLike) -> Array:
    """A read-only float64 copy."""
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What is known of the robot and its task at one instant.

    Attributes:
        stamp_ns: ROS time at which the state holds [ns].
        position: (n_q,) positions, in the units of the robot.
        velocity: (n_q,) velocities.
        goal: (n_g,) what is asked for, by default a value for each degree of freedom; see
            `GeneratorSpec.goal`.
        sensors: Further measurements by name, e.g. ``scan``: (N,) [m] ranges.
    """

    stamp_ns: int
    position: Array
    velocity: Array
    goal: Array
    sensors: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for name in ("position", "velocity", "goal"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        sensors = {name: frozen(values) for name, values in self.sensors.items()}
        object.__setattr__(self, "sensors", MappingProxyType(sensors))


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A trajectory at absolute times.

    Sample ``i`` holds at ``start_ns + i * dt_s``. The acceleration of sample ``i`` is the one at
    that instant; between samples the position is the cubic that meets both ends' positions and
    velocities.

    Attributes:
        start_ns: ROS time of the first sample [ns].
        dt_s: Spacing of the samples [s].
        position: (H, n_q) positions.
        velocity: (H, n_q) velocities.
        acceleration: (H, n_q) accelerations.
        value: What the ranker gave the plan; larger is better.
    """

    start_ns: int
    dt_s: float
    position: Array
    velocity: Array
    acceleration: Array
    value: float = 0.0

    def __post_init__(self) -> None:
        shape = np.shape(self.position)
        if len(shape) != 2 or shape[0] < 2:
            raise ValueError(f"a plan has (H >= 2, n_q) positions, not {shape}")
        for name in ("position", "velocity", "acceleration"):
            array = frozen(getattr(self, name))
            if array.shape != shape:
                raise ValueError(f"plan {name} is {array.shape}, its position is {shape}")
            object.__setattr__(self, name, array)
        if not self.dt_s > 0:
            raise ValueError(f"plan dt_s must be positive, not {self.dt_s}")

    @property
    def horizon(self) -> int:
        """``H``, the number of samples."""
        return int(self.position.shape[0])

    @property
    def end_ns(self) -> int:
        """ROS time of the last sample [ns]."""
        return self.start_ns + nanoseconds((self.horizon - 1) * self.dt_s)

    def sample(self, time_ns: int) -> tuple[Array, Array, Array]:
        """Position, velocity and acceleration at a time.

        Before the first sample the first one holds; after the last, its position at rest, so that a
        robot whose plan ran out stands still instead of running on.

        Args:
            time_ns: ROS time [ns].

        Returns:
            Three arrays (n_q,).
        """
        phase = (time_ns - self.start_ns) * 1e-9 / self.dt_s
        if phase < 0:
            return self.position[0], self.velocity[0], self.acceleration[0]
        i = int(phase)
        if i >= self.horizon - 1:
            if time_ns <= self.end_ns:
                return self.position[-1], self.velocity[-1], self.acceleration[-1]
            rest = np.zeros_like(self.velocity[-1])
            return self.position[-1], rest, rest
        s, h = phase - i, self.dt_s
        p0, p1 = self.position[i], self.position[i + 1]
        v0, v1 = self.velocity[i] * h, self.velocity[i + 1] * h
        # Cubic Hermite basis and its derivatives. Written as a step from p0, so that a robot that
        # stands still is asked for the same position to the bit.
        position = (
            p0 + s * s * (3 - 2 * s) * (p1 - p0) + s * (1 - s) ** 2 * v0 + s * s * (s - 1) * v1
        )
        velocity = (
            6 * s * (s - 1) * (p0 - p1) + (1 - s) * (1 - 3 * s) * v0 + s * (3 * s - 2) * v1
        ) / h
        acceleration = ((12 * s - 6) * (p0 - p1) + (6 * s - 4) * v0 + (6 * s - 2) * v1) / h**2
        return position, velocity, acceleration


@dataclass(frozen=True, slots=True, eq=False)
class PlanBatch:
    """The ``K`` candidates of one planning call.

    Attributes:
        start_ns: ROS time of the first sample of each [ns].
        dt_s: Spacing of the samples [s].
        position: (K, H, n_q) positions.
        velocity: (K, H, n_q) velocities.
        acceleration: (K, H, n_q) accelerations.
        value: (K,) what the ranker gave each candidate; larger is better.
        feasible: (K,) whether it keeps the constraints that the ranker checks.
        cost: (K,) what a budget limits, predicted for the whole of each; None without a cost model.
    """

    start_ns: int
    dt_s: float
    position: Array
    velocity: Array
    acceleration: Array
    value: Array
    feasible: NDArray[np.bool_]
    cost: Array | None = None

    @property
    def best(self) -> int:
        """Index of the best feasible candidate, or of the best of all where none is feasible."""
        pool = self.feasible if self.feasible.any() else np.ones_like(self.feasible)
        return int(np.argmax(np.where(pool, self.value, -np.inf)))

    def plan(self, index: int) -> Plan:
        """One candidate as a plan."""
        return Plan(
            self.start_ns, self.dt_s, self.position[index], self.velocity[index],
            self.acceleration[index], float(self.value[index]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class GeneratorSpec:
    """What a generator takes and gives.

    Attributes:
        name: Shown in status messages.
        robot: Name of the robot that it plans for.
        dof_names: The ``n_q`` degrees of freedom, in the order of its arrays.
        horizon: ``H``, samples of a plan.
        dt_s: Spacing of the samples [s].
        candidates: ``K``, plans of one call.
        sensors: Each sensor that an observation must carry, by name: the length of its array, or
            the names of its numbers in the order in which the generator takes them.
        goal: Names of what it aims at, in its order: degrees of freedom or quantities of a task;
            empty for all degrees of freedom.
    """

    name: str
    robot: str
    dof_names: tuple[str, ...]
    horizon: int
    dt_s: float
    candidates: int
    sensors: Mapping[str, int | tuple[str, ...]]
    goal: tuple[str, ...] = ()

    @property
    def goal_names(self) -> tuple[str, ...]:
        """The ``n_g`` names of what it aims at."""
        return self.goal or self.dof_names

    def width(self, sensor: str) -> int:
        """Length of the array that an observation carries for a sensor."""
        asked = self.sensors[sensor]
        return asked if isinstance(asked, int) else len(asked)


class TrajectoryGenerator(Protocol):
    """One-step generators, diffusion samplers and classical planners alike.

    A generator belongs to one thread, that of the planner; only `reset` may be called between
    calls of `plan`, never during one.
    """

    @property
    def spec(self) -> GeneratorSpec:
        """What it takes and gives."""
        ...

    def warm_up(self) -> None:
        """Run once on zeros, so that no later call pays for allocation or compilation."""
        ...

    def plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        """Generate and rank candidates that start from an observation.

        Args:
            observation: State from which the plans start, at the time at which they start.
            previous: The plan in execution, for warm starts; None at the beginning.
            deadline_ns: Steady time by which the call should return [ns].
            rng: The only source of randomness.

        Raises:
            DriftpilotError: No plan can be made from this observation.
        """
        ...

    def reset(self) -> None:
        """Forget everything about the current task."""
        ...


def describe(spec: GeneratorSpec) -> dict[str, Any]:
    """The specification as plain values, for reports and provenance."""
    return {
        "name": spec.name,
        "robot": spec.robot,
        "dof_names": list(spec.dof_names),
        "horizon": spec.horizon,
        "dt_s": spec.dt_s,
        "candidates": spec.candidates,
        "sensors": {
            name: width if isinstance(width, int) else list(width)
            for name, width in spec.sensors.items()
        },
        "goal": list(spec.goal_names),
    }
