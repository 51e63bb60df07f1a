"""Cubes from named numbers."""

from __future__ import annotations

import math

import numpy as np
from planner_core.manipulation import CUBE_M
from robot_view.objects import object_shapes


def test_a_cube_for_each_object_whose_place_is_known() -> None:
    names = ("grip", "cube_0_x", "cube_0_y", "cube_0_z", "cube_0_yaw", "cube_1_x", "cube_1_y")
    shapes = object_shapes(names, (0.2, 0.3, -0.1, 0.01, math.pi / 2, 0.1, 0.1))
    assert [shape.centre for shape in shapes] == [(0.3, -0.1, 0.01)]
    assert shapes[0].size == (CUBE_M,) * 3
    np.testing.assert_allclose(shapes[0].wxyz, (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)))


def test_an_object_that_is_nowhere_is_not_drawn() -> None:
    names = ("cube_x", "cube_y", "cube_z")
    assert object_shapes(names, (math.nan, 0.0, 0.0)) == ()
    assert object_shapes(names, (0.1,)) == ()
    assert object_shapes((), ()) == ()


def test_objects_keep_their_colours() -> None:
    names = tuple(f"cube_{index}_{axis}" for index in range(2) for axis in "xyz")
    first, second = object_shapes(names, (0.1,) * 6)
    assert first.rgb != second.rgb
    (alone,) = object_shapes(names, (math.nan, 0.1, 0.1, 0.1, 0.1, 0.1))
    assert alone.rgb == second.rgb
