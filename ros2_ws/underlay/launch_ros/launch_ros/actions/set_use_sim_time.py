"""Action: choose the clock of the nodes that follow."""

from typing import Any

from launch import Action, LaunchContext, LaunchDescriptionEntity, SomeSubstitutionsType

from ..parameter_descriptions import ParameterValue
from .set_parameter import SetParameter


class SetUseSimTime(Action):
    """Set ``use_sim_time`` of all nodes that follow in this scope."""

    def __init__(self, value: bool | SomeSubstitutionsType, **kwargs: Any) -> None:
        """Create the action; ``kwargs`` are those of Action."""
        super().__init__(**kwargs)
        self.__value = ParameterValue(value, value_type=bool)

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        """Set the parameter."""
        return [SetParameter("use_sim_time", self.__value)]
