"""Steps servos and arm together, without a clock: the whole robot but for its serial line."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from planner_core.robots import so100
from robot_simulation.so100.arm import STEP_S, Arm, Placement
from robot_simulation.so100.bus import ServoBus
from robot_simulation.so100.camera import Camera, CameraSettings
from robot_simulation.so100.faults import EVENTS, OVERLOAD, Faults, check
from robot_simulation.so100.model import CUBE_M, JOINTS
from robot_simulation.so100.registers import COUNTS
from robot_simulation.so100.servo import AMBIENT_C, RAD_PER_COUNT, SUPPLY_V, Servo

MOUNTING: Final = (2310, 1480, 2650, 1907, 2222, 1764)
"""Encoder counts at the middle of each joint's range: nobody screws a horn on exactly."""
SLOWNESS: Final = 0.8
_FULL_TURN: Final = "wrist_roll"
_RADII_M: Final = (0.14, 0.235)
_AZIMUTH_RAD: Final = 0.9
_CLEARANCE_M: Final = 2.2 * CUBE_M


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """What is simulated.

    Attributes:
        cubes: How many lie on the table.
        calibrated: Whether the servos keep the calibration of a careful person; otherwise they are
            as from the factory.
        seed: Of placements, noise and losses.
        camera: Imperfections of the camera.
    """

    cubes: int = 2
    calibrated: bool = True
    seed: int = 0
    camera: CameraSettings = field(default_factory=CameraSettings)


def placements(seed: int, cubes: int) -> tuple[Placement, ...]:
    """Random places on the table, within reach and apart from each other."""
    rng = np.random.default_rng((seed, 100))
    placed: list[Placement] = []
    while len(placed) < cubes:
        radius = rng.uniform(*_RADII_M)
        azimuth = rng.uniform(-_AZIMUTH_RAD, _AZIMUTH_RAD)
        yaw = rng.uniform(-math.pi / 4, math.pi / 4)
        x, y = 0.0452 + radius * math.cos(azimuth), radius * math.sin(azimuth)
        if all(math.hypot(x - p.x_m, y - p.y_m) > _CLEARANCE_M for p in placed):
            placed.append(Placement(x, y, yaw))
    return tuple(placed)


def target_place(seed: int, cubes: int) -> tuple[float, float]:
    """Where on the table the first cube is to be put: within reach, and free [m]."""
    rng = np.random.default_rng((seed, 102))
    placed = placements(seed, cubes)
    while True:
        radius, azimuth = rng.uniform(*_RADII_M), rng.uniform(-_AZIMUTH_RAD, _AZIMUTH_RAD)
        x, y = 0.0452 + radius * math.cos(azimuth), radius * math.sin(azimuth)
        if all(math.hypot(x - p.x_m, y - p.y_m) > _CLEARANCE_M for p in placed):
            return x, y


class ArmSimulation:
    """One simulated SO-100.

    Args:
        settings: What is simulated.

    Attributes:
        arm: The physical side.
        bus: The electronic side.
        camera: What looks at the cubes.
        faults: What is wrong now.
        placements: Where the cubes were put.
    """

    def __init__(self, settings: SimulationSettings) -> None:
        self.settings = settings
        self.arm = Arm(settings.cubes)
        robot = so100()
        self._middle = (robot.lower + robot.upper) / 2.0
        self._span = robot.upper - robot.lower
        self._servos = [
            Servo(i + 1, round(MOUNTING[i] - self._middle[i] / RAD_PER_COUNT))
            for i in range(len(JOINTS))
        ]
        if settings.calibrated:
            self._calibrate()
        self.bus = ServoBus(self._servos)
        self._ends: dict[str, float] = {}
        for servo in self._servos:
            servo.lose_power()
        self.place_cubes(settings.seed)

    @property
    def time_s(self) -> float:
        """Simulated time since the arm was put to rest."""
        return self.arm.time_s

    def place_cubes(self, seed: int) -> None:
        """Put the cubes to the places that the seed names; faults end, the arm does what it did."""
        self.placements = placements(seed, self.settings.cubes)
        self.arm.place(self.placements)
        self.camera = Camera(self.settings.camera, np.random.default_rng((seed, 101)))
        self.faults, self._ends = Faults(), {}
        self._apply_faults()

    def step(self) -> None:
        """Advance by `STEP_S`."""
        if self._ends:
            self._end_faults()
        angles, speeds = self.arm.positions.tolist(), self.arm.velocities.tolist()
        self.arm.step(
            [s.step(q, v, STEP_S) for s, q, v in zip(self._servos, angles, speeds, strict=True)]
        )

    def inject(self, fault: str, value: float, duration_s: float = 0.0) -> None:
        """Break something, or mend it with 0.

        Args:
            fault: Field of `Faults`, or one of the events beside it.
            value: Strength, in the unit of the fault.
            duration_s: Simulated time after which it ends; 0: when it is cleared.

        Raises:
            FaultError: There is no such fault, or the value is out of range.
        """
        check(fault, value)
        if fault in EVENTS:
            if fault == OVERLOAD:
                self._servos[int(value) - 1].overload()
            else:
                for servo in self._servos:
                    servo.lose_power()
            return
        self.faults = self.faults.changed(fault, value)
        self._ends.pop(fault, None)
        if duration_s > 0.0 and value:
            self._ends[fault] = self.time_s + duration_s
        self._apply_faults()

    def _end_faults(self) -> None:
        for fault in [f for f, end in self._ends.items() if self.time_s >= end]:
            self.inject(fault, 0.0)

    def _apply_faults(self) -> None:
        faults = self.faults
        self.camera.lost = faults.camera_loss > 0
        for servo in self._servos:
            servo.slowness = SLOWNESS if servo.id == int(faults.slow_servo) else 0.0
            servo.voltage_v = SUPPLY_V * (1.0 - faults.low_voltage)
            if servo.id == int(faults.overheat):
                servo.temperature_c = 90.0
            elif servo.temperature_c > 80.0:
                servo.temperature_c = AMBIENT_C

    def _calibrate(self) -> None:
        """Write what a careful calibration would find: half a turn in the middle of each range."""
        for servo, name, span in zip(self._servos, JOINTS, self._span, strict=True):
            middle = COUNTS // 2 - 1
            half = span / 2.0 / RAD_PER_COUNT
            memory = servo.memory
            centre = servo.mounting + self._middle[servo.id - 1] / RAD_PER_COUNT
            memory["homing_offset"] = round(centre) - middle
            memory["min_limit"] = max(0, math.ceil(middle - half))
            memory["max_limit"] = min(COUNTS - 1, math.floor(middle + half))
            if name == _FULL_TURN:
                memory["min_limit"], memory["max_limit"] = 0, COUNTS - 1
            memory.persist()
