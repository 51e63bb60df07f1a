from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from planner_core.errors import WorldError
from planner_core.grid_search import shortest_path
from planner_core.world import World, load_world, random_world, world_from_dict
from planner_core.worlds import find_world


def room(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": "room",
        "room": {"lower_m": [-5, -3, 0], "upper_m": [5, 3, 2]},
        "cylinders": [{"x_m": 1, "y_m": 0, "radius_m": 0.5, "bottom_m": 0, "top_m": 2}],
        "boxes": [
            {
                "x_m": -2, "y_m": 0, "z_m": 1, "length_m": 1, "width_m": 2, "height_m": 2,
                "yaw_rad": 0,
            }
        ],
        "start": {"x_m": -4, "y_m": 0, "z_m": 1, "yaw_rad": 0},
        "goal": {"x_m": 4, "y_m": 0, "z_m": 1, "yaw_rad": 0},
    }  # fmt: skip
    return data | changes


def test_distances_by_hand() -> None:
    world = world_from_dict(room(), source="test")
    points = np.array([[3.0, 0, 1], [1, 0, 1], [-3.5, 0, 1], [0, 2.5, 1], [0, 0, 3]])
    # Behind the cylinder, at its axis, before the box, near a wall, above the ceiling.
    assert world.clearance(points) == pytest.approx([1.0, -0.5, 1.0, 0.5, -1.0])


def test_rays_by_hand() -> None:
    world = world_from_dict(room(), source="test")
    angles = np.array([0.0, np.pi / 2, np.pi, -np.pi / 2])
    assert world.scan(np.array([0.0, 0, 1]), angles, 4.0) == pytest.approx([0.5, 3, 1.5, 3])
    # Above the cylinder's top there is nothing but the wall.
    low = world_from_dict(
        room(cylinders=[{"x_m": 1, "y_m": 0, "radius_m": 0.5, "bottom_m": 0, "top_m": 0.8}]),
        source="test",
    )
    assert low.scan(np.array([0.0, 0, 1]), angles[:1], 10.0) == pytest.approx([5.0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_rays_end_on_surfaces(seed: int, u: float, v: float) -> None:
    world = random_world(seed)
    lower, upper = world.lower[:2] + 0.05, world.upper[:2] - 0.05
    origin = np.array([*(lower + np.array([u, v]) * (upper - lower)), 1.0])
    if world.clearance(origin) <= 0.01:
        return
    angles = np.linspace(-np.pi, np.pi, 36, endpoint=False)
    ranges = world.scan(origin, angles, 20.0)
    ends = origin + ranges[:, None] * np.stack([np.cos(angles), np.sin(angles), 0 * angles], 1)
    distances = np.minimum(
        world.obstacle_distance(ends),
        np.minimum(ends - world.lower, world.upper - ends)[:, :2].min(axis=1),
    )
    assert np.abs(distances).max() < 1e-9
    # Nothing lies on the way.
    halfway = origin + 0.5 * (ends - origin)
    assert world.obstacle_distance(halfway).min() > -1e-9


def test_a_scan_from_inside_an_obstacle_is_zero() -> None:
    world = world_from_dict(room(), source="test")
    assert (world.scan(np.array([1.0, 0, 1]), np.array([0.0, 2.0]), 4.0) == 0).all()


@pytest.mark.parametrize("seed", range(8))
def test_random_worlds_are_named_by_their_seed_and_can_be_crossed(seed: int) -> None:
    world, again = random_world(seed), random_world(seed)
    assert world.to_dict() == again.to_dict()
    assert world.to_dict() != random_world(seed + 1).to_dict()
    for pose in (world.start, world.goal):
        assert world.clearance(pose[:3]) > 0.4
    path = shortest_path(world, world.start[:3], world.goal[:2], inflation_m=0.25)
    assert path is not None
    heights = np.full(len(path), world.start[2])
    inner = np.column_stack([path, heights])[1:-1]
    assert world.obstacle_distance(inner).min() >= 0.25


def test_a_closed_room_has_no_path() -> None:
    wall = {
        "x_m": 0, "y_m": 0, "z_m": 1, "length_m": 0.2, "width_m": 6, "height_m": 2, "yaw_rad": 0,
    }  # fmt: skip
    world = world_from_dict(room(boxes=[wall], cylinders=[]), source="test")
    assert shortest_path(world, world.start[:3], world.goal[:2], inflation_m=0.1) is None


def test_files_round_trip(tmp_path: Path) -> None:
    world = random_world(3)
    path = tmp_path / "world.yaml"
    path.write_text(yaml.safe_dump(world.to_dict()))
    assert load_world(path).to_dict() == world.to_dict()
    assert find_world(str(path)).name == "random-3"
    assert find_world("random", 3).to_dict() == world.to_dict()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"cylinders": [{"x_m": 1}]}, "cylinders"),
        ({"cylinders": "none"}, "cylinders"),
        ({"start": None}, "start"),
        ({"start": {"x_m": 1, "y_m": 0, "z_m": 1, "yaw_rad": 0}}, "start is not in free space"),
        ({"goal": {"x_m": 9, "y_m": 0, "z_m": 1, "yaw_rad": 0}}, "goal is not in free space"),
        ({"goal": {"x_m": "far", "y_m": 0, "z_m": 1, "yaw_rad": 0}}, "goal"),
        ({"goal": {"x_m": float("nan"), "y_m": 0, "z_m": 1, "yaw_rad": 0}}, "goal"),
        ({"room": {"lower_m": [0, 0, 0], "upper_m": [-1, 1, 1]}}, "room"),
        ({"room": {"lower_m": [0, 0], "upper_m": [1, 1]}}, "room"),
        ({"obstacles": []}, "unknown keys"),
    ],
)
def test_bad_worlds_are_refused_with_the_field(change: dict[str, Any], says: str) -> None:
    with pytest.raises(WorldError, match=says):
        world_from_dict(room(**change), source="test")


def test_bad_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "known.yaml").write_text(yaml.safe_dump(room()))
    with pytest.raises(WorldError, match=r"no such world.*known"):
        find_world(str(tmp_path / "unknown.yaml"))
    broken = tmp_path / "broken.yaml"
    broken.write_text("{")
    with pytest.raises(WorldError, match=r"not YAML; got expected .* in line 1, column 2$"):
        load_world(broken)


@pytest.mark.parametrize("density", [-0.1, 2.0])
def test_random_worlds_out_of_range(density: float) -> None:
    with pytest.raises(WorldError, match="density"):
        random_world(0, density_per_m2=density)


def test_a_room_too_full_to_cross_says_so() -> None:
    with pytest.raises(WorldError, match="no passage"):
        random_world(0, density_per_m2=1.5, passage_m=1.5)


def test_worlds_are_read_only() -> None:
    world: World = random_world(0)
    with pytest.raises(ValueError, match="read-only"):
        world.start[0] = 1.0
