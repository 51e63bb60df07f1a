"""Decoding of low-level setpoint packets.

Units on the wire: degrees and degrees per second, except in the full-state packet, which carries
millimetres and milliradians per second.

Pitch on the wire is positive nose up, as in the original firmware; here it is positive nose down
(REP-103), so the sign changes in this module and nowhere else.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final

from robot_simulation.crazyflie.rotation import Quaternion, to_euler
from robot_simulation.crazyflie.setpoint import (
    MOTORS_OFF,
    Heading,
    Horizontal,
    Setpoint,
    Vertical,
)

FULL_THRUST: Final = 65535.0


class SetpointType(IntEnum):
    """First byte of a packet on the generic commander port."""

    STOP = 0
    FULL_STATE = 6
    POSITION = 7
    VELOCITY_WORLD = 8
    Z_DISTANCE = 9
    HOVER = 10
    MANUAL = 11


class MalformedPacketError(ValueError):
    """A packet that the firmware would drop: unknown type, wrong length, or no finite number."""


def unpack_finite(layout: struct.Struct, data: bytes) -> tuple[Any, ...]:
    """Unpack a payload and refuse NaN and infinity.

    Raises:
        MalformedPacketError: The length is wrong or a number is not finite.
    """
    if len(data) != layout.size:
        raise MalformedPacketError(f"got {len(data)} bytes, expected {layout.size}")
    values = layout.unpack(data)
    if not all(math.isfinite(value) for value in values):
        raise MalformedPacketError(f"got {values}, expected finite numbers")
    return values


def decompressed_quaternion(packed: int) -> Quaternion:
    """Expand the 32-bit quaternion of the full-state packet.

    Two bits name the largest component; the others follow in the order x, y, z, w as a sign and
    nine bits of magnitude in units of 1 / (511 sqrt 2).

    Returns:
        (4,) w, x, y, z.

    Raises:
        MalformedPacketError: The bits describe no unit quaternion.
    """
    largest = packed >> 30
    xyzw = [0.0] * 4
    squares = 0.0
    for index in (3, 2, 1, 0):
        if index == largest:
            continue
        magnitude = (packed & 0x1FF) / 511.0 / math.sqrt(2.0)
        xyzw[index] = -magnitude if packed & 0x200 else magnitude
        squares += magnitude * magnitude
        packed >>= 10
    if squares > 1.0 + 1e-2:
        raise MalformedPacketError("the compressed quaternion is longer than one")
    xyzw[largest] = math.sqrt(max(0.0, 1.0 - squares))
    x, y, z, w = xyzw
    return (w, x, y, z)


def compressed_quaternion(attitude: Quaternion) -> int:
    """Pack (w, x, y, z) into 32 bits, the inverse of :func:`decompressed_quaternion`."""
    w, x, y, z = attitude
    xyzw = (x, y, z, w)
    largest = max(range(4), key=lambda index: abs(xyzw[index]))
    flip = xyzw[largest] < 0
    packed = largest
    for index in range(4):
        if index != largest:
            magnitude = min(511, round(511.0 * abs(xyzw[index]) * math.sqrt(2.0)))
            packed = packed << 10 | ((xyzw[index] < 0) ^ flip) << 9 | magnitude
    return packed


_FOUR_FLOATS: Final = struct.Struct("<ffff")
_MANUAL: Final = struct.Struct("<fffHB")
_FULL_STATE: Final = struct.Struct("<9hI3h")
_LEGACY: Final = struct.Struct("<fffH")


def _stop(data: bytes) -> Setpoint:
    del data  # The real firmware ignores what follows the type, too.
    return MOTORS_OFF


def _position(data: bytes) -> Setpoint:
    x, y, z, yaw = unpack_finite(_FOUR_FLOATS, data)
    return Setpoint(
        Horizontal.POSITION, Vertical.POSITION, Heading.ANGLE, (x, y, z), yaw_rad=math.radians(yaw)
    )


def _velocity_world(data: bytes) -> Setpoint:
    vx, vy, vz, yaw_rate = unpack_finite(_FOUR_FLOATS, data)
    return Setpoint(
        Horizontal.VELOCITY, Vertical.VELOCITY, Heading.RATE, velocity=(vx, vy, vz),
        rates=(0.0, 0.0, math.radians(yaw_rate)),
    )  # fmt: skip


def _z_distance(data: bytes) -> Setpoint:
    roll, pitch, yaw_rate, z = unpack_finite(_FOUR_FLOATS, data)
    return Setpoint(
        Horizontal.TILT, Vertical.POSITION, Heading.RATE, (0.0, 0.0, z),
        roll_rad=math.radians(roll), pitch_rad=-math.radians(pitch),
        rates=(0.0, 0.0, math.radians(yaw_rate)),
    )  # fmt: skip


def _hover(data: bytes) -> Setpoint:
    vx, vy, yaw_rate, z = unpack_finite(_FOUR_FLOATS, data)
    return Setpoint(
        Horizontal.BODY_VELOCITY, Vertical.POSITION, Heading.RATE, (0.0, 0.0, z), (vx, vy, 0.0),
        rates=(0.0, 0.0, math.radians(yaw_rate)),
    )  # fmt: skip


def _manual(data: bytes) -> Setpoint:
    roll, pitch, yaw_rate, thrust, by_rate = unpack_finite(_MANUAL, data)
    roll, pitch = math.radians(roll), -math.radians(pitch)
    return Setpoint(
        Horizontal.TILT_RATE if by_rate else Horizontal.TILT, Vertical.THRUST, Heading.RATE,
        roll_rad=roll, pitch_rad=pitch, rates=(roll, pitch, math.radians(yaw_rate)),
        thrust=thrust / FULL_THRUST,
    )  # fmt: skip


def _full_state(data: bytes) -> Setpoint:
    values = unpack_finite(_FULL_STATE, data)
    x, y, z, vx, vy, vz, ax, ay, az = (value / 1000.0 for value in values[:9])
    p, q, r = (value / 1000.0 for value in values[10:])
    roll, pitch, yaw = to_euler(decompressed_quaternion(values[9]))
    return Setpoint(
        Horizontal.POSITION, Vertical.POSITION, Heading.ANGLE, (x, y, z), (vx, vy, vz),
        (ax, ay, az), roll, pitch, yaw, (p, q, r),
    )  # fmt: skip


_DECODERS: Final[dict[SetpointType, Callable[[bytes], Setpoint]]] = {
    SetpointType.STOP: _stop,
    SetpointType.FULL_STATE: _full_state,
    SetpointType.POSITION: _position,
    SetpointType.VELOCITY_WORLD: _velocity_world,
    SetpointType.Z_DISTANCE: _z_distance,
    SetpointType.HOVER: _hover,
    SetpointType.MANUAL: _manual,
}


def decode_setpoint(data: bytes) -> Setpoint:
    """Decode a packet of the generic commander port.

    Raises:
        MalformedPacketError: Unknown type, wrong length, or a number that is not finite.
    """
    try:
        kind = SetpointType(data[0])
    except (ValueError, IndexError) as error:
        raise MalformedPacketError("unknown setpoint type") from error
    return _DECODERS[kind](data[1:])


def decode_legacy_setpoint(data: bytes) -> Setpoint:
    """Decode roll, pitch [deg], yaw rate [deg/s] and raw thrust of the original commander port.

    Raises:
        MalformedPacketError: Wrong length or a number that is not finite.
    """
    roll, pitch, yaw_rate, thrust = unpack_finite(_LEGACY, data)
    return Setpoint(
        Horizontal.TILT, Vertical.THRUST, Heading.RATE, roll_rad=math.radians(roll),
        pitch_rad=-math.radians(pitch), rates=(0.0, 0.0, math.radians(yaw_rate)),
        thrust=thrust / FULL_THRUST,
    )  # fmt: skip
