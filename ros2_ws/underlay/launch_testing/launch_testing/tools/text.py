"""Matches text."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

TextPattern = str | re.Pattern[str] | Sequence[str] | Sequence[re.Pattern[str]]

_ANSI_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def strip_ansi_escapes(text: str) -> str:
    """Remove the control sequences that colour the text of a terminal."""
    return _ANSI_ESCAPE.sub("", text)


def decode(chunks: Iterable[Any], *, stream: str | None = None) -> str:
    """Join the recorded output of a process.

    Args:
        chunks: `ProcessIO` events.
        stream: `'stdout'` or `'stderr'` to keep only one of them.

    Raises:
        ValueError: If `stream` is something else.
    """
    if stream not in (None, "stdout", "stderr"):
        raise ValueError(f"stream must be 'stdout' or 'stderr', got {stream!r}")
    # Joined before it is decoded: a chunk may end in the middle of a character.
    data = b"".join(
        chunk.text for chunk in chunks if stream is None or getattr(chunk, f"from_{stream}")
    )
    return data.decode(errors="replace")


def build_text_match(expected: TextPattern) -> Callable[[str], bool]:
    """Build a predicate on text.

    Args:
        expected: A part of the text, a regular expression to search for, a list of whole lines, or
            a list of regular expressions; the entries of a list must appear in their order.

    Raises:
        ValueError: If `expected` is nothing of that.
    """
    if isinstance(expected, str):
        return lambda text: expected in text
    if isinstance(expected, re.Pattern):
        return lambda text: expected.search(text) is not None
    if isinstance(expected, (list, tuple)) and expected:
        entries: list[Any] = list(expected)
        if all(isinstance(entry, str) for entry in entries):
            return lambda text: _lines_in_order(entries, text)
        if all(isinstance(entry, re.Pattern) for entry in entries):
            return lambda text: _patterns_in_order(entries, text)
    raise ValueError(
        f"expected output must be a str, a compiled pattern or a list of either, got {expected!r}"
    )


def _lines_in_order(expected: Sequence[str], text: str) -> bool:
    lines = iter(text.splitlines())
    return all(line in lines for line in expected)


def _patterns_in_order(expected: Sequence[re.Pattern[str]], text: str) -> bool:
    start = 0
    for pattern in expected:
        match = pattern.search(text, start)
        if match is None:
            return False
        start = match.end()
    return True
