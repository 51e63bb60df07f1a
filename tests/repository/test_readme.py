"""Every command of the README runs, in its order, as a reader would type it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
README = (REPOSITORY / "README.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", README, flags=re.S)
COMMANDS = [line for block in BLOCKS for line in block.strip().splitlines()]

# `make test` is what runs this; `make demo` has a test of its own.
ELSEWHERE = {"make demo", "make test"}
SOURCED = "source ros2_ws/setup.bash"
FLIGHTS = [c for c in COMMANDS if c.startswith("ros2 launch")]
CLIENTS = [c for c in COMMANDS if c.startswith("ros2 ") and c not in FLIGHTS]


def shell(command: str, limit_s: float, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a sourced shell; nothing that it starts outlives it."""
    script = f"export ROS=$ROS_DISTRO; source {REPOSITORY}/ros2_ws/setup.bash && {command}"
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=limit_s,
        check=False,
    )  # fmt: skip


def test_every_command_is_known() -> None:
    assert set(COMMANDS) == {*ELSEWHERE, SOURCED, *FLIGHTS, *CLIENTS}


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (REPOSITORY / target).exists(), target


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [pytest.param(c, marks=[] if "--show-args" in c else pytest.mark.real_time) for c in FLIGHTS],
)
def test_flights(command: str, ros_domain: int, tmp_path: Path) -> None:
    done = shell(command, 180.0, tmp_path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    if "--show-args" not in command:
        assert re.search(r"success rate +1\.00", done.stdout), done.stdout[-3000:]
    if "record:=true" in command:
        names = sorted(path.name for path in (tmp_path / "bags").iterdir())
        assert names == ["episode_0000", "episode_0001"]
    if "report:=" in command:
        assert (tmp_path / "figures.json").exists()


@pytest.fixture(scope="module")
def waiting_robot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A robot that waits for goals, and the environment in which it can be reached."""
    environment = os.environ | {"ROS_DOMAIN_ID": "101"}
    launch = subprocess.Popen(
        ["ros2", "launch", "planner", "crazyflie_nav.launch.py", "robot:=loopback", "goal:=none",
         "view:=false"],
        env=environment, cwd=tmp_path_factory.mktemp("launch"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        nodes = subprocess.run(
            ["ros2", "lifecycle", "get", "/planner_server"], env=environment, timeout=30,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if "active" in nodes.stdout:
            break
    else:
        pytest.fail("the planner server did not become active")
    yield environment
    launch.send_signal(signal.SIGINT)
    launch.communicate(timeout=30)


@pytest.mark.slow
@pytest.mark.parametrize("command", CLIENTS)
def test_clients(
    command: str, waiting_robot: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", waiting_robot["ROS_DOMAIN_ID"])
    done = shell(command, 60.0, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    if "send_goal" in command:
        assert "Goal finished with status: SUCCEEDED" in done.stdout
