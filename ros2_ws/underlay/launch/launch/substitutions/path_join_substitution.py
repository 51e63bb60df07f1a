"""Substitution: parts of a path, joined."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class PathJoinSubstitution(Substitution):
    """The parts of a path, joined by the separator; a part may itself be a list."""

    def __init__(self, substitutions: Iterable[SomeSubstitutionsType]) -> None:
        """Create the substitution from the parts."""
        self.__substitutions = [normalize_to_list_of_substitutions(part) for part in substitutions]

    @property
    def substitutions(self) -> list[list[Substitution]]:
        """The parts."""
        return self.__substitutions

    def describe(self) -> str:
        """Describe the substitution by its parts."""
        parts = [" + ".join(sub.describe() for sub in part) for part in self.__substitutions]
        return f"PathJoin({', '.join(parts)})"

    def perform(self, context: "LaunchContext") -> str:
        """Join the parts."""
        return os.path.join(
            *(perform_substitutions(context, part) for part in self.__substitutions)
        )
