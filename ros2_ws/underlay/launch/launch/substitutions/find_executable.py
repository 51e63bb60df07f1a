"""Substitution: the path of an executable."""

import shutil
from typing import TYPE_CHECKING

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class FindExecutable(Substitution):
    """The path of an executable that is found by PATH."""

    def __init__(self, *, name: SomeSubstitutionsType) -> None:
        """Create the substitution for an executable's ``name``."""
        self.__name = normalize_to_list_of_substitutions(name)

    @property
    def name(self) -> list[Substitution]:
        """Name of the executable."""
        return self.__name

    def describe(self) -> str:
        """Describe the substitution by its name."""
        return f"FindExec({' + '.join(part.describe() for part in self.__name)})"

    def perform(self, context: "LaunchContext") -> str:
        """Find the executable.

        Raises:
            SubstitutionFailure: There is none.
        """
        name = perform_substitutions(context, self.__name)
        path = shutil.which(name, path=context.environment.get("PATH"))
        if path is None:
            raise SubstitutionFailure(f"executable '{name}' not found on the PATH")
        return path
