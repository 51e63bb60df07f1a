"""Substitution: the value of an environment variable."""

from typing import TYPE_CHECKING

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class EnvironmentVariable(Substitution):
    """The value of an environment variable, or a default."""

    def __init__(
        self,
        name: SomeSubstitutionsType,
        *,
        default_value: SomeSubstitutionsType | None = None,
    ) -> None:
        """Create the substitution; without a default an unset variable is an error."""
        self.__name = normalize_to_list_of_substitutions(name)
        self.__default_value = (
            None if default_value is None else normalize_to_list_of_substitutions(default_value)
        )

    @property
    def name(self) -> list[Substitution]:
        """Name of the variable."""
        return self.__name

    @property
    def default_value(self) -> list[Substitution] | None:
        """Value if the variable is not set."""
        return self.__default_value

    def describe(self) -> str:
        """Describe the substitution by its name."""
        return f"EnvVar({' + '.join(part.describe() for part in self.__name)})"

    def perform(self, context: "LaunchContext") -> str:
        """Return the value.

        Raises:
            SubstitutionFailure: The variable is not set, and there is no default.
        """
        name = perform_substitutions(context, self.__name)
        if name in context.environment:
            return context.environment[name]
        if self.__default_value is None:
            raise SubstitutionFailure(f"environment variable '{name}' does not exist")
        return perform_substitutions(context, self.__default_value)
