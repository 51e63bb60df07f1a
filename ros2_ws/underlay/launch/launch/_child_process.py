"""A child process on an asyncio loop: output, exit and signals, without a thread."""

import asyncio
import contextlib
import errno
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence

from ._guardian import Guardian

_CHUNK = 65536
# What is read from a stream after its process has ended: a grandchild may write for ever.
_LAST_CHUNKS = 64

STDOUT, STDERR = 1, 2


class ChildProcess:
    """A process that leads a session of its own, watched by the guardian of the launch.

    A session of its own keeps the terminal's Ctrl-C away: the launcher alone passes it on, once.
    All methods belong to the loop's thread.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        loop: asyncio.AbstractEventLoop,
        guardian: Guardian,
        on_output: Callable[[int, bytes], None],
        cwd: str | None,
        environment: Mapping[str, str],
        shell: bool,
        emulate_tty: bool,
    ) -> None:
        """Start the process.

        Args:
            command: Arguments; with ``shell`` a single one, for the shell.
            loop: The loop that runs in this thread.
            guardian: Told of the process, and of its end.
            on_output: Called with the descriptor (1 or 2) and what was written to it.
            cwd: Working directory, None for the launcher's.
            environment: The whole environment; the guardian's mark is added.
            shell: Whether a shell interprets the command.
            emulate_tty: Whether stdout and stderr are pseudo terminals.

        Raises:
            OSError: The process cannot be started.
            RuntimeError: There is no guardian any more.
        """
        self._loop = loop
        self._guardian = guardian
        self._on_output = on_output
        self._streams: dict[int, int] = {}
        self.exited: asyncio.Future[int] = loop.create_future()
        guardian.start()
        ends = {number: os.openpty() if emulate_tty else os.pipe() for number in (STDOUT, STDERR)}
        try:
            self._popen = subprocess.Popen(
                command[0] if shell else list(command),
                cwd=cwd,
                env={**environment, **guardian.environment()},
                shell=shell,
                start_new_session=True,
                stdin=subprocess.PIPE,
                stdout=ends[STDOUT][1],
                stderr=ends[STDERR][1],
            )
        except BaseException:
            for read_end, _ in ends.values():
                os.close(read_end)
            raise
        finally:
            for _, write_end in ends.values():
                os.close(write_end)
        try:
            guardian.watch(self.pid)
        except BaseException:
            os.killpg(self.pid, signal.SIGKILL)
            self._popen.communicate()
            for read_end, _ in ends.values():
                os.close(read_end)
            raise
        self._exit_descriptor = os.pidfd_open(self.pid)
        loop.add_reader(self._exit_descriptor, self._on_exit)
        for number, (read_end, _) in ends.items():
            os.set_blocking(read_end, False)
            self._streams[number] = read_end
            loop.add_reader(read_end, self._on_readable, number)

    @property
    def pid(self) -> int:
        """Process id, and id of the group and session that the process leads."""
        return self._popen.pid

    def send_signal(self, number: int) -> None:
        """Signal the process, if it has not ended."""
        if not self.exited.done():
            os.kill(self.pid, number)

    def send_signal_to_group(self, number: int) -> None:
        """Signal the process and all that it started in its group, if it has not ended."""
        if not self.exited.done():
            os.killpg(self.pid, number)

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._exit_descriptor)
        os.close(self._exit_descriptor)
        for number in list(self._streams):
            for _ in range(_LAST_CHUNKS):
                if not self._on_readable(number):
                    break
            self._close_stream(number)
        assert self._popen.stdin is not None
        self._popen.stdin.close()
        # Only now is the number free for another process: the guardian must not know it any more.
        self._guardian.forget(self.pid)
        self.exited.set_result(self._popen.wait())

    def _on_readable(self, number: int) -> bool:
        """Pass on a chunk; say whether there may be more."""
        if number not in self._streams:
            return False
        try:
            chunk = os.read(self._streams[number], _CHUNK)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:  # a pseudo terminal that nobody holds open any more
                raise
            chunk = b""
        if chunk:
            self._on_output(number, chunk)
            return True
        self._close_stream(number)
        return False

    def _close_stream(self, number: int) -> None:
        stream = self._streams.pop(number, None)
        if stream is not None:
            self._loop.remove_reader(stream)
            with contextlib.suppress(OSError):
                os.close(stream)
