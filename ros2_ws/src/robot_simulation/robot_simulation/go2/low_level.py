"""Who commands the joints: the built-in locomotion, or a client's LowCmds.

While a mode is active the locomotion writes joint commands; a client that writes as well is a
second writer, and so is a second client. The robot does not choose between them: each command holds
until the next, the joints twitch, and here both are counted and named. Without any writer, joints
damp.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from robot_simulation.go2 import wire
from robot_simulation.go2.motors import MotorCommand

TIMEOUT_S: Final = 0.1
"""Joints damp after so long without a command."""
HEAD: Final = (0xFE, 0xEF)
LOW_LEVEL: Final = 0xFF


@dataclass(slots=True)
class Traffic:
    """LowCmds since the start.

    Attributes:
        accepted: Followed.
        bad_crc: Ignored for their checksum.
        malformed: Ignored for their size, head or level.
        not_finite: Ignored for a number that is none.
        conflicts: Accepted while somebody else commanded the joints as well.
        timeouts: Times that commands stopped coming while nothing else commanded the joints.
    """

    accepted: int = 0
    bad_crc: int = 0
    malformed: int = 0
    not_finite: int = 0
    conflicts: int = 0
    timeouts: int = 0


class LowLevel:
    """The last command of the joints.

    Attributes:
        traffic: What has arrived.
        conflict: Who the two writers are, while there are two; empty otherwise.
    """

    def __init__(self) -> None:
        self.traffic = Traffic()
        self.reset()

    def reset(self) -> None:
        """As after power-on; what was counted stays."""
        self.conflict = ""
        self._conflict_s = 0.0
        self._command: MotorCommand | None = None
        self._fresh = False
        self._age_s = 0.0
        self._heard_s: dict[int, float] = {}
        self._now_s = 0.0

    @property
    def commanded(self) -> bool:
        """Whether a client's commands are in force."""
        return self._command is not None

    @property
    def stiffness(self) -> float:
        """Greatest position gain that a client's command in force has [N m/rad]."""
        return 0.0 if self._command is None else float(self._command.kp.max())

    def receive(self, payload: bytes, writer: int, mode: str) -> None:
        """Take a LowCmd.

        Args:
            payload: As it came over DDS.
            writer: Who sent it.
            mode: The active mode of the locomotion, empty for none.
        """
        command = wire.decode_low_cmd(payload)
        if command is None:
            self.traffic.malformed += 1
            return
        if wire.crc(command.tobytes()) != command["crc"][0]:
            self.traffic.bad_crc += 1
            return
        if tuple(command["head"][0]) != HEAD or command["level_flag"][0] != LOW_LEVEL:
            self.traffic.malformed += 1
            return
        motors: NDArray[np.void] = command["motor_cmd"][0, :12]
        if not all(np.isfinite(motors[name]).all() for name in ("q", "dq", "tau", "kp", "kd")):
            self.traffic.not_finite += 1
            return
        self.traffic.accepted += 1
        self._watch(writer, mode)
        self._command = MotorCommand.from_wire(motors)
        self._fresh, self._age_s = True, 0.0

    def step(self, dt_s: float, locomotion: MotorCommand | None) -> MotorCommand:
        """The command in force for the next ``dt_s``.

        Args:
            dt_s: Time that passes.
            locomotion: What the built-in locomotion writes, None where no mode is active.
        """
        self._now_s += dt_s
        self._age_s += dt_s
        if self.conflict and self._now_s - self._conflict_s > TIMEOUT_S:
            self.conflict = ""
        fresh, self._fresh = self._fresh, False
        if self._command is not None and self._age_s > TIMEOUT_S:
            self._command = None
            self.traffic.timeouts += locomotion is None
        if locomotion is not None:
            return self._command if fresh and self._command is not None else locomotion
        return self._command or MotorCommand.damping()

    def _watch(self, writer: int, mode: str) -> None:
        """Name the second writer, if there is one."""
        self._heard_s = {w: at for w, at in self._heard_s.items() if self._now_s - at < TIMEOUT_S}
        self._heard_s[writer] = self._now_s
        if mode:
            text = f"a client's LowCmd while mode {mode!r} is active"
        elif len(self._heard_s) > 1:
            text = f"LowCmds of {len(self._heard_s)} clients"
        else:
            return
        self.traffic.conflicts += 1
        self.conflict, self._conflict_s = f"two writers command the joints: {text}", self._now_s
