"""The SO-100, a table and cubes as a MuJoCo model.

Frames follow REP-103: the origin is on the table under the back of the base, x points away from it,
z up. At zero of all joints the upper arm, the lower arm and the gripper point forward, and positive
shoulder, elbow and wrist angles lower what they carry. The gripper's zero is a gap of 20 mm.

**Source**: masses, offsets, ranges and joint dynamics are the published ones of the SO-100; shapes
are primitives that leave the inner faces of the fingers parallel around a cube.
"""

from __future__ import annotations

from typing import Final

import mujoco
import numpy as np
from planner_core.arm_kinematics import TOOL_ASIDE_M, TOOL_M
from planner_core.robots import so100

JOINTS: Final = so100().names
CUBE_M: Final = 0.025
"""Edge of a cube."""
CUBE_KG: Final = 0.015
REST: Final = np.array([0.0, -3.1, 3.1, 1.1, 0.0, 0.0])
"""Folded over the base: where an arm without torque ends up."""

# The identified damping of 0.60 N m s/rad contains the motor's own, 1.91 N m / 5.45 rad/s, which
# the servo model adds while the motor is driven.
_DAMPING: Final = 0.25
_COLOURS: Final = ("0.85 0.2 0.2 1", "0.2 0.4 0.85 1", "0.2 0.7 0.3 1", "0.9 0.75 0.2 1")
MAX_CUBES: Final = len(_COLOURS)


def _cube(index: int) -> str:
    half = CUBE_M / 2
    return f"""
    <body name="cube_{index}" pos="{0.2 + 0.06 * index} 0 {half}">
      <freejoint name="cube_{index}"/>
      <geom class="thing" type="box" size="{half} {half} {half}" mass="{CUBE_KG}"
            rgba="{_COLOURS[index]}"/>
    </body>"""


def mjcf(cubes: int, step_s: float) -> str:
    """The model's description.

    Args:
        cubes: How many, at most `MAX_CUBES`.
        step_s: Of the integration [s].
    """
    robot = so100()
    ranges = [f"{low} {high}" for low, high in zip(robot.lower, robot.upper, strict=True)]
    motors = "".join(f'<motor name="{name}" joint="{name}"/>' for name in JOINTS)
    return f"""
<mujoco model="so100">
  <compiler angle="radian" autolimits="true"/>
  <option timestep="{step_s}" integrator="implicitfast" cone="elliptic" impratio="10"/>
  <default>
    <joint damping="{_DAMPING}" frictionloss="0.052" armature="0.028" solreflimit="0.004 1"
           solimplimit="0.99 0.999 0.001"/>
    <!-- The arm touches things, and things touch each other; the arm passes through itself. -->
    <default class="arm"><geom contype="2" conaffinity="1" rgba="0.9 0.8 0.5 1"/></default>
    <default class="thing">
      <geom contype="1" conaffinity="3" friction="0.8 0.01 0.0002"/>
    </default>
    <default class="finger">
      <geom contype="2" conaffinity="1" condim="4" friction="1.2 0.02 0.0002" rgba="0.2 0.2 0.2 1"
            solimp="0.95 0.99 0.001" solref="0.006 1"/>
    </default>
  </default>
  <worldbody>
    <light pos="0.3 0 1.5"/>
    <geom name="table" class="thing" type="plane" size="0.6 0.6 0.1" rgba="0.7 0.7 0.7 1"/>
    <geom name="base" class="arm" type="box" pos="0.022 0 0.02" size="0.052 0.035 0.02"/>
    <body name="shoulder" pos="0.0452 0 0.0165">
      <joint name="shoulder_pan" axis="0 0 1" range="{ranges[0]}"/>
      <geom class="arm" type="box" pos="0.012 0 0.068" size="0.028 0.025 0.042" mass="0.119"/>
      <body name="upper_arm" pos="0.0306 0 0.1025">
        <joint name="shoulder_lift" axis="0 1 0" range="{ranges[1]}"/>
        <geom class="arm" type="capsule" fromto="0 0 0 0.1126 0 -0.028" size="0.017" mass="0.162"/>
        <body name="lower_arm" pos="0.1126 0 -0.028">
          <joint name="elbow_flex" axis="0 1 0" range="{ranges[2]}"/>
          <geom class="arm" type="capsule" fromto="0 0 0 0.1349 0 0.0052" size="0.015"
                mass="0.148"/>
          <body name="wrist" pos="0.1349 0 0.0052">
            <joint name="wrist_flex" axis="0 1 0" range="{ranges[3]}"/>
            <geom class="arm" type="capsule" fromto="0 0 0 0.05 0 0" size="0.017" mass="0.066"/>
            <body name="gripper" pos="0.0601 0 0">
              <joint name="wrist_roll" axis="-1 0 0" range="{ranges[4]}"/>
              <geom class="arm" type="box" pos="0.012 0 0" size="0.014 0.022 0.02" mass="0.073"/>
              <geom name="fixed_finger" class="finger" type="box" pos="0.0625 0 -0.014"
                    size="0.0425 0.011 0.004" mass="0.020"/>
              <site name="tool" pos="{TOOL_M} 0 {TOOL_ASIDE_M}"/>
              <body name="jaw" pos="0.0244 0 0.0202">
                <joint name="gripper" axis="0 -1 0" range="{ranges[5]}"/>
                <!-- Tilted: it lies flat on a cube, and the tips meet when it is shut. -->
                <geom name="jaw" class="finger" type="box" pos="0.0405 0 -0.0066" euler="0 0.137 0"
                      size="0.040 0.011 0.004" mass="0.020"/>
              </body>
            </body>
          </body>
        </body>
      </body>
    </body>{"".join(_cube(i) for i in range(cubes))}
  </worldbody>
  <actuator>{motors}</actuator>
</mujoco>"""


def build(cubes: int, step_s: float) -> mujoco.MjModel:
    """The compiled model; see `mjcf`."""
    return mujoco.MjModel.from_xml_string(mjcf(cubes, step_s))
