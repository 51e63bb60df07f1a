"""Event: a process has written to stderr."""

from typing import Any

from .process_io import ProcessIO


class ProcessStderr(ProcessIO):
    """A process has written to stderr."""

    name = "launch.events.process.ProcessStderr"

    def __init__(self, *, text: bytes, **kwargs: Any) -> None:
        """Create the event for ``text``."""
        super().__init__(text=text, fd=2, **kwargs)
