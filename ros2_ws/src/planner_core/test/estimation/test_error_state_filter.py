"""The filter's steps: kinematics, covariance, corrections, and the model without readings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flight import Flight, at
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from planner_core.error_state_filter import (
    GRAVITY,
    POSITION,
    RATE_BIAS,
    ROTATION,
    VELOCITY,
    ErrorStateFilter,
    FilterState,
)
from planner_core.estimation import Measurement
from planner_core.estimation_rotations import (
    conjugate,
    exponential,
    from_euler,
    logarithm,
    matrix,
    product,
    skew,
    turned,
)
from planner_core.estimation_settings import EstimatorSettings

small = st.floats(-3.0, 3.0)
vectors = st.tuples(small, small, small).map(np.array)


@pytest.fixture
def filter_() -> ErrorStateFilter:
    return ErrorStateFilter(EstimatorSettings())


def start(filter_: ErrorStateFilter, flight: Flight, deviation: float = 0.01) -> FilterState:
    return filter_.initial(
        flight.position(0.0), flight.orientation(0.0), flight.velocity(0.0),
        np.full(9, deviation), filter_.initial_biases(),
    )  # fmt: skip


def test_exact_readings_follow_the_flight(filter_: ErrorStateFilter) -> None:
    flight, dt = Flight(), 0.005
    state = start(filter_, flight)
    for i in range(400):
        middle = (i + 0.5) * dt
        state = filter_.propagate(state, flight.force(middle), flight.rate(middle), dt)
    assert np.allclose(state.position, flight.position(2.0), atol=2e-4)
    assert np.allclose(state.velocity, flight.velocity(2.0), atol=2e-4)
    error = logarithm(product(conjugate(state.orientation), flight.orientation(2.0)))
    assert np.abs(error).max() < 1e-4


@settings(max_examples=60, deadline=None)
@given(vectors, vectors, vectors, vectors)
def test_covariance_follows_the_mean(
    turn: np.ndarray, rate: np.ndarray, force: np.ndarray, error: np.ndarray
) -> None:
    """The transition matrix is the derivative of the mean's own step."""
    assume(np.abs(error).max() > 0.3)
    filter_, dt = ErrorStateFilter(EstimatorSettings()), 0.002
    orientation = exponential(turn)
    errors = np.concatenate([error, error[::-1], -error, error, error[::-1]]) * 1e-5

    def step(offset: np.ndarray, covariance: np.ndarray) -> FilterState:
        state = FilterState(
            offset[0:3], offset[3:6], turned(orientation, offset[6:9]), offset[9:12],
            offset[12:15], covariance,
        )  # fmt: skip
        return filter_.propagate(state, force, rate, dt)

    nothing = np.zeros(15)
    here, there = step(nothing, np.zeros((15, 15))), step(errors, np.zeros((15, 15)))
    moved = np.concatenate(
        [
            there.position - here.position,
            there.velocity - here.velocity,
            logarithm(product(conjugate(here.orientation), there.orientation)),
            there.acceleration_bias - here.acceleration_bias,
            there.rate_bias - here.rate_bias,
        ]
    )
    # A covariance of one direction stays one; its columns are that direction, carried on.
    carried = step(nothing, np.outer(errors, errors)).covariance - here.covariance
    largest = int(np.abs(errors).argmax())
    direction = carried[:, largest] / np.sqrt(carried[largest, largest])
    direction *= np.sign(errors[largest])
    change = np.abs(moved - errors).max()
    assert np.allclose(direction, moved, atol=0.05 * change + 1e-10)


def test_a_correction_weighs_measurement_and_prediction(filter_: ErrorStateFilter) -> None:
    state = start(filter_, Flight(), deviation=0.01)
    offset = np.array([0.02, -0.01, 0.005])
    measurement = Measurement(
        at(0.0), "test", position=state.position + offset, position_deviation=0.01
    )
    innovation = filter_.innovation(state, measurement)
    assert innovation.distance == pytest.approx(float(offset @ offset) / (2 * 0.01**2))
    corrected = filter_.correct(state, innovation)
    # Equal deviations: half way, and a deviation smaller by the root of two.
    assert np.allclose(corrected.position - state.position, offset / 2)
    assert np.allclose(corrected.deviation(POSITION), 0.01 / math.sqrt(2))


