"""Finds the processes that an assertion is about."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from launch.actions import ExecuteLocal

NO_CMD_ARGS: Final = object()
"""Selects a process that was started without arguments."""


class NoMatchingProcessException(Exception):  # noqa: N818 - the genuine name
    """No recorded process matches."""


class ProcessRecord(Protocol):
    """What has been recorded about some processes."""

    def processes(self) -> Iterable[ExecuteLocal]:
        """Return the actions of the recorded processes."""
        ...


def process_name(process: ExecuteLocal) -> str:
    """Return the name that launch has given to a process.

    Raises:
        NoMatchingProcessException: If it has not started; only then it has a name.
    """
    return str(_started(process)["name"])


def _started(process: ExecuteLocal) -> dict[str, Any]:
    if process.process_details is None:
        raise NoMatchingProcessException("the process has not started")
    return process.process_details


def _describe(process: ExecuteLocal) -> str:
    if process.process_details is None:
        return "a process that has not started"
    return " ".join([process_name(process), *_started(process)["cmd"][1:]])


def _has_arguments(process: ExecuteLocal, cmd_args: Any) -> bool:
    arguments = _started(process)["cmd"][1:]
    if cmd_args is None:
        return True
    if cmd_args is NO_CMD_ARGS:
        return not arguments
    wanted: Sequence[str] = [cmd_args] if isinstance(cmd_args, str) else cmd_args
    return all(argument in arguments for argument in wanted)


def resolveProcesses(  # noqa: N802 - the genuine name
    info_obj: ProcessRecord,
    *,
    process: ExecuteLocal | str | None = None,
    cmd_args: Any = None,
    strict_proc_matching: bool = True,
) -> list[ExecuteLocal]:
    """Find recorded processes.

    Args:
        info_obj: `proc_info` or `proc_output`.
        process: The action of the process, a part of its name, or None for all.
        cmd_args: With a name: one or several arguments that the process was started with, or
            `NO_CMD_ARGS`.
        strict_proc_matching: With a name: refuse several matches.

    Returns:
        At least one process.

    Raises:
        NoMatchingProcessException: If there is none.
        ValueError: If several match and `strict_proc_matching` is set.
        TypeError: If `process` is of another type.
    """
    recorded = list(info_obj.processes())
    known = ", ".join(sorted(_describe(entry) for entry in recorded)) or "none"
    if process is None:
        matches = recorded
    elif isinstance(process, ExecuteLocal):
        matches = [entry for entry in recorded if entry is process]
    elif isinstance(process, str):
        matches = [
            entry
            for entry in recorded
            if process in process_name(entry) and _has_arguments(entry, cmd_args)
        ]
        if strict_proc_matching and len(matches) > 1:
            raise ValueError(
                f"several processes match name {process!r} and arguments {cmd_args!r}; "
                f"recorded: {known}"
            )
    else:
        raise TypeError(f"process must be an ExecuteProcess, a str or None, got {process!r}")
    if not matches:
        wanted = _describe(process) if isinstance(process, ExecuteLocal) else repr(process)
        arguments = "" if cmd_args is None else f" with arguments {cmd_args!r}"
        raise NoMatchingProcessException(
            f"no recorded process matches {wanted}{arguments}; recorded: {known}"
        )
    return matches
