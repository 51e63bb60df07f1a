"""The serial line: bytes through a pseudo-terminal, and what can happen to them on the way."""

from __future__ import annotations

import os
import select
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from robot_simulation.errors import SimulationError
from robot_simulation.so100.__main__ import main
from robot_simulation.so100.packets import encoded
from robot_simulation.so100.serial_port import SerialPort
from robot_simulation.so100.simulation import ArmSimulation, SimulationSettings

PING, PONG = encoded(1, 1), encoded(1, 0)


class Client:
    """Whoever has opened the port."""

    def __init__(self, port: SerialPort) -> None:
        self.port = port
        self.file = os.open(port.address, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.file)

    def ask(self, data: bytes = PING, wait_s: float = 0.05) -> bytes:
        """Send bytes, let the port serve, and give what comes back."""
        os.write(self.file, data)
        answer, end = b"", time.monotonic() + wait_s
        while not answer and time.monotonic() < end:
            self.port.wait(0.01)
            self.port.serve()
            if select.select([self.file], [], [], 0.0)[0]:
                answer = os.read(self.file, 1000)
        return answer


@pytest.fixture
def simulation() -> ArmSimulation:
    return ArmSimulation(SimulationSettings(cubes=0))


@pytest.fixture
def port(simulation: ArmSimulation, tmp_path: Path) -> Iterator[SerialPort]:
    port = SerialPort(simulation, str(tmp_path / "arm"))
    yield port
    port.close()
    assert not (tmp_path / "arm").is_symlink()


@pytest.fixture
def client(port: SerialPort) -> Iterator[Client]:
    client = Client(port)
    yield client
    os.close(client.file)


def test_requests_are_answered(client: Client) -> None:
    assert client.ask(wait_s=5.0) == PONG


def test_a_request_may_come_in_pieces(client: Client) -> None:
    assert client.ask(PING[:3], 0.02) == b""
    assert client.ask(PING[3:], 5.0) == PONG


def test_silence_and_a_missing_servo(simulation: ArmSimulation, client: Client) -> None:
    simulation.inject("silence", 1.0)
    assert client.ask() == b""
    simulation.inject("silence", 0.0)
    simulation.inject("missing_servo", 1.0)
    assert client.ask() == b""
    assert client.ask(encoded(2, 1), 5.0) == encoded(2, 0)


def test_a_share_of_the_answers_is_lost(simulation: ArmSimulation, client: Client) -> None:
    simulation.inject("status_loss", 0.3)
    answered = sum(client.ask(wait_s=0.02) == PONG for _ in range(50))
    assert 25 <= answered <= 45


def test_damaged_answers_differ_by_one_bit(simulation: ArmSimulation, client: Client) -> None:
    simulation.inject("corruption", 1.0)
    for _ in range(10):
        answer = client.ask(wait_s=5.0)
        changed = int.from_bytes(answer, "big") ^ int.from_bytes(PONG, "big")
        assert changed.bit_count() == 1


def test_synchronous_writes_may_be_lost(simulation: ArmSimulation, client: Client) -> None:
    write = encoded(0xFE, 0x83, bytes((42, 2, 1, 0, 8)))
    simulation.inject("write_loss", 1.0)
    client.ask(write)
    assert simulation.bus.servos[0].memory["goal_position"] != 2048
    simulation.inject("write_loss", 0.0)
    client.ask(write)
    assert simulation.bus.servos[0].memory["goal_position"] == 2048


def test_answers_may_be_late(simulation: ArmSimulation, client: Client) -> None:
    simulation.inject("latency_s", 0.1)
    began = time.monotonic()
    assert client.ask(wait_s=5.0) == PONG
    assert time.monotonic() - began >= 0.1


def test_an_unplugged_port_is_gone_until_it_is_plugged_in(
    simulation: ArmSimulation, port: SerialPort
) -> None:
    before = Client(port)
    simulation.inject("unplug", 1.0)
    port.serve()
    assert not Path(port.address).exists()
    with pytest.raises(OSError, match="Input/output"):
        os.write(before.file, PING)
    os.close(before.file)
    port.wait(0.0)
    simulation.inject("unplug", 0.0)
    port.serve()
    after = Client(port)
    assert after.ask(wait_s=5.0) == PONG
    os.close(after.file)


def test_a_client_that_never_reads_does_not_stop_the_arm(client: Client) -> None:
    for _ in range(3000):
        os.write(client.file, PING)
        client.port.serve()
    assert client.port.address


def test_another_file_is_not_replaced(simulation: ArmSimulation, tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(SimulationError, match="E700"):
        SerialPort(simulation, str(path))
    assert path.read_text() == "data"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cubes", "9"], "[E700] cubes; got 9"),
        (["--seed", "-1"], "[E1] seed; got -1"),
        (["--speed", "0"], "[E700] speed of the simulation"),
        (["--link", "/nowhere/arm"], "[E700] cannot make the serial port /nowhere/arm"),
    ],
)
def test_bad_arguments_end_with_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1
