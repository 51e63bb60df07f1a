"""Action: append to an environment variable."""

import os
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class AppendEnvironmentVariable(Action):
    """Append a value, or put it in front; the variable is set if it was not."""

    def __init__(
        self,
        name: SomeSubstitutionsType,
        value: SomeSubstitutionsType,
        prepend: bool | SomeSubstitutionsType = False,
        separator: SomeSubstitutionsType = os.pathsep,
        **kwargs: Any,
    ) -> None:
        """Create the action.

        Args:
            name: Name of the variable.
            value: What to append.
            prepend: Put it in front instead.
            separator: Between the parts.
            kwargs: Those of Action.
        """
        super().__init__(**kwargs)
        self.__name = normalize_to_list_of_substitutions(name)
        self.__value = normalize_to_list_of_substitutions(value)
        self.__prepend = normalize_to_list_of_substitutions(
            str(prepend) if isinstance(prepend, bool) else prepend
        )
        self.__separator = normalize_to_list_of_substitutions(separator)

    def execute(self, context: "LaunchContext") -> None:
        """Append."""
        from ..conditions import evaluate_condition_expression

        name = perform_substitutions(context, self.__name)
        parts = [perform_substitutions(context, self.__value)]
        if name in context.environment:
            old = context.environment[name]
            prepend = evaluate_condition_expression(context, self.__prepend)
            parts = [*parts, old] if prepend else [old, *parts]
        context.environment[name] = perform_substitutions(context, self.__separator).join(parts)
