"""The MuJoCo model: one quadrotor in one room.

Thrust, reaction torque and motor lag are MuJoCo actuators, so that the physics step runs without
Python in its inner loop. Aerodynamic drag depends on the rotor speeds and is applied by
:mod:`robot_simulation.crazyflie.dynamics`.
"""

from __future__ import annotations

import math
from typing import Final
from xml.etree import ElementTree as Xml

from planner_core.world import World
from robot_simulation.crazyflie.airframe import (
    GRAVITY_M_S2,
    ROTOR_SIDES,
    ROTOR_YAW_SIGNS,
    Airframe,
)

STEP_S: Final = 0.002
"""Physics step, equal to the period of the firmware's attitude-rate loop."""
HULL: Final = "crazyflie"
FLOOR: Final = "floor"
_WALL_THICKNESS_M: Final = 0.1
_HIDDEN_GROUP: Final = "4"  # MuJoCo's viewer and renderer leave groups 3-5 out by default.


def mjcf(airframe: Airframe, world: World) -> str:
    """The model as MJCF.

    Args:
        airframe: The quadrotor.
        world: The room; every surface is solid and has a name for collision reports.
    """
    root = Xml.Element("mujoco", model="crazyflie")
    Xml.SubElement(root, "compiler", angle="radian", inertiafromgeom="false", autolimits="true")
    option = Xml.SubElement(
        root, "option", timestep=str(STEP_S), integrator="Euler", gravity=f"0 0 {-GRAVITY_M_S2}"
    )
    # A diverged state must not put the vehicle back on its start as if nothing had happened.
    Xml.SubElement(option, "flag", autoreset="disable")
    _add_appearance(root)
    body = Xml.SubElement(root, "worldbody")
    _add_room(body, world)
    _add_crazyflie(body, airframe)
    _add_motors(root, airframe)
    return Xml.tostring(root, encoding="unicode")


def _text(*values: float) -> str:
    return " ".join(f"{value:.9g}" for value in values)


def _add_appearance(root: Xml.Element) -> None:
    visual = Xml.SubElement(root, "visual")
    Xml.SubElement(visual, "headlight", ambient="0.4 0.4 0.4", diffuse="0.5 0.5 0.5")
    Xml.SubElement(visual, "global", offwidth="1280", offheight="960")
    assets = Xml.SubElement(root, "asset")
    Xml.SubElement(
        assets, "texture", type="skybox", builtin="gradient", rgb1="0.93 0.94 0.96",
        rgb2="0.78 0.82 0.87", width="64", height="64",
    )  # fmt: skip
    Xml.SubElement(
        assets, "texture", name="grid", type="2d", builtin="checker", width="256", height="256",
        rgb1="0.82 0.84 0.86", rgb2="0.74 0.76 0.79",
    )  # fmt: skip
    Xml.SubElement(
        assets,
        "material",
        name="grid",
        texture="grid",
        texrepeat="1 1",
        texuniform="true",
        specular="0",
        shininess="0",
    )


def _add_room(body: Xml.Element, world: World) -> None:
    lower, upper = world.lower.tolist(), world.upper.tolist()
    middle = [(a + b) / 2 for a, b in zip(lower, upper, strict=True)]
    half = [(b - a) / 2 for a, b in zip(lower, upper, strict=True)]
    longest = max(half)
    Xml.SubElement(
        body, "light", pos=_text(middle[0], middle[1], upper[2] + 3), dir="0 0 -1",
        directional="true", diffuse="0.4 0.4 0.4", specular="0.1 0.1 0.1",
    )  # fmt: skip
    # Fields of view are in degrees, whatever the compiler's unit of angles.
    Xml.SubElement(
        body, "camera", name="overview", fovy="45", mode="targetbody", target=HULL,
        pos=_text(middle[0], lower[1] - 0.8 * longest, upper[2] + longest),
    )  # fmt: skip
    height = max(half[1], 0.75 * half[0]) / math.tan(math.radians(45.0 / 2))
    Xml.SubElement(
        body, "camera", name="top", fovy="45", xyaxes="1 0 0 0 1 0",
        pos=_text(middle[0], middle[1], upper[2] + 1.05 * height),
    )  # fmt: skip
    Xml.SubElement(
        body, "geom", name=FLOOR, type="plane", material="grid",
        pos=_text(middle[0], middle[1], lower[2]), size=_text(half[0], half[1], 0.1),
    )  # fmt: skip
    walls = (
        ("wall_west", (lower[0] - _WALL_THICKNESS_M, middle[1]), (_WALL_THICKNESS_M, half[1])),
        ("wall_east", (upper[0] + _WALL_THICKNESS_M, middle[1]), (_WALL_THICKNESS_M, half[1])),
        ("wall_south", (middle[0], lower[1] - _WALL_THICKNESS_M), (half[0], _WALL_THICKNESS_M)),
        ("wall_north", (middle[0], upper[1] + _WALL_THICKNESS_M), (half[0], _WALL_THICKNESS_M)),
    )
    for name, (x, y), (sx, sy) in walls:
        _add_box(body, name, (x, y, middle[2]), (sx, sy, half[2]), 0.0, group=_HIDDEN_GROUP)
    _add_box(
        body, "ceiling", (middle[0], middle[1], upper[2] + _WALL_THICKNESS_M),
        (half[0], half[1], _WALL_THICKNESS_M), 0.0, group=_HIDDEN_GROUP,
    )  # fmt: skip
    for index, (x, y, radius, bottom, top) in enumerate(world.cylinders.tolist()):
        Xml.SubElement(
            body, "geom", name=f"cylinder_{index}", type="cylinder", rgba="0.36 0.45 0.58 1",
            pos=_text(x, y, (bottom + top) / 2), size=_text(radius, (top - bottom) / 2),
        )  # fmt: skip
    for index, (x, y, z, length, width, height, yaw) in enumerate(world.boxes.tolist()):
        _add_box(body, f"box_{index}", (x, y, z), (length / 2, width / 2, height / 2), yaw)


