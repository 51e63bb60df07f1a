"""Assertions on exit codes."""

from collections.abc import Iterable
from typing import Any

from launch.actions import ExecuteLocal
from launch.events.process import ProcessExited
from launch_testing.util import resolveProcesses

EXIT_OK = 0
EXIT_SIGINT = 130
EXIT_SIGQUIT = 131
EXIT_SIGKILL = 137
EXIT_SIGSEGV = 139


def assertExitCodes(  # noqa: N802 - the genuine name
    proc_info: Any,
    allowable_exit_codes: Iterable[int] = (EXIT_OK,),
    process: ExecuteLocal | str | None = None,
    cmd_args: Any = None,
    *,
    strict_proc_matching: bool = True,
) -> None:
    """Assert that processes ended with an allowed code.

    Args:
        proc_info: The `proc_info` of the test.
        allowable_exit_codes: Allowed codes; `-N` for an end by signal N.
        process: The process, a part of its name, or None for all.
        cmd_args: See `resolveProcesses`.
        strict_proc_matching: See `resolveProcesses`.

    Raises:
        AssertionError: If a process still runs or ended with another code.
    """
    allowed = list(allowable_exit_codes)
    for code in allowed:
        if not isinstance(code, int):
            raise AssertionError(f"an exit code must be an int, got {code!r}")
    for action in resolveProcesses(
        proc_info, process=process, cmd_args=cmd_args, strict_proc_matching=strict_proc_matching
    ):
        event = proc_info[action]
        if not isinstance(event, ProcessExited):
            raise AssertionError(f"process {event.process_name} has not ended")
        if event.returncode not in allowed:
            raise AssertionError(
                f"process {event.process_name} exited with code {event.returncode}, "
                f"allowed: {', '.join(map(str, allowed))}"
            )
