"""Base class of the conditions."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class Condition:
    """A predicate over the LaunchContext."""

    def __init__(self, *, predicate: Callable[["LaunchContext"], bool] | None = None) -> None:
        """Create a condition; without a predicate a subclass has to evaluate."""
        self.__predicate = predicate

    def describe(self) -> str:
        """Describe the condition by its class."""
        return f"{type(self).__name__}()"

    def evaluate(self, context: "LaunchContext") -> bool:
        """Say whether the condition holds now."""
        if self.__predicate is None:
            raise NotImplementedError(f"{type(self).__name__} has no predicate")
        return self.__predicate(context)
