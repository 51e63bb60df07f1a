"""A simulated arm in a process of its own, for the tests of what talks to it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class ArmProcess:
    """The emulator, its port, and a hand that moves it.

    Args:
        port: Symbolic link for the serial port.
        arguments: Of its command line.
    """

    def __init__(self, port: Path, *arguments: str) -> None:
        self.port = str(port)
        command = [sys.executable, "-m", "robot_simulation.so100", "--console", "--link", self.port]
        self.process = subprocess.Popen(
            [*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        assert self.port in self.process.stdout.readline()

    def inject(self, fault: str, value: float = 1.0) -> None:
        """Break something, or mend it with 0."""
        self._say(f"inject {fault} {value}")

    @property
    def truth(self) -> SimpleNamespace:
        """What really happens."""
        return SimpleNamespace(**self._say("truth"))

    def hand(self, *pose: float) -> None:
        """Take the joints to a pose [rad], or let go."""
        self._say(" ".join(["hand", *map(str, pose)]))

    def move_by_hand(self, pose: Sequence[float], tolerance: float = 0.1) -> None:
        """Take the joints to a pose, up to their stops, and wait until they are still."""
        self.hand(*pose)

        def arrived() -> bool:
            truth = self.truth
            still = max(abs(v) for v in truth.velocities) < 0.02
            return still and all(
                abs(a - b) < tolerance for a, b in zip(truth.positions, pose, strict=True)
            )

        self.wait(arrived)

    def wait(self, condition: Callable[[], bool], limit_s: float = 15.0) -> None:
        """Wait for a condition of the truth."""
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, self.truth
            time.sleep(0.02)

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()

    def _say(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the simulated arm has died"
        values = json.loads(answer)
        assert "error" not in values, values
        return values


@contextmanager
def arm_process(*arguments: str) -> Iterator[ArmProcess]:
    """A running arm."""
    with tempfile.TemporaryDirectory(prefix="so100_") as folder:
        running = ArmProcess(Path(folder, "port"), *arguments)
        try:
            yield running
        finally:
            running.close()
