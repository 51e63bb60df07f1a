"""Runs the examples in processes of their own, and sees that nothing of them stays behind."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

EXAMPLES = Path(__file__).parent / "examples"
TOKEN = "LAUNCH_TESTING_TEST_TOKEN"

Completed = subprocess.CompletedProcess[str]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Environment of the commands; every process that has it must be gone after the test."""
    token = uuid.uuid4().hex
    yield {
        **os.environ,
        TOKEN: token,
        "ROS_LOG_DIR": str(tmp_path / "log"),
        # The plugin is named on the command line, whether it is installed or not.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    deadline_s = time.monotonic() + 5.0
    while (left := _processes_with(token)) and time.monotonic() < deadline_s:
        psutil.wait_procs(left, timeout=0.1)
    assert not left, f"left behind: {left}"


@pytest.fixture
def launch_test(environment: dict[str, str]) -> Callable[..., Completed]:
    """Run `launch_test EXAMPLE ARGUMENTS`."""

    def run(example: str, *arguments: str) -> Completed:
        path = str(EXAMPLES / f"{example}.py")
        command = [sys.executable, "-m", "launch_testing.launch_test", path, *arguments]
        return _run(command, environment)

    return run


@pytest.fixture
def run_pytest(environment: dict[str, str], tmp_path: Path) -> Callable[..., Completed]:
    """Run `pytest ARGUMENTS EXAMPLE`."""

    def run(example: str, *arguments: str) -> Completed:
        command = [sys.executable, "-m", "pytest", "-p", "launch_testing.pytest.hooks"]
        command += ["-p", "no:cacheprovider", "-rA", "--strict-markers", "-W", "error"]
        command += ["-c", str(tmp_path / "pytest.ini"), "--rootdir", str(EXAMPLES)]
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        return _run([*command, *arguments, str(EXAMPLES / f"{example}.py")], environment)

    return run


def _run(command: list[str], environment: dict[str, str]) -> Completed:
    return subprocess.run(
        command,
        cwd=EXAMPLES,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _processes_with(token: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(TOKEN) == token:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess):  # not ours, or gone by now
            continue
    return found