def _add_box(
    body: Xml.Element,
    name: str,
    position: tuple[float, float, float],
    half_size: tuple[float, float, float],
    yaw_rad: float,
    group: str = "0",
) -> None:
    Xml.SubElement(
        body, "geom", name=name, type="box", rgba="0.62 0.5 0.38 1", group=group,
        pos=_text(*position), size=_text(*half_size), euler=_text(0, 0, yaw_rad),
    )  # fmt: skip


def _add_crazyflie(body: Xml.Element, airframe: Airframe) -> None:
    hull = Xml.SubElement(body, "body", name=HULL)
    Xml.SubElement(hull, "freejoint")
    Xml.SubElement(
        hull, "inertial", pos="0 0 0", mass=_text(airframe.mass_kg),
        diaginertia=_text(*airframe.inertia_kg_m2),
    )  # fmt: skip
    # One convex shape around the propellers: a blade that touches is a crash like any other.
    # condim 4 adds torsional friction, or a landed vehicle would spin on its contact points.
    Xml.SubElement(
        hull, "geom", name=HULL, type="cylinder", rgba="0 0 0 0", condim="4",
        size=_text(airframe.hull_radius_m, airframe.hull_half_height_m),
        friction="0.9 0.005 0.0001", solref="0.006 1",
    )  # fmt: skip
    looks = {"contype": "0", "conaffinity": "0"}
    Xml.SubElement(hull, "geom", looks, type="box", size="0.018 0.015 0.006", rgba="0.1 0.1 0.1 1")
    Xml.SubElement(
        hull, "geom", looks, type="box", size="0.008 0.004 0.004", pos="0.02 0 0.006",
        rgba="0.9 0.2 0.1 1",
    )  # fmt: skip
    offset = airframe.rotor_offset_m
    for number, (side_x, side_y) in enumerate(ROTOR_SIDES, start=1):
        x, y = side_x * offset, side_y * offset
        Xml.SubElement(hull, "site", name=f"rotor_{number}", pos=_text(x, y, 0), rgba="0 0 0 0")
        Xml.SubElement(
            hull, "geom", looks, type="capsule", fromto=_text(0, 0, 0, x, y, 0), size="0.003",
            rgba="0.15 0.15 0.15 1",
        )  # fmt: skip
        Xml.SubElement(
            hull, "geom", looks, type="cylinder", pos=_text(x, y, 0.012), size="0.0225 0.001",
            rgba="0.2 0.7 0.3 0.6",
        )  # fmt: skip


def _add_motors(root: Xml.Element, airframe: Airframe) -> None:
    actuators = Xml.SubElement(root, "actuator")
    for number, sign in enumerate(ROTOR_YAW_SIGNS, start=1):
        torque = sign * airframe.torque_per_thrust_m
        Xml.SubElement(
            actuators, "general", name=f"motor_{number}", site=f"rotor_{number}",
            gear=_text(0, 0, 1, 0, 0, torque), ctrlrange=_text(0, airframe.max_thrust_n),
            dyntype="filterexact", dynprm=_text(airframe.motor_time_constant_s),
            gainprm="1", biastype="none",
        )  # fmt: skip
