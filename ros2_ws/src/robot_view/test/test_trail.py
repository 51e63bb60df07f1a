"""The executed path."""

from __future__ import annotations

import numpy as np
from robot_view.trail import JUMP_M, Trail


def test_standing_adds_nothing() -> None:
    trail = Trail(10, spacing_m=0.03)
    assert trail.add(np.zeros(3))
    assert not trail.add(np.array([0.02, 0.0, 0.0]))
    assert trail.points.shape == (1, 3)


def test_oldest_points_go_first() -> None:
    trail = Trail(3)
    for i in range(5):
        trail.add(np.array([0.1 * i, 0.0, 0.0]))
    assert np.allclose(trail.points[:, 0], [0.2, 0.3, 0.4])


def test_jump_begins_anew() -> None:
    trail = Trail(10)
    trail.add(np.zeros(3))
    trail.add(np.array([JUMP_M * 1.1, 0.0, 0.0]))
    assert len(trail.points) == 1


def test_empty_trail_has_the_shape_of_points() -> None:
    assert Trail(10).points.shape == (0, 3)
