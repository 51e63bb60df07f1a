"""Base class of events that are addressed to processes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...event import Event

if TYPE_CHECKING:
    from ...actions.execute_local import ExecuteLocal


class ProcessTargetedEvent(Event):
    """A request to every process that a matcher accepts."""

    name = "launch.events.process.ProcessTargetedEvent"

    def __init__(self, *, process_matcher: Callable[["ExecuteLocal"], bool]) -> None:
        """Create the event; ``process_matcher`` is asked with the action of each process."""
        self.__process_matcher = process_matcher

    @property
    def process_matcher(self) -> Callable[["ExecuteLocal"], bool]:
        """Says which processes are meant."""
        return self.__process_matcher
