"""Action: unset an environment variable."""

from typing import TYPE_CHECKING, Any

from ..action import Action
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class UnsetEnvironmentVariable(Action):
    """Unset an environment variable."""

    def __init__(self, name: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Create the action for ``name``; ``kwargs`` are those of Action."""
        super().__init__(**kwargs)
        self.__name = normalize_to_list_of_substitutions(name)

    @property
    def name(self) -> list[Substitution]:
        """The name."""
        return self.__name

    def execute(self, context: "LaunchContext") -> None:
        """Unset it; nothing happens if it is not set."""
        context.environment.pop(perform_substitutions(context, self.__name), None)
