"""Event: processes are to end."""

from .process_targeted_event import ProcessTargetedEvent


class ShutdownProcess(ProcessTargetedEvent):
    """Ask processes to end, with escalation."""

    name = "launch.events.process.ShutdownProcess"
