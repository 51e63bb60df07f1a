"""Event: a launch description is to be included."""

from typing import TYPE_CHECKING

from ..event import Event

if TYPE_CHECKING:
    from ..launch_description import LaunchDescription


class IncludeLaunchDescription(Event):
    """Ask for a launch description to be visited."""

    name = "launch.events.IncludeLaunchDescription"

    def __init__(self, launch_description: "LaunchDescription") -> None:
        """Create the event for ``launch_description``."""
        self.__launch_description = launch_description

    @property
    def launch_description(self) -> "LaunchDescription":
        """The launch description to visit."""
        return self.__launch_description
