"""Airframe, firmware, sensors and faults, stepped together without a clock."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import numpy as np
from planner_core.world import World
from robot_simulation.crazyflie.airframe import ROTORS, Airframe
from robot_simulation.crazyflie.crtp import Packet
from robot_simulation.crazyflie.dynamics import Collision, FlightDynamics
from robot_simulation.crazyflie.faults import RESTART, Faults
from robot_simulation.crazyflie.firmware import Firmware
from robot_simulation.crazyflie.imu import Imu, ImuNoise
from robot_simulation.crazyflie.model import STEP_S
from robot_simulation.crazyflie.sensors import CapturedPose, MotionCapture, MotionCaptureSettings
from robot_simulation.errors import FaultError

BOOT_S: Final = 1.0
"""Time from a reboot until the radio answers again."""


class Positioning(Enum):
    """How the vehicle learns where it is."""

    DECK = "deck"
    """The positioning system delivers straight to the estimator, as a deck on the vehicle does."""
    EXTERNAL = "external"
    """The client sends every pose over the radio."""


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """What a simulated vehicle is made of.

    Attributes:
        airframe: The vehicle.
        imu: Imperfections of the inertial sensor.
        motion_capture: Rate and imperfections of the positioning system.
        positioning: Who carries the poses to the vehicle.
        seed: Names all losses, and the noise of the first flight.
    """

    airframe: Airframe = field(default_factory=Airframe)
    imu: ImuNoise = field(default_factory=ImuNoise)
    motion_capture: MotionCaptureSettings = field(default_factory=MotionCaptureSettings)
    positioning: Positioning = Positioning.DECK
    seed: int = 0


class CrazyflieSimulation:
    """One vehicle in one world.

    All methods belong to the thread that steps it.

    Args:
        world: The room.
        settings: The vehicle.

    Attributes:
        dynamics: The physical side.
        firmware: The electronic side; replaced by a reboot.
        faults: What is wrong now; see :meth:`inject`.
        on_pose: Called with every pose that the motion capture delivers.
        on_collision: Called once with the collision that ends a flight.
    """

    def __init__(self, world: World, settings: SimulationSettings | None = None) -> None:
        self.settings = settings or SimulationSettings()
        self.on_pose: Callable[[CapturedPose], None] | None = None
        self.on_collision: Callable[[Collision], None] | None = None
        self._seed = self.settings.seed
        self._place(world)
        self.firmware = self._booted()

    @property
    def world(self) -> World:
        """The room."""
        return self.dynamics.world

    @property
    def time_s(self) -> float:
        """Simulated time since the flight began."""
        return self.dynamics.time_s

    @property
    def booting(self) -> bool:
        """Whether the processor is off or starting: no radio, no motors."""
        return self._boot_until_s > self.time_s

    def begin_flight(self, world: World | None = None, seed: int | None = None) -> None:
        """Put a whole vehicle back on the start, without faults.

        Parameters, log blocks and the client's connection stay.

        Args:
            world: Another world to fly in.
            seed: Names the noise of this flight; counted up from the last one by default.
        """
        self._seed = self._seed + 1 if seed is None else seed
        self._place(world or self.world)
        self.firmware.begin_flight()

    def reboot(self) -> None:
        """Power-cycle the processor: no motors, no radio for a while, and nothing is remembered."""
        self._boot_until_s = self.time_s + BOOT_S
        self.firmware = self._booted()

    def inject(self, name: str, value: float, duration_s: float = 0.0) -> None:
        """Break something, for a while or until it is cleared.

        Args:
            name: A field of :class:`~robot_simulation.crazyflie.faults.Faults`, or ``restart``.
            value: Its strength, 0 to clear it; without meaning for ``restart``.
            duration_s: Simulated time after which it clears itself; 0 for never.

        Raises:
            FaultError: There is no such fault, or a number is out of range.
        """
        if not 0.0 <= duration_s < math.inf:
            raise FaultError(f"duration of {name} [s]", got=duration_s, expected="0 or more")
        if name == RESTART:
            self.reboot()
            return
        self._apply(self.faults.changed(name, value))
        self._clear_at_s.pop(name, None)
        if duration_s:
            self._clear_at_s[name] = self.time_s + duration_s

    def _apply(self, faults: Faults) -> None:
        self.faults = faults
        self.motion_capture.lost = faults.pose_loss > 0
        health = [0.0 if round(faults.motor_failure) == n else 1.0 for n in range(1, ROTORS + 1)]
        self.dynamics.rotors.effectiveness = health
        battery = self.dynamics.battery
        battery.charge = min(battery.charge, 1.0 - faults.low_battery)

    def _clear_expired_faults(self) -> None:
        for name in [n for n, when in self._clear_at_s.items() if when <= self.time_s]:
            del self._clear_at_s[name]
            self._apply(self.faults.changed(name, 0.0))

    def receive(self, packet: Packet) -> None:
        """Hand a packet to the vehicle's radio."""
        if not self.booting:
            self.firmware.receive(packet)

    def step(self) -> None:
        """Advance by one physics step, :data:`~robot_simulation.crazyflie.model.STEP_S`."""
        dynamics, firmware = self.dynamics, self.firmware
        was_broken = dynamics.broken
        if self._clear_at_s:
            self._clear_expired_faults()
        if self.booting:
            dynamics.step((0.0, 0.0, 0.0, 0.0))
        else:
            sample = self._imu.sample(dynamics.body)
            dynamics.step(firmware.step(sample, broken=was_broken))
        if dynamics.collision is not None and not was_broken and self.on_collision is not None:
            self.on_collision(dynamics.collision)
        pose = self.motion_capture.measure(dynamics.body, dynamics.time_s)
        if pose is not None:
            self._deliver(pose)

    def run(self, duration_s: float) -> None:
        """Advance by a duration."""
        for _ in range(round(duration_s / STEP_S)):
            self.step()

    def _deliver(self, pose: CapturedPose) -> None:
        if self.settings.positioning is Positioning.DECK and not self.booting:
            self.firmware.estimator.correct_pose(pose.position, pose.attitude)
        if self.on_pose is not None:
            self.on_pose(pose)

    def _place(self, world: World) -> None:
        settings = self.settings
        imu_rng, pose_rng = np.random.default_rng(self._seed).spawn(2)
        self.dynamics = FlightDynamics(settings.airframe, world)
        self._imu = Imu(settings.imu, imu_rng)
        self.motion_capture = MotionCapture(settings.motion_capture, pose_rng)
        self.faults = Faults()
        self._clear_at_s: dict[str, float] = {}
        self._boot_until_s = 0.0

    def _booted(self) -> Firmware:
        return Firmware(self.settings.airframe, lambda: self.dynamics.battery)
