"""Action: set a parameter of the nodes that follow."""

from typing import Any

from launch import Action, LaunchContext, SomeSubstitutionsType

from ..parameter_descriptions import Parameter


class SetParameter(Action):
    """Set a parameter of all nodes that follow in this scope; their own values precede."""

    def __init__(self, name: SomeSubstitutionsType, value: Any, **kwargs: Any) -> None:
        """Create the action; ``value`` is as in ParameterValue, ``kwargs`` are Action's."""
        super().__init__(**kwargs)
        self.__parameter = Parameter(name, value)

    @property
    def name(self) -> Any:
        """Name of the parameter."""
        return self.__parameter.name

    @property
    def value(self) -> Any:
        """Value of the parameter."""
        return self.__parameter.value

    def execute(self, context: LaunchContext) -> None:
        """Set the parameter."""
        # A new list: the outer scope keeps its own.
        context.launch_configurations["global_params"] = [
            *context.launch_configurations.get("global_params", ()),
            self.__parameter.evaluate(context),
        ]
