"""Substitution: whether two values are equal."""

import math
from typing import TYPE_CHECKING, Any

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

SomeValue = SomeSubstitutionsType | bool | int | float | None
_TRUE, _FALSE = ("true", "1"), ("false", "0")


def _normalized(value: SomeValue) -> list[Substitution]:
    if value is None:
        value = ""
    elif isinstance(value, bool | int | float):
        value = str(value)
    return normalize_to_list_of_substitutions(value)


def _equal(left: str, right: str) -> bool:
    """Compare as truth values, as numbers, and else as strings."""
    for words in (_TRUE, _FALSE):
        if left.lower() in words and right.lower() in words:
            return True
    try:
        return math.isclose(float(left), float(right))
    except ValueError:
        return left == right


class EqualsSubstitution(Substitution):
    """'true' if both values are equal, else 'false'."""

    def __init__(self, left: SomeValue, right: SomeValue) -> None:
        """Create the substitution from two values; numbers are compared as such."""
        self.__left = _normalized(left)
        self.__right = _normalized(right)

    @property
    def left(self) -> Any:
        """The left value."""
        return self.__left

    @property
    def right(self) -> Any:
        """The right value."""
        return self.__right

    def perform(self, context: "LaunchContext") -> str:
        """Compare."""
        left = perform_substitutions(context, self.__left)
        right = perform_substitutions(context, self.__right)
        return str(_equal(left, right)).lower()
