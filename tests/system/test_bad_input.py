"""Whatever is wrong with the launch arguments: a clear error with a code, and nothing flies."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TRACEBACK = re.compile(
    r"^(?P<process>\[[\w-]+\] )Traceback .*\n(?:(?P=process) .*\n)*(?P=process)(?P<error>\S.*)",
    re.MULTILINE,
)
INTERRUPTED = "KeyboardInterrupt"
"""How Python ends a node that the launch takes down while its modules are still being imported."""


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A UDP port that somebody else holds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def launch(*arguments: str, folder: Path) -> str:
    """The output of a launch that has to end by itself."""
    command = ["ros2", "launch", "planner", "crazyflie_nav.launch.py", "view:=false", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=os.environ, timeout=90, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("world:=atlantis",), "[E200]"),
        (("planner:=oracle",), "[E104]"),
        (("model:=nothing",), "[E301]"),
        (("goal:=99,0,1",), "[E211]"),
        (("goal:=1.443,0.461,1.0",), "[E212]"),
        (("goal:=here",), "[E210]"),
        (("robot:=crazyflie", "uri:=udp://127.0.0.1:19999", "world:=empty_room"), "[E601]"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_refusals(arguments: tuple[str, ...], says: str, ros_domain: int, tmp_path: Path) -> None:
    output = launch(*arguments, folder=tmp_path)
    assert says in output, output
    assert "tracking" not in output, output
    errors = [found["error"].strip() for found in TRACEBACK.finditer(output)]
    assert set(errors) <= {INTERRUPTED}, output


def test_an_unknown_robot_lists_those_that_exist(ros_domain: int, tmp_path: Path) -> None:
    output = launch("robot:=spot", folder=tmp_path)
    assert all(name in output for name in ("simulation", "loopback", "crazyflie")), output


def test_a_taken_port(taken_port: int, ros_domain: int, tmp_path: Path) -> None:
    output = launch(f"uri:=udp://127.0.0.1:{taken_port}", folder=tmp_path)
    assert "[E701]" in output, output
    assert "tracking" not in output
