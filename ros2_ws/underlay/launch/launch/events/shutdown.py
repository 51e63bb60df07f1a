"""Event: the launch is to shut down."""

from ..event import Event


class Shutdown(Event):
    """Ask for everything to end."""

    name = "launch.events.Shutdown"

    def __init__(self, *, reason: str = "reason not given", due_to_sigint: bool = False) -> None:
        """Create the event with its reason, and whether SIGINT was that."""
        self.__reason = reason
        self.__due_to_sigint = due_to_sigint

    @property
    def reason(self) -> str:
        """Why the launch ends."""
        return self.__reason

    @property
    def due_to_sigint(self) -> bool:
        """Whether the user interrupted."""
        return self.__due_to_sigint
