"""What tests need beside the assertions."""

import sys

from launch.actions import ExecuteProcess

from .proc_lookup import NO_CMD_ARGS, NoMatchingProcessException, resolveProcesses

__all__ = ["NO_CMD_ARGS", "KeepAliveProc", "NoMatchingProcessException", "resolveProcesses"]

# It ends with code 0 on SIGINT, so that it does not spoil a check of all exit codes.
_WAIT_FOR_INTERRUPT = """
import signal
try:
    while True:
        signal.pause()
except KeyboardInterrupt:
    pass
"""


def KeepAliveProc() -> ExecuteProcess:  # noqa: N802 - the genuine name
    """Create a process that does nothing until the launch shuts down.

    A launch ends with its last process: add this one where all others end by themselves before the
    tests do.
    """
    # -S: a signal during the long start-up of site packages would end it with a traceback.
    return ExecuteProcess(cmd=[sys.executable, "-I", "-S", "-c", _WAIT_FOR_INTERRUPT])
