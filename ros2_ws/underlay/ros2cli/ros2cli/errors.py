"""The two ways in which a command ends early."""

import signal


class CommandError(Exception):
    """A failure that the user can act on: one line on stderr, exit code 1."""


class Interrupted(Exception):  # noqa: N818 - like KeyboardInterrupt, no error
    """The user (SIGINT) or a supervisor (SIGTERM) asked the command to stop.

    Args:
        signum: The signal that was received.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum
