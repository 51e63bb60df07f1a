"""The output of one process: from chunks of bytes to logged lines."""

import io
import logging
from collections.abc import Callable, Mapping


class ProcessOutput:
    """Logs whole lines, whatever the chunks; keeps everything if asked to."""

    def __init__(self, *, cached: bool) -> None:
        """Create the output of a process that has not started; ``cached`` keeps it."""
        self._cache: dict[int, io.StringIO] | None = {} if cached else None
        self._incomplete: dict[int, bytes] = {}
        self._loggers: Mapping[int, logging.Logger] = {}
        self._format: Callable[[str], str] = str

    def log_to(
        self, loggers: Mapping[int, logging.Logger], line_format: Callable[[str], str]
    ) -> None:
        """Choose where the lines of each descriptor (1 and 2) go, and their form."""
        self._loggers = loggers
        self._format = line_format

    def write(self, descriptor: int, chunk: bytes) -> None:
        """Take what the process has written."""
        if self._cache is not None:
            cache = self._cache.setdefault(descriptor, io.StringIO())
            cache.write(chunk.decode(errors="replace"))
        *lines, rest = (self._incomplete.get(descriptor, b"") + chunk).split(b"\n")
        self._incomplete[descriptor] = rest
        for line in lines:
            self._log(descriptor, line)

    def flush(self) -> None:
        """Log what has no line end: the process has ended."""
        for descriptor, rest in self._incomplete.items():
            if rest:
                self._log(descriptor, rest)
        self._incomplete.clear()

    def text(self, descriptor: int) -> str:
        """Return everything that was written.

        Raises:
            RuntimeError: It was not kept.
        """
        if self._cache is None:
            raise RuntimeError("the output is not kept: pass cached_output=True to the action")
        return self._cache[descriptor].getvalue() if descriptor in self._cache else ""

    def _log(self, descriptor: int, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self._loggers[descriptor].info("%s", self._format(text))
