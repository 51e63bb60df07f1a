"""The starts and ends of the processes under test."""

import threading
from collections.abc import Iterator
from typing import Any

from launch.actions import ExecuteLocal
from launch.events.process import ProcessExited, ProcessStarted
from launch_testing.recording import Recording
from launch_testing.util import NoMatchingProcessException, resolveProcesses
from launch_testing.util.proc_lookup import process_name

ProcessEvent = ProcessStarted | ProcessExited


class ProcInfoHandler:
    """The last event of each process: its start, or its end with the exit code."""

    def __init__(self) -> None:
        self._events: dict[ExecuteLocal, ProcessEvent] = {}

    def append(self, process_info: ProcessEvent) -> None:
        """Add the start or the end of a process."""
        self._events[process_info.action] = process_info

    def __iter__(self) -> Iterator[ProcessEvent]:
        return iter(list(self._events.values()))

    def processes(self) -> list[ExecuteLocal]:
        """Return the actions of all processes that have started."""
        return list(self._events)

    def process_names(self) -> list[str]:
        """Return the names of all processes that have started."""
        return [process_name(action) for action in self._events]

    def __getitem__(self, key: str | ExecuteLocal) -> ProcessEvent:
        if not isinstance(key, str):
            return self._events[key]
        for action, event in self._events.items():
            if key in process_name(action):
                return event
        raise KeyError(key)


class ActiveProcInfoHandler:
    """The starts and ends of all processes while the launch runs."""

    def __init__(self) -> None:
        self._recording = Recording(ProcInfoHandler())

    @property
    def recorded(self) -> ProcInfoHandler:
        """The plain record, for the time after the launch."""
        return self._recording.record

    @property
    def proc_event(self) -> threading.Condition:
        """The condition that is notified of every change."""
        return self._recording.condition

    def append(self, process_info: ProcessEvent) -> None:
        """Add the start or the end of a process."""
        self._recording.change(lambda record: record.append(process_info))

    def end(self) -> None:
        """End all waits: the launch has ended."""
        self._recording.end()

    def __iter__(self) -> Iterator[ProcessEvent]:
        with self.proc_event:
            return iter(self.recorded)

    def processes(self) -> list[ExecuteLocal]:
        """Return the actions of all processes that have started."""
        with self.proc_event:
            return self.recorded.processes()

    def process_names(self) -> list[str]:
        """Return the names of all processes that have started."""
        with self.proc_event:
            return self.recorded.process_names()

    def __getitem__(self, key: str | ExecuteLocal) -> ProcessEvent:
        with self.proc_event:
            return self.recorded[key]

    def wait_for_event(
        self,
        process: ExecuteLocal | str,
        cmd_args: Any,
        kinds: tuple[type, ...],
        timeout: float | None,
    ) -> bool:
        """Wait until the last event of a process is of one of some kinds; None waits for ever.

        Returns:
            Whether it is.
        """

        def happened() -> bool:
            try:
                matches = resolveProcesses(self.recorded, process=process, cmd_args=cmd_args)
            except NoMatchingProcessException:
                return False
            return isinstance(self.recorded[matches[0]], kinds)

        return self._recording.wait_for(happened, timeout)

    def assertWaitForStartup(  # noqa: N802 - the genuine name
        self, process: ExecuteLocal | str, cmd_args: Any = None, *, timeout: float = 10
    ) -> None:
        """Assert that a process starts in time.

        Args:
            process: The process or a part of its name.
            cmd_args: See `resolveProcesses`.
            timeout: Longest wait [s].

        Raises:
            AssertionError: If it does not start.
        """
        if not self.wait_for_event(process, cmd_args, (ProcessStarted, ProcessExited), timeout):
            raise AssertionError(f"timed out waiting for process {process!r} to start")

    def assertWaitForShutdown(  # noqa: N802 - the genuine name
        self, process: ExecuteLocal | str, cmd_args: Any = None, *, timeout: float = 10
    ) -> None:
        """Assert that a process ends in time.

        Args:
            process: The process or a part of its name.
            cmd_args: See `resolveProcesses`.
            timeout: Longest wait [s].

        Raises:
            AssertionError: If it does not end.
        """
        if not self.wait_for_event(process, cmd_args, (ProcessExited,), timeout):
            raise AssertionError(f"timed out waiting for process {process!r} to finish")
