"""Golden bytes of the handshake and of every port but logs, parameters and setpoints."""

from __future__ import annotations

import pytest
from crazyflie_pilot import Pilot
from robot_simulation.crazyflie.crtp import Packet, Port


@pytest.fixture(scope="module")
def pilot() -> Pilot:
    return Pilot.in_room()


def test_packet_bytes() -> None:
    assert Packet(15, 1, b"\x00").encoded() == bytes.fromhex("fd00")
    assert Packet(5, 2, b"\x01\x02").encoded() == bytes.fromhex("5e0102")
    assert Packet.decoded(bytes.fromhex("8c03")) == Packet(8, 0, b"\x03")
    # Clients may leave the reserved bits clear.
    assert Packet.decoded(bytes.fromhex("8003")) == Packet(8, 0, b"\x03")


@pytest.mark.parametrize("datagram", [b"", bytes(32)])
def test_datagram_of_wrong_length_is_refused(datagram: bytes) -> None:
    with pytest.raises(ValueError, match="expected 1 to 31"):
        Packet.decoded(datagram)


def test_packet_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 30"):
        Packet(0, 0, bytes(31)).encoded()


@pytest.mark.parametrize(
    ("port", "channel", "request_", "reply"),
    [
        (Port.LINK, 0, "0102", "0102"),
        (Port.LINK, 1, "00", b"Bitcraze Crazyflie".hex() + "00" * 12),
        (Port.LINK, 2, "0102", None),
        (Port.PLATFORM, 1, "00", "000c000000"),
        (Port.PLATFORM, 1, "02", "02" + b"CF21".hex()),
        (Port.PLATFORM, 0, "00", None),
        (Port.MEMORY, 0, "01", "0100"),
        (Port.SUPERVISOR, 1, "0101", "810101"),
        (Port.SUPERVISOR, 1, "02", "820000"),
        (Port.SUPERVISOR, 1, "04", None),
        # armed | auto-arm | can fly | trajectory finished
        (Port.SUPERVISOR, 0, "0c", "8c0e02"),
        (Port.HIGH_LEVEL_COMMANDER, 0, "0300", "03000000"),
        (Port.HIGH_LEVEL_COMMANDER, 0, "0500000000000000", "05000008"),
        (Port.HIGH_LEVEL_COMMANDER, 0, "0700", None),
        (Port.HIGH_LEVEL_COMMANDER, 0, "", None),
        (Port.GENERIC_COMMANDER, 1, "0000000000", None),
        (Port.LOCALIZATION, 0, "00", None),
        (Port.LOCALIZATION, 1, "08" + "00" * 28, None),
        (14, 0, "00", None),
    ],
)
def test_replies(pilot: Pilot, port: Port, channel: int, request_: str, reply: str | None) -> None:
    answer = pilot.ask(port, channel, bytes.fromhex(request_))
    assert (None if answer is None else answer.hex()) == reply


def test_external_position_and_pose_reach_the_estimator(pilot: Pilot) -> None:
    estimator = pilot.simulation.firmware.estimator
    for request, channel in (
        ("0000803f 00000040 00000000", 0),
        ("08 0000803f 00000040 00000000 00000000 00000000 00000000 0000803f", 1),
    ):
        estimator.reset()
        pilot.ask(Port.LOCALIZATION, channel, bytes.fromhex(request))
        assert estimator.estimate.position == pytest.approx((1.0, 2.0, 0.0), abs=1e-3)
    estimator.reset()
    pilot.ask(Port.LOCALIZATION, 0, bytes.fromhex("0000c07f 00000040 00000000"))
    assert estimator.estimate.position == (0.0, 0.0, 0.0), "a NaN must not reach the filter"


def test_legacy_setpoints_need_zero_thrust_first(pilot: Pilot) -> None:
    commander = pilot.simulation.firmware.commander
    full = bytes.fromhex("00000000 00000000 00000000 ffff")
    pilot.ask(Port.COMMANDER, 0, full)
    assert commander.setpoint.thrust == 0.0
    pilot.ask(Port.COMMANDER, 0, bytes(14))
    pilot.ask(Port.COMMANDER, 0, full)
    assert commander.setpoint.thrust == 1.0
