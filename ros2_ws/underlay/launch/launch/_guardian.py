"""The launcher's side of the guardian: see ``_guardian_main`` for what it does."""

import contextlib
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

_MARK_VARIABLE = "DRIFTPILOT_LAUNCH_MARK"
_GRACE_S = 5.0


class Guardian:
    """Ends what a launch has started, even if the launcher is killed.

    The guardian process starts with the first process of the launch and ends with the launch.
    Use it from one thread.
    """

    def __init__(self, *, grace_s: float = _GRACE_S) -> None:
        """Create a guardian that waits ``grace_s`` [s] from SIGINT to SIGTERM to SIGKILL."""
        self._grace_s = grace_s
        self._mark = uuid.uuid4().hex
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None

    def environment(self) -> dict[str, str]:
        """Return what the environment of every process of the launch has to contain."""
        return {_MARK_VARIABLE: self._mark}

    def start(self) -> None:
        """Start guarding; does nothing if it has been done."""
        if self._process is not None:
            return
        # -I -S: no site hooks, nothing of the environment: up in milliseconds. The environment
        # carries no mark, or the guardian of a launch around this one would end this guardian.
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", str(Path(__file__).with_name("_guardian_main.py"))),
                *(str(os.getpid()), f"{_MARK_VARIABLE}={self._mark}", str(self._grace_s)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={key: value for key, value in os.environ.items() if key != _MARK_VARIABLE},
            cwd="/",
            start_new_session=True,
            bufsize=0,
        )

    def watch(self, pid: int) -> None:
        """Register the leader of a session.

        Raises:
            RuntimeError: The guardian process has ended; nothing may be started without it.
        """
        self._tell("+", str(pid))

    def forget(self, pid: int) -> None:
        """Unregister a leader that has ended; call it before the process is reaped."""
        if self._is_alive():
            self._tell("-", str(pid))

    def temporary_folder(self) -> Path:
        """Return a folder that is removed with the end of the launch."""
        if self._folder is None:
            self.start()
            folder = Path(tempfile.mkdtemp(prefix="launch_"))
            self._tell("/", str(folder))
            self._folder = folder
        return self._folder

    def close(self) -> None:
        """End what is left of the launch, and wait until it has ended."""
        if self._process is None:
            return
        process, self._process, self._folder = self._process, None, None
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it was killed: nothing left to end
            process.stdin.write(b".\n")
        process.stdin.close()
        process.wait()

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _tell(self, verb: str, value: str) -> None:
        if not self._is_alive():
            raise RuntimeError("the guardian process of the launch has ended unexpectedly")
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(os.fsencode(f"{verb} {value}\n"))
