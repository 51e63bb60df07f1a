"""Setpoints as bytes, packed by the stock client's own commander."""

from __future__ import annotations

import math
import struct
from types import SimpleNamespace

import numpy as np
import pytest
from crazyflie_bridge import setpoints
from hypothesis import given
from hypothesis import strategies as st
from planner_core.errors import NonFiniteError
from planner_core.limiter import Setpoint

commander = pytest.importorskip("cflib.crazyflie.commander")
FULL_STATE = struct.Struct("<B9hI3h")
FOUR = struct.Struct("<Bffff")


def sent(kind: str, setpoint: Setpoint, heading: float = 0.0) -> tuple[int, int, bytes]:
    """Port, channel and bytes of the packet."""
    packets: list = []
    client = SimpleNamespace(
        send_packet=packets.append, platform=SimpleNamespace(get_protocol_version=lambda: 12)
    )
    setpoints.send(commander.Commander(client), kind, setpoint, heading)
    (packet,) = packets
    return packet.port, packet.channel, bytes(packet.data)


def setpoint(position: list, velocity: list | None = None, acceleration: list | None = None):
    zero = [0.0] * 4
    rows = (position, velocity or zero, acceleration or zero)
    return Setpoint(*(np.array(row, float) for row in rows))


def test_full_state_is_in_thousandths() -> None:
    point = setpoint([1.25, -0.5, 0.75, 0.0], [0.1, -0.2, 0.3, 0.6], [1.0, -2.0, 0.5, 0.0])
    port, channel, data = sent("full_state", point)
    values = FULL_STATE.unpack(data)
    assert (port, channel, values[0]) == (7, 0, 6)
    assert values[1:10] == (1250, -500, 750, 100, -200, 300, 1000, -2000, 500)
    # 0.6 rad/s: milliradians, although cflib asks for degrees.
    assert values[11:] == (0, 0, 600)


def test_full_state_heading() -> None:
    _, _, data = sent("full_state", setpoint([0, 0, 1, math.pi / 2]))
    packed = FULL_STATE.unpack(data)[10]
    # Half a right angle: z and w are equal, one of them is left out as the largest.
    assert packed >> 30 in (2, 3)
    assert packed & 0x3FF == pytest.approx(511, abs=1)


@pytest.mark.parametrize("turns", [-3, 1, 100])
def test_whole_turns_make_no_difference(turns: int) -> None:
    for kind in ("full_state", "position"):
        once = sent(kind, setpoint([0, 0, 1, 0.5]))
        assert sent(kind, setpoint([0, 0, 1, 0.5 + turns * 2 * math.pi])) == once


def test_position_is_in_metres_and_degrees() -> None:
    port, _, data = sent("position", setpoint([1, 2, 3, math.pi / 2]))
    assert port == 7
    assert FOUR.unpack(data) == (7, 1.0, 2.0, 3.0, 90.0)


def test_velocity_is_in_degrees_per_second() -> None:
    _, _, data = sent("velocity_world", setpoint([9, 9, 9, 9], [0.5, -0.5, 0.25, math.pi]))
    assert FOUR.unpack(data) == (8, 0.5, -0.5, 0.25, 180.0)


def test_hover_is_in_the_robots_axes() -> None:
    _, _, data = sent("hover", setpoint([0, 0, 1.5, 0], [1, 0, 9, math.pi / 2]), math.pi / 2)
    kind, vx, vy, yaw_rate, z = FOUR.unpack(data)
    # Facing left, a motion to the world's front is one to the right.
    assert (kind, z) == (10, 1.5)
    assert (vx, vy, yaw_rate) == pytest.approx((0.0, -1.0, 90.0), abs=1e-6)


numbers = st.lists(st.floats(-1e4, 1e4), min_size=4, max_size=4)


@given(position=numbers, velocity=numbers, acceleration=numbers, heading=st.floats(-4, 4))
def test_any_finite_setpoint_is_packed(
    position: list, velocity: list, acceleration: list, heading: float
) -> None:
    point = setpoint(position, velocity, acceleration)
    for kind in setpoints.KINDS:
        _, _, data = sent(kind, point, heading)
        assert len(data) <= 30
    values = FULL_STATE.unpack(sent("full_state", point)[2])
    asked = np.concatenate([position[:3], velocity[:3], acceleration[:3]])
    limit = setpoints.PACKED_LIMIT
    assert np.abs(np.array(values[1:10]) / 1000 - np.clip(asked, -limit, limit)).max() <= 0.000501


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", setpoints.KINDS)
def test_what_is_not_finite_is_refused(kind: str, bad: float) -> None:
    with pytest.raises(NonFiniteError):
        sent(kind, setpoint([0, 0, 1, 0], [0, bad, 0, 0]))
