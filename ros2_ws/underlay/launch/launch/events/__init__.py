"""Events of the launch itself; those of processes are in ``launch.events.process``."""

from .execution_complete import ExecutionComplete
from .include_launch_description import IncludeLaunchDescription
from .matchers import matches_action
from .shutdown import Shutdown
from .timer_event import TimerEvent

__all__ = [
    "ExecutionComplete",
    "IncludeLaunchDescription",
    "Shutdown",
    "TimerEvent",
    "matches_action",
]

# Last: the events of processes refer to actions, which refer to the events above.
from . import process

__all__ += ["process"]
