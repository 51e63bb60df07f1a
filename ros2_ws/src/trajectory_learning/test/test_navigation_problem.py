"""Data, windows, network and ranking of the navigation problem."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from planner_core.world import random_world
from trajectory_learning.networks.late_branch import LateBranch, LateBranchConfig
from trajectory_learning.networks.residual_mlp import dct_basis
from trajectory_learning.problems import navigation_data
from trajectory_learning.problems.fields import (
    clearance_field,
    distance_field,
    free_space_graph,
    lookup,
)
from trajectory_learning.problems.navigation import (
    NavigationModel,
    WindowMetric,
    cut_windows,
)
from trajectory_learning.problems.navigation_data import DataConfig
from trajectory_learning.problems.navigation_ranker import NavigationPlanner, RankerConfig
from trajectory_learning.training import mirrored

SMALL = LateBranchConfig(trunk_width=32, trunk_blocks=1, branch_width=16, noise=4, value_width=8)
CONFIG = DataConfig(worlds=4, flights_per_world=6)


@pytest.fixture(scope="module")
def flights():
    return navigation_data.fly(CONFIG, progress=False)


@pytest.fixture(scope="module")
def windows(flights):
    return cut_windows(flights, CONFIG, 16)


def test_the_same_seed_gives_the_same_flights(flights):
    again = navigation_data.fly(CONFIG, progress=False)
    assert navigation_data.content_hash(again) == navigation_data.content_hash(flights)
    other = navigation_data.fly(DataConfig(worlds=4, flights_per_world=6, seed=1), progress=False)
    assert navigation_data.content_hash(other) != navigation_data.content_hash(flights)


def test_flights_of_two_processes_are_those_of_one():
    config = DataConfig(worlds=navigation_data.WORLDS_AT_ONCE + 1, flights_per_world=1)
    one, two = (navigation_data.fly(config, progress=False, jobs=jobs) for jobs in (1, 2))
    assert navigation_data.content_hash(two) == navigation_data.content_hash(one)


def test_a_data_set_survives_writing_and_reading(flights, tmp_path: Path):
    path = tmp_path / "flights.h5"
    digest = navigation_data.save(flights, CONFIG, path, "command")
    read, config = navigation_data.load(path)
    assert config == CONFIG
    assert read.provenance["sha256"] == digest == navigation_data.content_hash(flights)
    assert read.provenance["command"] == "command"


def test_a_changed_data_set_is_refused(flights, tmp_path: Path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "flights.h5"
    navigation_data.save(flights, CONFIG, path, "command")
    with h5py.File(path, "r+") as file:
        file["position"][0, 0] += 1.0
    with pytest.raises(ValueError, match="content hash"):
        navigation_data.load(path)


def test_flights_obey_the_double_integrator_and_end_before_a_collision(flights):
    same = flights.flight[1:] == flights.flight[:-1]
    a, v, p = flights.acceleration, flights.velocity, flights.position
    dt = CONFIG.dt_s
    speed = v[:-1] + dt * (a[:-1] + a[1:]) / 2
    place = p[:-1] + dt * v[:-1] + dt**2 * (a[:-1] / 3 + a[1:] / 6)
    np.testing.assert_allclose(v[1:][same], speed[same], atol=1e-4)
    np.testing.assert_allclose(p[1:][same], place[same], atol=1e-4)
    assert flights.clearance.min() > navigation_data.ROBOT_RADIUS_M
    assert np.isfinite(flights.time_to_go).mean() > 0.5


def test_windows_start_at_the_state_and_lie_in_the_goal_frame(windows):
    assert not windows.window[:, 0, 0].any()
    torch.testing.assert_close(windows.window[:, 1, 0], windows.velocity)
    far = windows.goal[:, :2].norm(dim=-1) > 0.3
    heading = torch.atan2(windows.goal[far, 1], windows.goal[far, 0])
    assert heading.abs().max() <= np.pi / CONFIG.rays + 1e-5


def test_windows_never_reach_over_the_end_of_a_flight(flights, windows):
    ends = windows.window[:, 0, 1:] - windows.window[:, 0, :-1]
    assert ends.norm(dim=-1).max() < 0.25


def test_distance_field_goes_around_obstacles():
    world = random_world(2)
    clearance = clearance_field(world, 1.0)
    graph = free_space_graph(clearance, 0.17)
    field = distance_field(graph, clearance.shape, world.lower[:2], world.goal[:2])
    start = lookup(field[None], np.array([0]), world.lower[:2], world.start[None, :2])[0]
    straight = np.linalg.norm(world.start[:2] - world.goal[:2])
    assert np.isfinite(field).all()
    assert straight * 0.99 < start < 2.5 * straight
    assert lookup(field[None], np.array([0]), world.lower[:2], world.goal[None, :2])[0] < 0.15


def test_lookup_is_linear_between_cells():
    x, y = np.meshgrid(np.arange(20), np.arange(10), indexing="ij")
    field = (2.0 * x + 3.0 * y)[None]
    points = np.random.default_rng(0).uniform([0.1, 0.1], [1.8, 0.8], size=(1, 50, 2))
    got = lookup(field, np.array([0]), np.zeros(2), points)
    cells = points / 0.1 - 0.5
    np.testing.assert_allclose(got, 2 * cells[..., 0] + 3 * cells[..., 1], atol=1e-9)


def test_dct_basis_is_orthonormal():
    torch.testing.assert_close(dct_basis(32, 8) @ dct_basis(32, 8).T, torch.eye(8))


def test_candidates_start_at_the_state_and_keep_the_acceleration_limit():
    torch.manual_seed(0)
    network = LateBranch(10, 16, 0.1, SMALL)
    encoded = 50 * torch.randn(3, 32)  # far outside the data: limits hold for any weights
    acceleration = network.accelerations(encoded, 10 * torch.randn(3, 7, 4))
    velocity = torch.randn(3, 3)
    position, speed = network.windows(acceleration, velocity)
    assert acceleration.shape == position.shape == speed.shape == (3, 7, 16, 3)
    assert acceleration.norm(dim=-1).max() <= SMALL.acceleration_limit
    assert not position[:, :, 0].any()
    torch.testing.assert_close(speed[:, :, 0], velocity[:, None].expand(3, 7, 3))


def test_metric_is_the_same_for_equal_windows_and_one_for_the_spread(windows):
    metric = WindowMetric(windows, CONFIG.dt_s)
    flat = metric.flatten(windows.window)
    torch.testing.assert_close(flat, metric.flatten(windows.window.clone()))
    added = windows.window.clone()
    added[:, 0, metric.instants] += metric.scale[0]
    moved = (metric.flatten(added) - flat).norm(dim=-1)
    torch.testing.assert_close(moved, torch.full_like(moved, (1 / 3) ** 0.5))


def test_mirroring_twice_changes_nothing(windows):
    part = windows.subset(np.arange(20))
    everything = np.ones(20, dtype=bool)
    once = mirrored(part, everything)
    twice = mirrored(once, everything)
    torch.testing.assert_close(twice.scan, part.scan)
    torch.testing.assert_close(twice.window, part.window)
    # A mirrored scan shows what a mirrored world would: ray i becomes ray -i.
    torch.testing.assert_close(once.scan[:, 1], part.scan[:, -1])
    torch.testing.assert_close(mirrored(part, ~everything).query, part.query)


@pytest.fixture
def planner():
    torch.manual_seed(0)
    model = NavigationModel(48, 32, 0.1, SMALL)
    return NavigationPlanner(model, RankerConfig(), 4.0).eval()


@torch.no_grad()
def test_clearance_is_the_distance_to_the_nearest_hit_point(planner):
    scan = torch.full((48,), 4.0)
    scan[12] = 1.0  # to the left
    points = torch.tensor([[[0.0, 0.0], [0.0, 0.4], [0.3, 1.0]]])
    gap = planner.ranking.gap(scan, points)
    torch.testing.assert_close(gap, torch.tensor([[1.0, 0.6, 0.3]]), atol=1e-3, rtol=0)
    assert planner.ranking.gap(torch.full((48,), 4.0), points).min() > 100


@torch.no_grad()
def test_candidates_through_a_wall_are_infeasible_and_the_last_one_brakes(planner):
    scan = torch.full((48,), 4.0)
    angle = torch.arange(48) * (2 * torch.pi / 48)
    ahead = torch.cos(angle) > 0.3
    scan[ahead] = 0.8 / torch.cos(angle[ahead])
    velocity = torch.tensor([1.0, 0.0, 0.0])
    noise = torch.zeros(8, 4)
    ranking = planner(scan, velocity, torch.tensor([3.0, 0, 0]), noise)
    # Untrained candidates coast into the wall: only the last one, which brakes, can win.
    assert ranking.feasible.tolist() == [False] * 7 + [True]
    position, speed, acceleration = ranking.window
    torch.testing.assert_close(acceleration, ranking.acceleration[-1].T)
    assert speed[-1].norm() < 0.05
    assert 0.2 < position[-1, 0] < 0.6
    assert ranking.clearance[-1] == pytest.approx(0.8 - position[:17, 0].max().item(), abs=0.08)
    # Its cost is the time that it stands near the wall.
    near = (0.8 - position[1::2, 0] < 0.5).float().mean().item() * 3.2
    assert ranking.cost[-1] == pytest.approx(near, abs=0.21)