def test_both_signs_of_a_quaternion_are_one_orientation(filter_: ErrorStateFilter) -> None:
    state = start(filter_, Flight())
    q = turned(state.orientation, np.array([0.01, 0.02, -0.03]))
    residuals = [
        filter_.innovation(state, Measurement(at(0.0), "test", orientation=sign * q)).residual
        for sign in (1, -1)
    ]
    assert np.allclose(residuals[0], [0.01, 0.02, -0.03])
    assert np.allclose(residuals[0], residuals[1])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_covariance_stays_symmetric_and_positive(seed: int) -> None:
    rng = np.random.default_rng(seed)
    filter_ = ErrorStateFilter(EstimatorSettings())
    state = start(filter_, Flight(), deviation=1.0)
    for _ in range(60):
        state = filter_.propagate(
            state, rng.uniform(-30, 30, 3), rng.uniform(-10, 10, 3), rng.uniform(1e-4, 0.01)
        )
        if rng.random() < 0.3:
            measurement = Measurement(
                at(0.0), "test",
                position=state.position + rng.normal(size=3) * 0.1,
                orientation=turned(state.orientation, rng.normal(size=3) * 0.1),
                position_deviation=10 ** rng.uniform(-5, 0),
            )  # fmt: skip
            state = filter_.correct(state, filter_.innovation(state, measurement))
    assert np.allclose(state.covariance, state.covariance.T, rtol=1e-9, atol=1e-15)
    assert np.linalg.eigvalsh(state.covariance).min() > -1e-12
    assert np.linalg.norm(state.orientation) == pytest.approx(1.0)


def test_without_readings_the_motion_goes_on_and_fades(filter_: ErrorStateFilter) -> None:
    state = start(filter_, Flight())
    rotation = matrix(state.orientation)
    acceleration, rate = np.array([1.0, -0.5, 0.2]), np.array([0.1, 0.2, 0.5])
    motion, biases = filter_.without_readings(state, rotation.T @ (acceleration - GRAVITY), rate)
    after = filter_.coast(motion, 0.001)
    assert np.allclose(after.velocity - state.velocity, acceleration * 0.001, atol=1e-6)
    for _ in range(500):
        after = filter_.coast(after, 0.01)
    assert np.abs(after.acceleration_bias).max() < 1e-3
    assert np.abs(after.rate_bias).max() < 1e-3
    spread = EstimatorSettings().unmeasured_rate_rad_s
    assert np.allclose(after.deviation(RATE_BIAS), spread, rtol=0.05)
    back = filter_.with_readings(after, biases, 5.0)
    assert np.array_equal(back.acceleration_bias, state.acceleration_bias)
    assert (back.deviation(RATE_BIAS) >= state.deviation(RATE_BIAS)).all()
    assert np.array_equal(back.deviation(VELOCITY), after.deviation(VELOCITY))


@given(vectors)
def test_logarithm_undoes_exponential(vector: np.ndarray) -> None:
    if np.linalg.norm(vector) < math.pi - 1e-6:
        assert np.allclose(logarithm(exponential(vector)), vector, atol=1e-9)


@given(vectors, vectors)
def test_matrix_and_quaternion_agree(a: np.ndarray, b: np.ndarray) -> None:
    p, q = exponential(a), exponential(b)
    assert np.allclose(matrix(product(p, q)), matrix(p) @ matrix(q), atol=1e-12)
    assert np.allclose(skew(a) @ b, np.cross(a, b))


def test_deviations_of_a_fresh_state(filter_: ErrorStateFilter) -> None:
    deviation = np.arange(1.0, 10.0)
    state = filter_.initial(
        np.zeros(3), from_euler(0.0, 0.0, 1.0), np.zeros(3), deviation, filter_.initial_biases()
    )
    assert np.allclose(state.deviation(POSITION), deviation[:3])
    assert np.allclose(state.deviation(ROTATION), deviation[6:])
