"""Action: several entities in a scope of their own."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..launch_description_entity import LaunchDescriptionEntity
from ..some_substitutions_type import SomeSubstitutionsType
from .pop_environment import PopEnvironment
from .pop_launch_configurations import PopLaunchConfigurations
from .push_environment import PushEnvironment
from .push_launch_configurations import PushLaunchConfigurations
from .reset_environment import ResetEnvironment
from .reset_launch_configurations import ResetLaunchConfigurations
from .set_launch_configuration import SetLaunchConfiguration

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class GroupAction(Action):
    """Visit entities in order; configurations and environment are restored after them."""

    def __init__(
        self,
        actions: Iterable[LaunchDescriptionEntity],
        *,
        scoped: bool = True,
        forwarding: bool = True,
        launch_configurations: Mapping[SomeSubstitutionsType, SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        """Create a group.

        Args:
            actions: The entities.
            scoped: Whether configurations and environment are restored after them.
            forwarding: Whether the group sees the outer configurations and environment.
            launch_configurations: Set within the group.
            kwargs: Those of Action.
        """
        super().__init__(**kwargs)
        self.__actions = list(actions)
        self.__scoped = scoped
        self.__forwarding = forwarding
        self.__launch_configurations = dict(launch_configurations or {})
        self.__sub_entities: list[LaunchDescriptionEntity] | None = None

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the entities, with those that make the scope around them."""
        if self.__sub_entities is None:
            configure: list[LaunchDescriptionEntity] = [
                SetLaunchConfiguration(name, value)
                for name, value in self.__launch_configurations.items()
            ]
            if not self.__forwarding:
                # Evaluated before the outer configurations are gone.
                configure = [
                    ResetEnvironment(),
                    ResetLaunchConfigurations(self.__launch_configurations),
                ]
            if self.__scoped:
                enter = [PushLaunchConfigurations(), PushEnvironment()]
                leave = [PopEnvironment(), PopLaunchConfigurations()]
                self.__sub_entities = [*enter, *configure, *self.__actions, *leave]
            else:
                self.__sub_entities = [*configure, *self.__actions]
        return self.__sub_entities

    def execute(self, context: "LaunchContext") -> list[LaunchDescriptionEntity]:
        """Return the entities."""
        return self.get_sub_entities()
