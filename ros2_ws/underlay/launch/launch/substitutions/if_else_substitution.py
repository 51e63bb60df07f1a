"""Substitution: one of two values, by a condition."""

from typing import TYPE_CHECKING

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .boolean_substitution import _truth

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class IfElseSubstitution(Substitution):
    """One of two values, by a condition; the other is not evaluated."""

    def __init__(
        self,
        condition: SomeSubstitutionsType,
        if_value: SomeSubstitutionsType = "",
        else_value: SomeSubstitutionsType = "",
    ) -> None:
        """Create the substitution."""
        if if_value == else_value == "":
            raise RuntimeError("IfElseSubstitution needs an if_value, an else_value or both")
        self.__condition = normalize_to_list_of_substitutions(condition)
        self.__if_value = normalize_to_list_of_substitutions(if_value)
        self.__else_value = normalize_to_list_of_substitutions(else_value)

    def perform(self, context: "LaunchContext") -> str:
        """Evaluate the condition, then the value that it chooses."""
        holds = _truth(context, self.__condition)
        return perform_substitutions(context, self.__if_value if holds else self.__else_value)
