"""Planners that fail on purpose do so, in the way and at the time they were told to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from planner_core.errors import DriftpilotError, InvalidParameterError, error_codes
from planner_core.fault_planners import DEFAULTS, FaultPlanner, parse_fault
from planner_core.plan import Observation, PlanBatch
from planner_core.planners import PlannerRequest, SamplerSettings, load_planner
from planner_core.robot import Robot
from planner_core.robots import crazyflie, so100

PLANNING = sorted(code for code in error_codes() if code // 100 == 4)


def call(text: str, robot: Robot | None = None) -> PlanBatch:
    robot = robot or crazyflie()
    planner = load_planner("fault", PlannerRequest(robot, Path(text)))
    planner.warm_up()
    observation = Observation(1_000, np.ones(robot.n_q), np.zeros(robot.n_q), np.ones(robot.n_q))
    return planner.plan(observation, None, 0, np.random.default_rng(0))


@pytest.mark.parametrize("robot", [crazyflie(), so100()], ids=lambda robot: robot.name)
def test_the_healthy_planner_is_healthy(robot: Robot) -> None:
    batch = call("none", robot)
    assert batch.position.shape == (1, 32, robot.n_q)
    np.testing.assert_array_equal(batch.position[0, 0], np.ones(robot.n_q))


@pytest.mark.parametrize("code", PLANNING)
def test_every_planning_error_can_be_provoked(code: int) -> None:
    with pytest.raises(DriftpilotError, match=f"E{code}") as error:
        call(f"raise:{code}")
    assert error.value.code == code


@pytest.mark.parametrize("stage", ["raise_load", "raise_warm_up"])
def test_errors_before_the_first_call(stage: str) -> None:
    with pytest.raises(DriftpilotError) as error:
        call(f"{stage}:304")
    assert error.value.code == 304


def test_a_mistake_of_a_planner_is_no_error_of_ours() -> None:
    with pytest.raises(RuntimeError, match="on purpose"):
        call("exception")


@pytest.mark.parametrize(("fault", "value"), [("nan", np.nan), ("infinite", np.inf), ("huge", 1e9)])
@pytest.mark.parametrize("index", [0, 130, 3 * 32 * 4 - 1])
def test_absurd_numbers_at_each_index(fault: str, value: float, index: int) -> None:
    batch, healthy = call(f"{fault}:{index}"), call("none")
    got = np.stack([batch.position, batch.velocity, batch.acceleration]).ravel()
    want = np.stack([healthy.position, healthy.velocity, healthy.acceleration]).ravel()
    want[index] = value
    np.testing.assert_array_equal(got, want)


def test_wrong_shapes_places_and_times() -> None:
    assert call("wrong_width").position.shape == (1, 32, 3)
    assert call("displaced:0.4").position[0, 0, 0] == pytest.approx(1.4)
    assert call("fast:3").velocity[0, 0, 0] == pytest.approx(3 * crazyflie().velocity[0])
    assert call("harsh:3").acceleration[0, 0, 0] == pytest.approx(3 * crazyflie().acceleration[0])
    assert call("stale:2").start_ns == 1_000 - 2_000_000_000
    assert call("future:2").start_ns == 1_000 + 2_000_000_000
    assert not call("infeasible").feasible.any()


def test_wrong_descriptions() -> None:
    robot = crazyflie()
    assert FaultPlanner(robot, parse_fault("reordered")).spec.dof_names == robot.names[::-1]
    assert FaultPlanner(robot, parse_fault("other_robot")).spec.robot != robot.name


@pytest.mark.parametrize("fault", ["slow:0.05", "hang:0.05", "slow_load:0.05", "slow_warm_up:0.05"])
def test_slow_planners_answer(fault: str) -> None:
    assert len(call(fault).value) == 1


def test_faults_begin_and_end() -> None:
    planner = FaultPlanner(crazyflie(), parse_fault("raise:401@1-2"))
    observation = Observation(0, np.ones(4), np.zeros(4), np.ones(4))
    outcomes = []
    for _ in range(4):
        try:
            planner.plan(observation, None, 0, np.random.default_rng(0))
            outcomes.append(0)
        except DriftpilotError as error:
            outcomes.append(error.code)
    assert outcomes == [0, 401, 401, 0]


@pytest.mark.parametrize("text", ["magic", "nan:x", "raise:12345", "", "nan@", "hang:1@2-"])
def test_other_descriptions_are_refused(text: str) -> None:
    with pytest.raises(InvalidParameterError, match="fault"):
        parse_fault(text)


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_every_fault_has_a_default(name: str) -> None:
    assert parse_fault(name).number == DEFAULTS[name]


@pytest.mark.parametrize("planner", ["fault", "straight_line"])
@pytest.mark.parametrize(
    "settings",
    [
        SamplerSettings(steps=3), SamplerSettings(warm_start_steps=0),
        SamplerSettings(guidance_scale=1.0), SamplerSettings(temperature=0.5),
        SamplerSettings(provider="cuda"),
    ],
)  # fmt: skip
def test_settings_that_a_planner_cannot_honour_are_refused(
    planner: str, settings: SamplerSettings
) -> None:
    request = PlannerRequest(crazyflie(), Path("none"), sampler=settings)
    with pytest.raises(InvalidParameterError, match="has no"):
        load_planner(planner, request)
