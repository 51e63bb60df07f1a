"""One STS3215: memory, encoder, motion profile, position control and protection.

`Servo` knows nothing of the arm: it is told the angle of its shaft and answers with a torque.
"""

from __future__ import annotations

import math
from enum import IntFlag
from typing import Final

from robot_simulation.so100.registers import COUNTS, Memory

STALL_TORQUE_N_M: Final = 1.91
NO_LOAD_SPEED_RAD_S: Final = 52.0 * 2.0 * math.pi / 60.0
"""Both at the 7.4 V of the standard supply."""
SUPPLY_V: Final = 7.4
AMBIENT_C: Final = 30.0
POSITION_GAIN: Final = 998.0
VELOCITY_GAIN: Final = 2.73
"""[N m/rad], [N m s/rad], both identified at the gains below."""
IDENTIFIED_P: Final = 16
IDENTIFIED_D: Final = 32
STALL_CURRENT: Final = 2.5 / 0.0065
"""[6.5 mA]"""
RAD_PER_COUNT: Final = 2.0 * math.pi / COUNTS
_MOVING_COUNTS_S: Final = 20.0
_HEATING_C_S: Final = 1.2
_COOLING_PER_S: Final = 0.01


class Status(IntFlag):
    """Bits in the status byte of every answer."""

    VOLTAGE = 1
    ANGLE = 2
    OVERHEATED = 4
    OVERCURRENT = 8
    OVERLOAD = 32


