"""The bytes of the robot's fast topics, read and written without a message object in between.

A message object for each of 500 samples a second costs more time than there is; numpy reads the few
numbers that are needed where they lie. Every field of these messages has a fixed size, so every
offset is fixed too. Offsets are those of the DDS payload after its header of four bytes; the first
motor's mode sits before the padding that aligns its numbers, which is why motors begin at ``q``.

The checksum is computed over the robot's C struct, in which the first motor begins aligned as a
whole: four bytes more, and zeros wherever there is padding.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

JOINTS: Final = 12
HEADER: Final = b"\0\1\0\0"
"""Plain CDR, little endian."""
HEADER_BYTES: Final = len(HEADER)
LOW_STATE_BYTES: Final = 1176
LOW_CMD_BYTES: Final = 808
SPORT_STATE_BYTES: Final = 232
POSITION_STOP: Final = 2.146e9
VELOCITY_STOP: Final = 16000.0
"""Values by which a motor knows that nobody commands its position or velocity."""


def _dtype(size: int, **fields: tuple[int, Any]) -> np.dtype[np.void]:
    """A record of some of the fields, each at its offset."""
    return np.dtype({
        "names": list(fields),
        "offsets": [offset for offset, _ in fields.values()],
        "formats": [kind for _, kind in fields.values()],
        "itemsize": size,
    })  # fmt: skip


_MOTOR_STATE: Final = _dtype(48, q=(0, "<f4"), dq=(4, "<f4"), tau_est=(12, "<f4"))
_LOW_STATE: Final = _dtype(
    LOW_STATE_BYTES,
    quaternion=(24, ("<f4", 4)), gyroscope=(40, ("<f4", 3)), accelerometer=(52, ("<f4", 3)),
    motor_state=(80, (_MOTOR_STATE, JOINTS)), soc=(1039, "u1"), current=(1040, "<i4"),
    foot_force=(1080, ("<i2", 4)), tick=(1096, "<u4"), power_v=(1152, "<f4"), crc=(1172, "<u4"),
)  # fmt: skip
_SPORT_STATE: Final = _dtype(
    SPORT_STATE_BYTES,
    error_code=(8, "<u4"), quaternion=(12, ("<f4", 4)), gyroscope=(28, ("<f4", 3)),
    mode=(65, "u1"), position=(80, ("<f4", 3)), velocity=(96, ("<f4", 3)), yaw_speed=(108, "<f4"),
)  # fmt: skip
_MOTOR_CMD: Final = _dtype(
    36, q=(0, "<f4"), dq=(4, "<f4"), tau=(8, "<f4"), kp=(12, "<f4"), kd=(16, "<f4")
)
_LOW_CMD: Final = _dtype(
    LOW_CMD_BYTES, head=(0, ("u1", 2)), level_flag=(2, "u1"), first_mode=(22, "u1"),
    motor_cmd=(24, (_MOTOR_CMD, 20)), crc=(804, "<u4"),
)  # fmt: skip
_CMD_MODES: Final = np.array([22, *range(56, 56 + 36 * (JOINTS - 1), 36)])
"""Offsets of the joints' modes in a LowCmd."""


def _struct_mask() -> bytes:
    """Ones where LowState's C struct has a field, zeros where it has padding."""
    mask = np.full(LOW_STATE_BYTES + 4, 0xFF, np.uint8)
    mask[22:24] = mask[77:80] = 0
    for motor in range(80, 80 + 20 * 48, 48):
        mask[motor + 1 : motor + 4] = mask[motor + 33 : motor + 36] = 0
    mask[1145:1148] = mask[1154:1156] = 0
    return mask.tobytes()


_MASK: Final = np.frombuffer(_struct_mask(), np.uint8)
_MIRRORED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def checksum(words: bytes) -> int:
    """The robot's CRC: polynomial 0x04C11DB7 from 0xFFFFFFFF over little-endian words.

    zlib has the same polynomial, but begins with the lowest bit of each byte: given every word
    with its bits in the other order, it returns the result likewise, and inverted.

    Args:
        words: A multiple of four bytes: the C struct without its last word, the checksum.
    """
    mirrored = np.frombuffer(words.translate(_MIRRORED), "<u4").byteswap().tobytes()
    return int(f"{zlib.crc32(mirrored) ^ 0xFFFFFFFF:032b}"[::-1], 2)


@dataclass(frozen=True, slots=True, eq=False)
class LowState:
    """What the robot measures.

    Attributes:
        tick_ms: The robot's clock [ms], modulo 2^32.
        q: (12,) [rad] joint positions.
        dq: (12,) [rad/s] joint velocities.
        torque: (12,) [N m] estimated by the motors.
        quaternion: (4,) w, x, y, z, from the body to the world.
        rates: (3,) [rad/s] body frame.
        acceleration: (3,) [m/s^2] specific force, body frame.
        foot_force: (4,) of the feet, in the robot's own unit.
        charge: Of the battery, 0..1.
        voltage_v: Of the battery [V].
        current_a: Into the battery [A].
    """

    tick_ms: int
    q: Array
    dq: Array
    torque: Array
    quaternion: Array
    rates: Array
    acceleration: Array
    foot_force: Array
    charge: float
    voltage_v: float
    current_a: float


