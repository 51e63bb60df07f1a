"""Substitution: the value of a Python expression."""

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class PythonExpression(Substitution):
    """The value of a Python expression, as a string.

    A launch file is a program, and so is its expression: it is evaluated without restriction.
    """

    def __init__(
        self,
        expression: SomeSubstitutionsType,
        python_modules: str | Iterable[SomeSubstitutionsType] = ("math",),
    ) -> None:
        """Create the substitution.

        Args:
            expression: The expression; substitutions are performed before it is evaluated.
            python_modules: Modules that it may use; ``math``'s names also without prefix.
        """
        self.__expression = normalize_to_list_of_substitutions(expression)
        modules = [python_modules] if isinstance(python_modules, str) else python_modules
        self.__python_modules = [normalize_to_list_of_substitutions(name) for name in modules]

    @property
    def expression(self) -> list[Substitution]:
        """The expression."""
        return self.__expression

    @property
    def python_modules(self) -> list[list[Substitution]]:
        """Modules that the expression may use."""
        return self.__python_modules

    def describe(self) -> str:
        """Describe the substitution by its expression."""
        return f"PythonExpr({' + '.join(part.describe() for part in self.__expression)})"

    def perform(self, context: "LaunchContext") -> str:
        """Evaluate.

        Raises:
            SubstitutionFailure: The expression fails.
        """
        names: dict[str, Any] = {}
        for part in self.__python_modules:
            name = perform_substitutions(context, part)
            module = importlib.import_module(name)
            names[name] = module
            if name == "math":
                names.update(vars(module))
        expression = perform_substitutions(context, self.__expression)
        try:
            return str(eval(expression, {}, names))
        except Exception as error:
            raise SubstitutionFailure(
                f"Python expression {expression!r} failed: {type(error).__name__}: {error}"
            ) from error
