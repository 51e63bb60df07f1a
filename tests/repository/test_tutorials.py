"""What the tutorials show is what runs: their files are written, their commands typed."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
PAGE = {name: (DOCS / "tutorials" / f"{name}.md").read_text()
        for name in ("first_flight", "own_planner", "own_robot")}  # fmt: skip
README = (REPOSITORY / "README.md").read_text()
WAITING = "ros2 launch planner crazyflie_nav.launch.py robot:=loopback goal:=none view:=false"


def blocks(page: str) -> list[str]:
    """The shell blocks of a page, those that are to be typed."""
    return re.findall(r"^```bash\n(.*?)^```", page, flags=re.S | re.M)


def commands(page: str) -> list[str]:
    """Every line of its shell blocks."""
    return [line for block in blocks(page) for line in block.splitlines() if line]


IN_README = set(commands(README))
"""Run by the tests of that page."""


STOPS = {line for line in IN_README if "emergency_stop" in line}


def write_files(page: str, folder: Path) -> None:
    """Write the files that a page shows, each under its title."""
    for title, body in re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', page, flags=re.S | re.M):
        path = folder / title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)


class Terminal:
    """A shell in which the workspace, and the reader's own one if there is one, are sourced.

    Args:
        folder: Where commands are typed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def script(self, command: str) -> list[str]:
        """A command, as an argument list."""
        lines = [f"export ROS=$ROS_DISTRO; source {REPOSITORY}/ros2_ws/setup.bash"]
        if (own := self._folder / "my_ws" / "install" / "local_setup.bash").exists():
            lines.append(f"source {own}")
        return ["bash", "-ec", "\n".join([*lines, command])]

    def type(self, command: str, limit_s: float = 120.0) -> str:
        """Run a command to its end; what it printed.

        Raises:
            AssertionError: It failed.
        """
        done = subprocess.run(
            self.script(command), cwd=self._folder, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=limit_s, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}"
        return done.stdout

    @contextmanager
    def keep(self, command: str, node: str = "/planner_server") -> Iterator[None]:
        """Keep a launch running, from when a lifecycle node of it is active."""
        launch = subprocess.Popen(
            self.script(f"exec {command}"), cwd=self._folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 60
            query = ["ros2", "lifecycle", "get", node]
            while time.monotonic() < deadline:
                got = subprocess.run(query, capture_output=True, text=True, timeout=60, check=False)
                if "active" in got.stdout:
                    break
            else:
                pytest.fail(f"{node} did not become active")
            yield
        finally:
            launch.send_signal(signal.SIGINT)
            launch.wait(timeout=60)


@pytest.fixture
def terminal(ros_domain: int, tmp_path: Path) -> Terminal:
    """A terminal in an empty folder."""
    return Terminal(tmp_path)


def client(terminal: Terminal, command: str) -> None:
    """Type a command that asks a running graph something."""
    printed = terminal.type(command)
    if "send_goal" in command:
        assert "Goal finished with status: SUCCEEDED" in printed
    elif "service call" in command:
        assert "success=True" in printed
    elif "param set" in command:
        assert "successful" in printed


def test_every_command_is_known() -> None:
    """Shell blocks are for what runs in a test; what needs a robot is shown otherwise."""
    for page in DOCS.rglob("*.md"):
        if page.stem not in (*PAGE, "train_from_bags"):
            assert set(commands(page.read_text())) <= IN_README, page


@pytest.mark.slow
def test_first_flight(terminal: Terminal) -> None:
    lines = commands(PAGE["first_flight"])
    flights = [line for line in lines if line.startswith("ros2 launch")]
    assert WAITING in flights
    with terminal.keep(WAITING):
        for line in lines:
            # The stop and its release belong together.
            if line not in (*IN_README - STOPS, *flights):
                client(terminal, line)
    for line in flights:
        if line not in (*IN_README, WAITING):
            assert re.search(r"success rate +1\.00", terminal.type(line))


@pytest.mark.slow
def test_own_planner(terminal: Terminal, tmp_path: Path) -> None:
    page = PAGE["own_planner"]
    write_files(page, tmp_path)
    empty, built, flight, exchange = blocks(page)
    terminal.type(empty)
    printed = terminal.type(built)
    assert "1 passed" in printed
    assert "13 of 13 rules kept" in printed
    assert re.search(r"success rate +1\.00", terminal.type(flight))
    with terminal.keep(WAITING):
        client(terminal, exchange)


@pytest.mark.slow
def test_own_robot(terminal: Terminal, tmp_path: Path) -> None:
    page = PAGE["own_robot"]
    write_files(page, tmp_path)
    empty, built, launch, clients = blocks(page)
    terminal.type(empty)
    printed = terminal.type(built)
    assert "3 passed" in printed
    assert "5 of 5 rules kept" in printed
    assert "13 of 13 rules kept" in printed
    with terminal.keep(launch.strip()):
        for line in clients.splitlines():
            client(terminal, line)
