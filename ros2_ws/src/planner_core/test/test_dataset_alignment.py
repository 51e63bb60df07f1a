"""Recordings at even times: what a planner would have had, and where states do not follow."""

from __future__ import annotations

import numpy as np
import pytest
from planner_core.dataset_alignment import (
    HeardGoal,
    HeardSensor,
    HeardState,
    align,
    breaks,
    goal_vector,
    resample,
)
from planner_core.dataset_labels import proximity_costs, rewards
from planner_core.errors import GoalError, InvalidParameterError
from planner_core.plan import GeneratorSpec
from planner_core.robots import crazyflie

MS = 1_000_000
START_NS = 1_700_000_000_000_000_000
SPEC = GeneratorSpec("test", "crazyflie", crazyflie().names, 2, 0.1, 1, {"scan": 2})


def state(i: int, delay_ms: int = 2) -> HeardState:
    """A state each 10 ms that moves 1 m/s along x."""
    stamp_ns = START_NS + i * 10 * MS
    position, velocity = np.array([0.01 * i, 0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0, 0.0])
    return HeardState(stamp_ns + delay_ms * MS, stamp_ns, stamp_ns, position, velocity)


def test_a_sample_has_the_newest_that_was_heard() -> None:
    goal = HeardGoal(START_NS, START_NS, 7, np.zeros(4))
    scan = HeardSensor(START_NS + 5 * MS, "scan", START_NS, np.array([1.0, 2.0]))
    heard = [goal, *sorted([scan, *(state(i) for i in range(20))], key=lambda h: h.time_ns)]
    instants = [START_NS + MS, START_NS + 51 * MS, START_NS + 52 * MS]
    early, before, at = align(heard, SPEC, instants, 0.5)
    assert early.observation is None
    assert "no state" in early.refusal
    # The state of 50 ms is on its way until 52 ms.
    assert before.observation is not None
    assert before.observation.stamp_ns == START_NS + 40 * MS
    assert at.observation is not None
    assert at.observation.position[0] == 0.05
    assert at.observation.sensors["scan"].tolist() == [1.0, 2.0]
    assert at.epoch == 7


def test_without_a_goal_there_is_nothing_to_plan_and_nothing_to_refuse() -> None:
    (sample,) = align([state(0)], SPEC, [START_NS + 5 * MS], 0.5)
    assert sample.observation is None
    assert sample.refusal == ""


def test_stale_data_are_refused_as_the_planner_refuses_them() -> None:
    goal = HeardGoal(START_NS, START_NS, 1, np.zeros(4))
    (sample,) = align([goal, state(0)], SPEC, [START_NS + 600 * MS], 0.5)
    assert "age of the state" in sample.refusal


def test_breaks_are_gaps_and_clocks_that_do_not_go_on() -> None:
    times = np.array([0, 10, 20, 500, 510, 505, 505, 515]) * MS
    assert breaks(times, 0.1) == [(3, 0.48), (5, -0.005), (6, 0.0)]
    assert breaks(np.array([5]), 0.1) == []


@pytest.mark.parametrize("dt_s", [0.02, 0.1])
def test_a_cubic_is_resampled_exactly(dt_s: float) -> None:
    """Position and velocity of a cubic; its acceleration is linear, so the difference is exact."""
    rng = np.random.default_rng(0)
    c = rng.normal(size=(4, 4))

    def derivative(t: np.ndarray, order: int) -> np.ndarray:
        return np.stack([np.polyval(np.polyder(column, order), t) for column in c.T], axis=-1)

    t = np.cumsum(rng.uniform(0.0005, 0.002, size=1000))
    states = [
        HeardState(0, START_NS + round(s * 1e9), 0, p, v)
        for s, p, v in zip(t, derivative(t, 0), derivative(t, 1), strict=True)
    ]
    instants = [START_NS + round(s * 1e9) for s in np.arange(0.2, 0.8, dt_s)]
    at = np.array([i - START_NS for i in instants]) * 1e-9
    trajectory = resample(states, instants, dt_s)
    np.testing.assert_allclose(trajectory.position, derivative(at, 0), atol=1e-7)
    np.testing.assert_allclose(trajectory.velocity, derivative(at, 1), atol=1e-5)
    # Plus dt**2 / 24 of the third derivative's derivative, which is none; velocities are chords.
    np.testing.assert_allclose(trajectory.acceleration, derivative(at, 2), atol=1e-3)


def test_a_heading_that_passes_a_half_turn() -> None:
    states = []
    for i in range(40):
        one = state(i)
        yaw = (3.0 + 0.02 * i + np.pi) % (2 * np.pi) - np.pi
        position, velocity = one.position.copy(), one.velocity.copy()
        position[3], velocity[3] = yaw, 2.0
        states.append(HeardState(one.time_ns, one.stamp_ns, 0, position, velocity))
    instants = [START_NS + k * 50 * MS for k in range(1, 7)]
    trajectory = resample(states, instants, 0.05, [3])
    np.testing.assert_allclose(np.diff(trajectory.position[:, 3]), 0.1, atol=1e-9)


def test_a_goal_leaves_open_what_it_does_not_name() -> None:
    robot, position = crazyflie(), np.array([1.0, 2.0, 3.0, 0.5])
    assert goal_vector(robot, ["y"], [7.0], position).tolist() == [1.0, 7.0, 3.0, 0.5]
    assert goal_vector(robot, ["y"], [7.0], None).tolist() == [0.0, 7.0, 0.0, 0.0]
    assert position.tolist() == [1.0, 2.0, 3.0, 0.5]
    for names, values in ((["roll"], [1.0]), (["x", "y"], [1.0])):
        with pytest.raises(GoalError):
            goal_vector(robot, names, values, position)


def test_rewards() -> None:
    position = np.array([[3.0, 0.0], [2.0, 0.0], [0.5, 0.0]])
    goal = np.zeros((3, 2))
    assert rewards("progress", position, goal, False).tolist() == [1.0, 1.5]
    assert rewards("sparse", position, goal, True).tolist() == [0.0, 1.0]
    assert rewards("sparse", position, goal, False).tolist() == [0.0, 0.0]
    assert rewards("time", position, goal, True).tolist() == [-1.0, 0.0]
    with pytest.raises(InvalidParameterError, match="progress"):
        rewards("fame", position, goal, True)


def test_costs_are_of_the_samples_that_steps_lead_to() -> None:
    scan = np.array([[0.1, 2.0], [0.5, 2.0], [0.2, np.inf]])
    assert proximity_costs(scan, 0.3).tolist() == [0.0, 1.0]
