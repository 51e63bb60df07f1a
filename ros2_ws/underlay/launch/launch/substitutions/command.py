"""Substitution: what a command prints."""

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from ..logging import get_logger
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

_ON_STDERR = ("fail", "ignore", "warn", "capture")


class Command(Substitution):
    """What a command writes to stdout; the launch waits for it."""

    def __init__(
        self, command: SomeSubstitutionsType, *, on_stderr: SomeSubstitutionsType = "fail"
    ) -> None:
        """Create the substitution.

        Args:
            command: The command line, split as a shell does.
            on_stderr: If it writes to stderr: 'fail', 'ignore', 'warn', or 'capture', which
                appends it to the result.
        """
        self.__command = normalize_to_list_of_substitutions(command)
        self.__on_stderr = normalize_to_list_of_substitutions(on_stderr)

    @property
    def command(self) -> list[Substitution]:
        """The command line."""
        return self.__command

    @property
    def on_stderr(self) -> list[Substitution]:
        """What to do if the command writes to stderr."""
        return self.__on_stderr

    def describe(self) -> str:
        """Describe the substitution by its command."""
        return f"Command({' + '.join(part.describe() for part in self.__command)})"

    def perform(self, context: "LaunchContext") -> str:
        """Run the command.

        Raises:
            SubstitutionFailure: It is not found, fails, or writes to stderr where that counts.
        """
        line = perform_substitutions(context, self.__command)
        on_stderr = perform_substitutions(context, self.__on_stderr)
        if on_stderr not in _ON_STDERR:
            raise SubstitutionFailure(
                f"on_stderr must be one of {', '.join(_ON_STDERR)}, got {on_stderr!r}"
            )
        try:
            result = subprocess.run(
                shlex.split(line),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if on_stderr == "capture" else subprocess.PIPE,
                env=dict(os.environ),
                text=True,
                check=False,
            )
        except OSError as error:
            raise SubstitutionFailure(f"command {line!r} cannot be run: {error}") from error
        if result.returncode != 0:
            raise SubstitutionFailure(
                f"command {line!r} ended with exit code {result.returncode}: {result.stderr}"
            )
        if result.stderr:
            message = f"command {line!r} wrote to stderr: {result.stderr}"
            if on_stderr == "fail":
                raise SubstitutionFailure(message)
            if on_stderr == "warn":
                get_logger("launch").warning(message)
        return result.stdout
