"""The goal-frame encoding: exact, invariant, and inverted by its decoding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planner_core.errors import InvalidObservationError
from planner_core.navigation import NavigationEncoding, integration_matrices
from planner_core.plan import Observation, Plan
from planner_core.world import World, random_world

ENCODING = NavigationEncoding()
coordinate = st.floats(-5, 5, allow_nan=False)
vector = st.tuples(coordinate, coordinate, coordinate).map(np.array)


def turned(vectors: np.ndarray, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return vectors @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])


@given(vector, vector, vector)
def test_goal_lies_within_half_a_ray_of_the_x_axis(position, velocity, goal):
    state = ENCODING.encode(position, velocity, goal, np.ones(48))
    distance = np.hypot(*state.goal[:2])
    if distance > 1e-6:
        assert abs(np.arctan2(state.goal[1], state.goal[0])) <= np.pi / 48 + 1e-9
    assert np.isclose(np.linalg.norm(state.velocity), np.linalg.norm(velocity))
    assert np.isclose(state.goal[2], goal[2] - position[2])


@given(vector, vector, vector, st.integers(0, 47), st.tuples(coordinate, coordinate))
def test_moving_the_world_does_not_change_the_encoding(position, velocity, goal, rays, shift):
    # Turned by whole rays the scan itself is the same numbers, rolled.
    scan = np.linspace(0.1, 3.9, 48)
    angle = rays * 2 * np.pi / 48
    offset = np.array([*shift, 0.5])
    goal = goal if np.hypot(*(goal - position)[:2]) > 1e-3 else position + 1.0
    here = ENCODING.encode(position, velocity, goal, scan)
    heading = np.arctan2(*(goal - position)[1::-1]) * 48 / (2 * np.pi)
    if abs(heading - np.floor(heading) - 0.5) < 1e-6:
        return  # exactly between two rays either choice is right
    there = ENCODING.encode(
        turned(position, angle) + offset, turned(velocity, angle), turned(goal, angle) + offset,
        np.roll(scan, rays),
    )  # fmt: skip
    np.testing.assert_allclose(here.scan, there.scan)
    np.testing.assert_allclose(here.velocity, there.velocity, atol=1e-9)
    np.testing.assert_allclose(here.goal, there.goal, atol=1e-9)


def test_rolled_scan_is_the_scan_of_the_goal_frame():
    world = random_world(3)
    position, goal = world.start[:3], world.goal[:3]
    scan = world.scan(position, ENCODING.angles_rad, 4.0)
    state = ENCODING.encode(position, np.zeros(3), goal, scan)
    local = state.scan[:, None] * np.stack(
        [np.cos(ENCODING.angles_rad), np.sin(ENCODING.angles_rad), np.zeros(48)], axis=-1
    )
    hit = state.scan < 4.0
    points = ENCODING.decode(
        np.stack([local[None]] * 3), int(state.turn), np.array([*position, 0.0])
    )
    surface = world.clearance(points.position[0, hit, :3])
    np.testing.assert_allclose(surface, 0.0, atol=1e-6)


@settings(max_examples=50)
@given(vector, st.integers(0, 47), st.floats(-3, 3))
def test_decoding_inverts_encoding(position, turn, yaw):
    rng = np.random.default_rng(0)
    pose = np.array([*position, yaw])
    local = rng.normal(size=(3, 2, 5, 3))
    world = ENCODING.decode(local, turn, pose)
    angle = -turn * 2 * np.pi / 48
    np.testing.assert_allclose(turned(world.position[..., :3] - position, angle), local[0])
    np.testing.assert_allclose(turned(world.velocity[..., :3], angle), local[1])
    np.testing.assert_allclose(turned(world.acceleration[..., :3], angle), local[2])
    assert (world.position[..., 3] == yaw).all()
    assert not world.velocity[..., 3].any()
    assert not world.acceleration[..., 3].any()


def test_batches_are_encoded_like_single_states():
    rng = np.random.default_rng(1)
    p, v, g, s = rng.normal(size=(7, 3)), rng.normal(size=(7, 3)), rng.normal(size=(7, 3)), None
    s = rng.uniform(0, 4, size=(7, 48))
    batch = ENCODING.encode(p, v, g, s)
    for i in range(7):
        for whole, part in zip(batch, ENCODING.encode(p[i], v[i], g[i], s[i]), strict=True):
            np.testing.assert_array_equal(whole[i], part)


def test_infinite_ranges_are_the_longest_range():
    scan = np.full(48, np.inf)
    state = ENCODING.encode(np.zeros(3), np.zeros(3), np.ones(3), scan)
    assert (state.scan == 4.0).all()


def observation(**changes) -> Observation:
    values = {
        "position": np.zeros(4), "velocity": np.zeros(4), "goal": np.ones(4),
        "sensors": {"scan": np.ones(48)},
    }  # fmt: skip
    return Observation(0, **(values | changes))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sensors": {}}, "without a scan"),
        ({"sensors": {"scan": np.ones(36)}}, "48 rays"),
        ({"sensors": {"scan": np.full(48, np.nan)}}, "not finite"),
        ({"position": np.full(4, np.nan)}, "not finite"),
        ({"velocity": np.zeros(3)}, "velocity"),
        ({"goal": np.zeros(2)}, "goal"),
    ],
)
def test_unusable_observations_are_refused(changes, named):
    with pytest.raises(InvalidObservationError, match=named) as error:
        ENCODING.encode_observation(observation(**changes))
    assert error.value.code == 401


def test_integration_matches_what_a_plan_evaluates():
    rng = np.random.default_rng(2)
    horizon, dt = 9, 0.1
    a, v0, p0 = rng.normal(size=(horizon, 1)), 0.7, -0.3
    to_velocity, to_position = integration_matrices(horizon, dt)
    time = np.arange(horizon)[:, None] * dt
    v, p = v0 + to_velocity @ a, p0 + v0 * time + to_position @ a
    plan = Plan(0, dt, p, v, a)
    fine = np.linspace(0, (horizon - 1) * dt, 20_001)
    dense = np.interp(fine, time[:, 0], a[:, 0])
    step = fine[1]
    speed = v0 + np.concatenate([[0], np.cumsum((dense[1:] + dense[:-1]) / 2)]) * step
    place = p0 + np.concatenate([[0], np.cumsum((speed[1:] + speed[:-1]) / 2)]) * step
    for i in range(0, len(fine), 777):
        got = plan.sample(round(fine[i] * 1e9))
        assert got[0][0] == pytest.approx(place[i], abs=1e-6)
        assert got[1][0] == pytest.approx(speed[i], abs=1e-6)
        assert got[2][0] == pytest.approx(dense[i], abs=1e-5)


def test_an_empty_room_hits_only_walls():
    room = random_world(0, density_per_m2=0.0)
    assert isinstance(room, World)
    scan = room.scan(room.start[:3], ENCODING.angles_rad, 100.0)
    assert np.isfinite(scan).all()
