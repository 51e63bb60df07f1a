"""Action: remap a name in the nodes that follow."""

from typing import Any

from launch import Action, LaunchContext, SomeSubstitutionsType, Substitution
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions


class SetRemap(Action):
    """Remap a name in all nodes that follow in this scope, before their own rules."""

    def __init__(
        self, src: SomeSubstitutionsType, dst: SomeSubstitutionsType, **kwargs: Any
    ) -> None:
        """Create the action for the rule ``src`` to ``dst``; ``kwargs`` are those of Action."""
        super().__init__(**kwargs)
        self.__src = normalize_to_list_of_substitutions(src)
        self.__dst = normalize_to_list_of_substitutions(dst)

    @property
    def src(self) -> list[Substitution]:
        """The name."""
        return self.__src

    @property
    def dst(self) -> list[Substitution]:
        """What it becomes."""
        return self.__dst

    def execute(self, context: LaunchContext) -> None:
        """Set the rule."""
        rule = (
            perform_substitutions(context, self.__src),
            perform_substitutions(context, self.__dst),
        )
        context.launch_configurations["ros_remaps"] = [
            *context.launch_configurations.get("ros_remaps", ()),
            rule,
        ]
