"""Event: a process has written something."""

from typing import Any

from .running_process_event import RunningProcessEvent


class ProcessIO(RunningProcessEvent):
    """A process has written something."""

    name = "launch.events.process.ProcessIO"

    def __init__(self, *, text: bytes, fd: int, **kwargs: Any) -> None:
        """Create the event; ``fd`` is 1 for stdout and 2 for stderr."""
        super().__init__(**kwargs)
        self.__text = text
        self.__fd = fd

    @property
    def text(self) -> bytes:
        """The bytes, not necessarily whole lines."""
        return self.__text

    @property
    def fd(self) -> int:
        """File descriptor in the process: 1 for stdout, 2 for stderr."""
        return self.__fd

    @property
    def from_stdin(self) -> bool:
        """Whether it went to stdin."""
        return self.__fd == 0

    @property
    def from_stdout(self) -> bool:
        """Whether it came from stdout."""
        return self.__fd == 1

    @property
    def from_stderr(self) -> bool:
        """Whether it came from stderr."""
        return self.__fd == 2
