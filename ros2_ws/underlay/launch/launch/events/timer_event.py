"""Event: the period of a timer is over."""

from typing import TYPE_CHECKING

from ..event import Event

if TYPE_CHECKING:
    from ..actions.timer_action import TimerAction


class TimerEvent(Event):
    """The period of a TimerAction is over."""

    name = "launch.events.TimerEvent"

    def __init__(self, *, timer_action: "TimerAction") -> None:
        """Create the event for ``timer_action``."""
        self.__timer_action = timer_action

    @property
    def timer_action(self) -> "TimerAction":
        """The timer whose period is over."""
        return self.__timer_action
