"""PointMaze: the mazes, the controller, and what ranks plans."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from planner_core.dataset_file import Dataset
from trajectory_learning.benchmarks import Trial, load_problem
from trajectory_learning.benchmarks.training import Budget
from trajectory_learning.methods import BehaviourCloning
from trajectory_learning.problems import point_maze
from trajectory_learning.problems.point_maze_data import (
    GOAL_RADIUS_M,
    Controller,
    Episodes,
    Maze,
    PointMazeConfig,
    collect,
    drive,
    episodes_of,
    stored,
)
from trajectory_learning.problems.point_maze_planner import (
    CHANNELS,
    HORIZON,
    Judge,
    Planner,
    cut_windows,
    train_generator,
    train_judge,
)


@functools.cache
def maze() -> Maze:
    return Maze("UMaze")


@functools.cache
def episodes() -> Episodes:
    return collect(PointMazeConfig("UMaze", 4000))


def test_steps_are_those_of_the_environment():
    place, rng = maze(), np.random.default_rng(0)
    environment = Maze("UMaze").environment
    observation, _ = environment.reset(seed=3)
    state = observation["observation"][None]
    for _ in range(200):  # Long enough to be pushed against a wall.
        action = rng.uniform(-1.0, 1.0, (1, 2)) + np.array([0.6, 0.2])
        state = place.step(state, action)
        expected = environment.step(action[0])[0]["observation"]
    np.testing.assert_allclose(state[0], expected, atol=1e-3)


@pytest.mark.parametrize("noisy", [True, False])
def test_the_controller_arrives_and_stays(noisy: bool):
    place, rng = maze(), np.random.default_rng(1)
    state, goal = place.draw_tasks(6, rng)
    tracks, actions = drive(place, Controller(place, state, goal, rng, noisy), state)
    assert tracks.shape == (6, place.episode_steps + 1, 4)
    assert np.abs(actions).max() <= 1.0
    assert (np.linalg.norm(tracks[:, -1, :2] - goal, axis=1) < GOAL_RADIUS_M).all()


def test_routes_differ_where_a_maze_has_two():
    place, rng = Maze("Large"), np.random.default_rng(0)
    start, goal = 0, len(place.cells) - 1
    routes = {
        tuple(place.route(start, goal, np.exp(rng.standard_normal(len(place.cells)))))
        for _ in range(20)
    }
    assert len(routes) > 1


def test_a_data_set_survives_its_minari_form():
    driven = episodes()
    again = episodes_of(Dataset("test", stored(driven)))
    for mine, read in zip(driven.states, again.states, strict=True):
        np.testing.assert_array_equal(mine, read)
    np.testing.assert_array_equal(driven.goals, again.goals)


def test_a_data_set_depends_on_its_seed_alone():
    again = collect(PointMazeConfig("UMaze", 4000))
    np.testing.assert_array_equal(again.actions[0], episodes().actions[0])
    other = collect(PointMazeConfig("UMaze", 200, seed=1))
    assert not np.array_equal(other.states[0], episodes().states[0])


def test_windows_begin_in_the_present_state_and_count_the_steps_that_remain():
    windows = cut_windows(episodes())
    rows = windows.window * windows.scale + windows.mean
    assert rows.shape[1:] == (HORIZON, CHANNELS)
    torch.testing.assert_close(rows[:, 0, 2:4], windows.condition[:, 2:4], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(rows[:, 0, :2], torch.zeros(len(rows), 2), atol=1e-4, rtol=0.0)
    at_goal = (windows.condition[:, :2] - windows.condition[:, 4:]).norm(dim=1) < GOAL_RADIUS_M
    assert (windows.remaining[at_goal] == 0).float().mean() > 0.9
    assert (windows.remaining[~at_goal] > 0).float().mean() > 0.9


def test_walls_are_where_the_maze_has_them():
    judge = Judge(cut_windows(episodes()), maze())
    centres = torch.from_numpy(maze().centres).float()
    assert not judge.collides(centres).any()
    walls = np.argwhere(~maze().free)
    inside = [maze().environment.maze.cell_rowcol_to_xy(cell) for cell in walls]
    assert judge.collides(torch.tensor(np.array(inside)).float()).all()
    assert all(judge.collides(torch.from_numpy(s[:, :2]).float()).float().mean() < 0.05
               for s in episodes().states)  # fmt: skip


def test_feasibility_condemns_a_plan_through_a_wall():
    windows = cut_windows(episodes())
    judge, _ = train_judge(windows, maze(), Budget(steps=30), seed=0)
    sound = windows.window[:1, None]
    absurd = sound.clone()
    absurd[..., :2] += 4.0 * torch.arange(HORIZON)[:, None]
    both = torch.cat([sound, absurd], dim=1)
    with torch.no_grad():
        cost = judge.cost(windows.condition[:1], both, feasibility=True)
        blind = judge.cost(windows.condition[:1], both, feasibility=False)
    assert cost[0, 1] - cost[0, 0] > 1.0 + (blind[0, 1] - blind[0, 0])


def test_a_plan_keeps_the_present_state():
    windows = cut_windows(episodes())
    judge, _ = train_judge(windows, maze(), Budget(steps=2), seed=0)
    model, _ = train_generator(windows, BehaviourCloning(), Budget(steps=2), seed=0)
    planner = Planner(model, judge, candidates=3, stochastic=False)
    plans = judge.absolute(planner.sample(windows.condition[:5], 3))
    for k in range(3):
        torch.testing.assert_close(
            plans[:, k, 0, 2:4], windows.condition[:5, 2:4], atol=1e-4, rtol=1e-4
        )
    assert planner(windows.condition[:5], 4).shape == (5, 4, 2)


@pytest.mark.parametrize(
    ("setting", "method"),
    [
        ("UMaze", "shortest route, without noise (not learned)"),
        ("UMaze", "behaviour cloning, one sample"),
        ("UMaze", "energy score, ranked by value and feasibility"),
        ("UMaze", "Diffuser, ranked by value"),
        ("Large", "no keying, ranked by value"),
    ],
)
def test_rows_run_on_a_small_scale(setting: str, method: str):
    problem = load_problem("point_maze")
    assert method in [row.method for row in problem.rows(setting)]
    score = problem.run([method], Trial(setting, quick=True))[method]
    values = next(iter(score.measures.values())).values
    assert len(values) == point_maze.QUICK.episodes
    assert np.isfinite(values).all()
