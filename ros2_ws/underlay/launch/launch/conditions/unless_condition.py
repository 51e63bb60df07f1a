"""Condition: an expression does not hold."""

from typing import TYPE_CHECKING

from ..condition import Condition
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions
from .evaluate_condition_expression import evaluate_condition_expression

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class UnlessCondition(Condition):
    """True if the expression does not hold."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        """Create the condition from an expression that becomes true, 1, false or 0."""
        super().__init__()
        self.__expression = normalize_to_list_of_substitutions(predicate_expression)

    def describe(self) -> str:
        """Describe the condition by its expression."""
        return f"UnlessCondition({' + '.join(part.describe() for part in self.__expression)})"

    def evaluate(self, context: "LaunchContext") -> bool:
        """Say whether the expression does not hold."""
        return not evaluate_condition_expression(context, self.__expression)
