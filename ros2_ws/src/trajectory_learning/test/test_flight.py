"""The flight simulation and the comparison of planners."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from planner_core.classical import GridSearchPlanner, StraightLinePlanner
from planner_core.errors import NoPathError
from planner_core.robots import crazyflie
from planner_core.world import random_world
from trajectory_learning.evaluation import (
    Entry,
    EvaluationConfig,
    evaluate,
    paired_time_s,
    parse_entry,
    summary,
    write_report,
)
from trajectory_learning.problems.flight import Flight, FlightConfig, Outcome, fly
from trajectory_learning.problems.navigation_data import FIRST_TRAINING_SEED

CONFIG = FlightConfig(replan_s=0.1)


def test_an_empty_room_is_crossed_and_the_plan_is_followed():
    world = random_world(0, density_per_m2=0.0)
    flight = fly(StraightLinePlanner(crazyflie()), world, CONFIG, 0)
    assert flight.outcome is Outcome.ARRIVED
    straight = np.linalg.norm(world.goal[:3] - world.start[:3])
    assert flight.length_m == pytest.approx(straight, abs=0.4)
    assert flight.tracking_m < 0.1
    assert len(flight.call_s) == pytest.approx(flight.time_s / 0.1, abs=2)


def test_a_wall_in_the_way_is_a_collision_with_its_place():
    world = next(w for w in map(random_world, range(20)) if _blocked(w))
    flight = fly(StraightLinePlanner(crazyflie()), world, CONFIG, 0)
    assert flight.outcome is Outcome.COLLISION
    assert flight.clearance_m < CONFIG.robot_radius_m
    assert world.clearance(flight.track[-1]) < 0.2


def _blocked(world) -> bool:
    line = np.linspace(world.start[:3], world.goal[:3], 200)
    return bool(world.clearance(line).min() < -0.1)


def test_the_same_seed_gives_the_same_flight():
    world = random_world(1)
    tracks = [fly(GridSearchPlanner(crazyflie(), world), world, CONFIG, 3).track for _ in range(2)]
    np.testing.assert_array_equal(*tracks)


def test_a_flight_that_takes_too_long_has_failed():
    world = random_world(0, density_per_m2=0.0)
    flight = fly(StraightLinePlanner(crazyflie()), world, FlightConfig(time_limit_s=1.0), 0)
    assert flight.outcome is Outcome.TIME_OUT


def test_a_planner_without_a_plan_ends_the_flight():
    class Refusing(StraightLinePlanner):
        def plan(self, observation, previous, deadline_ns, rng):
            raise NoPathError("nothing")

    flight = fly(Refusing(crazyflie()), random_world(0), CONFIG, 0)
    assert flight.outcome is Outcome.NO_PLAN


def test_results_are_the_same_with_several_processes(tmp_path: Path):
    entries = [Entry("straight_line"), Entry("grid_search")]
    alone = evaluate(entries, EvaluationConfig(worlds=3), CONFIG, progress=False)
    both = evaluate(entries, EvaluationConfig(worlds=3, jobs=2), CONFIG, progress=False)
    for name in alone:
        for a, b in zip(alone[name], both[name], strict=True):
            np.testing.assert_array_equal(a.track, b.track)
    write_report(alone, EvaluationConfig(worlds=3), CONFIG, "command", tmp_path)
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["planners"]["grid_search"]["success"] == 1.0
    assert "| grid_search | 100.0%" in (tmp_path / "results.md").read_text()


def test_training_worlds_are_refused():
    config = EvaluationConfig(worlds=2, first_seed=FIRST_TRAINING_SEED - 1)
    with pytest.raises(ValueError, match="training seeds"):
        evaluate([Entry("straight_line")], config, CONFIG, progress=False)


@pytest.mark.parametrize("text", ["energy", "", "unknown"])
def test_unknown_planners_are_refused(text: str):
    with pytest.raises(ValueError, match="NAME=BUNDLE_FOLDER"):
        parse_entry(text)


def flight_of(outcome: Outcome, time_s: float) -> Flight:
    return Flight(outcome, time_s, 1.0, 0.3, 0.0, 1.0, 1.0, np.array([0.001]), np.zeros((2, 3)))


def test_figures_count_only_arrivals_and_compare_only_common_worlds():
    arrived, crashed = Outcome.ARRIVED, Outcome.COLLISION
    steady = [flight_of(arrived, t) for t in (5, 6, 7, 8, 9, 20)]
    hasty = [flight_of(arrived, t) for t in (4, 5, 6, 7, 8)] + [flight_of(crashed, 1)]
    assert summary(hasty)["success"] == pytest.approx(5 / 6)
    assert summary(hasty)["time_to_goal_s"] == 6.0
    assert paired_time_s({"steady": steady, "hasty": hasty}) == {"steady": 7.0, "hasty": 6.0}
