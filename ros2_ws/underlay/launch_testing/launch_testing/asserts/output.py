"""Assertions on what processes have written."""

from collections.abc import Callable
from typing import Any

from launch.actions import ExecuteLocal
from launch_testing.tools.text import (
    TextPattern,
    build_text_match,
    decode,
    strip_ansi_escapes,
)
from launch_testing.util import resolveProcesses
from launch_testing.util.proc_lookup import process_name


def assertInStream(  # noqa: N802 - the genuine name
    proc_output: Any,
    expected_output: TextPattern,
    process: ExecuteLocal | str | None,
    cmd_args: Any = None,
    *,
    output_filter: Callable[[str], str] | None = None,
    strict_proc_matching: bool = True,
    strip_ansi_escape_sequences: bool = True,
    stream: str = "stderr",
) -> None:
    """Assert that a process has written something.

    Args:
        proc_output: The `proc_output` of the test.
        expected_output: See `build_text_match`.
        process: The process, a part of its name, or None for any.
        cmd_args: See `resolveProcesses`.
        output_filter: Applied to the output before it is searched.
        strict_proc_matching: See `resolveProcesses`.
        strip_ansi_escape_sequences: Remove colours before the output is filtered.
        stream: `'stderr'`, where ROS nodes log, or `'stdout'`.

    Raises:
        AssertionError: If no matching process has written it.
    """
    processes = resolveProcesses(
        proc_output, process=process, cmd_args=cmd_args, strict_proc_matching=strict_proc_matching
    )
    matches = build_text_match(expected_output)
    for action in processes:
        text = decode(proc_output[action], stream=stream)
        if strip_ansi_escape_sequences:
            text = strip_ansi_escapes(text)
        if output_filter is not None:
            text = output_filter(text)
        if matches(text):
            return
    names = ", ".join(sorted(process_name(action) for action in processes))
    raise AssertionError(f"{expected_output!r} is not in the {stream} of any of: {names}")


def assertInStdout(*args: Any, **kwargs: Any) -> None:  # noqa: N802 - the genuine name
    """Assert that a process has written something to stdout: see `assertInStream`."""
    assertInStream(*args, **kwargs, stream="stdout")


def assertInStderr(*args: Any, **kwargs: Any) -> None:  # noqa: N802 - the genuine name
    """Assert that a process has written something to stderr: see `assertInStream`."""
    assertInStream(*args, **kwargs, stream="stderr")
