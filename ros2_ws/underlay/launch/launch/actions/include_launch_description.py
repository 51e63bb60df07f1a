"""Action: include another launch description."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..launch_description_entity import LaunchDescriptionEntity
from ..launch_description_source import LaunchDescriptionSource
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .opaque_function import OpaqueFunction
from .set_launch_configuration import SetLaunchConfiguration

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

_FILE = "current_launch_file_path"
_FOLDER = "current_launch_file_directory"


class IncludeLaunchDescription(Action):
    """Visit the entities of another launch description, in the current scope."""

    def __init__(
        self,
        launch_description_source: LaunchDescriptionSource | SomeSubstitutionsType,
        *,
        launch_arguments: Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]]
        | None = None,
        **kwargs: Any,
    ) -> None:
        """Create the action.

        Args:
            launch_description_source: A source, or the path of a launch file.
            launch_arguments: Pairs of name and value, set in the current scope.
            kwargs: Those of Action.
        """
        super().__init__(**kwargs)
        if not isinstance(launch_description_source, LaunchDescriptionSource):
            from ..launch_description_sources import AnyLaunchDescriptionSource

            launch_description_source = AnyLaunchDescriptionSource(launch_description_source)
        self.__source = launch_description_source
        self.__launch_arguments = tuple(launch_arguments or ())

    @property
    def launch_description_source(self) -> LaunchDescriptionSource:
        """Where the launch description comes from."""
        return self.__source

    @property
    def launch_arguments(
        self,
    ) -> tuple[tuple[SomeSubstitutionsType, SomeSubstitutionsType], ...]:
        """Pairs of name and value."""
        return self.__launch_arguments

    def describe(self) -> str:
        """Describe the action by its source."""
        return f"IncludeLaunchDescription({self.__source.location})"

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the launch description, if it can be loaded without a context."""
        description = self.__source.try_get_launch_description_without_context()
        return [] if description is None else [description]

    def execute(self, context: "LaunchContext") -> list[LaunchDescriptionEntity]:
        """Set the arguments, visit the launch description.

        Raises:
            RuntimeError: An argument that the description requires is missing.
        """
        outer_locals = context.get_locals_as_dict()
        description = self.__source.get_launch_description(context)
        context.extend_locals(_location(self.__source.location))
        given = {
            perform_substitutions(context, normalize_to_list_of_substitutions(name))
            for name, _ in self.__launch_arguments
        }
        available = given | set(context.launch_configurations)
        for argument in description.get_launch_arguments():
            if (
                argument.default_value is None
                and not argument._conditionally_included
                and argument.name not in available
            ):
                raise RuntimeError(
                    "Included launch description missing required argument "
                    f"'{argument.name}' (description: '{argument.description}'), "
                    f"given: [{', '.join(sorted(given))}]"
                )

        def restore(context: "LaunchContext") -> None:
            context.extend_locals({key: outer_locals.get(key) for key in (_FILE, _FOLDER)})

        return [
            *(SetLaunchConfiguration(name, value) for name, value in self.__launch_arguments),
            description,
            OpaqueFunction(function=restore),
        ]


def _location(path: str) -> dict[str, str | None]:
    # A description that a program made has no file, and no folder either.
    if not os.path.isfile(path):
        return {_FILE: None, _FOLDER: None}
    return {_FILE: path, _FOLDER: os.path.dirname(path)}
