"""LowCmds as they come over DDS."""

from __future__ import annotations

import numpy as np
from robot_simulation.go2 import wire


def low_cmd_payload(q: float = 0.5, kp: float = 60.0, *, head: int = 0xFE, crc: int = 0) -> bytes:
    """Twelve joints held at ``q``; ``crc`` is what is wrong with the checksum."""
    command = np.zeros(1, wire.LOW_CMD)
    command["head"], command["level_flag"] = (head, 0xEF), 0xFF
    motors = command["motor_cmd"][0, :12]
    motors["mode"], motors["q"], motors["kp"], motors["kd"] = 1, q, kp, 5.0
    command["crc"] = wire.crc(command.tobytes()) ^ crc
    c = command.tobytes()
    return wire.HEADER + c[:22] + c[24:25] + bytes(1) + c[28:]
