"""Event: a process has ended."""

from typing import Any

from .running_process_event import RunningProcessEvent


class ProcessExited(RunningProcessEvent):
    """A process has ended."""

    name = "launch.events.process.ProcessExited"

    def __init__(self, *, returncode: int, **kwargs: Any) -> None:
        """Create the event; ``returncode`` is the negative signal number if a signal ended it."""
        super().__init__(**kwargs)
        self.__returncode = returncode

    @property
    def returncode(self) -> int:
        """Exit code, or the negative number of the signal that ended the process."""
        return self.__returncode
