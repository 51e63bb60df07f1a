"""Shapes from markers, and distances to them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from robot_view.shapes import Kind, Shape, ShapeSet
from synthetic_flight import marker, world
from visualization_msgs.msg import Marker, MarkerArray


def shape_of(msg: Marker) -> Shape:
    shapes = ShapeSet()
    shapes.update(MarkerArray(markers=[msg]))
    return shapes.shapes[0]


@pytest.mark.parametrize(
    ("point", "distance"),
    [
        ((3.0, 0.0, 1.0), 2.0),
        ((0.5, 0.0, 1.0), -0.5),
        ((0.0, 0.0, 3.5), 1.5),
        ((4.0, 0.0, 6.0), 5.0),  # 3 m beside and 4 m above the rim
    ],
)
def test_distance_to_a_cylinder(point: tuple[float, ...], distance: float) -> None:
    cylinder = shape_of(marker(Marker.CYLINDER, (0.0, 0.0, 1.0), (2.0, 2.0, 2.0), 0))
    assert cylinder.distance(np.array([point])) == pytest.approx([distance])


def test_distance_to_a_turned_box() -> None:
    msg = marker(Marker.CUBE, (0.0, 0.0, 0.0), (2.0, 1.0, 1.0), 0)
    msg.pose.orientation.z = math.sin(math.pi / 4)
    msg.pose.orientation.w = math.cos(math.pi / 4)
    points = np.array([[0.0, 3.0, 0.0], [3.0, 0.0, 0.0]])
    assert shape_of(msg).distance(points) == pytest.approx([2.0, 2.5])


def test_distance_to_a_sphere() -> None:
    sphere = shape_of(marker(Marker.SPHERE, (1.0, 0.0, 0.0), (1.0, 1.0, 1.0), 0))
    assert sphere.distance(np.zeros((1, 3))) == pytest.approx([0.5])


def test_floor_is_no_obstacle() -> None:
    shapes = ShapeSet()
    shapes.update(world())
    assert [(s.kind, s.is_floor, s.is_obstacle) for s in shapes.shapes] == [
        (Kind.BOX, True, False),
        (Kind.CYLINDER, False, True),
    ]


def test_markers_replace_and_delete() -> None:
    shapes = ShapeSet()
    shapes.update(world())
    moved = marker(Marker.CYLINDER, (5.0, 0.0, 0.0), (1.0, 1.0, 1.0), 2)
    shapes.update(MarkerArray(markers=[moved]))
    assert len(shapes.shapes) == 2
    assert shapes.shapes[1].centre[0] == 5.0
    moved.action = Marker.DELETE
    shapes.update(MarkerArray(markers=[moved]))
    assert len(shapes.shapes) == 1
    shapes.update(MarkerArray(markers=[Marker(action=Marker.DELETEALL)]))
    assert shapes.shapes == ()


def test_other_markers_are_named() -> None:
    shapes = ShapeSet()
    shapes.update(MarkerArray(markers=[Marker(type=Marker.LINE_STRIP)]))
    assert shapes.shapes == ()
    assert shapes.skipped == {Marker.LINE_STRIP}


def test_orientation_that_nobody_filled_in_means_none() -> None:
    msg = marker(Marker.CUBE, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 0)
    msg.pose.orientation.w = 0.0
    assert shape_of(msg).wxyz == (1.0, 0.0, 0.0, 0.0)
