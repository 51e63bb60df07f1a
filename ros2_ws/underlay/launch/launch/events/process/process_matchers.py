"""Functions that make matchers of processes."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...actions.execute_local import ExecuteLocal


def matches_pid(pid: int) -> Callable[["ExecuteLocal"], bool]:
    """Make a matcher that accepts the process with this id."""
    return lambda action: (
        action.process_details is not None and (action.process_details["pid"] == pid)
    )


def matches_name(name: str) -> Callable[["ExecuteLocal"], bool]:
    """Make a matcher that accepts the process with this label (``name-N``)."""
    return lambda action: (
        action.process_details is not None and (action.process_details["name"] == name)
    )


def matches_executable(executable: str) -> Callable[["ExecuteLocal"], bool]:
    """Make a matcher that accepts processes whose command has this file name."""
    return lambda action: (
        action.process_details is not None
        and (os.path.basename(action.process_details["cmd"][0]) == executable)
    )
