"""Substitution: the value of a launch configuration."""

from typing import TYPE_CHECKING, Any

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class LaunchConfiguration(Substitution):
    """The value of a launch configuration, or a default."""

    def __init__(self, variable_name: SomeSubstitutionsType, *, default: Any | None = None) -> None:
        """Create the substitution.

        Args:
            variable_name: Name of the configuration.
            default: Value if it is not set; numbers and booleans become strings. Without one
                an unset configuration is an error.
        """
        self.__variable_name = normalize_to_list_of_substitutions(variable_name)
        if isinstance(default, bool | int | float):
            default = str(default)
        self.__default = None if default is None else normalize_to_list_of_substitutions(default)

    @property
    def variable_name(self) -> list[Substitution]:
        """Name of the configuration."""
        return self.__variable_name

    def describe(self) -> str:
        """Describe the substitution by its name."""
        return f"LaunchConfig({' + '.join(part.describe() for part in self.__variable_name)})"

    def perform(self, context: "LaunchContext") -> str:
        """Return the value.

        Raises:
            SubstitutionFailure: The configuration is not set, and there is no default.
        """
        name = perform_substitutions(context, self.__variable_name)
        if name in context.launch_configurations:
            return str(context.launch_configurations[name])
        if self.__default is None:
            raise SubstitutionFailure(f"launch configuration '{name}' does not exist")
        return perform_substitutions(context, self.__default)
