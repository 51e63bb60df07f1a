"""Golden bytes of setpoints, with their units and signs."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from robot_simulation.crazyflie.rotation import normalised
from robot_simulation.crazyflie.setpoint import MOTORS_OFF, Heading, Horizontal, Vertical
from robot_simulation.crazyflie.setpoint_packets import (
    MalformedPacketError,
    compressed_quaternion,
    decode_legacy_setpoint,
    decode_setpoint,
    decompressed_quaternion,
)

ONE, TWO, MINUS, NINETY = "0000803f", "00000040", "000080bf", "0000b442"
"""1, 2, -1 and 90 as little-endian floats."""


def decoded(text: str):
    return decode_setpoint(bytes.fromhex(text))


def test_stop() -> None:
    assert decoded("00") is MOTORS_OFF


def test_position_in_metres_and_degrees() -> None:
    setpoint = decoded("07" + ONE + TWO + MINUS + NINETY)
    assert setpoint.position == (1.0, 2.0, -1.0)
    assert setpoint.yaw_rad == pytest.approx(math.pi / 2)
    assert setpoint.horizontal is Horizontal.POSITION
    assert setpoint.heading is Heading.ANGLE


def test_world_velocity_and_yaw_rate_to_the_left() -> None:
    setpoint = decoded("08" + ONE + TWO + MINUS + NINETY)
    assert setpoint.velocity == (1.0, 2.0, -1.0)
    assert setpoint.rates[2] == pytest.approx(math.pi / 2)
    assert (setpoint.horizontal, setpoint.vertical) == (Horizontal.VELOCITY, Vertical.VELOCITY)


def test_distance_above_the_floor_with_tilt() -> None:
    setpoint = decoded("09" + ONE + TWO + NINETY + ONE)
    assert setpoint.roll_rad == pytest.approx(math.radians(1))
    assert setpoint.pitch_rad == pytest.approx(-math.radians(2)), "nose up on the wire"
    assert setpoint.position[2] == 1.0


def test_hover_in_body_axes() -> None:
    setpoint = decoded("0a" + ONE + TWO + NINETY + ONE)
    assert setpoint.velocity == (1.0, 2.0, 0.0)
    assert setpoint.position[2] == 1.0
    assert setpoint.horizontal is Horizontal.BODY_VELOCITY


@pytest.mark.parametrize(("flag", "mode"), [("00", Horizontal.TILT), ("01", Horizontal.TILT_RATE)])
def test_manual(flag: str, mode: Horizontal) -> None:
    setpoint = decoded("0b" + ONE + TWO + NINETY + "0080" + flag)
    assert setpoint.horizontal is mode
    assert setpoint.thrust == pytest.approx(0.5, abs=1e-4)
    assert setpoint.rates == pytest.approx((math.radians(1), -math.radians(2), math.pi / 2))


def test_full_state_in_millimetres_and_milliradians() -> None:
    values = (1000, -2000, 500, 100, 200, -300, 10, 20, 30)
    packed = struct.pack("<9hI3h", *values, compressed_quaternion((1, 0, 0, 0)), 1000, 0, -500)
    setpoint = decoded("06" + packed.hex())
    assert setpoint.position == (1.0, -2.0, 0.5)
    assert setpoint.velocity == (0.1, 0.2, -0.3)
    assert setpoint.acceleration == (0.01, 0.02, 0.03)
    assert setpoint.rates == (1.0, 0.0, -0.5)
    assert setpoint.yaw_rad == 0.0


def test_legacy_layout() -> None:
    setpoint = decode_legacy_setpoint(bytes.fromhex(ONE + TWO + NINETY + "ffff"))
    assert setpoint.roll_rad == pytest.approx(math.radians(1))
    assert setpoint.pitch_rad == pytest.approx(-math.radians(2))
    assert setpoint.thrust == 1.0


@pytest.mark.parametrize(
    "text", ["", "05", "ff", "07" + ONE, "07" + "0000c07f" * 4, "06" + "ff" * 28, "0800"]
)
def test_malformed_setpoints_are_refused(text: str) -> None:
    with pytest.raises(MalformedPacketError):
        decoded(text)


@pytest.mark.parametrize(
    ("attitude", "packed"),
    [
        ((1.0, 0.0, 0.0, 0.0), 0xC0000000),
        ((0.0, 1.0, 0.0, 0.0), 0x00000000),
        ((math.sqrt(0.5), 0.0, 0.0, -math.sqrt(0.5)), 2 << 30 | 0x3FF),
    ],
)
def test_compressed_quaternion_bits(attitude, packed: int) -> None:
    # Two components tie in the last case; either choice is right, so only the rotation counts.
    expanded = np.array(decompressed_quaternion(packed))
    assert abs(expanded @ np.array(attitude)) == pytest.approx(1.0, abs=1e-5)


@given(st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: sum(x * x for x in q) > 1e-3))
def test_quaternion_survives_compression(raw) -> None:
    attitude = normalised(raw)
    expanded = decompressed_quaternion(compressed_quaternion(attitude))
    assert abs(np.dot(expanded, attitude)) == pytest.approx(1.0, abs=1e-5)
