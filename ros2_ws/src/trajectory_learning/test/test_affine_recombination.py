"""Affine recombination: its optimum, its constraints, its guard and its ridge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trajectory_learning.methods.affine_recombination import (
    Recombination,
    choose_ridge,
    leverage,
    recombine,
    supported,
)
from trajectory_learning.methods.retrieval import Array, Library
from trajectory_learning.problems.mass_spring_data import Plant, collect, draw_omega, lqr_gains
from trajectory_learning.problems.mass_spring_generator import force_indices, library_of

HORIZON = 12


@pytest.fixture(scope="module")
def library() -> Library:
    return library_of(collect(Plant(), HORIZON, 3000))


def queries(count: int = 20) -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    return rng.uniform(-1.5, 1.5, (count, 2)), draw_omega(rng, count)


def test_recombined_windows_start_at_the_query_and_obey_the_plant(library: Library) -> None:
    x, omega = queries()
    windows = recombine(library, x, omega, Recombination())
    states = np.stack([windows[:, : HORIZON + 1], windows[:, HORIZON + 1 : 2 * HORIZON + 2]], -1)
    forces = windows[:, force_indices(HORIZON)]
    np.testing.assert_allclose(states[:, 0], x, atol=1e-4)
    np.testing.assert_allclose(Plant().step(states[:, :-1], forces), states[:, 1:], atol=1e-4)


def test_without_ridge_the_first_force_is_that_of_the_optimal_regulator(library: Library) -> None:
    x, omega = queries()
    how = Recombination(ridge=1e-6, pool=256, kept=128)
    force = recombine(library, x, omega, how)[:, force_indices(HORIZON)[0]]
    optimal = -(lqr_gains(Plant(), omega, HORIZON) * x).sum(axis=-1)
    # Compared on the scale of the forces, which weights differ by a factor of thousands.
    assert np.abs(force - optimal).max() < 0.03 * np.abs(optimal).max()


@settings(max_examples=50, deadline=None)
@given(st.floats(-20, 20), st.floats(-20, 20), st.floats(0.05, 5.0))
def test_supported_states_keep_to_the_leverage_limit(a: float, b: float, limit: float) -> None:
    starts = np.random.default_rng(0).uniform(-1, 1, (1, 40, 2))
    x = np.array([[a, b]])
    drawn = supported(starts, x, limit)
    assert leverage(starts, drawn)[0] <= limit * (1 + 1e-6)
    if leverage(starts, x)[0] <= limit:
        np.testing.assert_allclose(drawn, x, atol=1e-9)


def test_leverage_is_the_least_sum_of_squares_of_the_weights() -> None:
    starts = np.random.default_rng(1).uniform(-1, 1, (1, 10, 2))
    x = np.array([[0.7, -0.9]])
    constraints = np.concatenate([np.ones((1, 10)), starts[0].T])
    least = np.linalg.lstsq(constraints, np.array([1.0, *x[0]]), rcond=None)[0]
    assert leverage(starts, x)[0] == pytest.approx(np.square(least).sum())


def test_held_out_windows_choose_a_small_ridge_without_noise_and_a_large_one_with() -> None:
    x, omega = queries(40)
    chosen = {}
    for noise in (0.0, 0.05):
        library = library_of(collect(Plant(noise=noise), HORIZON, 4000))
        ridge, judged = choose_ridge(
            library, x, omega, Recombination(), force_indices(HORIZON), (1e-3, 1.0)
        )
        assert ridge == min(judged, key=judged.__getitem__)
        chosen[noise] = ridge
    assert chosen == {0.0: 1e-3, 0.05: 1.0}
