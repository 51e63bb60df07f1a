"""Robots in the 3-D scene: a quadrotor, jointed bodies, a sphere for what is not known."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import viser
from planner_core.joint_tree import BASE
from scipy.spatial.transform import Rotation

from robot_view.bodies import Body
from robot_view.shapes import Array, Kind, Shape

Colour = tuple[int, int, int]
BODY: Colour = (45, 52, 62)
FRONT_ROTOR: Colour = (230, 120, 30)
REAR_ROTOR: Colour = (140, 150, 165)


class DrawnRobot(Protocol):
    """What moves below ``/robot``."""

    def bend(self, q: Array) -> None:
        """Put the joints to (n,) [rad]."""
        ...


class RigidRobot:
    """A quadrotor or a sphere: nothing of it bends.

    Args:
        scene: That it is drawn in.
        robot: A quadrotor if ``crazyflie``, else a sphere.
        span_m: Its width.
    """

    def __init__(self, scene: viser.SceneApi, robot: str, span_m: float) -> None:
        if robot == "crazyflie":
            _add_quadrotor(scene, span_m)
        else:
            scene.add_icosphere("/robot/body", span_m / 2, FRONT_ROTOR)

    def bend(self, q: Array) -> None:
        """There is nothing to bend."""


class JointedRobot:
    """A body whose links are frames; solids hang on them and need no messages of their own.

    Args:
        scene: That it is drawn in.
        body: What it looks like.
    """

    def __init__(self, scene: viser.SceneApi, body: Body) -> None:
        self._tree = body.tree
        self._links = [
            scene.add_frame(f"/robot/{name}", show_axes=False) for name in body.tree.names
        ]
        for index, part in enumerate(body.parts):
            link = "" if part.link == BASE else f"/{body.tree.names[part.link]}"
            add_shape(scene, f"/robot{link}/part_{index}", part.shape)
        self.bend(np.zeros(len(self._links)))

    def bend(self, q: Array) -> None:
        """See `DrawnRobot.bend`."""
        origins, rotations = self._tree.frames(q)
        quaternions = Rotation.from_matrix(rotations).as_quat()[:, [3, 0, 1, 2]]
        for link, origin, wxyz in zip(self._links, origins, quaternions, strict=True):
            link.position, link.wxyz = origin, wxyz


def add_shape(scene: viser.SceneApi, name: str, shape: Shape) -> viser.SceneNodeHandle:
    """Draw a solid in the frame of its parent."""
    colour = (int(shape.rgb[0] * 255), int(shape.rgb[1] * 255), int(shape.rgb[2] * 255))
    opacity = shape.opacity if shape.opacity < 0.95 else None
    length, width, height = shape.size
    if shape.kind is Kind.SPHERE:
        return scene.add_icosphere(name, length / 2, colour, opacity=opacity, position=shape.centre)
    if shape.kind is Kind.CYLINDER:
        # Markers with unequal diameters are elliptic; the first stands for both.
        return scene.add_cylinder(
            name, length / 2, height, colour, opacity=opacity,
            position=shape.centre, wxyz=shape.wxyz,
        )  # fmt: skip
    return scene.add_box(
        name, colour, (length, width, height), opacity=opacity, cast_shadow=not shape.is_floor,
        position=shape.centre, wxyz=shape.wxyz,
    )  # fmt: skip


def _add_quadrotor(scene: viser.SceneApi, span_m: float) -> None:
    """A quadrotor from boxes and discs below ``/robot``, its front rotors orange."""
    arm = span_m * 0.72
    for i, yaw in enumerate((np.pi / 4, -np.pi / 4)):
        wxyz = (float(np.cos(yaw / 2)), 0.0, 0.0, float(np.sin(yaw / 2)))
        size = (arm, span_m * 0.05, span_m * 0.04)
        scene.add_box(f"/robot/arm_{i}", BODY, size, wxyz=wxyz)
    scene.add_box("/robot/body", BODY, (span_m * 0.3, span_m * 0.2, span_m * 0.12))
    for i, (sx, sy) in enumerate(((1, 1), (1, -1), (-1, -1), (-1, 1))):
        scene.add_cylinder(
            f"/robot/rotor_{i}", span_m * 0.21, span_m * 0.02,
            FRONT_ROTOR if sx > 0 else REAR_ROTOR, opacity=0.85,
            position=(sx * span_m * 0.255, sy * span_m * 0.255, span_m * 0.06),
        )  # fmt: skip
