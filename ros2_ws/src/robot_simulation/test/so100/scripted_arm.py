"""Moves a simulated arm by its servos' registers, in simulated time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from robot_simulation.so100.arm import STEP_S
from robot_simulation.so100.registers import REGISTERS
from robot_simulation.so100.servo import RAD_PER_COUNT
from robot_simulation.so100.simulation import ArmSimulation

COMMAND_S = 0.02
SETTLE_S = 0.2
GRIPPER_TORQUE = 300


class ScriptedArm:
    """A calibrated arm and somebody who writes its goals."""

    def __init__(self, simulation: ArmSimulation) -> None:
        self.simulation = simulation
        for servo in simulation.bus.servos:
            servo.write(REGISTERS["p_gain"].address, b"\x10")
        self._write("torque_limit", 5, GRIPPER_TORQUE)

    def _write(self, name: str, index: int, value: int) -> None:
        register = REGISTERS[name]
        self.simulation.bus.servos[index].write(register.address, register.encoded(value))

    def torque(self, on: bool) -> None:
        """Switch all motors."""
        for index in range(6):
            self._write("torque_enable", index, int(on))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / STEP_S)):
            self.simulation.step()

    def command(self, joints: ArrayLike) -> None:
        """Write goals [rad]."""
        for index, (servo, q) in enumerate(
            zip(self.simulation.bus.servos, np.asarray(joints), strict=True)
        ):
            counts = q / RAD_PER_COUNT + servo.mounting - servo.memory["homing_offset"]
            self._write("goal_position", index, max(0, round(counts)))

    def move(self, joints: ArrayLike, seconds: float) -> None:
        """Go to a pose smoothly, and settle."""
        start, steps = self.simulation.arm.positions, round(seconds / COMMAND_S)
        for step in range(1, steps + 1):
            share = step / steps
            share *= share * (3.0 - 2.0 * share)
            self.command(start + (np.asarray(joints) - start) * share)
            self.run(COMMAND_S)
        self.run(SETTLE_S)
