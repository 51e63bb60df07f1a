"""Action: declare an argument of the launch."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class DeclareLaunchArgument(Action):
    """Declare an argument, which is a launch configuration that the user may set."""

    def __init__(
        self,
        name: str,
        *,
        default_value: SomeSubstitutionsType | None = None,
        description: str | None = None,
        choices: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Declare an argument.

        Args:
            name: Name of the argument and of the launch configuration.
            default_value: Set if the configuration is not set; None makes it required.
            description: What it is for.
            choices: The values that it may have.
            kwargs: Those of Action.

        Raises:
            ValueError: ``choices`` is empty, or a plain default is none of them.
        """
        super().__init__(**kwargs)
        self.__name = name
        self.__default_value = (
            None if default_value is None else normalize_to_list_of_substitutions(default_value)
        )
        self.__choices = None if choices is None else list(choices)
        if self.__choices is not None and not self.__choices:
            raise ValueError(f"launch argument {name!r}: choices must not be empty")
        if (
            self.__choices is not None
            and isinstance(default_value, str)
            and default_value not in self.__choices
        ):
            raise ValueError(
                f"launch argument {name!r}: default {default_value!r} is none of the choices "
                f"{self.__choices}"
            )
        self.__description = description or "no description given"
        if self.__choices is not None:
            valid = ", ".join(repr(choice) for choice in self.__choices)
            self.__description += f". Valid choices are: [{valid}]"
        # Set by LaunchDescription.get_launch_arguments(), for those who list the arguments.
        self._conditionally_included = False

    @property
    def name(self) -> str:
        """Name of the argument."""
        return self.__name

    @property
    def default_value(self) -> list[Substitution] | None:
        """Default, None if the argument is required."""
        return self.__default_value

    @property
    def description(self) -> str:
        """What the argument is for."""
        return self.__description

    @property
    def choices(self) -> list[str] | None:
        """The values that the argument may have."""
        return self.__choices

    def execute(self, context: "LaunchContext") -> None:
        """Set the default if need be, and check the value.

        Raises:
            RuntimeError: A required argument is missing, or the value is none of the choices.
        """
        configurations = context.launch_configurations
        if self.name not in configurations:
            if self.default_value is None:
                raise RuntimeError(
                    f"Required launch argument '{self.name}' (description: "
                    f"'{self.description}') was not provided"
                )
            configurations[self.name] = perform_substitutions(context, self.default_value)
        value = configurations[self.name]
        if self.choices is not None and value not in self.choices:
            raise RuntimeError(
                f"Argument '{self.name}' provided value '{value}' is not valid. "
                f"Valid options are: {self.choices}"
            )
