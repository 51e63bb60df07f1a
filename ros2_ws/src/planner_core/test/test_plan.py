from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planner_core.clock import NS_PER_S
from planner_core.plan import Observation, Plan, PlanBatch


def accelerated(start_ns: int = 0, horizon: int = 11, dt_s: float = 0.1, a: float = 2.0) -> Plan:
    """Constant acceleration along one axis; cubic interpolation is exact for it."""
    t = np.arange(horizon)[:, None] * dt_s
    return Plan(start_ns, dt_s, 0.5 * a * t**2, a * t, np.full_like(t, a))


@given(st.floats(0.0, 1.0))
def test_interpolation_is_exact_for_polynomials(t: float) -> None:
    position, velocity, acceleration = accelerated().sample(round(t * NS_PER_S))
    assert position[0] == pytest.approx(t**2, abs=1e-8)
    assert velocity[0] == pytest.approx(2 * t, abs=1e-7)
    assert acceleration[0] == pytest.approx(2.0, abs=1e-6)


@given(st.integers(0, 2**31), st.integers(2, 20))
def test_position_and_velocity_are_continuous(seed: int, horizon: int) -> None:
    rng = np.random.default_rng(seed)
    arrays = rng.normal(size=(3, horizon, 2))
    plan = Plan(0, 0.1, *arrays)
    for i in range(1, horizon - 1):
        edge = i * NS_PER_S // 10
        before, after = plan.sample(edge - 1), plan.sample(edge + 1)
        assert before[0] == pytest.approx(after[0], abs=1e-6)
        assert before[1] == pytest.approx(after[1], abs=1e-4)


def test_before_and_after() -> None:
    plan = accelerated(start_ns=5 * NS_PER_S)
    assert plan.end_ns == 6 * NS_PER_S
    assert plan.sample(0)[0] == 0.0
    position, velocity, acceleration = plan.sample(100 * NS_PER_S)
    assert (position[0], velocity[0], acceleration[0]) == (1.0, 0.0, 0.0)
    assert plan.sample(plan.end_ns)[1][0] == 2.0


@pytest.mark.parametrize(
    ("position", "velocity"),
    [((1, 2), (1, 2)), ((4,), (4,)), ((4, 2), (4, 3)), ((4, 2), (5, 2))],
)
def test_shapes_are_checked(position: tuple[int, ...], velocity: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="plan"):
        Plan(0, 0.1, np.zeros(position), np.zeros(velocity), np.zeros(position))


def test_spacing_is_checked() -> None:
    with pytest.raises(ValueError, match="dt_s"):
        Plan(0, 0.0, *np.zeros((3, 2, 1)))


def test_everything_is_read_only() -> None:
    mutable = np.zeros(2)
    observation = Observation(0, mutable, mutable, mutable, {"scan": np.zeros(3)})
    mutable[0] = 1.0
    assert observation.position[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        observation.sensors["scan"][0] = 1.0
    with pytest.raises(TypeError):
        observation.sensors["more"] = np.zeros(1)  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        accelerated().position[0] = 1.0


@pytest.mark.parametrize(
    ("feasible", "best"), [([True, True, True], 2), ([True, True, False], 1), ([False] * 3, 2)]
)
def test_the_best_feasible_candidate_wins(feasible: list[bool], best: int) -> None:
    arrays = np.zeros((3, 3, 4, 1))
    batch = PlanBatch(0, 0.1, *arrays, np.array([0.0, 1.0, 2.0]), np.array(feasible))
    assert batch.best == best
    assert batch.plan(best).value == float(best)
