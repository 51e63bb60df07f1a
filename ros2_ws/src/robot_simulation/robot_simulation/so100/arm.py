"""The physical side: an arm moved by torques, and the cubes that it may push and grip."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import mujoco
import numpy as np
from numpy.typing import NDArray
from robot_simulation.errors import SimulationError
from robot_simulation.so100.model import CUBE_M, JOINTS, MAX_CUBES, REST, build

STEP_S: Final = 0.002
_HAND_N_M_RAD: Final = 40.0
_HAND_N_M_S_RAD: Final = 1.5
_HAND_N_M: Final = 5.0
"""How stiffly, and how hard, a person holds a joint."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CubePose:
    """Where a cube lies.

    Attributes:
        position: (3,) of its centre [m].
        quaternion: (4,) x, y, z, w.
    """

    position: Vector
    quaternion: Vector


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a cube is put on the table.

    Attributes:
        x_m: Of its centre.
        y_m: Of its centre.
        yaw_rad: About the vertical.
    """

    x_m: float
    y_m: float
    yaw_rad: float


class Arm:
    """Arm, table and cubes.

    Args:
        cubes: How many.

    Attributes:
        hand: (6,) where a person moves the joints to [rad]; None: nobody touches the arm.

    Raises:
        SimulationError: More cubes than there are colours.
    """

    def __init__(self, cubes: int) -> None:
        if not 0 <= cubes <= MAX_CUBES:
            raise SimulationError("cubes", got=cubes, expected=f"0 to {MAX_CUBES}")
        self.cubes = cubes
        self.hand: Vector | None = None
        self.model = build(cubes, STEP_S)
        self.data = mujoco.MjData(self.model)
        # The joints of the arm come first in the model.
        self._n = len(JOINTS)
        self._tool = self.model.site("tool").id
        self._cube_bodies = [self.model.body(f"cube_{i}").id for i in range(cubes)]
        self._cube_joints = [self.model.joint(f"cube_{i}").id for i in range(cubes)]
        self.data.qpos[: self._n] = REST
        mujoco.mj_forward(self.model, self.data)

    def place(self, placements: Sequence[Placement]) -> None:
        """Put the cubes on the table, at rest; the arm stays as it is.

        Args:
            placements: One for each cube.
        """
        for joint, place in zip(self._cube_joints, placements, strict=True):
            half = place.yaw_rad / 2
            self.data.joint(joint).qpos = (
                place.x_m, place.y_m, CUBE_M / 2, math.cos(half), 0.0, 0.0, math.sin(half),
            )  # fmt: skip
            self.data.joint(joint).qvel = 0.0
        mujoco.mj_forward(self.model, self.data)

    def step(self, torques: Sequence[float]) -> None:
        """Advance by `STEP_S` with these torques on the joints [N m]."""
        self.data.ctrl[:] = torques
        self.data.qfrc_applied[: self._n] = 0.0 if self.hand is None else self._push(self.hand)
        mujoco.mj_step(self.model, self.data)

    def _push(self, goal: Vector) -> Vector:
        error = goal - self.data.qpos[: self._n]
        force = _HAND_N_M_RAD * error - _HAND_N_M_S_RAD * self.data.qvel[: self._n]
        return np.clip(force, -_HAND_N_M, _HAND_N_M)

    @property
    def time_s(self) -> float:
        """Simulated time since the reset."""
        return float(self.data.time)

    @property
    def positions(self) -> Vector:
        """(6,) joint positions [rad]."""
        return self.data.qpos[: self._n].copy()

    @property
    def velocities(self) -> Vector:
        """(6,) joint velocities [rad/s]."""
        return self.data.qvel[: self._n].copy()

    @property
    def tool(self) -> Vector:
        """(3,) middle between the finger tips [m]."""
        return self.data.site_xpos[self._tool].copy()

    def cube(self, index: int) -> CubePose:
        """Where a cube is now."""
        body = self._cube_bodies[index]
        w, x, y, z = self.data.xquat[body]
        return CubePose(self.data.xpos[body].copy(), np.array([x, y, z, w]))
