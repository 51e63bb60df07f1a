"""What jointed robots look like, and which of their points a plan moves.

A robot that is not listed here is drawn as a point in space; nothing else changes.

Letters: ``P`` points that are followed, ``n`` joints.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from planner_core.arm_kinematics import (
    HAND_M,
    LOWER,
    PAN_X_M,
    SHOULDER_M,
    TOOL_ASIDE_M,
    TOOL_M,
    UPPER,
)
from planner_core.go2_geometry import FOOT_RADIUS_M, HIPS_M, LINK_M, SIDES, THIGH_Y_M, TRUNK_M
from planner_core.joint_tree import BASE, JointTree
from planner_core.robots import go2, so100

from robot_view.shapes import Array, Kind, Shape

AXES = ("x", "y", "z")
Place = tuple[float, float, float]
Rgb = tuple[float, float, float]

PRINTED: Final = (0.90, 0.74, 0.38)
DARK: Final = (0.18, 0.20, 0.24)
LIGHT: Final = (0.62, 0.66, 0.72)
TABLE: Final = (0.84, 0.85, 0.87)
ORANGE: Final = (0.90, 0.47, 0.12)
NO_TURN: Final = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Part:
    """A solid that moves with a link.

    Attributes:
        link: Index of the joint whose link it is, or `planner_core.joint_tree.BASE`.
        shape: In the frame of the link.
    """

    link: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Body:
    """A jointed robot.

    Attributes:
        tree: Its joints.
        parts: What is seen of it.
        tips: Points that plans move: link and place in its frame [m].
        fixed: Whether the base stands still at the origin; else odometry says where it is.
        ground: What it stands on, None for a floor without end.
        view_m: How much of the surroundings a new browser shows.
    """

    tree: JointTree
    parts: tuple[Part, ...]
    tips: tuple[tuple[int, Place], ...]
    fixed: bool
    ground: Shape | None
    view_m: float

    def joints_of(self, names: Sequence[str], values: Array) -> Array | None:
        """The joints among values (..., len(names)), as (..., n); None if one is missing."""
        if not set(self.tree.names) <= set(names):
            return None
        return np.asarray(values[..., [list(names).index(name) for name in self.tree.names]])

    def tip_points(self, q: Array) -> Array:
        """The followed points in the frame of the base.

        Args:
            q: (..., n) [rad].

        Returns:
            (..., P, 3) [m].
        """
        origins, rotations = self.tree.frames(q)
        points = [
            origins[..., link, :] + rotations[..., link, :, :] @ np.array(place)
            for link, place in self.tips
        ]
        return np.stack(points, axis=-2)


def followed_points(body: Body | None, names: Sequence[str], position: Array) -> Array | None:
    """The points that positions of degrees of freedom mean in space.

    Args:
        body: Of a jointed robot, whose points are in the frame of its base.
        names: Degrees of freedom.
        position: (..., len(names)).

    Returns:
        (..., P, 3) [m]; None where the names are neither x, y, z nor the joints of the body.
    """
    if body is not None and (q := body.joints_of(names, position)) is not None:
        return body.tip_points(q)
    if set(AXES) <= set(names):
        return np.asarray(position[..., None, [list(names).index(axis) for axis in AXES]])
    return None


def rotated(wxyz: Sequence[float] | Array, points: Array) -> Array:
    """Points (..., 3), turned by a unit quaternion."""
    w, axis = float(wxyz[0]), np.asarray(wxyz[1:], dtype=np.float64)
    across = 2.0 * np.cross(axis, points)
    return np.asarray(points + w * across + np.cross(axis, across))


def body_of(robot: str) -> Body | None:
    """The body of a robot by its name, None for one without joints that are known."""
    bodies = {"so100": _so100, "go2": _go2}
    return bodies[robot]() if robot in bodies else None


def _solid(
    kind: Kind, centre: Place, size: Place, rgb: Rgb,
    wxyz: tuple[float, float, float, float] = NO_TURN,
) -> Shape:  # fmt: skip
    return Shape(kind, centre, size, wxyz, rgb, 1.0)


def _rod(start: Place, end: Place, radius_m: float, rgb: Rgb) -> Shape:
    """A cylinder between two points."""
    a, b = np.array(start), np.array(end)
    length = float(np.linalg.norm(b - a))
    x, y, z = (b - a) / length
    # From the z axis to the rod's, the shortest way; straight down has no shortest one.
    w = 1.0 + z
    quaternion = np.array([w, -y, x, 0.0]) if w > 1e-9 else np.array([0.0, 1.0, 0.0, 0.0])
    w, qx, qy, qz = (float(v) for v in quaternion / np.linalg.norm(quaternion))
    middle = tuple(float(v) for v in (a + b) / 2)
    size = (2 * radius_m, 2 * radius_m, length)
    return _solid(Kind.CYLINDER, middle, size, rgb, (w, qx, qy, qz))  # type: ignore[arg-type]


def _ball(centre: Place, radius_m: float, rgb: Rgb) -> Shape:
    return _solid(Kind.SPHERE, centre, (2 * radius_m,) * 3, rgb)


@cache
def _so100() -> Body:
    def along(link: tuple[float, float]) -> Place:
        return (link[0] * math.cos(link[1]), 0.0, -link[0] * math.sin(link[1]))

    upper, lower, hand = along(UPPER), along(LOWER), (HAND_M - TOOL_M, 0.0, 0.0)
    pan, shoulder = (PAN_X_M, 0.0, 0.0), (SHOULDER_M[0], 0.0, SHOULDER_M[1])
    jaw = (0.0244, 0.0, 0.0202)
    tree = JointTree(
        names=so100().names,
        parents=(BASE, 0, 1, 2, 3, 4),
        offsets=np.array([pan, shoulder, upper, lower, hand, jaw]),
        axes=np.array([[0, 0, 1], [0, 1, 0], [0, 1, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]]),
    )
    parts = (
        Part(BASE, _solid(Kind.BOX, (0.022, 0.0, 0.022), (0.105, 0.07, 0.044), DARK)),
        Part(0, _solid(Kind.BOX, (0.012, 0.0, 0.083), (0.056, 0.05, 0.08), PRINTED)),
        Part(1, _ball((0.0, 0.0, 0.0), 0.021, DARK)),
        Part(1, _rod((0.0, 0.0, 0.0), upper, 0.016, PRINTED)),
        Part(2, _ball((0.0, 0.0, 0.0), 0.019, DARK)),
        Part(2, _rod((0.0, 0.0, 0.0), lower, 0.014, PRINTED)),
        Part(3, _ball((0.0, 0.0, 0.0), 0.018, DARK)),
        Part(3, _rod((0.0, 0.0, 0.0), hand, 0.016, PRINTED)),
        Part(4, _solid(Kind.BOX, (0.012, 0.0, 0.0), (0.028, 0.044, 0.04), PRINTED)),
        Part(4, _solid(Kind.BOX, (0.0625, 0.0, -0.014), (0.085, 0.022, 0.008), DARK)),
        Part(5, _solid(Kind.BOX, (0.0405, 0.0, -0.0066), (0.08, 0.022, 0.008), ORANGE)),
    )
    table = _solid(Kind.BOX, (0.22, 0.0, -0.011), (0.8, 0.8, 0.02), TABLE)
    return Body(tree, parts, ((4, (TOOL_M, 0.0, TOOL_ASIDE_M)),), True, table, 0.75)


@cache
def _go2() -> Body:
    offsets, parents, parts, tips = [], [], [], []
    parts.append(Part(BASE, _solid(Kind.BOX, (0.0, 0.0, 0.0), TRUNK_M, LIGHT)))
    parts.append(Part(BASE, _solid(Kind.BOX, (0.25, 0.0, 0.02), (0.11, 0.09, 0.09), DARK)))
    down = (0.0, 0.0, -LINK_M)
    for leg, side in enumerate(SIDES):
        hip, thigh, calf = 3 * leg, 3 * leg + 1, 3 * leg + 2
        aside = (0.0, float(side) * THIGH_Y_M, 0.0)
        offsets += [tuple(HIPS_M[leg]), aside, down]
        parents += [BASE, hip, thigh]
        # The front legs are told from the rear ones by their colour.
        colour = ORANGE if leg < 2 else LIGHT
        parts += [
            Part(hip, _rod((0.0, 0.0, 0.0), aside, 0.04, DARK)),
            Part(thigh, _rod((0.0, 0.0, 0.0), down, 0.022, colour)),
            Part(calf, _ball((0.0, 0.0, 0.0), 0.024, DARK)),
            Part(calf, _rod((0.0, 0.0, 0.0), down, 0.013, DARK)),
            Part(calf, _ball(down, FOOT_RADIUS_M, DARK)),
        ]
        tips.append((calf, down))
    axes = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0]] * 4)
    tree = JointTree(go2().names, tuple(parents), np.array(offsets), axes)
    return Body(tree, tuple(parts), tuple(tips), False, None, 2.2)
