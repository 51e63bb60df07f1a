"""From substitutions to a truth value."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..substitution import Substitution
from ..utilities import perform_substitutions
from .invalid_condition_expression_error import InvalidConditionExpressionError

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

_TRUE = ("true", "1")
_FALSE = ("false", "0")


def evaluate_condition_expression(
    context: "LaunchContext", expression: Iterable[Substitution]
) -> bool:
    """Evaluate to a truth value.

    Raises:
        InvalidConditionExpressionError: The text is none of true, 1, false, 0 (in any case).
    """
    text = perform_substitutions(context, expression).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise InvalidConditionExpressionError(
        f"a condition must be one of {', '.join(_TRUE + _FALSE)}, got {text!r}"
    )
