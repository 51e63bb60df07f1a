"""The planners without learning."""

from __future__ import annotations

import numpy as np
import pytest
from planner_core.classical import FollowingConfig, GridSearchPlanner, StraightLinePlanner, follow
from planner_core.errors import InvalidObservationError, NoPathError
from planner_core.plan import Observation, TrajectoryGenerator
from planner_core.robots import crazyflie, so100
from planner_core.world import random_world, world_from_dict

RNG = np.random.default_rng(0)


def walled_room(gap_m: float) -> dict:
    """A room with a wall across it and a gap at the positive y end."""
    width = 4.0 - gap_m
    return {
        "name": "walled",
        "room": {"lower_m": [-3, -2, 0], "upper_m": [3, 2, 2]},
        "cylinders": [],
        "boxes": [
            {"x_m": 0, "y_m": -2 + width / 2, "z_m": 1, "length_m": 0.2, "width_m": width,
             "height_m": 2, "yaw_rad": 0}
        ],
        "start": {"x_m": -2, "y_m": -1, "z_m": 1, "yaw_rad": 0.4},
        "goal": {"x_m": 2, "y_m": -1, "z_m": 1.2, "yaw_rad": 0},
    }  # fmt: skip


def fly_ideally(generator: TrajectoryGenerator, start, goal, seconds: float) -> np.ndarray:
    """Positions of a robot that follows its plans exactly and replans every 0.1 s."""
    position, velocity = start.copy(), np.zeros(4)
    track = [position]
    for step in range(round(seconds / 0.1)):
        observation = Observation(step * 100_000_000, position, velocity, goal)
        batch = generator.plan(observation, None, 0, RNG)
        plan = batch.plan(batch.best)
        position, velocity, _ = plan.sample(plan.start_ns + 100_000_000)
        track.append(position)
    return np.array(track)


def test_straight_line_arrives_and_rests_where_nothing_is_in_the_way():
    world = random_world(0, density_per_m2=0.0)
    track = fly_ideally(StraightLinePlanner(crazyflie()), world.start, world.goal, 12.0)
    assert np.linalg.norm(track[-1, :3] - world.goal[:3]) < 0.02
    assert np.linalg.norm(track[-1] - track[-2]) < 0.005
    overshoot = track[:, 0].max() - world.goal[0]
    assert overshoot < 0.05


def test_plans_start_at_the_state_and_keep_the_limits():
    config = FollowingConfig(speed=1.0, acceleration=1.5)
    velocity = np.array([-0.5, 0.9, 0.1])
    p, v, a = follow(np.array([[0, 0, 1.0], [3, 0, 1.0]]), np.array([0, 0.2, 1]), velocity, config)
    np.testing.assert_array_equal(p[0], [0, 0.2, 1])
    np.testing.assert_array_equal(v[0], velocity)
    assert np.linalg.norm(a, axis=-1).max() <= 1.5 + 1e-9
    assert np.linalg.norm(v[8:], axis=-1).max() < 1.1
    np.testing.assert_allclose(np.diff(v, axis=0), (a[1:] + a[:-1]) * config.dt_s / 2, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_grid_search_crosses_random_worlds_with_clearance(seed):
    world = random_world(seed)
    track = fly_ideally(GridSearchPlanner(crazyflie(), world), world.start, world.goal, 16.0)
    assert np.linalg.norm(track[-1, :3] - world.goal[:3]) < 0.05
    assert world.clearance(track[:, :3]).min() > 0.15
    assert (track[:, 3] == world.start[3]).all()


def test_grid_search_goes_through_the_gap_of_a_wall():
    world = world_from_dict(walled_room(0.7), source="test")
    track = fly_ideally(GridSearchPlanner(crazyflie(), world), world.start, world.goal, 12.0)
    assert track[:, 1].max() > 1.3
    assert np.linalg.norm(track[-1, :3] - world.goal[:3]) < 0.05


def test_no_path_is_an_error_with_its_code():
    world = world_from_dict(walled_room(0.2), source="test")
    planner = GridSearchPlanner(crazyflie(), world)
    with pytest.raises(NoPathError, match="no path through walled") as error:
        planner.plan(Observation(0, world.start, np.zeros(4), world.goal), None, 0, RNG)
    assert error.value.code == 402


def test_a_new_goal_is_searched_anew():
    world = random_world(1)
    planner = GridSearchPlanner(crazyflie(), world)
    there = planner.plan(Observation(0, world.start, np.zeros(4), world.goal), None, 0, RNG)
    back = planner.plan(Observation(0, world.goal, np.zeros(4), world.start), None, 0, RNG)
    assert there.position[0, -1, 0] > world.start[0]
    assert back.position[0, -1, 0] < world.goal[0]


def test_robots_that_do_not_fly_are_refused():
    with pytest.raises(InvalidObservationError, match="so100"):
        StraightLinePlanner(so100())


@pytest.mark.parametrize("bad", [np.zeros(3), np.full(4, np.nan)])
def test_unusable_observations_are_refused(bad):
    with pytest.raises(InvalidObservationError, match="position"):
        StraightLinePlanner(crazyflie()).plan(
            Observation(0, bad, np.zeros(4), np.zeros(4)), None, 0, RNG
        )
