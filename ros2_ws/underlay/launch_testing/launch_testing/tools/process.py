"""Starts a process within a test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from launch import LaunchDescription, LaunchService
from launch.actions import ExecuteLocal
from launch.events import IncludeLaunchDescription, matches_action
from launch.events.process import ProcessExited, ProcessStarted, ShutdownProcess
from launch_testing.io_handler import ActiveIoHandler
from launch_testing.proc_info_handler import ActiveProcInfoHandler, ProcessEvent
from launch_testing.tools.text import decode


class ProcessProxy:
    """What a test knows of one process."""

    def __init__(
        self,
        process_action: ExecuteLocal,
        proc_info: ActiveProcInfoHandler,
        proc_output: ActiveIoHandler,
        *,
        output_filter: Callable[[str], str] | None = None,
    ) -> None:
        self.target_process_action = process_action
        self._proc_info = proc_info
        self._proc_output = proc_output
        self._output_filter = output_filter or (lambda text: text)

    def wait_for_shutdown(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` [s] until the process has ended; return whether it has."""
        return self._proc_info.wait_for_event(
            self.target_process_action, None, (ProcessExited,), timeout
        )

    def wait_for_output(
        self, condition: Callable[[str], bool] | None = None, timeout: float | None = None
    ) -> bool:
        """Wait at most `timeout` [s] until `condition` holds for the output of the process.

        Args:
            condition: None waits for any output.
            timeout: None waits until the launch ends.

        Returns:
            Whether it holds.
        """
        holds = condition or bool
        return self._proc_output.wait_for(lambda: holds(self.output), timeout)

    @property
    def stdout(self) -> str:
        """What the process has written to stdout."""
        return self._text("stdout")

    @property
    def stderr(self) -> str:
        """What the process has written to stderr."""
        return self._text("stderr")

    @property
    def output(self) -> str:
        """What the process has written to both streams."""
        return self._text(None)

    @property
    def running(self) -> bool:
        """Whether the process has started and not ended."""
        return isinstance(self._last_event(), ProcessStarted)

    @property
    def terminated(self) -> bool:
        """Whether the process has ended."""
        return isinstance(self._last_event(), ProcessExited)

    @property
    def exit_code(self) -> int:
        """The exit code of the process, once it has ended.

        Raises:
            RuntimeError: If it has not.
        """
        event = self._last_event()
        if not isinstance(event, ProcessExited):
            raise RuntimeError("the process has not ended")
        return event.returncode

    def _last_event(self) -> ProcessEvent | None:
        if self.target_process_action not in self._proc_info.processes():
            return None
        return self._proc_info[self.target_process_action]

    def _text(self, stream: str | None) -> str:
        if self._last_event() is None:
            return ""
        pieces = self._proc_output[self.target_process_action]
        return self._output_filter(decode(pieces, stream=stream))


@contextmanager
def launch_process(
    launch_service: LaunchService,
    process_action: ExecuteLocal,
    proc_info: ActiveProcInfoHandler,
    proc_output: ActiveIoHandler,
    **kwargs: Any,
) -> Iterator[ProcessProxy]:
    """Start a process in the running launch, and shut it down at the end of the block.

    Args:
        launch_service: The `launch_service` of the test.
        process_action: The process.
        proc_info: The `proc_info` of the test.
        proc_output: The `proc_output` of the test.
        **kwargs: See `ProcessProxy`.
    """
    if not isinstance(process_action, ExecuteLocal):
        raise TypeError(f"process_action must be an ExecuteProcess, got {process_action!r}")
    description = LaunchDescription([process_action])
    launch_service.emit_event(IncludeLaunchDescription(launch_description=description))
    proxy = ProcessProxy(process_action, proc_info, proc_output, **kwargs)
    try:
        yield proxy
    finally:
        if not proxy.terminated:
            launch_service.emit_event(
                ShutdownProcess(process_matcher=matches_action(process_action))
            )
