"""Event: processes are to get a signal."""

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from .process_targeted_event import ProcessTargetedEvent

if TYPE_CHECKING:
    from ...actions.execute_local import ExecuteLocal


class SignalProcess(ProcessTargetedEvent):
    """Ask for a signal to be sent to processes."""

    name = "launch.events.process.SignalProcess"

    def __init__(
        self,
        *,
        signal_number: str | int | signal.Signals,
        process_matcher: Callable[["ExecuteLocal"], bool],
    ) -> None:
        """Create the event.

        Args:
            signal_number: Number or name (``'SIGUSR1'``) of the signal.
            process_matcher: Says which processes are meant.

        Raises:
            ValueError: There is no such signal.
        """
        super().__init__(process_matcher=process_matcher)
        if isinstance(signal_number, str):
            if signal_number not in signal.Signals.__members__:
                raise ValueError(f"no signal has the name {signal_number!r}")
            self.__signal = signal.Signals[signal_number]
        else:
            self.__signal = signal.Signals(signal_number)

    @property
    def signal(self) -> signal.Signals:
        """The signal."""
        return self.__signal

    @property
    def signal_name(self) -> str:
        """Name of the signal."""
        return self.__signal.name
