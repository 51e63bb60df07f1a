"""Base class of events about a process that was started."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...event import Event

if TYPE_CHECKING:
    from ...actions.execute_local import ExecuteLocal


class RunningProcessEvent(Event):
    """Something about a process that was started."""

    name = "launch.events.process.RunningProcessEvent"

    def __init__(
        self,
        *,
        action: "ExecuteLocal",
        name: str,
        cmd: Sequence[str],
        cwd: str | None,
        env: Mapping[str, str] | None,
        pid: int,
    ) -> None:
        """Create the event.

        Args:
            action: The action that started the process.
            name: Label of the process, ``name-N``.
            cmd: Command line.
            cwd: Working directory, None for the launcher's.
            env: Environment.
            pid: Process id.
        """
        self.__action = action
        self.__process_name = name
        self.__cmd = list(cmd)
        self.__cwd = cwd
        self.__env = env
        self.__pid = pid

    @property
    def action(self) -> "ExecuteLocal":
        """The action that started the process."""
        return self.__action

    @property
    def execute_process_action(self) -> "ExecuteLocal":
        """The action that started the process, by its older name."""
        return self.__action

    @property
    def process_name(self) -> str:
        """Label of the process, ``name-N``."""
        return self.__process_name

    @property
    def cmd(self) -> list[str]:
        """Command line."""
        return self.__cmd

    @property
    def cwd(self) -> str | None:
        """Working directory, None for the launcher's."""
        return self.__cwd

    @property
    def env(self) -> Mapping[str, str] | None:
        """Environment."""
        return self.__env

    @property
    def pid(self) -> int:
        """Process id."""
        return self.__pid
