"""The bundled planners and robots conform, and each rule is broken by somebody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from planner_core.classical import StraightLinePlanner
from planner_core.conformance import check_planner, check_robot, failures, main
from planner_core.errors import DriftpilotError
from planner_core.fault_planners import FaultPlanner, parse_fault
from planner_core.manipulation import OBJECTS
from planner_core.plan import GeneratorSpec, Observation, Plan, PlanBatch, TrajectoryGenerator
from planner_core.planner_conformance import PLANNER_CHECKS
from planner_core.planners import PlannerRequest
from planner_core.plugins import load_plugin, plugin_names
from planner_core.robot import Robot, StopBehaviour
from planner_core.robot_conformance import ROBOT_CHECKS
from planner_core.robots import crazyflie, go2, so100
from planner_core.scripted_manipulation import HOME
from planner_core.world import random_world

MODELS = Path(__file__).resolve().parents[4] / "models"
BUNDLED = {
    "diffuser": PlannerRequest(crazyflie(), MODELS / "crazyflie_navigation_diffuser", 2),
    "fault": PlannerRequest(crazyflie(), Path("none")),
    "grid_search": PlannerRequest(crazyflie(), world=random_world(0)),
    "mpdiffuser": PlannerRequest(crazyflie(), MODELS / "crazyflie_navigation_mpdiffuser", 2),
    "one_step": PlannerRequest(crazyflie(), MODELS / "crazyflie_navigation"),
    "scripted_placing": PlannerRequest(so100()),
    "straight_line": PlannerRequest(crazyflie()),
}
# What lies on the table, and where it is to be: nothing that the limits of an arm could tell.
PLACING = [
    Observation(
        10**9 * i, HOME, np.zeros(6), np.array([0.22, -0.01 * i, 0.0125]),
        {OBJECTS: np.array([0.2, 0.06 + 0.01 * i, 0.0125, 0.3])},
    )
    for i in range(1, 5)
]  # fmt: skip


def test_no_bundled_planner_is_left_out() -> None:
    ours = {
        entry.name
        for entry in entry_points(group="planner.planners")
        if entry.module.startswith("planner_core.")
    }
    assert ours == set(BUNDLED)


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_bundled_planners_conform(name: str) -> None:
    create = load_plugin("planner.planners", name)
    observations = PLACING if name == "scripted_placing" else None
    assert failures(check_planner(BUNDLED[name], create, observations)) == []


def test_the_placing_bundle_conforms() -> None:
    request = PlannerRequest(so100(), MODELS / "so100_pick_place")
    create = load_plugin("planner.planners", "one_step")
    assert failures(check_planner(request, create, PLACING)) == []


def test_the_walking_bundle_conforms() -> None:
    """From a robot that stands upright; its plans may be refused from postures of no walk."""
    request = PlannerRequest(go2(), MODELS / "go2_velocity")
    upright = {"body": np.array([0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0])}
    stand = np.array([-0.1, 0.8, -1.5, 0.1, 0.8, -1.5, -0.1, 1.0, -1.5, 0.1, 1.0, -1.5])
    observations = [
        Observation(10**9 * i, stand, np.zeros(12), np.array([0.1 * i, 0.0, 0.0]), upright)
        for i in range(1, 5)
    ]
    create = load_plugin("planner.planners", "mpdiffuser")
    assert failures(check_planner(request, create, observations)) == []


@pytest.mark.parametrize("name", plugin_names("planner.robots"))
def test_installed_robots_conform(name: str) -> None:
    assert failures(check_robot(name, load_plugin("planner.robots", name))) == []


class Careless(StraightLinePlanner):
    """A planner that breaks the rule that its subclass is named for."""

    def __init__(self) -> None:
        super().__init__(crazyflie())

    def plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        return self.spoil(super().plan(observation, previous, deadline_ns, rng))

    def spoil(self, batch: PlanBatch) -> PlanBatch:
        return batch


class GlobalRandomness(Careless):
    def spoil(self, batch: PlanBatch) -> PlanBatch:
        return replace(batch, value=np.random.random(1))


class OneBuffer(Careless):
    def __init__(self) -> None:
        super().__init__()
        self.buffer = np.zeros((1, 32, 4))

    def spoil(self, batch: PlanBatch) -> PlanBatch:
        self.buffer[:] = batch.position
        return replace(batch, position=self.buffer)


class Memory(Careless):
    calls = 0

    def spoil(self, batch: PlanBatch) -> PlanBatch:
        self.calls += 1
        return replace(batch, value=np.array([float(self.calls)]))


class OtherValues(Careless):
    def spoil(self, batch: PlanBatch) -> PlanBatch:
        return replace(batch, value=np.zeros((1, 1)))


class FirstPlansOnly(Careless):
    def plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        if previous is not None:
            raise KeyError("previous")
        return super().plan(observation, previous, deadline_ns, rng)


class Punctual(Careless):
    def plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        if time.monotonic_ns() > deadline_ns:
            raise TimeoutError
        return super().plan(observation, previous, deadline_ns, rng)


class Slow(Careless):
    @property
    def spec(self) -> GeneratorSpec:
        return replace(super().spec, horizon=2, dt_s=1e-3)

    def spoil(self, batch: PlanBatch) -> PlanBatch:
        time.sleep(5e-3)
        still = np.repeat(batch.position[:, :1], 2, axis=1)
        rest = np.zeros_like(still)
        return replace(batch, dt_s=1e-3, position=still, velocity=rest, acceleration=rest)


class OneThread(Careless):
    def __init__(self) -> None:
        super().__init__()
        self.thread = threading.get_ident()

    def spoil(self, batch: PlanBatch) -> PlanBatch:
        if threading.get_ident() != self.thread:
            raise RuntimeError("another thread")
        return batch


class Credulous(Careless):
    def plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        try:
            return super().plan(observation, previous, deadline_ns, rng)
        except DriftpilotError:
            good = Observation(0, np.ones(4), np.zeros(4), np.ones(4))
            return super().plan(good, previous, deadline_ns, rng)


def broken(text: str) -> Callable[[], TrajectoryGenerator]:
    """A planner with one of the faults on purpose."""
    return lambda: FaultPlanner(crazyflie(), parse_fault(text))


BREAKERS: dict[str, Callable[[], TrajectoryGenerator]] = {
    "spec_fits": broken("reordered"),
    "shapes_fit": OtherValues,
    "calls_repeat": GlobalRandomness,
    "earlier_plans_stay": OneBuffer,
    "numbers_are_finite": broken("nan:3"),
    "plans_begin_at_the_robot": broken("displaced:0.4"),
    "best_plans_pass_the_gate": broken("fast:3"),
    "previous_plan_is_taken": FirstPlansOnly,
    "reset_forgets": Memory,
    "missed_deadlines_return": Punctual,
    "calls_end_in_time": Slow,
    "threads_may_differ": OneThread,
    "bad_observations_are_refused": Credulous,
}


def test_each_rule_of_planners_has_somebody_who_breaks_it() -> None:
    assert list(BREAKERS) == [check.__name__ for check in PLANNER_CHECKS]


@pytest.mark.parametrize("rule", BREAKERS)
def test_broken_planners_are_found(rule: str) -> None:
    found = check_planner(PlannerRequest(crazyflie()), lambda _request: BREAKERS[rule]())
    index = list(BREAKERS).index(rule)
    assert found[index].failure
    # The first failure explains those after it.
    assert not any(finding.failure for finding in found[:index])


def gantry(**changes: object) -> Robot:
    """A good robot with some fields changed."""
    good: dict[str, object] = {
        "name": "gantry", "frame_id": "map", "names": ("x", "y", "z"), "units": ("m", "m", "m"),
        "lower": np.zeros(3), "upper": np.ones(3), "velocity": np.ones(3),
        "acceleration": np.full(3, 2.0), "jerk": np.full(3, 20.0), "stop": StopBehaviour.HOLD,
    }  # fmt: skip
    return Robot(**(good | changes))  # type: ignore[arg-type]


ROBOT_BREAKERS: dict[str, Callable[[], Robot]] = {
    "robot_is_described": lambda: gantry(name="crane"),
    "robot_is_the_same_each_time": lambda: gantry(velocity=np.random.uniform(0.1, 0.2, 3)),
    "robot_has_si_units": lambda: gantry(units=("m", "m", "deg")),
    "robot_can_stop_within_its_limits": lambda: gantry(velocity=np.full(3, 5.0)),
    "landing_robot_has_a_height": lambda: gantry(
        stop=StopBehaviour.LAND, names=("x", "y", "theta")
    ),
}


def test_each_rule_of_robots_has_somebody_who_breaks_it() -> None:
    assert list(ROBOT_BREAKERS) == [check.__name__ for check in ROBOT_CHECKS]


@pytest.mark.parametrize("rule", ROBOT_BREAKERS)
def test_broken_robots_are_found(rule: str) -> None:
    found = check_robot("gantry", ROBOT_BREAKERS[rule])
    assert found[list(ROBOT_BREAKERS).index(rule)].failure


def test_a_good_robot_conforms() -> None:
    assert failures(check_robot("gantry", gantry)) == []


def test_the_command_says_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["robot", "crazyflie"]) == 0
    assert "5 of 5 rules kept" in capsys.readouterr().out
    assert main(["planner", "straight_line", "--robot", "so100"]) == 1
    assert "cannot move robot so100" in capsys.readouterr().out
    assert main(["planner", "spline"]) == 2
    assert "straight_line" in capsys.readouterr().err
