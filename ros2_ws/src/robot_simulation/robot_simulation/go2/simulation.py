"""One robot: its body, its software, and what is wrong with it; without network and clock."""

from __future__ import annotations

import math
import random
from typing import Final

import numpy as np
from robot_simulation.errors import FaultError
from robot_simulation.go2 import wire
from robot_simulation.go2.dynamics import Body, Go2Dynamics
from robot_simulation.go2.faults import RESTART, Faults
from robot_simulation.go2.low_level import HEAD, LOW_LEVEL, LowLevel
from robot_simulation.go2.model import STEP_S
from robot_simulation.go2.services import Answer, MotionSwitcher, SportService
from robot_simulation.go2.sport import SportController

TICK_S: Final = 0.002
"""Period of LowState, and of the robot's software."""
BOOT_S: Final = 2.0
"""How long the robot's computer says nothing after a restart."""
DRAIN_W: Final = 120.0
CAPACITY_WH: Final = 236.0
CELLS: Final = 8
EMPTY_V, FULL_V = 25.0, 33.2
_PHYSICS_STEPS: Final = round(TICK_S / STEP_S)


class Go2Simulation:
    """A simulated Go2.

    Args:
        seed: Of everything random.

    Attributes:
        dynamics: The body.
        sport: The built-in locomotion.
        switcher: Which mode of it is active.
        low_level: The joints' commands.
        faults: What is wrong now.
        dice: For whoever loses samples.
    """

    def __init__(self, seed: int = 0) -> None:
        self.dynamics = Go2Dynamics()
        self.sport = SportController()
        self.switcher = MotionSwitcher()
        self.low_level = LowLevel()
        self.faults = Faults()
        self.dice = random.Random(seed)
        self._service = SportService(self.sport, self.dynamics)
        self._clear_at_s: dict[str, float] = {}
        self._ticks = self._boot_ticks = 0
        self._boot_s = 0.0
        self._charge = 0.9
        self._state = wire.new_low_state()
        self._state["head"], self._state["level_flag"] = HEAD, LOW_LEVEL
        # Views: a field is then written without a look-up of its name 500 times a second.
        self._motors = self._state["motor_state"][0, :12]
        self._imu = self._state["imu_state"][0:1]

    @property
    def time_s(self) -> float:
        """Simulated time since the start [s]; neither a reset nor a restart sets it back."""
        return self._ticks * TICK_S

    @property
    def booting(self) -> bool:
        """Whether the robot's computer is restarting."""
        return self._boot_s > 0.0

    @property
    def charge(self) -> float:
        """Of the battery, 0..1."""
        return min(self._charge, 1.0 - self.faults.low_battery)

    def step(self) -> None:
        """Let :data:`TICK_S` pass."""
        self._ticks += 1
        self._charge = max(0.0, self._charge - DRAIN_W * TICK_S / 3600.0 / CAPACITY_WH)
        for name in [n for n, at_s in self._clear_at_s.items() if self.time_s >= at_s]:
            del self._clear_at_s[name]
            self.faults = self.faults.changed(name, 0.0)
        dynamics = self.dynamics
        locomotion = None
        if self.booting:
            self._boot_s -= TICK_S
        else:
            self.switcher.step(TICK_S)
            if self.switcher.mode:
                locomotion = self.sport.step(TICK_S, dynamics.q, dynamics.body())
            else:
                # A mode that is selected again begins with what it finds, not where it ended.
                self.sport.damp()
        command = self.low_level.step(TICK_S, locomotion)
        for _ in range(_PHYSICS_STEPS):
            dynamics.step(command.torque(dynamics.q, dynamics.dq))
        self._motors["mode"] = 1 if command.kp.any() or command.kd.any() else 0

    def receive_low_cmd(self, payload: bytes, writer: int) -> None:
        """Take a LowCmd from a DDS writer."""
        if not self.booting:
            self.low_level.receive(payload, writer, self.switcher.mode)

    def call(self, service: str, function: int, parameter: str) -> Answer | None:
        """Answer a request to ``sport`` or ``motion_switcher``; None where nobody answers.

        The sport service belongs to the active mode: without one it is not there.
        """
        if self.booting:
            return None
        if service == "motion_switcher":
            return self.switcher.call(function, parameter)
        return self._service.call(function, parameter) if self.switcher.mode else None

    def reset(self) -> None:
        """Put the robot to the origin, lying, as after power-on."""
        self.dynamics.reset()
        self.low_level.reset()
        self.sport.reset()
        self.switcher.reset()

    def inject(self, name: str, value: float, duration_s: float = 0.0) -> None:
        """Break something, for a while or until it is cleared.

        Args:
            name: A field of `Faults`, or ``restart``.
            value: Its strength, 0 to clear it; without meaning for ``restart``.
            duration_s: Simulated time after which it clears itself; 0 for never.

        Raises:
            FaultError: There is no such fault, or a number is out of range.
        """
        if not 0.0 <= duration_s < math.inf:
            raise FaultError(f"duration of {name} [s]", got=duration_s, expected="0 or more")
        if name == RESTART:
            self._boot_s, self._boot_ticks = BOOT_S, self._ticks
            self.low_level.reset()
            self.sport.reset()
            self.switcher.reset()
            return
        self.faults = self.faults.changed(name, value)
        self._clear_at_s.pop(name, None)
        if duration_s:
            self._clear_at_s[name] = self.time_s + duration_s

    def low_state(self) -> bytes:
        """The present LowState as a DDS payload."""
        state, motors, dynamics = self._state, self._motors, self.dynamics
        motors["q"] = motors["q_raw"] = dynamics.q
        motors["dq"] = motors["dq_raw"] = dynamics.dq
        motors["ddq"] = motors["ddq_raw"] = dynamics.ddq
        motors["tau_est"] = dynamics.torque
        motors["temperature"] = 35
        self._fill_imu(dynamics.body())
        state["foot_force"] = state["foot_force_est"] = np.minimum(dynamics.foot_force, 30000)
        state["tick"] = round((self._ticks - self._boot_ticks) * TICK_S * 1e3) & 0xFFFFFFFF
        voltage = EMPTY_V + (FULL_V - EMPTY_V) * self.charge
        state["bms_state"]["soc"] = round(100 * self.charge)
        state["bms_state"]["current"] = -round(1e3 * DRAIN_W / voltage)
        state["bms_state"]["cell_vol"][0, :CELLS] = round(1e3 * voltage / CELLS)
        state["power_v"], state["power_a"] = voltage, DRAIN_W / voltage
        checksum = wire.crc(state.tobytes())
        if self.faults.bad_crc and self.dice.random() < self.faults.bad_crc:
            checksum ^= 1
        state["crc"] = checksum
        return wire.encode_low_state(state)

    def _fill_imu(self, body: Body) -> None:
        imu = self._imu
        imu["quaternion"], imu["rpy"] = body.quaternion, body.rpy
        imu["gyroscope"], imu["accelerometer"] = body.rates, body.acceleration
        imu["temperature"] = 60
