"""The output of the processes under test."""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from launch.actions import ExecuteLocal
from launch.events.process import ProcessIO
from launch_testing.asserts.output import assertInStream
from launch_testing.recording import Recording
from launch_testing.tools.text import TextPattern
from launch_testing.util import NoMatchingProcessException
from launch_testing.util.proc_lookup import process_name


class IoHandler:
    """The output of all processes, in the order of its arrival."""

    def __init__(self) -> None:
        self._events: list[ProcessIO] = []
        self._by_name: dict[str, list[ProcessIO]] = {}

    def track(self, process_name: str) -> None:
        """Add a process that has written nothing yet."""
        self._by_name.setdefault(process_name, [])

    def append(self, process_io: ProcessIO) -> None:
        """Add a piece of output."""
        self._events.append(process_io)
        self._by_name.setdefault(process_io.process_name, []).append(process_io)

    def __iter__(self) -> Iterator[ProcessIO]:
        return iter(list(self._events))

    def processes(self) -> list[ExecuteLocal]:
        """Return the actions of the processes that have written something."""
        return [events[0].action for events in self._by_name.values() if events]

    def process_names(self) -> Iterable[str]:
        """Return the names of all processes that have started."""
        return list(self._by_name)

    def __getitem__(self, key: str | ExecuteLocal) -> list[ProcessIO]:
        name = key if isinstance(key, str) else process_name(key)
        return list(self._by_name[name])


class ActiveIoHandler:
    """The output of all processes while they run."""

    def __init__(self) -> None:
        self._recording = Recording(IoHandler())

    @property
    def recorded(self) -> IoHandler:
        """The plain record, for the time after the launch."""
        return self._recording.record

    @property
    def io_event(self) -> threading.Condition:
        """The condition that is notified of every change."""
        return self._recording.condition

    def track(self, process_name: str) -> None:
        """Add a process that has written nothing yet."""
        self._recording.change(lambda record: record.track(process_name))

    def append(self, process_io: ProcessIO) -> None:
        """Add a piece of output."""
        self._recording.change(lambda record: record.append(process_io))

    def end(self) -> None:
        """End all waits: the launch has ended."""
        self._recording.end()

    def __iter__(self) -> Iterator[ProcessIO]:
        with self.io_event:
            return iter(self.recorded)

    def processes(self) -> list[ExecuteLocal]:
        """Return the actions of the processes that have written something."""
        with self.io_event:
            return self.recorded.processes()

    def process_names(self) -> Iterable[str]:
        """Return the names of all processes that have started."""
        with self.io_event:
            return self.recorded.process_names()

    def __getitem__(self, key: str | ExecuteLocal) -> list[ProcessIO]:
        with self.io_event:
            return self.recorded[key]

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None) -> bool:
        """Wait at most `timeout` [s] until `predicate` holds, which sees every new output.

        Returns:
            Whether it holds.
        """
        return self._recording.wait_for(predicate, timeout)

    def waitFor(  # noqa: N802 - the genuine name
        self,
        expected_output: TextPattern,
        process: ExecuteLocal | str | None = None,
        cmd_args: Any = None,
        *,
        timeout: float = 10,
        **options: Any,
    ) -> bool:
        """Wait until a process has written something.

        Args:
            expected_output: See `build_text_match`.
            process: The process, a part of its name, or None for any.
            cmd_args: See `resolveProcesses`.
            timeout: Longest wait [s].
            **options: See `assertInStream`; among them `stream`, by default `'stderr'`.

        Returns:
            Whether it has been written.

        Raises:
            NoMatchingProcessException: If no matching process has written anything at all.
        """
        mismatch: Exception | None = None

        def written() -> bool:
            nonlocal mismatch
            try:
                assertInStream(self.recorded, expected_output, process, cmd_args, **options)
            except (AssertionError, NoMatchingProcessException) as error:
                mismatch = error
                return False
            return True

        if self._recording.wait_for(written, timeout):
            return True
        if isinstance(mismatch, NoMatchingProcessException):
            raise mismatch
        return False

    def assertWaitFor(  # noqa: N802 - the genuine name
        self, expected_output: TextPattern, *args: Any, **options: Any
    ) -> None:
        """Assert that a process writes something in time: see `waitFor`.

        Raises:
            AssertionError: If it does not.
        """
        if not self.waitFor(expected_output, *args, **options):
            raise AssertionError(f"waiting for output timed out: {expected_output!r}")
