"""The root of a tree of entities."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .action import Action
from .actions.declare_launch_argument import DeclareLaunchArgument
from .launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from .actions.include_launch_description import IncludeLaunchDescription
    from .launch_context import LaunchContext


class LaunchDescription(LaunchDescriptionEntity):
    """What a launch file returns: entities in the order in which they are visited."""

    def __init__(
        self,
        initial_entities: Iterable[LaunchDescriptionEntity] | None = None,
        *,
        deprecated_reason: str | None = None,
    ) -> None:
        """Create a launch description; with a reason, visiting it logs a deprecation warning."""
        self.__entities = list(initial_entities) if initial_entities is not None else []
        self.__deprecated_reason = deprecated_reason

    @property
    def entities(self) -> list[LaunchDescriptionEntity]:
        """The entities, in order."""
        return self.__entities

    @property
    def deprecated(self) -> bool:
        """Whether the description is deprecated."""
        return self.__deprecated_reason is not None

    @property
    def deprecated_reason(self) -> str | None:
        """Why the description is deprecated."""
        return self.__deprecated_reason

    def add_entity(self, entity: LaunchDescriptionEntity) -> None:
        """Append an entity."""
        self.__entities.append(entity)

    def add_action(self, action: Action) -> None:
        """Append an action."""
        self.add_entity(action)

    def visit(self, context: "LaunchContext") -> list[LaunchDescriptionEntity] | None:
        """Return the entities."""
        if self.__deprecated_reason is not None:
            from .logging import get_logger

            get_logger("launch").warning(
                f"this launch description is deprecated: {self.__deprecated_reason}"
            )
        return self.__entities

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the entities."""
        return self.__entities

    def get_launch_arguments(
        self, conditional_inclusion: bool = False
    ) -> list[DeclareLaunchArgument]:
        """Return the declared arguments, included files' too, as far as they can be known."""
        pairs = self.get_launch_arguments_with_include_launch_description_actions(
            conditional_inclusion
        )
        return [argument for argument, _ in pairs]

    def get_launch_arguments_with_include_launch_description_actions(
        self, conditional_inclusion: bool = False
    ) -> list[tuple[DeclareLaunchArgument, list["IncludeLaunchDescription"] | None]]:
        """Return each declared argument with the chain of includes that leads to it.

        The first declaration of a name counts. An include whose path is not known without a
        running launch is left out, as are entities that a function returns.

        Args:
            conditional_inclusion: Whether this description itself is included conditionally.

        Returns:
            Pairs of an argument and its includes, outermost first; None at the top level.
        """
        from .actions.include_launch_description import IncludeLaunchDescription
        from .actions.reset_launch_configurations import ResetLaunchConfigurations

        found: dict[str, tuple[DeclareLaunchArgument, list[IncludeLaunchDescription] | None]] = {}

        def search(
            entities: Iterable[LaunchDescriptionEntity],
            conditional: bool,
            includes: list[IncludeLaunchDescription],
        ) -> None:
            for entity in entities:
                if isinstance(entity, ResetLaunchConfigurations):
                    return  # what follows does not see the arguments of this launch
                if isinstance(entity, DeclareLaunchArgument) and entity.name not in found:
                    entity._conditionally_included = conditional or entity.condition is not None
                    found[entity.name] = (entity, includes or None)
                here = (
                    [*includes, entity]
                    if isinstance(entity, IncludeLaunchDescription)
                    else includes
                )
                search(entity.describe_sub_entities(), conditional, here)
                for _, sub_entities in entity.describe_conditional_sub_entities():
                    search(sub_entities, True, here)

        search(self.__entities, conditional_inclusion, [])
        return list(found.values())
