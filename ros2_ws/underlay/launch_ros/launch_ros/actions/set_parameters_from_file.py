"""Action: load a file of parameters for the nodes that follow."""

from typing import Any

from launch import Action, LaunchContext, SomeSubstitutionsType

from ..parameter_descriptions import ParameterFile


class SetParametersFromFile(Action):
    """Give a file of parameters to all nodes that follow in this scope."""

    def __init__(self, filename: SomeSubstitutionsType | ParameterFile, **kwargs: Any) -> None:
        """Create the action for a file; ``kwargs`` are those of Action."""
        super().__init__(**kwargs)
        self.__file = filename if isinstance(filename, ParameterFile) else ParameterFile(filename)

    def execute(self, context: LaunchContext) -> None:
        """Set the file."""
        context.launch_configurations["global_params"] = [
            *context.launch_configurations.get("global_params", ()),
            str(self.__file.evaluate(context)),
        ]
