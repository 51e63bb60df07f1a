"""The UDP radio: who is answered, what gets lost, and faults of the link."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from crazyflie_pilot import room
from robot_simulation.crazyflie.faults import Faults
from robot_simulation.crazyflie.server import RadioServer
from robot_simulation.crazyflie.simulation import BOOT_S, CrazyflieSimulation
from robot_simulation.errors import FaultError, PortInUseError, SimulationError

HELLO = bytes.fromhex("fd00")
ECHO = bytes.fromhex("fc42")


class Radio:
    """A client socket and the server it talks to, without a thread in between."""

    def __init__(self) -> None:
        self.simulation = CrazyflieSimulation(room())
        self.server = RadioServer(self.simulation, port=0)
        self.sockets: list[socket.socket] = []
        self.client = self.connect()

    def connect(self) -> socket.socket:
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.connect(self.server.address)
        client.setblocking(False)
        self.sockets.append(client)
        return client

    def ask(self, data: bytes, client: socket.socket | None = None) -> list[bytes]:
        (client or self.client).send(data)
        self.server.wait(1.0)
        self.server.serve()
        return self.received(client)

    def received(self, client: socket.socket | None = None) -> list[bytes]:
        datagrams = []
        while True:
            try:
                datagrams.append((client or self.client).recv(64))
            except BlockingIOError:
                return datagrams

    def close(self) -> None:
        self.server.close()
        for client in self.sockets:
            client.close()


@pytest.fixture
def radio() -> Iterator[Radio]:
    radio = Radio()
    yield radio
    radio.close()


def test_scan_is_answered_without_a_handshake(radio: Radio) -> None:
    assert radio.ask(b"\xff") == [b"\xff"]
    assert radio.ask(ECHO) == [], "but nothing else is"


def test_handshake_makes_the_client(radio: Radio) -> None:
    assert radio.ask(HELLO)[0][:19] == b"\xfdBitcraze Crazyflie"
    assert radio.ask(ECHO) == [ECHO]
    stranger = radio.connect()
    assert radio.ask(ECHO, stranger) == []
    assert radio.ask(b"\xff", stranger) == [b"\xff"]
    assert len(radio.ask(HELLO, stranger)) == 1
    assert radio.ask(ECHO) == [], "the last one to shake hands is the client"


@pytest.mark.parametrize("datagram", [b"", bytes(32), bytes(1500)])
def test_noise_is_ignored(radio: Radio, datagram: bytes) -> None:
    radio.ask(HELLO)
    assert radio.ask(datagram) == []
    assert radio.ask(ECHO) == [ECHO]


def test_log_data_is_sent_without_being_asked(radio: Radio) -> None:
    radio.ask(HELLO)
    radio.ask(bytes.fromhex("5d0601070000"))
    radio.ask(bytes.fromhex("5d030102"))
    radio.simulation.run(1.0)
    radio.server.serve()
    packets = radio.received()
    assert len(packets) == 50
    assert {packet[0] for packet in packets} == {0x5E}


def test_packet_loss_is_as_asked(radio: Radio) -> None:
    radio.ask(HELLO)
    radio.simulation.inject("packet_loss", 0.2)
    answered = sum(len(radio.ask(ECHO)) for _ in range(1000))
    assert answered == pytest.approx(1000 * 0.8**2, abs=60), "lost on either way"


def test_silence_lets_nothing_through(radio: Radio) -> None:
    radio.ask(HELLO)
    radio.simulation.inject("silence", 1, duration_s=0.5)
    assert radio.ask(ECHO) == []
    assert radio.ask(b"\xff") == []
    radio.simulation.run(0.6)
    assert radio.ask(ECHO) == [ECHO], "and does not deliver late"


def test_latency_delays_replies(radio: Radio) -> None:
    radio.ask(HELLO)
    radio.simulation.inject("link_latency_s", 0.05)
    assert radio.ask(ECHO) == []
    radio.simulation.run(0.04)
    radio.server.serve()
    assert radio.received() == []
    radio.simulation.run(0.012)
    radio.server.serve()
    assert radio.received() == [ECHO]


def test_latency_over_a_new_flight_loses_nothing(radio: Radio) -> None:
    radio.ask(HELLO)
    radio.simulation.run(1.0)
    radio.simulation.inject("link_latency_s", 0.5)
    radio.ask(ECHO)
    radio.simulation.begin_flight()
    radio.server.serve()
    assert radio.received() == [ECHO]


def test_reboot_is_silent_and_forgets_the_logs(radio: Radio) -> None:
    radio.ask(HELLO)
    radio.ask(bytes.fromhex("5d0601070000"))
    radio.ask(bytes.fromhex("5d030102"))
    radio.simulation.inject("restart", 0)
    assert radio.ask(ECHO) == []
    radio.simulation.run(BOOT_S + 0.5)
    radio.server.serve()
    assert radio.received() == []
    assert radio.ask(ECHO) == [ECHO]


def test_a_taken_port_is_named(radio: Radio) -> None:
    port = radio.server.address[1]
    with pytest.raises(PortInUseError, match=f"UDP port {port} on 127.0.0.1 is in use"):
        RadioServer(radio.simulation, port=port)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70000), ("256.1.1.1", 0)])
def test_an_impossible_address_is_refused(radio: Radio, host: str, port: int) -> None:
    with pytest.raises(SimulationError, match="cannot listen"):
        RadioServer(radio.simulation, host, port)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("gremlins", 1.0, "motor_failure, packet_loss"),
        ("packet_loss", 1.5, "expected 0 to 1"),
        ("packet_loss", float("nan"), "expected 0 to 1"),
        ("motor_failure", 5, "expected 0 to 4"),
    ],
)
def test_faults_that_do_not_exist_are_refused(name: str, value: float, message: str) -> None:
    with pytest.raises(FaultError, match=message):
        Faults().changed(name, value)


@pytest.mark.parametrize("duration", [-1.0, float("inf"), float("nan")])
def test_fault_durations_are_checked(radio: Radio, duration: float) -> None:
    with pytest.raises(FaultError, match="duration"):
        radio.simulation.inject("silence", 1, duration)


def test_a_lasting_fault_overrides_an_ending_one(radio: Radio) -> None:
    radio.simulation.inject("packet_loss", 0.5, duration_s=0.1)
    radio.simulation.inject("packet_loss", 0.3)
    radio.simulation.run(0.2)
    assert radio.simulation.faults.packet_loss == 0.3
