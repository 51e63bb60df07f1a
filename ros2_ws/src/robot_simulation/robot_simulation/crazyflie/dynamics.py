"""The physical side: rigid body, rotors, drag, battery and collisions.

One call of :meth:`FlightDynamics.step` is one physics step. State is handed out as plain floats,
because the callers work on three numbers at a time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import mujoco
from planner_core.world import World
from robot_simulation.crazyflie.airframe import GRAVITY_M_S2, ROTORS, Airframe
from robot_simulation.crazyflie.battery import Battery
from robot_simulation.crazyflie.model import FLOOR, HULL, STEP_S, mjcf
from robot_simulation.crazyflie.rotation import Quaternion, Vector, conjugate, from_euler, rotated

TOUCH_DOWN_SPEED_M_S: Final = 0.8
"""Fastest contact with the floor that the landing gear survives."""
TOUCH_DOWN_TILT_RAD: Final = math.radians(25.0)


@dataclass(frozen=True, slots=True)
class Collision:
    """The first contact that ended a flight.

    Attributes:
        time_s: Simulated time since the start of the flight.
        surface: Name of what was hit: ``floor``, ``wall_east``, ``ceiling``, ``cylinder_2`` ...
        speed_m_s: Speed of the vehicle just before the contact.
        position_m: (3,) where the vehicle was, in the world frame.
    """

    time_s: float
    surface: str
    speed_m_s: float
    position_m: Vector


@dataclass(slots=True)
class BodyState:
    """Where the body truly is. Velocity in world axes, rotation rates in body axes.

    Attributes:
        position: (3,) [m].
        attitude: (4,) unit quaternion w, x, y, z.
        velocity: (3,) [m/s].
        rates: (3,) [rad/s].
        specific_force: (3,) [m/s^2] what an accelerometer at the centre of mass feels, body axes.
    """

    position: Vector = (0.0, 0.0, 0.0)
    attitude: Quaternion = (1.0, 0.0, 0.0, 0.0)
    velocity: Vector = (0.0, 0.0, 0.0)
    rates: Vector = (0.0, 0.0, 0.0)
    specific_force: Vector = (0.0, 0.0, GRAVITY_M_S2)


@dataclass(slots=True)
class RotorHealth:
    """What each rotor still delivers: 1 healthy, 0 dead. A fault changes it."""

    effectiveness: list[float] = field(default_factory=lambda: [1.0] * ROTORS)


class FlightDynamics:
    """One quadrotor in one world.

    Args:
        airframe: The vehicle.
        world: The room that it flies in.

    Attributes:
        body: The true state after the last step.
        battery: Charge and voltage.
        rotors: Health of the four rotors.
        collision: The contact that broke the vehicle; it stays until :meth:`place`.
    """

    def __init__(self, airframe: Airframe, world: World) -> None:
        self.airframe = airframe
        self.world = world
        self._model = mujoco.MjModel.from_xml_string(mjcf(airframe, world))
        self._data = mujoco.MjData(self._model)
        self._hull_body = self._model.body(HULL).id
        self._hull_geom = self._model.geom(HULL).id
        self._floor_geom = self._model.geom(FLOOR).id
        self._rotor_speed_scale = 1.0 / math.sqrt(airframe.thrust_per_rotor_speed2)
        # Views into MuJoCo's arrays: fetching the attribute costs more than the arithmetic.
        self._ctrl = self._data.ctrl
        self._act = self._data.act
        self._drag_force = self._data.xfrc_applied[self._hull_body]
        self.place_at_start()

    @property
    def model(self) -> mujoco.MjModel:
        """The compiled model, for rendering."""
        return self._model

    @property
    def data(self) -> mujoco.MjData:
        """MuJoCo's state, for rendering; only :meth:`step` writes it."""
        return self._data

    @property
    def time_s(self) -> float:
        """Simulated time since :meth:`place`."""
        return self._steps * STEP_S

    @property
    def broken(self) -> bool:
        """Whether a collision has ended the flight."""
        return self.collision is not None

    @property
    def thrusts_n(self) -> list[float]:
        """(4,) [N] thrust that each rotor delivers now."""
        thrusts: list[float] = self._act.tolist()
        return thrusts

    def place_at_start(self) -> None:
        """Put the vehicle on the floor below the world's start, battery full and rotors healthy."""
        x, y, _, yaw = self.world.start.tolist()
        floor = float(self.world.lower[2])
        self.place((x, y, floor + self.airframe.hull_half_height_m), yaw)

    def place(self, position: Vector, yaw_rad: float) -> None:
        """Put the vehicle somewhere at rest, as a new flight.

        Args:
            position: (3,) [m] of the centre of mass.
            yaw_rad: Heading.
        """
        mujoco.mj_resetData(self._model, self._data)
        self._data.qpos[:] = (*position, *from_euler(0.0, 0.0, yaw_rad))
        mujoco.mj_forward(self._model, self._data)
        self.battery = Battery()
        self.rotors = RotorHealth()
        self.collision: Collision | None = None
        self.body = BodyState()
        self._steps = 0
        self._read_body((0.0, 0.0, GRAVITY_M_S2))

    def step(self, commands: tuple[float, float, float, float]) -> None:
        """Advance by one physics step.

        Args:
            commands: (4,) [N] thrust asked of each rotor; a broken vehicle ignores it.
        """
        data = self._data
        self._ctrl[:] = self._delivered(commands)
        thrusts = self._act.tolist()
        self._drag_force[:3] = self._drag(thrusts)
        before = self.body.velocity
        mujoco.mj_step(self._model, data)
        self._steps += 1
        self.battery.discharge(sum(thrusts), STEP_S)
        vx, vy, vz = data.qvel[:3].tolist()
        acceleration = (
            (vx - before[0]) / STEP_S,
            (vy - before[1]) / STEP_S,
            (vz - before[2]) / STEP_S + GRAVITY_M_S2,
        )
        self._read_body(acceleration)
        if data.ncon and self.collision is None:
            self._judge_contacts(before)

    def _delivered(self, commands: tuple[float, float, float, float]) -> list[float]:
        if self.collision is not None:
            return [0.0] * ROTORS
        ceiling = self.airframe.max_thrust_n * self.battery.thrust_fraction
        health = self.rotors.effectiveness
        return [
            min(ceiling, max(0.0, command)) * healthy
            for command, healthy in zip(commands, health, strict=True)
        ]

    def _drag(self, thrusts: list[float]) -> Vector:
        """Rotor drag [N] in world axes; it grows with air speed and with the rotors' speeds."""
        speeds = self._rotor_speed_scale * sum(math.sqrt(max(0.0, f)) for f in thrusts)
        attitude = self.body.attitude
        vx, vy, vz = rotated(conjugate(attitude), self.body.velocity)
        kx, ky, kz = self.airframe.drag
        return rotated(attitude, (-kx * speeds * vx, -ky * speeds * vy, -kz * speeds * vz))

    def _read_body(self, force_per_mass: Vector) -> None:
        x, y, z, qw, qx, qy, qz = self._data.qpos.tolist()
        vx, vy, vz, p, q, r = self._data.qvel.tolist()
        attitude = (qw, qx, qy, qz)
        body = self.body
        body.position = (x, y, z)
        body.attitude = attitude
        body.velocity = (vx, vy, vz)
        body.rates = (p, q, r)
        body.specific_force = rotated(conjugate(attitude), force_per_mass)

    def _judge_contacts(self, velocity: Vector) -> None:
        """Record the first contact that is no gentle touch-down on the floor."""
        speed = math.sqrt(sum(v * v for v in velocity))
        upright = rotated(self.body.attitude, (0.0, 0.0, 1.0))[2]
        gentle = speed < TOUCH_DOWN_SPEED_M_S and upright > math.cos(TOUCH_DOWN_TILT_RAD)
        contacts = self._data.contact
        for first, second in zip(contacts.geom1.tolist(), contacts.geom2.tolist(), strict=True):
            other = first if second == self._hull_geom else second
            if other == self._floor_geom and gentle:
                continue
            name = self._model.geom(other).name
            self.collision = Collision(self.time_s, name, speed, self.body.position)
            return
