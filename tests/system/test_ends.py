"""How flights end that do not arrive: by Ctrl-C, and by a crash that is reported as one."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.real_time]
Wait = Callable[..., None]


def free_uri() -> str:
    """A URI whose UDP port nobody holds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return f"udp://127.0.0.1:{probe.getsockname()[1]}"


class Launch:
    """A running launch and what it has printed; nothing of it outlives the block."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        command = ["ros2", "launch", "planner", "crazyflie_nav.launch.py", "view:=false"]
        self.process = subprocess.Popen(
            [*command, f"uri:={free_uri()}", *arguments], cwd=folder, env=os.environ, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if kind is not None:
            print(self.output)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def output(self) -> str:
        return "".join(self.lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["connected", "holding", "tracking"])
def test_a_signal_at_any_moment(
    moment: str, number: signal.Signals, ros_domain: int, tmp_path: Path, wait_until: Wait
) -> None:
    with Launch(folder=tmp_path) as launch:
        wait_until(lambda: moment in launch.output, moment, 40.0)
        children = psutil.Process(launch.process.pid).children(recursive=True)
        launch.process.send_signal(number)
        launch.process.wait(timeout=40)
        assert "crashed into" not in launch.output
        assert "Traceback" not in launch.output
        assert "escalating" not in launch.output
    wait_until(lambda: not any(c.is_running() for c in children), "no process left", 5.0)


def test_a_collision_is_a_crash(ros_domain: int, tmp_path: Path) -> None:
    """Straight at the goal, into the obstacles between."""
    with Launch("planner:=straight_line", "report:=figures.json", folder=tmp_path) as launch:
        launch.process.wait(timeout=90)
        assert re.search(r"crashed into \w+", launch.output)
        figures = json.loads((tmp_path / "figures.json").read_text())
        assert figures["success_rate"] == 0.0
        assert [flight["outcome"] for flight in figures["flights"]] == ["crashed"]


def test_episodes_report_their_figures(ros_domain: int, tmp_path: Path) -> None:
    arguments = ("episodes:=2", "seed:=2000", "report:=figures.json")
    with Launch(*arguments, folder=tmp_path) as launch:
        launch.process.wait(timeout=120)
        figures = json.loads((tmp_path / "figures.json").read_text())
        assert figures["episodes"] == 2
        assert [flight["seed"] for flight in figures["flights"]] == [2000, 2001]
        assert figures["success_rate"] == 1.0
        assert figures["planner_ms"]["p50"] < 20.0
        assert set(figures["end_to_end_ms"]) == {"p50", "p99"}
        assert figures["max_command_gap_ms"] > 0.0