@dataclass(frozen=True, slots=True, eq=False)
class SportState:
    """What the built-in locomotion says of itself.

    Attributes:
        mode: Its own number of what it does.
        error_code: Its own, 0 for none.
        position: (3,) [m] odometry frame.
        velocity: (3,) [m/s] odometry frame.
        quaternion: (4,) w, x, y, z.
        rates: (3,) [rad/s] body frame.
    """

    mode: int
    error_code: int
    position: Array
    velocity: Array
    quaternion: Array
    rates: Array


def is_low_state(payload: bytes) -> bool:
    """Whether a payload can be a LowState: plain little-endian CDR of the right size.

    A middleware may append up to three bytes of padding and say so in the header.
    """
    return payload[:2] == HEADER[:2] and 0 <= len(payload) - HEADER_BYTES - LOW_STATE_BYTES < 4


def low_state_is_intact(payload: bytes) -> bool:
    """Whether a LowState's checksum is right."""
    body = payload[HEADER_BYTES : HEADER_BYTES + LOW_STATE_BYTES]
    struct = body[:77] + bytes(3) + body[77:78] + bytes(3) + body[80:]
    clean = (np.frombuffer(struct, np.uint8) & _MASK)[:-4].tobytes()
    return checksum(clean) == int.from_bytes(body[-4:], "little")


# A signalling NaN is a NaN like any other, and no reason to warn: who takes it looks for NaN.
@np.errstate(invalid="ignore")
def decode_low_state(payload: bytes) -> LowState:
    """A LowState of its payload, which `is_low_state` has accepted."""
    record = np.frombuffer(payload, _LOW_STATE, count=1, offset=HEADER_BYTES)[0]
    motors = record["motor_state"]
    return LowState(
        tick_ms=int(record["tick"]),
        q=motors["q"].astype(np.float64),
        dq=motors["dq"].astype(np.float64),
        torque=motors["tau_est"].astype(np.float64),
        quaternion=record["quaternion"].astype(np.float64),
        rates=record["gyroscope"].astype(np.float64),
        acceleration=record["accelerometer"].astype(np.float64),
        foot_force=record["foot_force"].astype(np.float64),
        charge=float(record["soc"]) / 100.0,
        voltage_v=float(record["power_v"]),
        current_a=float(record["current"]) * 1e-3,
    )


@np.errstate(invalid="ignore")
def decode_sport_state(payload: bytes) -> SportState | None:
    """A SportModeState of its payload; None where it cannot be one."""
    if payload[:2] != HEADER[:2] or not 0 <= len(payload) - 4 - SPORT_STATE_BYTES < 4:
        return None
    record = np.frombuffer(payload, _SPORT_STATE, count=1, offset=HEADER_BYTES)[0]
    return SportState(
        mode=int(record["mode"]),
        error_code=int(record["error_code"]),
        position=record["position"].astype(np.float64),
        velocity=record["velocity"].astype(np.float64),
        quaternion=record["quaternion"].astype(np.float64),
        rates=record["gyroscope"].astype(np.float64),
    )


class LowCmdEncoder:
    """Writes LowCmds, one after another into the same buffer."""

    def __init__(self) -> None:
        self._body = np.zeros(LOW_CMD_BYTES, np.uint8)
        record = self._body.view(_LOW_CMD)[0]
        record["head"], record["level_flag"] = (0xFE, 0xEF), 0xFF
        self._body[_CMD_MODES] = 1
        motors = record["motor_cmd"]
        # Motors that this robot does not have stay passive.
        motors["q"][JOINTS:], motors["dq"][JOINTS:] = POSITION_STOP, VELOCITY_STOP
        self._joints = motors[:JOINTS]

    def encode(self, q: Array, dq: Array, kp: float, kd: float) -> bytes:
        """The payload of a command to follow positions and velocities.

        Args:
            q: (12,) [rad].
            dq: (12,) [rad/s].
            kp: [N m/rad].
            kd: [N m s/rad].
        """
        joints = self._joints
        joints["q"], joints["dq"], joints["kp"], joints["kd"] = q, dq, kp, kd
        return self._sealed()

    def encode_damping(self, kd: float) -> bytes:
        """The payload of a command to yield with a damping of ``kd`` [N m s/rad]."""
        return self.encode(np.zeros(JOINTS), np.zeros(JOINTS), 0.0, kd)

    def _sealed(self) -> bytes:
        body = self._body[:-4].tobytes()
        struct = body[:22] + bytes(2) + body[22:23] + bytes(3) + body[24:]
        return HEADER + body + checksum(struct).to_bytes(4, "little")
