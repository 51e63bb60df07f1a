"""Shared fixtures: a launch in this process, and a launcher in a process of its own."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import launch.logging
import pytest
from launch import LaunchDescription, LaunchService

TIMEOUT_S = 15.0


def wait_until(predicate: Callable[[], bool], what: str, timeout_s: float = TIMEOUT_S) -> None:
    """Poll a predicate that other processes make true."""
    deadline = time.monotonic() + timeout_s
    while not predicate():
        assert time.monotonic() < deadline, f"timeout: {what}"
        time.sleep(0.01)


def processes_with(marker: str) -> list[int]:
    """Return the processes, other than this one, with ``marker`` in their command line."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                command = Path("/proc", entry, "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in command:
                found.append(int(entry))
    return found


@pytest.fixture(autouse=True)
def log_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep the logs of each test in a folder of its own."""
    folder = tmp_path / "log"
    monkeypatch.setenv("ROS_LOG_DIR", str(folder))
    monkeypatch.delenv("OVERRIDE_LAUNCH_PROCESS_OUTPUT", raising=False)
    launch.logging.reset()
    yield folder
    launch.logging.reset()


@pytest.fixture
def run() -> Callable[..., int]:
    """Run entities in a launch of their own; return its return code."""

    def run_entities(*entities: object, **keywords: object) -> int:
        service = LaunchService(**keywords)
        service.include_launch_description(LaunchDescription(entities))
        return service.run()

    return run_entities


class Launcher:
    """A launch file that runs in a process of its own."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.marker = f"launcher-test-{tmp_path.name}-{time.monotonic_ns()}"
        self.process: subprocess.Popen[str] | None = None

    def start(self, entities: str) -> None:
        """Start a launch; ``entities`` is the source of a list, ``marker`` a name in it."""
        script = self.folder / "launcher.py"
        script.write_text(
            textwrap.dedent(
                f"""
                import sys
                from launch import *
                from launch.actions import *
                from launch.event_handlers import *
                marker = {self.marker!r}
                service = LaunchService()
                service.include_launch_description(LaunchDescription({entities}))
                sys.exit(service.run())
                """
            )
        )
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_for_line(self, text: str) -> None:
        """Read the output until a line contains ``text``."""
        for line in self.process.stdout:
            if text in line:
                return
        pytest.fail(f"the launcher ended before it wrote {text!r}")

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal; return the exit code and the rest of the output."""
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=TIMEOUT_S)
        return self.process.returncode, output

    def running(self) -> list[int]:
        """Return the processes that the launch has started."""
        return processes_with(self.marker)


@pytest.fixture(name="wait_until")
def wait_until_fixture() -> Callable[..., None]:
    """Provide the wait for what other processes make true."""
    return wait_until


@pytest.fixture
def guardians() -> Callable[[], set[int]]:
    """Provide the list of guardian processes."""
    return lambda: set(processes_with("_guardian_main.py"))


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    """Provide a launcher; it and what it started is gone after the test."""
    subject = Launcher(tmp_path)
    yield subject
    if subject.process is not None and subject.process.poll() is None:
        subject.process.kill()
        subject.process.communicate()
    for pid in subject.running():
        os.kill(pid, signal.SIGKILL)
