"""Action: forget the launch configurations."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class ResetLaunchConfigurations(Action):
    """Forget all launch configurations, but keep or set those given."""

    def __init__(
        self,
        launch_configurations: Mapping[SomeSubstitutionsType, SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        """Create the action.

        Args:
            launch_configurations: What is set instead; evaluated before the others are gone.
            kwargs: Those of Action.
        """
        super().__init__(**kwargs)
        self.__launch_configurations = dict(launch_configurations or {})

    def execute(self, context: "LaunchContext") -> None:
        """Replace the configurations."""
        kept = {
            perform_substitutions(
                context, normalize_to_list_of_substitutions(name)
            ): perform_substitutions(context, normalize_to_list_of_substitutions(value))
            for name, value in self.__launch_configurations.items()
        }
        context.launch_configurations.clear()
        context.launch_configurations.update(kept)
