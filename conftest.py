"""What all tests share: a ROS domain of one's own, and nothing left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import IO

import hypothesis
import psutil
import pytest

# The same examples in every run: a release must not depend on what is drawn today. To look for new
# ones: `--hypothesis-profile=default`.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

REPOSITORY = Path(__file__).resolve().parent
SHARED_MEMORY = Path("/dev/shm")


def lock_ros_domain() -> tuple[int, IO[str]]:
    """A ROS domain that nobody else on this machine tests in, and the lock that keeps it."""
    folder = Path(tempfile.gettempdir(), "ros_domains")
    folder.mkdir(exist_ok=True)
    for domain in range(2, 101):
        lock = (folder / str(domain)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        return domain, lock
    raise RuntimeError("no free ROS domain between 2 and 100")


# Launch tests take the domain of the process: fixtures do not reach them.
SESSION_DOMAIN, _SESSION_LOCK = lock_ros_domain()
os.environ["ROS_DOMAIN_ID"] = str(SESSION_DOMAIN)
os.environ.setdefault("ROS_LOG_DIR", tempfile.mkdtemp(prefix="ros_log_"))


LATE = re.compile(r"\[E433\] late [^\n]*")
"""What the estimator says of measurements that waited too long for a processor."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where the machine was too slow for a flight in real time, say so, instead of that it failed.

    The robot then lands, as it should. The proof is the estimator's own complaint, in what the test
    printed; a flight that fails without it has failed.
    """
    report = yield
    if report.failed and item.get_closest_marker("real_time"):
        late = LATE.search(report.longreprtext + "".join(text for _, text in report.sections))
        if late:
            path, line, _ = item.location
            reason = f"Skipped: this machine did not keep real time: {late.group()}"
            report.outcome, report.longrepr = "skipped", (path, line or 0, reason)
    return report


@pytest.fixture
def ros_domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A ROS domain of this test's own."""
    domain, lock = lock_ros_domain()
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
    yield domain
    lock.close()


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Wait for a condition with a limit, instead of sleeping for a guess."""

    def wait(
        condition: Callable[[], object], what: str, limit_s: float = 10.0,
        step: Callable[[], object] = lambda: time.sleep(0.01),
    ) -> None:  # fmt: skip
        end = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"not within {limit_s} s: {what}")
            step()

    return wait


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No process outlives the tests that started it, nor the shared memory of one they killed."""
    segments = set(SHARED_MEMORY.glob("fastrtps_*")) if SHARED_MEMORY.is_dir() else set()
    yield
    mine = psutil.Process()
    end = time.monotonic() + 10.0
    while left := [p for p in mine.children(recursive=True) if not ends_with_us(p)]:
        if time.monotonic() > end:
            pytest.fail(f"processes left: {[p.cmdline() for p in left]}")
        psutil.wait_procs(left, timeout=0.5)
    # A process that a test killed cannot free its segments; nobody holds them any more.
    if SHARED_MEMORY.is_dir():
        for segment in set(SHARED_MEMORY.glob("fastrtps_*")) - segments - held_segments():
            segment.unlink(missing_ok=True)


def ends_with_us(process: psutil.Process) -> bool:
    """Whether a child has ended, or is the helper of Python that ends with the process it helps."""
    if process.status() == psutil.STATUS_ZOMBIE:
        return True
    return any("multiprocessing.resource_tracker" in word for word in process.cmdline())


def held_segments() -> set[Path]:
    """Shared memory that a living process has open or mapped."""
    held: set[str] = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            held |= {file.path for file in process.open_files()}
            held |= {mapped.path for mapped in process.memory_maps()}
    return {Path(path) for path in held if path.startswith(f"{SHARED_MEMORY}/")}
