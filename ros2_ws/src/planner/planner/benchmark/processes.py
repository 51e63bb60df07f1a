"""The processes of a benchmark: a launched graph, and programs that take its processor time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


class LaunchedGraph:
    """A graph started by a launch file, in a context: it is ended when the context ends.

    Args:
        arguments: Launch arguments.
    """

    def __init__(self, *arguments: str) -> None:
        self._command = ["ros2", "launch", "planner", "crazyflie_nav.launch.py", *arguments]
        self._log = tempfile.NamedTemporaryFile("w+", suffix=".log", delete=False)  # noqa: SIM115
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> LaunchedGraph:
        self._process = subprocess.Popen(
            self._command, stdout=self._log, stderr=subprocess.STDOUT, env=os.environ
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=40)
        self._log.close()
        Path(self._log.name).unlink()

    @property
    def ended(self) -> bool:
        """Whether the launch has ended by itself: a node refused to run."""
        return self._process is None or self._process.poll() is not None

    @property
    def output(self) -> str:
        """What the processes have printed."""
        return Path(self._log.name).read_text()

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time of each node's process so far, by the name of its executable [s]."""
        assert self._process is not None
        used = {}
        for child in psutil.Process(self._process.pid).children(recursive=True):
            try:
                times, arguments = child.cpu_times(), child.cmdline()
            except psutil.NoSuchProcess:
                continue
            names = [a.partition(":=")[2] for a in arguments if a.startswith("__node:=")]
            if names:
                used[names[0]] = times.user + times.system
        return used


@contextmanager
def hogs(count: int) -> Iterator[None]:
    """Processes that take all the processor time they get."""
    running = [
        subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(count)
    ]
    try:
        yield
    finally:
        for hog in running:
            hog.kill()
        for hog in running:
            hog.wait()
