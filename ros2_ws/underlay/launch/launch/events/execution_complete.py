"""Event: an action has completed."""

from typing import TYPE_CHECKING

from ..event import Event

if TYPE_CHECKING:
    from ..action import Action


class ExecutionComplete(Event):
    """An action has executed, and its future, if it has one, is done."""

    name = "launch.events.ExecutionComplete"

    def __init__(self, *, action: "Action") -> None:
        """Create the event for ``action``."""
        self.__action = action

    @property
    def action(self) -> "Action":
        """The action that completed."""
        return self.__action
