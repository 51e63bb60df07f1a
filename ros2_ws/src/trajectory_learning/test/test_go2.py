"""Walking at a commanded velocity, in small: robots, data, planners, the exported bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from planner_core import dataset_file
from planner_core.bundle import load_bundle
from planner_core.dataset_file import StoredEpisode
from planner_core.errors import BundleMismatchError
from planner_core.joint_diffusion import SEAM_STEPS, JointDiffusionGenerator
from planner_core.manifest import Provenance
from planner_core.plan import Observation, Plan
from planner_core.planners import PlannerRequest, load_planner
from planner_core.robots import crazyflie, go2
from planner_core.trunk_velocity import TrunkVelocity, gravity_direction, heading
from robot_simulation.go2.model import LOWER_RAD, UPPER_RAD
from trajectory_learning.benchmarks.interface import Trial
from trajectory_learning.methods.diffusion_family import Family, FamilyConfig, Sampling
from trajectory_learning.methods.diffusion_training import FitConfig
from trajectory_learning.methods.ppo import Policy
from trajectory_learning.problems.go2.data import (
    DataConfig,
    cut_windows,
    figures,
    make_data,
    save,
)
from trajectory_learning.problems.go2.demonstration import DemonstrationConfig, demonstrate
from trajectory_learning.problems.go2.export import BODY, GOAL, graphs, write_walking_bundle
from trajectory_learning.problems.go2.gait import STANDING_RAD, trot
from trajectory_learning.problems.go2.planners import HORIZON, SAMPLING, WalkingPlanner
from trajectory_learning.problems.go2.table import COST, ERROR, FALLS, PROBLEM, QUICK, RETURN
from trajectory_learning.problems.go2.task import ACTION, OBSERVATION, cost, reward
from trajectory_learning.problems.go2.velocity import VelocityNetwork, train_velocity
from trajectory_learning.problems.go2.walking import NOMINAL, PERIOD_S, STIFFNESS, WalkingRobots

AHEAD = np.array([[0.4, 0.0, 0.0]])


@pytest.fixture(scope="module")
def episodes() -> Sequence[StoredEpisode]:
    torch.manual_seed(0)
    policy = Policy(OBSERVATION, ACTION, width=16, noise=0.1).eval()
    return make_data([policy], DataConfig(rollouts=4, steps=40, robots=4))


@pytest.fixture(scope="module")
def family(episodes: Sequence[StoredEpisode]) -> Family:
    config = FamilyConfig(width=16, blocks=1, levels=10, fit=FitConfig(steps=10))
    family = Family(cut_windows(episodes, HORIZON, 4), config)
    family.train("joint")
    return family


@pytest.fixture(scope="module")
def velocity(episodes: Sequence[StoredEpisode]) -> VelocityNetwork:
    return train_velocity(episodes, FitConfig(steps=10))


@pytest.fixture(scope="module")
def bundle(
    family: Family, velocity: VelocityNetwork, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("models") / "go2_small"
    made = graphs(family, ("planner", "dynamics"), velocity, torch.tensor([1.0, 0.0]))
    provenance = Provenance("mpdiffuser", "a test", "0", "0", "a test", 0)
    write_walking_bundle(folder, family, made, SAMPLING, provenance, {})
    return folder


def observation(stamp_ns: int = 0) -> Observation:
    body = np.array([0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.3, 0.0, 0.0])
    goal = np.array([0.5, 0.0, 0.0])
    return Observation(stamp_ns, STANDING_RAD, np.zeros(12), goal, {"body": body})


def test_a_trot_is_periodic_and_within_reach() -> None:
    phase = np.linspace(0.0, 1.0, 45)
    targets = trot(phase, np.tile(AHEAD, (45, 1)), STIFFNESS)
    np.testing.assert_allclose(targets[0], targets[-1], atol=1e-9)
    assert (targets > LOWER_RAD).all()
    assert (targets < UPPER_RAD).all()


def test_robots_that_are_alike_do_alike_and_trot_ahead() -> None:
    robots = WalkingRobots(2, np.random.default_rng(0), NOMINAL)
    robots.physics[:, 4:8] = 1.0, 0.0, 0.0, 0.0
    for i in range(60):
        phase = np.full(2, (i + 1) * PERIOD_S / 0.44 % 1.0)
        robots.step(trot(phase, np.tile(2 * AHEAD, (2, 1)), STIFFNESS))
    np.testing.assert_allclose(robots.state()[0], robots.state()[1], atol=1e-6)
    assert not robots.fallen().any()
    assert (robots.physics[:, 1] > 0.05).all()


def test_a_reset_spares_the_others() -> None:
    robots = WalkingRobots(3, np.random.default_rng(0))
    for _ in range(5):
        robots.step(np.tile(STANDING_RAD, (3, 1)))
    before = robots.physics.copy()
    robots.reset(np.array([False, True, False]))
    np.testing.assert_array_equal(robots.physics[[0, 2]], before[[0, 2]])
    assert (robots.physics[1] != before[1]).any()


def test_reward_is_greatest_at_the_command_and_tilting_costs() -> None:
    state = np.zeros((2, 33))
    state[:, 5] = -1.0, -0.9
    state[0, [30, 2]] = 0.4, 0.2
    command = np.array([[0.4, 0.0, 0.2]])
    rewards = reward(state, command)
    assert rewards[0] == pytest.approx(1.5)
    assert rewards[1] < rewards[0]
    np.testing.assert_array_equal(cost(state), [0.0, 1.0])


def test_data_are_written_and_read(episodes: Sequence[StoredEpisode], tmp_path: Path) -> None:
    digest = save(tmp_path, episodes, DataConfig(), "a test")
    again = dataset_file.load(tmp_path)
    assert dataset_file.content_hash(again.episodes) == digest
    assert figures(again.episodes)["rollouts"] == 4
    windows = cut_windows(again.episodes, HORIZON, 8)
    assert windows.states.shape[1:] == (HORIZON, 33)
    # A window's states are those that its actions led to, not those in which they were taken.
    first = torch.from_numpy(again.episodes[0].arrays["observations"])
    torch.testing.assert_close(windows.state[0], first[0])
    torch.testing.assert_close(windows.states[0], first[1 : HORIZON + 1])


def test_a_planner_begins_near_its_last_plan(family: Family) -> None:
    state, task = np.zeros((3, 33)), np.zeros((3, 5))
    planner = WalkingPlanner(family, "joint", SAMPLING, seed=0)
    assert planner(state, task).shape == (3, HORIZON, 12)
    warm = planner(state, task)
    fresh = WalkingPlanner(family, "joint", Sampling(warm_start_steps=0), seed=0)
    fresh(state, task)
    assert not np.allclose(warm, fresh(state, task))


def test_the_bundle_plans_from_where_the_last_plan_is(bundle: Path) -> None:
    generator = JointDiffusionGenerator(load_bundle(bundle))
    generator.warm_up()
    assert dict(generator.spec.sensors) == {"body": BODY}
    assert generator.spec.goal_names == GOAL
    first = generator.plan(observation(), None, 0, np.random.default_rng(0)).plan(0)
    np.testing.assert_allclose(first.position[0], STANDING_RAD)
    np.testing.assert_array_equal(first.velocity[0], 0.0)
    later = 80_000_000
    then = generator.plan(observation(later), first, 0, np.random.default_rng(1)).plan(0)
    position, velocity, _ = first.sample(later)
    np.testing.assert_allclose(then.position[0], position)
    np.testing.assert_allclose(then.velocity[0], velocity)


def test_a_plan_leads_over_from_the_one_before(bundle: Path) -> None:
    generator = JointDiffusionGenerator(load_bundle(bundle))
    first = generator.plan(observation(), None, 0, np.random.default_rng(0)).plan(0)
    later = 80_000_000
    then = generator.plan(observation(later), first, 0, np.random.default_rng(1)).plan(0)
    before = np.array([first.sample(later + i * 20_000_000)[0] for i in range(HORIZON + 1)])
    off = np.abs(then.position - before).max(axis=1)
    # Of the way from one to the other, a smooth step has taken 16 % after a quarter of the time.
    assert off[1] < 0.2 * off[SEAM_STEPS:].max()
    assert off[SEAM_STEPS] > 0.0


def test_plans_repeat_with_the_noise_and_forget_with_a_reset(bundle: Path) -> None:
    generator = JointDiffusionGenerator(load_bundle(bundle))

    def two() -> tuple[Plan, Plan]:
        rng = np.random.default_rng(3)
        first = generator.plan(observation(), None, 0, rng).plan(0)
        return first, generator.plan(observation(80_000_000), first, 0, rng).plan(0)

    plans = two()
    generator.reset()
    for plan, again in zip(plans, two(), strict=True):
        np.testing.assert_allclose(plan.position, again.position, atol=1e-6)


def test_the_bundle_is_found_by_its_method_and_refused_by_another_robot(bundle: Path) -> None:
    generator = load_planner("mpdiffuser", PlannerRequest(go2(), bundle))
    assert generator.spec.candidates == 1
    with pytest.raises(BundleMismatchError, match="robot"):
        load_planner("mpdiffuser", PlannerRequest(crazyflie(), bundle))


def test_the_velocity_is_that_of_the_network(bundle: Path, velocity: VelocityNetwork) -> None:
    estimator = TrunkVelocity(load_bundle(bundle))
    assert estimator.estimate() is None
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(9, 30))
    for i, sample in enumerate(samples):
        # Twice as often as the network's frames: every second one counts.
        estimator.take(i * 10_000_000, sample[:3], sample[3:6], sample[6:18], sample[18:])
    history = torch.from_numpy(samples[::2]).float()[None]
    with torch.no_grad():
        expected = velocity(history)[0].numpy()
    got = estimator.estimate()
    assert got is not None
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_gravity_points_down_in_a_level_body_and_ahead_in_one_that_looks_down() -> None:
    np.testing.assert_allclose(gravity_direction(np.array([1.0, 0, 0, 0])), [0, 0, -1])
    nose_down = np.array([np.sqrt(0.5), 0.0, np.sqrt(0.5), 0.0])
    np.testing.assert_allclose(gravity_direction(nose_down), [1, 0, 0], atol=1e-12)


def test_a_body_that_looks_to_the_left_has_a_positive_heading() -> None:
    half = 0.3 / 2
    assert heading(np.array([np.cos(half), 0.0, 0.0, np.sin(half)])) == pytest.approx(0.3)
    # Tilted as well, it looks where its own x axis points over the ground.
    tilted = np.array([np.cos(half) * np.cos(0.1), np.sin(0.1) * np.cos(half),
                       np.sin(half) * np.sin(0.1), np.sin(half) * np.cos(0.1)])  # fmt: skip
    assert heading(tilted) == pytest.approx(0.3)


def test_a_row_of_the_table_runs_in_small() -> None:
    rows = ("planner", "MPDiffuser joint")
    scores = PROBLEM.run(rows, Trial("simulation", quick=True))
    assert set(scores) == set(rows)
    for score in scores.values():
        assert set(score.measures) == {RETURN, COST, FALLS, ERROR}
        assert all(np.isfinite(measure.values).all() for measure in score.measures.values())
        assert len(score.measures[RETURN].values) == QUICK.episodes


def test_the_demonstration_stands_up_and_moves_by_plans(bundle: Path) -> None:
    config = DemonstrationConfig(duration_s=0.2)
    walked = demonstrate(bundle, config)
    assert len(walked.velocity) == 20
    assert not walked.fell
    assert (walked.position[:, 2] > 0.2).all()
    assert walked.figures(config, from_s=0.0)["walked_s"] == pytest.approx(0.2)
