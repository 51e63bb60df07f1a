from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planner_core.limiter import Setpoint, limited, reachable
from planner_core.plan import Array
from planner_core.robot import Robot
from planner_core.robots import crazyflie, go2, so100

ROBOT = crazyflie()
ROBOTS = (crazyflie(), so100(), go2())
BATCH, BATCHES = 50_000, 20
DT_S = 0.01

numbers = st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4).map(np.array)


@given(numbers, numbers, numbers)
def test_limited_setpoints_are_within_the_limits(
    position: Array, velocity: Array, acceleration: Array
) -> None:
    setpoint = Setpoint(position, velocity, acceleration)
    bounded = limited(setpoint, ROBOT)
    assert (bounded.position >= ROBOT.lower).all()
    assert (bounded.position <= ROBOT.upper).all()
    assert (np.abs(bounded.velocity) <= ROBOT.velocity).all()
    assert (np.abs(bounded.acceleration) <= ROBOT.acceleration).all()
    # Within the limits nothing is changed, not even the object.
    assert limited(bounded, ROBOT) is bounded


def test_a_setpoint_that_is_not_finite_has_no_neighbour() -> None:
    with pytest.raises(ValueError, match="finite"):
        limited(Setpoint.at_rest(np.array([0.0, np.nan, 0, 0])), ROBOT)


def wild(rng: np.random.Generator, robot: Robot) -> Setpoint:
    """(BATCH, n_q) setpoints: half of them within the limits, the rest up to 1e9 outside."""
    shape = (BATCH, robot.n_q)
    scale = 10.0 ** rng.uniform(-1, 9, size=(3, BATCH, 1)) * (rng.random((3, BATCH, 1)) < 0.5)
    inside = rng.uniform(-1, 1, size=(3, *shape))
    values = inside + scale * rng.normal(size=(3, *shape))
    middle, half = (robot.lower + robot.upper) / 2, (robot.upper - robot.lower) / 2
    return Setpoint(
        middle + half * values[0], robot.velocity * values[1], robot.acceleration * values[2]
    )


def test_a_million_commands_within_limits_and_fence() -> None:
    """No violation, and what lies within is the same to the last bit."""
    rng, count, unchanged = np.random.default_rng(0), 0, 0
    for i in range(BATCHES):
        robot = ROBOTS[i % len(ROBOTS)]
        asked = wild(rng, robot)
        sent = limited(asked, robot)
        assert (sent.position >= robot.lower).all()
        assert (sent.position <= robot.upper).all()
        assert (np.abs(sent.velocity) <= robot.velocity).all()
        assert (np.abs(sent.acceleration) <= robot.acceleration).all()
        within = (
            ((asked.position >= robot.lower) & (asked.position <= robot.upper)).all(axis=1)
            & (np.abs(asked.velocity) <= robot.velocity).all(axis=1)
            & (np.abs(asked.acceleration) <= robot.acceleration).all(axis=1)
        )
        for before, after in (
            (asked.position, sent.position), (asked.velocity, sent.velocity),
            (asked.acceleration, sent.acceleration),
        ):  # fmt: skip
            assert before[within].tobytes() == after[within].tobytes()
        count, unchanged = count + BATCH, unchanged + int(within.sum())
    print(f"limits and fence: {count} commands, 0 violations, {unchanged} unchanged")
    assert count == 1_000_000
    assert unchanged > 50_000


def braking(position: Array, robot: Robot) -> Array:
    """(BATCH, n_q) greatest speed towards the nearer end from which a robot can still stop."""
    room = np.minimum(robot.upper - position, position - robot.lower)
    return np.minimum(robot.velocity, np.sqrt(2 * robot.acceleration * room))


def test_a_million_steps_within_velocity_acceleration_and_fence() -> None:
    """From any state that can stop, whatever is asked for, to one that can stop."""
    rng, count, unchanged = np.random.default_rng(1), 0, 0
    for i in range(BATCHES):
        robot = ROBOTS[i % len(ROBOTS)]
        shape = (BATCH, robot.n_q)
        at = rng.uniform(robot.lower, robot.upper, size=shape)
        velocity = rng.uniform(-1, 1, size=shape) * braking(at, robot)
        before = Setpoint(at, velocity, np.zeros(shape))
        asked = wild(rng, robot)
        # Half of the steps are such as a smooth motion makes.
        a = rng.uniform(-0.9, 0.9, size=shape) * robot.acceleration
        smooth = Setpoint(at + velocity * DT_S + a * DT_S**2 / 2, velocity + a * DT_S, a)
        half = slice(0, BATCH // 2)
        for name in ("position", "velocity", "acceleration"):
            getattr(asked, name)[half] = getattr(smooth, name)[half]
        sent = reachable(before, asked, DT_S, robot)
        assert (np.abs(sent.velocity - velocity) <= robot.acceleration * DT_S + 1e-8).all()
        assert (np.abs(sent.velocity) <= robot.velocity + 1e-8).all()
        assert (sent.position >= robot.lower - 1e-8).all()
        assert (sent.position <= robot.upper + 1e-8).all()
        # Between two velocities, a motion may be faster than both for a moment.
        moved = robot.velocity * DT_S + robot.acceleration * DT_S**2 / 4
        assert (np.abs(sent.position - at) <= moved + 1e-8).all()
        # It can stop within the range from there as well, so the next step can be taken too.
        stop = sent.position + sent.velocity * np.abs(sent.velocity) / (2 * robot.acceleration)
        assert (stop >= robot.lower - 1e-6).all()
        assert (stop <= robot.upper + 1e-6).all()
        limit = braking(np.clip(smooth.position, robot.lower, robot.upper), robot)
        fits = (np.abs(smooth.velocity) < limit)[half]
        assert (sent.position[half][fits] == smooth.position[half][fits]).all()
        assert (sent.velocity[half][fits] == smooth.velocity[half][fits]).all()
        count, unchanged = count + BATCH, unchanged + int(fits.all(axis=1).sum())
    print(f"steps: {count}, 0 violations, {unchanged} unchanged")
    assert unchanged > 100_000


def test_a_step_that_can_be_made_is_the_same_object() -> None:
    before = Setpoint.at_rest(np.array([0.0, 0.0, 1.0, 0.0]))
    a = np.array([3.0, 0.0, 0.0, 0.0])
    after = Setpoint(before.position + a * DT_S**2 / 2, a * DT_S, a)
    assert reachable(before, after, DT_S, ROBOT) is after
    assert reachable(before, before, 0.0, ROBOT) is before
