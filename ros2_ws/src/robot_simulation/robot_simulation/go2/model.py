"""The MuJoCo model: twelve joints, primitive shapes, no meshes.

Joints and legs have the robot's own order: front right, front left, rear right, rear left, and in
each leg hip, thigh, calf. Axes are those of REP-103: x forward, y to the left, z up.

**Source**: masses, lengths, limits and friction of the manufacturer's robot description; the masses
of thigh and hip are put where their motors sit.
"""

from __future__ import annotations

from typing import Final

import mujoco
import numpy as np
from planner_core.go2_geometry import FOOT_RADIUS_M, HIPS_M, LEGS, LINK_M, SIDES, THIGH_Y_M, TRUNK_M

JOINTS: Final = tuple(f"{leg}_{part}" for leg in LEGS for part in ("hip", "thigh", "calf"))
STEP_S: Final = 0.001
"""Of the physics; the motors' own loop runs at this rate."""
MASS_KG: Final = 6.921 + 4 * (0.678 + 1.152 + 0.241)
LOWER_RAD: Final = np.array([-1.047, -1.571, -2.723] * 2 + [-1.047, -0.524, -2.723] * 2)
UPPER_RAD: Final = np.array([1.047, 3.491, -0.838] * 2 + [1.047, 4.538, -0.838] * 2)
TORQUE_NM: Final = np.array([23.7, 23.7, 45.43] * 4)
LYING_RAD: Final = np.array([0.0, 1.36, -2.65] * 4)
"""(12,) [rad] Folded legs, the belly on the ground."""
LYING_HEIGHT_M: Final = 0.075
"""Of the body's centre above the ground."""

_WORLD: Final = """
<mujoco model="go2">
  <compiler angle="radian"/>
  <option timestep="{step}" integrator="implicitfast" cone="elliptic" impratio="10"/>
  <default>
    <geom contype="0" conaffinity="1" friction="0.8 0.02 0.01" density="0"/>
    <joint armature="0.01" damping="0.1" frictionloss="0.2"/>
  </default>
  <worldbody>
    <geom name="floor" type="plane" size="0 0 1" contype="1" conaffinity="0"/>
    <body name="base" pos="0 0 {height}">
      <freejoint name="base"/>
      <inertial pos="0.021 0 -0.005" mass="6.921" diaginertia="0.0245 0.098 0.107"/>
      <geom name="trunk" type="box" size="{trunk}"/>
      <site name="imu" pos="-0.026 0 0.042"/>
      {legs}
    </body>
  </worldbody>
  <actuator>{motors}</actuator>
  <sensor>
    <accelerometer name="acceleration" site="imu"/>
    <gyro name="rates" site="imu"/>
    {touches}
  </sensor>
</mujoco>
"""
_LEG: Final = """
<body name="{leg}_hip" pos="{x} {y} 0">
  <joint name="{leg}_hip" axis="1 0 0" range="{hip}"/>
  <inertial pos="0 {hip_y} 0" mass="0.678" diaginertia="0.00048 0.00088 0.0006"/>
  <body name="{leg}_thigh" pos="0 {thigh_y} 0">
    <joint name="{leg}_thigh" axis="0 1 0" range="{thigh}"/>
    <inertial pos="0 {knee_motor_y} -0.033" mass="1.152" diaginertia="0.0059 0.0058 0.001"/>
    <geom type="capsule" fromto="0 0 0 0 0 -{link}" size="0.018"/>
    <body name="{leg}_calf" pos="0 0 -{link}">
      <joint name="{leg}_calf" axis="0 1 0" range="{calf}"/>
      <inertial pos="0.005 0 -0.1" mass="0.241" diaginertia="0.0015 0.0015 0.00003"/>
      <geom type="capsule" fromto="0 0 -0.02 0 0 -0.19" size="0.012"/>
      <geom name="{leg}_foot" type="sphere" pos="0 0 -{link}" size="{foot}" condim="6"/>
      <site name="{leg}_foot" type="sphere" pos="0 0 -{link}" size="0.03"/>
    </body>
  </body>
</body>
"""


def make_model() -> mujoco.MjModel:
    """The robot on a floor."""
    legs = []
    for index, leg in enumerate(LEGS):
        ranges = [f"{LOWER_RAD[3 * index + j]} {UPPER_RAD[3 * index + j]}" for j in range(3)]
        side = SIDES[index]
        legs.append(
            _LEG.format(
                leg=leg, x=HIPS_M[index, 0], y=HIPS_M[index, 1], thigh_y=THIGH_Y_M * side,
                hip_y=0.002 * side, knee_motor_y=-0.022 * side, link=LINK_M, foot=FOOT_RADIUS_M,
                hip=ranges[0], thigh=ranges[1], calf=ranges[2],
            )
        )  # fmt: skip
    motors = [
        f'<motor joint="{name}" ctrllimited="true" ctrlrange="-{torque} {torque}"/>'
        for name, torque in zip(JOINTS, TORQUE_NM, strict=True)
    ]
    touches = [f'<touch name="{leg}_foot" site="{leg}_foot"/>' for leg in LEGS]
    return mujoco.MjModel.from_xml_string(
        _WORLD.format(
            step=STEP_S, height=LYING_HEIGHT_M, trunk=" ".join(str(edge / 2) for edge in TRUNK_M),
            legs="".join(legs), motors="".join(motors), touches="".join(touches),
        )
    )  # fmt: skip
