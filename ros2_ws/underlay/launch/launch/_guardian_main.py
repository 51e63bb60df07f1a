"""The guardian process: when the launcher ends, for whatever reason, everything it started ends.

Run as a script of its own, with nothing but the standard library, in a session of its own. It
reads lines from its standard input:

    + PID    the process leads a session that the launcher has started
    - PID    the process has ended (the launcher says so before it reaps it)
    / PATH   the launch keeps its temporary files in this folder
    .        the launch is over

It acts then, or when the input ends, or when the launcher's process does: a child that the
launcher forked may hold the input open. Processes of the launch are the members of the registered
sessions, and every process whose environment carries the mark of the launch: a grandchild that
left its session still does. They get SIGINT, then SIGTERM, then SIGKILL.
"""

import contextlib
import os
import select
import shutil
import signal
import sys
import time

_POLL_INTERVAL_S = 0.05
# SIGKILL again: a process may fork between the search and the signal.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL, signal.SIGKILL)


class _Launch:
    """What belongs to the launch.

    Processes are held by descriptors: a later process with the same number is never meant.
    """

    def __init__(self, mark: bytes) -> None:
        self.folders: list[str] = []
        self._mark = mark
        self._leaders: dict[int, int] = {}
        self._processes: dict[int, int] = {}

    def apply(self, line: str) -> None:
        """Take note of a line of the launcher."""
        verb, value = line[0], line[2:]
        if verb == "/":
            self.folders.append(value)
            return
        pid = int(value)
        if verb == "+":
            with contextlib.suppress(ProcessLookupError):
                self._leaders[pid] = os.pidfd_open(pid)
        elif pid in self._leaders:
            # What the leader leaves behind stays a part of the launch.
            self._find_processes({pid})
            os.close(self._leaders.pop(pid))

    def living_processes(self) -> list[int]:
        """Return the descriptors of the processes that have not ended."""
        self._find_processes({pid for pid, fd in self._leaders.items() if not _ended(fd)})
        return [descriptor for descriptor in self._processes.values() if not _ended(descriptor)]

    def _find_processes(self, sessions: set[int]) -> None:
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            pid = int(entry)
            known = self._processes.get(pid)
            if known is not None and not _ended(known):
                continue
            try:
                descriptor = os.pidfd_open(pid)
            except OSError:  # it has ended
                continue
            # Asked after the descriptor is open: the answer is about that very process.
            if self._is_marked(pid) or _session(pid) in sessions:
                self._processes[pid] = descriptor
                if known is not None:
                    os.close(known)
            else:
                os.close(descriptor)

    def _is_marked(self, pid: int) -> bool:
        try:
            with open(f"/proc/{pid}/environ", "rb") as environment:
                return self._mark in environment.read().split(b"\0")
        except OSError:  # it has ended, or it is somebody else's
            return False


def _session(pid: int) -> int | None:
    with contextlib.suppress(OSError):
        return os.getsid(pid)
    return None


def _ended(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def _listen(launch: _Launch, launcher: int) -> None:
    """Take note of the launcher's lines until it ends."""
    poll = select.poll()
    poll.register(sys.stdin.fileno(), select.POLLIN)
    poll.register(launcher, select.POLLIN)
    pending = b""
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if sys.stdin.fileno() in ready:
            received = os.read(sys.stdin.fileno(), 65536)
            if not received:
                return
            *lines, pending = (pending + received).split(b"\n")
            for line in lines:
                if line == b".":
                    return
                launch.apply(os.fsdecode(line))
        elif launcher in ready:
            return


def _end(launch: _Launch, grace_s: float) -> None:
    """End every process of the launch."""
    for number in _SIGNALS:
        for descriptor in launch.living_processes():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(descriptor, number)
        deadline = time.monotonic() + grace_s
        while launch.living_processes():
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_INTERVAL_S)
        else:
            return


def main() -> None:
    """Guard; arguments: the launcher's process id, the mark, seconds between the signals."""
    launcher_pid, mark, grace_s = int(sys.argv[1]), os.fsencode(sys.argv[2]), float(sys.argv[3])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    launch = _Launch(mark)
    with contextlib.suppress(ProcessLookupError):  # the launcher has ended already
        _listen(launch, os.pidfd_open(launcher_pid))
    _end(launch, grace_s)
    for folder in launch.folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
