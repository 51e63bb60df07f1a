"""Retrieval, relabelled costs, and the correction for where windows start."""

from __future__ import annotations

import numpy as np
import pytest
from trajectory_learning.methods.retrieval import Library


def line_library(count: int = 200) -> Library:
    """Windows of two numbers that cost what their start says, and a number of their own."""
    rng = np.random.default_rng(0)
    starts = rng.uniform(-1.0, 1.0, (count, 2))
    windows = np.stack([starts[:, 0] + 2.0, rng.uniform(0.0, 0.3, count)], axis=-1)
    return Library(starts, windows, np.array([0, 1]))


def test_cost_by_hand() -> None:
    library = Library(np.zeros((1, 1)), np.array([[1.0, 2.0, 3.0]]), np.array([0, 0, 1]))
    omega = np.array([[2.0, 10.0]])
    assert library.cost(np.array([[1.0, 2.0, 3.0]]), omega) == pytest.approx(2 * 5 + 10 * 9)
    found = library.nearest(np.array([[0.5]]), omega, 1)
    assert found.cost == pytest.approx(np.array([[100.0]]))


def test_nearest_are_the_nearest() -> None:
    library = line_library()
    x = np.array([[0.3, -0.2], [0.9, 0.9]])
    found = library.nearest(x, np.ones((2, 2)), 10)
    distance = np.linalg.norm(library.starts - x[:, None], axis=-1)
    for row, index in zip(distance, found.index, strict=True):
        assert set(index) == set(np.argsort(row)[:10])


def test_cheapest_are_the_cheapest_by_either_cost() -> None:
    found = line_library().nearest(np.zeros((3, 2)), np.ones((3, 2)), 50)
    kept = found.cheapest(5)
    assert kept.shape == (3, 5)
    assert set(kept[0]) == set(found.index[0][np.argsort(found.cost[0])[:5]])
    assert set(found.cheapest(5, -found.cost)[0]) == set(
        found.index[0][np.argsort(found.cost[0])[-5:]]
    )
    assert found.cheapest(80).shape == (3, 50)


def test_start_correction_leaves_what_a_window_owes_to_itself() -> None:
    # The cost is linear in the start, with a share of the window's own on top.
    rng = np.random.default_rng(0)
    starts = rng.uniform(-1.0, 1.0, (300, 2))
    own = rng.uniform(0.0, 0.2, 300)
    windows = np.sqrt(3.0 + starts @ [1.0, -0.5] + own)[:, None]
    library = Library(starts, windows, np.array([0]))
    x = np.array([[0.1, 0.2]])
    found = library.nearest(x, np.ones((1, 1)), 100)
    corrected = library.start_corrected(found, x)[0]
    assert np.corrcoef(found.cost[0], own[found.index[0]])[0, 1] < 0.5
    assert np.corrcoef(corrected, own[found.index[0]])[0, 1] > 0.95
    # Up to what all windows of the pool share, it is what they would cost from the query.
    expected = 3.0 + x[0] @ [1.0, -0.5] + own[found.index[0]]
    np.testing.assert_allclose(corrected.mean(), expected.mean(), atol=0.05)
