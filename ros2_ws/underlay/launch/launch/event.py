"""Base class of the events."""


class Event:
    """Something that happened, or that is asked for."""

    name = "launch.Event"
