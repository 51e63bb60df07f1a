"""The solid shapes of a marker array: what a world is made of.

Messages are read by their fields alone, so that those of a running graph and those of a bag, which
are of different classes, go the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FLOOR_HEIGHT_M = 0.05
"""A box thinner than this is a floor, not an obstacle."""


class Kind(IntEnum):
    """The markers that are solids; the numbers are those of ``Marker.type``."""

    BOX = 1
    SPHERE = 2
    CYLINDER = 3


class _Action(IntEnum):
    """The numbers of ``Marker.action``."""

    ADD = 0
    DELETE = 2
    DELETE_ALL = 3


@dataclass(frozen=True, slots=True)
class Shape:
    """One solid.

    Attributes:
        kind: What it is.
        centre: (x, y, z) [m].
        size: Extent along its own axes [m]; for cylinders and spheres the diameters.
        wxyz: Orientation, a unit quaternion.
        rgb: Colour, 0..1.
        opacity: 0..1.
    """

    kind: Kind
    centre: tuple[float, float, float]
    size: tuple[float, float, float]
    wxyz: tuple[float, float, float, float]
    rgb: tuple[float, float, float]
    opacity: float

    @property
    def is_floor(self) -> bool:
        """Whether it is ground to stand on instead of something in the way."""
        return self.kind is Kind.BOX and self.size[2] < FLOOR_HEIGHT_M

    @property
    def is_obstacle(self) -> bool:
        """Whether it is in the way; spheres mark places."""
        return self.kind is not Kind.SPHERE and not self.is_floor

    @property
    def yaw(self) -> float:
        """Heading of its x axis [rad]."""
        w, x, y, z = self.wxyz
        return float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))

    def distance(self, points: Array) -> Array:
        """Distance from points to the surface of an upright shape, negative inside.

        Args:
            points: (N, 3) [m].

        Returns:
            (N,) [m].
        """
        offset = points - np.array(self.centre)
        half = np.array(self.size) / 2
        if self.kind is Kind.SPHERE:
            return np.asarray(np.linalg.norm(offset, axis=1) - half[0])
        if self.kind is Kind.CYLINDER:
            radial = np.hypot(offset[:, 0], offset[:, 1]) - half[0]
            outside = np.stack([radial, np.abs(offset[:, 2]) - half[2]], axis=1)
        else:
            c, s = np.cos(self.yaw), np.sin(self.yaw)
            local = offset @ np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
            outside = np.abs(local) - half
        beyond = np.linalg.norm(np.maximum(outside, 0.0), axis=1)
        return np.asarray(beyond + np.minimum(outside.max(axis=1), 0.0))


class ShapeSet:
    """The shapes that the marker arrays of one topic have built up."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, int], Shape] = {}
        self.skipped: set[int] = set()
        """Types of markers that were seen and are not solids."""

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The present shapes."""
        return tuple(self._shapes.values())

    def update(self, message: Any) -> None:
        """Apply a ``visualization_msgs/MarkerArray``."""
        kinds = set(Kind)
        for marker in message.markers:
            key = (marker.ns, int(marker.id))
            if marker.action == _Action.DELETE_ALL:
                self._shapes.clear()
            elif marker.action == _Action.DELETE:
                self._shapes.pop(key, None)
            elif marker.type in kinds:
                self._shapes[key] = _shape(marker)
            else:
                self.skipped.add(int(marker.type))


def _shape(marker: Any) -> Shape:
    p, q, s, c = marker.pose.position, marker.pose.orientation, marker.scale, marker.color
    norm = float(np.linalg.norm([q.w, q.x, q.y, q.z]))
    # An orientation that nobody filled in means none.
    wxyz = (1.0, 0.0, 0.0, 0.0) if norm == 0 else (q.w / norm, q.x / norm, q.y / norm, q.z / norm)
    return Shape(
        Kind(marker.type), (p.x, p.y, p.z), (s.x, s.y, s.z), wxyz, (c.r, c.g, c.b), float(c.a)
    )
