"""The command line, working directory and environment of a process."""

import itertools
import os
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..substitutions import LaunchConfiguration
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from ..action import Action
    from ..launch_context import LaunchContext

SomeEnvironment = Mapping[SomeSubstitutionsType, SomeSubstitutionsType]

_numbers = itertools.count(1)


class Executable:
    """What to execute; substitutions are performed by ``prepare``."""

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        prefix: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: SomeEnvironment | None = None,
        additional_env: SomeEnvironment | None = None,
        arguments: Iterable[SomeSubstitutionsType] | None = None,
    ) -> None:
        """Describe a process.

        Args:
            cmd: Arguments of the command line, the executable first.
            prefix: Put before the command, for instance 'xterm -e gdb --args'; default is the
                launch configuration ``launch-prefix``, for executables that match
                ``launch-prefix-filter``.
            name: Label of the process, without its number; default is the executable's.
            cwd: Working directory.
            env: The whole environment, instead of the launch's.
            additional_env: Added to the environment.
            arguments: Appended to the command line.

        Raises:
            TypeError: ``cmd`` is a string.
        """
        if isinstance(cmd, str):
            raise TypeError(f"cmd must be a list of arguments, got the string {cmd!r}")
        self.__cmd = [normalize_to_list_of_substitutions(part) for part in cmd]
        self.__cmd += [normalize_to_list_of_substitutions(part) for part in arguments or ()]
        self.__prefix = normalize_to_list_of_substitutions(
            LaunchConfiguration("launch-prefix", default="") if prefix is None else prefix
        )
        self.__prefix_filter = (
            normalize_to_list_of_substitutions(
                LaunchConfiguration("launch-prefix-filter", default="")
            )
            if prefix is None
            else None
        )
        self.__name = None if name is None else normalize_to_list_of_substitutions(name)
        self.__cwd = None if cwd is None else normalize_to_list_of_substitutions(cwd)
        self.__env = None if env is None else _normalized(env)
        self.__additional_env = None if additional_env is None else _normalized(additional_env)
        self.__final_name: str | None = None
        self.__final_cmd: list[str] | None = None
        self.__final_cwd: str | None = None
        self.__final_env: dict[str, str] | None = None

    @property
    def cmd(self) -> list[list[Substitution]]:
        """Arguments of the command line, before substitution."""
        return self.__cmd

    @property
    def name(self) -> list[Substitution] | None:
        """Label without its number, before substitution."""
        return self.__name

    @property
    def cwd(self) -> list[Substitution] | None:
        """Working directory, before substitution."""
        return self.__cwd

    @property
    def env(self) -> list[tuple[list[Substitution], list[Substitution]]] | None:
        """Whole environment, before substitution."""
        return self.__env

    @property
    def additional_env(self) -> list[tuple[list[Substitution], list[Substitution]]] | None:
        """Additional environment, before substitution."""
        return self.__additional_env

    @property
    def prefix(self) -> list[Substitution]:
        """Prefix of the command, before substitution."""
        return self.__prefix

    @property
    def final_name(self) -> str | None:
        """Label ``name-N``, None before ``prepare``."""
        return self.__final_name

    @property
    def final_cmd(self) -> list[str] | None:
        """Command line, None before ``prepare``."""
        return self.__final_cmd

    @property
    def final_cwd(self) -> str | None:
        """Working directory, None for the launcher's."""
        return self.__final_cwd

    @property
    def final_env(self) -> dict[str, str] | None:
        """Environment, None before ``prepare``."""
        return self.__final_env

    def append(self, arguments: Iterable[SomeSubstitutionsType]) -> None:
        """Append to the command line, before ``prepare``."""
        self.__cmd += [normalize_to_list_of_substitutions(part) for part in arguments]

    def prepare(self, context: "LaunchContext", action: "Action") -> None:
        """Perform the substitutions, and give the process its number."""
        cmd = [perform_substitutions(context, part) for part in self.__cmd]
        base = os.path.basename(cmd[0])
        # With a shell the first argument may be a whole command line: its first word names it.
        words = base.split() or ["process"]
        name = words[0] if self.__name is None else perform_substitutions(context, self.__name)
        prefix = shlex.split(perform_substitutions(context, self.__prefix))
        if prefix and self.__prefix_filter is not None:
            pattern = perform_substitutions(context, self.__prefix_filter)
            if pattern and not re.match(pattern, base):
                prefix = []
        self.__final_cmd = prefix + cmd
        self.__final_name = f"{name}-{next(_numbers)}"
        self.__final_cwd = (
            None if self.__cwd is None else perform_substitutions(context, self.__cwd)
        )
        base_environment = (
            dict(context.environment) if self.__env is None else _performed(context, self.__env)
        )
        added = _performed(context, self.__additional_env or [])
        self.__final_env = {**base_environment, **added}


def _normalized(
    environment: SomeEnvironment,
) -> list[tuple[list[Substitution], list[Substitution]]]:
    return [
        (normalize_to_list_of_substitutions(key), normalize_to_list_of_substitutions(value))
        for key, value in environment.items()
    ]


def _performed(context: "LaunchContext", environment: Iterable[Any]) -> dict[str, str]:
    return {
        perform_substitutions(context, key): perform_substitutions(context, value)
        for key, value in environment
    }