class Servo:
    """The firmware of one servo.

    Args:
        id_: Number on the bus.
        mounting: Encoder counts at the joint's zero: how the horn was screwed on.

    Attributes:
        memory: Its registers.
        strength: Share of the torque that it still has; 1 for a sound one.
        slowness: Share of its speed that it has lost.
        temperature_c: Of the motor.
        voltage_v: At its terminals.
    """

    def __init__(self, id_: int, mounting: int = COUNTS // 2) -> None:
        self.memory = Memory()
        self.memory["id"] = id_
        self.memory.persist()
        self.mounting = mounting
        self.strength = 1.0
        self.slowness = 0.0
        self.temperature_c = AMBIENT_C
        self.voltage_v = SUPPLY_V
        self._booting = True
        self._profile: float | None = None
        self._profile_velocity = 0.0
        self._loaded_s = 0.0
        self._overloaded = False
        self._pending: tuple[int, bytes] | None = None
        self._sample = (0.0, 0.0, 0.0)
        self._load_settings()

    @property
    def id(self) -> int:
        """Number on the bus."""
        return self._id

    @property
    def status(self) -> Status:
        """What is wrong with it."""
        status = Status(0)
        if not self._voltage_range[0] <= self.voltage_v <= self._voltage_range[1]:
            status |= Status.VOLTAGE
        if self.temperature_c > self._max_temperature:
            status |= Status.OVERHEATED
        if self._overloaded:
            status |= Status.OVERLOAD
        return status

    @property
    def torque_enabled(self) -> bool:
        """Whether the motor is driven."""
        return self._enabled

    # The bus.

    def read(self, address: int, size: int) -> bytes | None:
        """Bytes of memory, None where there is none."""
        self._report()
        return self.memory.read(address, size)

    def write(self, address: int, data: bytes) -> bool:
        """Write memory as the bus does.

        Returns:
            Whether there is memory at the address.
        """
        changed = self.memory.write(address, data)
        if changed is None:
            return False
        if "torque_enable" in changed:
            # Whoever switches the torque takes note of the overload.
            self._overloaded, self._loaded_s = False, 0.0
        self._load_settings()
        return True

    def prepare(self, address: int, data: bytes) -> None:
        """Keep a write until `act`."""
        self._pending = address, data

    def act(self) -> None:
        """Do what was prepared."""
        if self._pending is not None:
            address, data = self._pending
            self._pending = None
            self.write(address, data)

    def lose_power(self) -> None:
        """Start anew: the torque is off, unsaved settings are gone."""
        self.memory.lose_power()
        self.memory["torque_limit"] = self.memory["max_torque"]
        self._profile, self._overloaded, self._loaded_s = None, False, 0.0
        self._booting = True
        self._pending = None
        self._load_settings()

    def overload(self) -> None:
        """Enter the overload protection at once."""
        self._overloaded = True

    # The shaft.

    def counts(self, angle: float) -> float:
        """Encoder reading at a joint angle [rad], with its fraction, homing offset applied."""
        raw = angle / RAD_PER_COUNT + self.mounting - self._homing
        return raw % COUNTS

    def step(self, angle: float, velocity: float, dt_s: float) -> float:
        """Run the firmware for a moment.

        Args:
            angle: Of the joint [rad].
            velocity: Of the joint [rad/s].
            dt_s: Since the last call [s].

        Returns:
            Torque on the joint [N m].
        """
        present = self.counts(angle)
        if self._booting:
            # Its goal is where it wakes up, and stays there when it is moved by hand.
            self._booting = False
            self.memory["goal_position"] = int(present)
            self._load_settings()
        torque = 0.0
        if self._enabled and not self.status & (Status.VOLTAGE | Status.OVERHEATED):
            goal = self._advance_profile(present, dt_s)
            torque = self._control(goal - present, velocity)
        else:
            self._profile = None
        self._protect(abs(torque) / STALL_TORQUE_N_M, dt_s)
        self._sample = present, velocity, torque
        return torque

    def _advance_profile(self, present: float, dt_s: float) -> float:
        """Where the motion profile is now [counts]."""
        goal = self._goal
        if self._profile is None:
            # A servo that is switched on runs to its goal from where it is.
            self._profile, self._profile_velocity = present, 0.0
        left = goal - self._profile
        speed, acceleration = self._speed_limit, self._acceleration_limit
        # The fastest from which the rest of the way suffices to brake.
        brake = math.sqrt(2.0 * acceleration * abs(left))
        wanted = math.copysign(min(speed, brake), left)
        change = acceleration * dt_s
        self._profile_velocity += min(max(wanted - self._profile_velocity, -change), change)
        move = self._profile_velocity * dt_s
        if abs(left) <= max(abs(move), 0.5) and move * left >= 0.0:
            self._profile, self._profile_velocity = goal, 0.0
        else:
            self._profile += move
        return self._profile

    def _control(self, error: float, velocity: float) -> float:
        error -= min(max(error, -self._dead_zone[0]), self._dead_zone[1])
        wanted = self._kp * error * RAD_PER_COUNT - self._kd * velocity
        # A motor that is driven backwards has all its torque; forwards it fades with speed.
        forwards = velocity if wanted > 0.0 else -velocity
        fade = min(1.0, max(0.0, 1.0 - forwards / (NO_LOAD_SPEED_RAD_S * (1.0 - self.slowness))))
        share = min(self._torque_limit, self._protective if self._overloaded else 1.0)
        most = STALL_TORQUE_N_M * self.strength * min(share, fade)
        return min(max(wanted, -most), most)

    def _protect(self, load: float, dt_s: float) -> None:
        self._loaded_s = self._loaded_s + dt_s if load > self._overload else 0.0
        if self._loaded_s > self._protection_s:
            self._overloaded = True
        heating = _HEATING_C_S * load * load
        self.temperature_c += dt_s * (heating - _COOLING_PER_S * (self.temperature_c - AMBIENT_C))

    def _report(self) -> None:
        """Bring the read-only registers up to date: only when somebody looks."""
        memory = self.memory
        present, velocity, torque = self._sample
        speed = velocity / RAD_PER_COUNT
        share = torque / STALL_TORQUE_N_M
        memory["present_position"] = int(present) % COUNTS
        memory["present_velocity"] = round(speed)
        memory["present_load"] = round(share * 1000.0)
        memory["present_voltage"] = round(self.voltage_v * 10.0)
        memory["present_temperature"] = round(self.temperature_c)
        memory["present_current"] = round(abs(share) * STALL_CURRENT)
        memory["status"] = int(self.status)
        memory["moving"] = int(abs(speed) > _MOVING_COUNTS_S)

    def _load_settings(self) -> None:
        """Copy what the control loop uses: it runs far more often than registers change."""
        memory = self.memory
        self._id = memory["id"]
        self._enabled = memory["torque_enable"] == 1
        self._homing = memory["homing_offset"]
        low, high = memory["min_limit"], memory["max_limit"]
        self._goal = float(min(max(memory["goal_position"], low), high))
        self._dead_zone = memory["clockwise_dead_zone"], memory["counterclockwise_dead_zone"]
        self._kp = POSITION_GAIN * memory["p_gain"] / IDENTIFIED_P
        self._kd = VELOCITY_GAIN * memory["d_gain"] / IDENTIFIED_D
        self._torque_limit = min(memory["torque_limit"], memory["max_torque"]) / 1000.0
        self._protective = memory["protective_torque"] / 100.0
        self._overload = memory["overload_torque"] / 100.0
        self._protection_s = memory["protection_time"] * 0.01
        self._max_temperature = memory["max_temperature"]
        self._voltage_range = memory["min_voltage"] / 10.0, memory["max_voltage"] / 10.0
        most = NO_LOAD_SPEED_RAD_S / RAD_PER_COUNT
        self._speed_limit = min(abs(memory["goal_velocity"]) or most, most)
        acceleration = min(memory["acceleration"] or 254, memory["maximum_acceleration"] or 254)
        self._acceleration_limit = 100.0 * acceleration
        memory["goal_in_effect"] = max(0, memory["goal_position"])
