"""The learned planner on the robot: one pass of an ONNX graph gives all candidates, ranked.

What the graph is told of an observation, and how its windows become plans, is the encoding's: one
for robots that navigate by a scan, one for robots whose joints are planned.

Letters: ``K`` candidates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from planner_core.bundle import Bundle, load_bundle
from planner_core.errors import BundleMismatchError
from planner_core.inference import Graph
from planner_core.joint_plans import JointPlans
from planner_core.manifest import Manifest
from planner_core.navigation_plans import NavigationPlans
from planner_core.plan import GeneratorSpec, Observation, Plan, PlanBatch
from planner_core.ranked_batch import RANKING
from planner_core.robot import Robot

KIND: Final = "one_step_navigation"
JOINT_KIND: Final = "one_step_joints"
GRAPH: Final = "plan"
FIELDS: Final = {"scan": "scan.rays", "position": "dof_names", "goal": "goal_names"}
"""Fields of the manifest that say how long an input is, where their name is another."""


class PlanEncoding(Protocol):
    """What lies between an observation, a graph that ranks, and plans."""

    @property
    def spec(self) -> GeneratorSpec:
        """What the graph takes and gives."""
        ...

    def encode(self, observation: Observation) -> tuple[dict[str, NDArray[np.float32]], Any]:
        """The inputs of the graph but for the noise, and what `batch` needs to decode."""
        ...

    def still(self) -> dict[str, NDArray[np.float32]]:
        """Some inputs, for warming up."""
        ...

    def batch(self, observation: Observation, state: Any, outputs: list[Any]) -> PlanBatch:
        """The candidates from the outputs of the graph, in the order of `RANKING`."""
        ...


def encoding_of(manifest: Manifest, candidates: int | None) -> PlanEncoding:
    """The encoding of a one-step bundle, chosen by its kind.

    Raises:
        BundleMismatchError: Of another kind, or for other degrees of freedom.
        InvalidParameterError: ``candidates`` is out of range.
    """
    if manifest.kind == JOINT_KIND:
        return JointPlans(manifest, JOINT_KIND, candidates)
    return NavigationPlans(manifest, KIND, candidates)


class OneStepGenerator:
    """Plans with a one-step generator.

    Every call draws fresh noise. Noise that is kept for a task plans a little smoother, but a robot
    that no candidate gets out of a corner then waits there for ever.

    Args:
        bundle: The model.
        candidates: ``K``; None takes the bundle's own number.
        provider: What runs the graph; see `planner_core.inference`.

    Raises:
        BundleMismatchError: The bundle is for another kind of task, or its graph has other inputs
            than its manifest says.
        BundleFileError: The graph cannot be loaded.
        InvalidParameterError: ``candidates`` is out of range, or the provider does not work.
    """

    def __init__(
        self, bundle: Bundle, candidates: int | None = None, provider: str = "cpu"
    ) -> None:
        manifest = bundle.manifest
        self._plans = encoding_of(manifest, candidates)
        self._graph = Graph(bundle, GRAPH, provider)
        for name, values in self._plans.still().items():
            if (shape := self._graph.spec.input(name).shape) != values.shape:
                raise BundleMismatchError(
                    f"bundle {manifest.name}: {FIELDS.get(name, name)}", got=values.shape[0],
                    expected=shape,
                )  # fmt: skip
        width = int(self._graph.spec.input("noise").shape[1])
        self._noise = np.zeros((self._plans.spec.candidates, width), dtype=np.float32)
        self._stochastic = manifest.stochastic

    @property
    def spec(self) -> GeneratorSpec:
        """What it takes and gives."""
        return self._plans.spec

    def warm_up(self) -> None:
        """Run the graph once."""
        self._graph.run(RANKING, {**self._plans.still(), "noise": self._noise})

    def plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        """Generate and rank ``K`` candidates; see `TrajectoryGenerator.plan`.

        The previous plan and the deadline are not used: the graph takes the same time for every
        observation.

        Raises:
            InvalidObservationError: The observation does not fit the model.
        """
        inputs, state = self._plans.encode(observation)
        if self._stochastic:
            rng.standard_normal(out=self._noise, dtype=np.float32)
            # The first candidate is what the model holds to be typical.
            self._noise[0] = 0.0
        outputs = self._graph.run(RANKING, {**inputs, "noise": self._noise})
        return self._plans.batch(observation, state, outputs)

    def reset(self) -> None:
        """Nothing to forget: every call stands alone."""


def create(
    robot: Robot, model: Path, candidates: int | None = None, provider: str = "cpu"
) -> OneStepGenerator:
    """The plugin ``one_step``: load a bundle for a robot.

    Args:
        robot: Robot to plan for.
        model: Folder of the bundle.
        candidates: ``K``; None takes the bundle's own number.
        provider: What runs the graph.

    Raises:
        BundleError: The bundle cannot be used for this robot.
    """
    bundle = load_bundle(model)
    bundle.require_robot(robot)
    return OneStepGenerator(bundle, candidates, provider)
