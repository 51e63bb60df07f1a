"""Substitution: something from the locals of the context."""

from typing import TYPE_CHECKING

from ..substitution import Substitution
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class LocalSubstitution(Substitution):
    """An expression over the locals, for instance ``event.returncode``."""

    def __init__(self, expression: str, description: str | None = None) -> None:
        """Create the substitution; ``description`` is for the reader."""
        self.__expression = expression
        self.__description = description

    @property
    def expression(self) -> str:
        """The expression."""
        return self.__expression

    def describe(self) -> str:
        """Describe the substitution by its description, or its expression."""
        return f"LocalVar('{self.__description or self.__expression}')"

    def perform(self, context: "LaunchContext") -> str:
        """Evaluate.

        Raises:
            SubstitutionFailure: The expression fails.
        """
        try:
            return str(eval(self.__expression, {}, context.get_locals_as_dict()))
        except Exception as error:
            raise SubstitutionFailure(
                f"local expression {self.__expression!r} failed: {type(error).__name__}: {error}"
            ) from error
