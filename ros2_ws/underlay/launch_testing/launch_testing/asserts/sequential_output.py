"""Assertions on the order of what a process has written."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from launch.actions import ExecuteLocal
from launch_testing.tools.text import decode
from launch_testing.util import resolveProcesses

_CONTEXT_CHARACTERS = 200


class SequentialTextChecker:
    """Asserts that texts follow each other."""

    def __init__(self, output: Iterable[str]) -> None:
        self._text = "".join(output)
        self._position = 0

    def assertInStdout(self, msg: str) -> None:  # noqa: N802 - the genuine name
        """Assert that `msg` follows the text that was asserted last.

        Raises:
            AssertionError: If it does not; the next assertion starts from the same place.
        """
        found = self._text.find(msg, self._position)
        if found < 0:
            start = max(0, self._position - _CONTEXT_CHARACTERS)
            nearby = self._text[start : self._position + _CONTEXT_CHARACTERS]
            raise AssertionError(f"{msg!r} does not follow the last match; near it:\n{nearby}")
        self._position = found + len(msg)

    assertInText = assertInStdout  # noqa: N815 - the genuine name


@contextmanager
def assertSequentialStdout(  # noqa: N802 - the genuine name
    proc_output: Any, process: ExecuteLocal | str, cmd_args: Any = None
) -> Iterator[SequentialTextChecker]:
    """Give a checker of the order of what one process has written, to both streams.

    Args:
        proc_output: The `proc_output` of the test.
        process: The process or a part of its name.
        cmd_args: See `resolveProcesses`.
    """
    (action,) = resolveProcesses(
        proc_output, process=process, cmd_args=cmd_args, strict_proc_matching=True
    )
    yield SequentialTextChecker([decode(proc_output[action])])
