"""Substitutions: logical operators."""

from typing import TYPE_CHECKING

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


def _truth(context: "LaunchContext", expression: list[Substitution]) -> bool:
    from ..conditions import InvalidConditionExpressionError, evaluate_condition_expression

    try:
        return evaluate_condition_expression(context, expression)
    except InvalidConditionExpressionError as error:
        raise SubstitutionFailure(str(error)) from error


class NotSubstitution(Substitution):
    """'true' if the value is false, else 'false'."""

    def __init__(self, value: SomeSubstitutionsType) -> None:
        """Create the substitution."""
        self.__value = normalize_to_list_of_substitutions(value)

    @property
    def value(self) -> list[Substitution]:
        """The operand."""
        return self.__value

    def perform(self, context: "LaunchContext") -> str:
        """Evaluate."""
        return str(not _truth(context, self.__value)).lower()


class _BinarySubstitution(Substitution):
    """An operator on two truth values."""

    def __init__(self, left: SomeSubstitutionsType, right: SomeSubstitutionsType) -> None:
        """Create the substitution."""
        self._left = normalize_to_list_of_substitutions(left)
        self._right = normalize_to_list_of_substitutions(right)

    @property
    def left(self) -> list[Substitution]:
        """The left operand."""
        return self._left

    @property
    def right(self) -> list[Substitution]:
        """The right operand."""
        return self._right


class AndSubstitution(_BinarySubstitution):
    """'true' if both values are true, else 'false'."""

    def perform(self, context: "LaunchContext") -> str:
        """Evaluate."""
        left, right = _truth(context, self._left), _truth(context, self._right)
        return str(left and right).lower()


class OrSubstitution(_BinarySubstitution):
    """'true' if one of the values is true, else 'false'."""

    def perform(self, context: "LaunchContext") -> str:
        """Evaluate."""
        left, right = _truth(context, self._left), _truth(context, self._right)
        return str(left or right).lower()
