"""The bytes of LowCmd and LowState.

The robot computes their CRC over its C structs, which are four bytes longer than what DDS carries:
a C struct begins at a multiple of its alignment, a DDS one wherever the last ended. Apart from that
shift in front of the first motor, both are the same bytes, so that a sample is kept as the C
struct, with all padding zero, and copied in two pieces.

The bridge has a codec of its own, written from the other side: no mistake here is repeated there.
"""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

HEADER: Final = b"\0\1\0\0"
"""Of a DDS payload: plain CDR, little endian."""

_HEAD: Final = [
    ("head", "u1", 2), ("level_flag", "u1"), ("frame_reserve", "u1"), ("sn", "<u4", 2),
    ("version", "<u4", 2), ("bandwidth", "<u2"),
]  # fmt: skip
_MOTOR_CMD: Final = np.dtype(
    [("mode", "u1"), *((name, "<f4") for name in ("q", "dq", "tau", "kp", "kd")),
     ("reserve", "<u4", 3)],
    align=True,
)  # fmt: skip
LOW_CMD: Final = np.dtype(
    [*_HEAD, ("motor_cmd", _MOTOR_CMD, 20), ("bms_cmd", "u1", 4), ("wireless_remote", "u1", 40),
     ("led", "u1", 12), ("fan", "u1", 2), ("gpio", "u1"), ("reserve", "<u4"), ("crc", "<u4")],
    align=True,
)  # fmt: skip
_IMU: Final = np.dtype(
    [("quaternion", "<f4", 4), ("gyroscope", "<f4", 3), ("accelerometer", "<f4", 3),
     ("rpy", "<f4", 3), ("temperature", "i1")],
    align=True,
)  # fmt: skip
_MOTOR_STATE: Final = np.dtype(
    [("mode", "u1"),
     *((name, "<f4") for name in ("q", "dq", "ddq", "tau_est", "q_raw", "dq_raw", "ddq_raw")),
     ("temperature", "i1"), ("lost", "<u4"), ("reserve", "<u4", 2)],
    align=True,
)  # fmt: skip
_BMS: Final = np.dtype(
    [("version_high", "u1"), ("version_low", "u1"), ("status", "u1"), ("soc", "u1"),
     ("current", "<i4"), ("cycle", "<u2"), ("bq_ntc", "i1", 2), ("mcu_ntc", "i1", 2),
     ("cell_vol", "<u2", 15)],
    align=True,
)  # fmt: skip
LOW_STATE: Final = np.dtype(
    [*_HEAD, ("imu_state", _IMU), ("motor_state", _MOTOR_STATE, 20), ("bms_state", _BMS),
     ("foot_force", "<i2", 4), ("foot_force_est", "<i2", 4), ("tick", "<u4"),
     ("wireless_remote", "u1", 40), ("bit_flag", "u1"), ("adc_reel", "<f4"),
     ("temperature_ntc1", "i1"), ("temperature_ntc2", "i1"), ("power_v", "<f4"),
     ("power_a", "<f4"), ("fan_frequency", "<u2", 4), ("reserve", "<u4"), ("crc", "<u4")],
    align=True,
)  # fmt: skip
_BEFORE_CMD, _MODE_CMD = 22, 24
_BEFORE_STATE, _MODE_STATE = 77, 80
"""Where what precedes the first motor ends, and where the motor begins in the C struct."""
LOW_CMD_BYTES: Final = LOW_CMD.itemsize - 4
LOW_STATE_BYTES: Final = LOW_STATE.itemsize - 4
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def new_low_state() -> NDArray[np.void]:
    """A LowState of zeros, (1,) so that its fields can be assigned in place."""
    return np.zeros(1, LOW_STATE)


def crc(struct: bytes) -> int:
    """The robot's checksum of a C struct whose last word is the checksum itself.

    It is the CRC of polynomial 0x04C11DB7 from 0xFFFFFFFF, over 32-bit words from their highest bit
    down. zlib's is the same one with all bits in the other order, and a final inversion.
    """
    mirrored = np.frombuffer(struct[:-4].translate(_REVERSED), ">u4").astype("<u4")
    reflected = zlib.crc32(mirrored.tobytes()) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)


def encode_low_state(state: NDArray[np.void]) -> bytes:
    """A LowState (1,) as a DDS payload; its ``crc`` is what it is."""
    c = state.tobytes()
    mode = c[_MODE_STATE : _MODE_STATE + 1] + bytes(_MODE_STATE - _BEFORE_STATE - 1)
    return HEADER + c[:_BEFORE_STATE] + mode + c[_MODE_STATE + 4 :]


def decode_low_cmd(payload: bytes) -> NDArray[np.void] | None:
    """The LowCmd (1,) of a DDS payload, its padding zero; None where it cannot be one."""
    if payload[:2] != HEADER[:2] or not LOW_CMD_BYTES <= len(payload) - 4 <= LOW_CMD_BYTES + 8:
        return None
    c = bytearray(LOW_CMD.itemsize)
    c[:_BEFORE_CMD] = payload[4 : 4 + _BEFORE_CMD]
    c[_MODE_CMD] = payload[4 + _BEFORE_CMD]
    c[_MODE_CMD + 4 :] = payload[4 + _MODE_CMD : 4 + LOW_CMD_BYTES]
    command = np.frombuffer(c, LOW_CMD)
    motors = command["motor_cmd"].view("u1").reshape(20, _MOTOR_CMD.itemsize)
    # A sender may leave anything in the padding; the robot's own is zero.
    motors[:, 1:4] = 0
    return command
