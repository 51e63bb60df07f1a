"""The body: torques in, motion and sensor readings out."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray
from robot_simulation.go2.model import LYING_HEIGHT_M, LYING_RAD, make_model

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Body:
    """The trunk.

    Attributes:
        position: (3,) [m] of its centre, world frame.
        quaternion: (4,) w, x, y, z, from the body to the world.
        velocity: (3,) [m/s] world frame.
        rates: (3,) [rad/s] body frame.
        acceleration: (3,) [m/s^2] specific force, body frame.
    """

    position: Array
    quaternion: Array
    velocity: Array
    rates: Array
    acceleration: Array

    @property
    def velocity_in_body(self) -> Array:
        """(3,) [m/s] body frame."""
        w, axis = self.quaternion[0], -self.quaternion[1:]
        turned = 2.0 * np.cross(axis, self.velocity)
        return np.asarray(self.velocity + w * turned + np.cross(axis, turned))

    @property
    def rpy(self) -> Array:
        """(3,) [rad] roll, pitch and yaw."""
        w, x, y, z = self.quaternion
        return np.array([
            np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)),
            np.arcsin(np.clip(2 * (w * y - z * x), -1.0, 1.0)),
            np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
        ])  # fmt: skip


class Go2Dynamics:
    """The physics of one robot on a floor.

    Attributes:
        q: (12,) [rad] joint positions, a view into the physics.
        dq: (12,) [rad/s] joint velocities, likewise.
        ddq: (12,) [rad/s^2] joint accelerations, likewise.
        torque: (12,) [N m] what the motors exert, likewise; set by `step`.
        foot_force: (4,) [N] on the feet, likewise.
    """

    def __init__(self) -> None:
        self._model = make_model()
        self._data = data = mujoco.MjData(self._model)
        self.q, self.dq, self.ddq = data.qpos[7:], data.qvel[6:], data.qacc[6:]
        self.torque = data.actuator_force
        self.foot_force = data.sensordata[6:10]
        self.reset()

    @property
    def time_s(self) -> float:
        """Simulated time since the last reset [s]."""
        return float(self._data.time)

    def reset(self) -> None:
        """Lie on the ground, at the origin."""
        mujoco.mj_resetData(self._model, self._data)
        self._data.qpos[2] = LYING_HEIGHT_M
        self.q[:] = LYING_RAD
        mujoco.mj_forward(self._model, self._data)

    def push(self, velocity: Array) -> None:
        """Change the trunk's velocity at once.

        Args:
            velocity: (3,) [m/s] added, world frame.
        """
        self._data.qvel[:3] += velocity

    def overturn(self) -> None:
        """Put the robot on its side, as after a fall."""
        self._data.qpos[2:7] = 0.25, np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0
        self._data.qvel[:6] = 0.0
        mujoco.mj_forward(self._model, self._data)

    def body(self) -> Body:
        """The trunk at this moment."""
        data = self._data
        return Body(
            data.qpos[:3].copy(), data.qpos[3:7].copy(), data.qvel[:3].copy(),
            data.sensordata[3:6].copy(), data.sensordata[:3].copy(),
        )  # fmt: skip

    def step(self, torque: Array) -> None:
        """Let one step pass.

        Args:
            torque: (12,) [N m] asked of the motors; they give what they can.
        """
        self._data.ctrl[:] = torque
        mujoco.mj_step(self._model, self._data)
