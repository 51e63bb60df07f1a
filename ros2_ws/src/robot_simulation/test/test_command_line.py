"""The command line without ROS."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from robot_simulation.crazyflie.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--world", "/nowhere.yaml"], "[E200] world file /nowhere.yaml"),
        (["--speed", "-1"], "[E700] speed of the simulation; got -1.0"),
        (["--seed", "-1"], "[E1] seed; got -1"),
        (["--port", "70000"], "[E700] cannot listen on 127.0.0.1:70000"),
        (["--density", "7"], "[E200] random world; got density 7.0/m^2"),
        (["--packet-loss", "2"], "[E702] fault packet_loss; got 2.0"),
    ],
)
def test_bad_arguments_end_with_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", "0", *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1


def test_a_taken_port_ends_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert capsys.readouterr().err.startswith(f"[E701] UDP port {port} on 127.0.0.1 is in use")


def test_a_world_file_that_is_no_world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "world.yaml"
    path.write_text("name: nothing\n")
    assert main(["--world", str(path)]) == 1
    assert capsys.readouterr().err.startswith("[E200] world world.yaml")
