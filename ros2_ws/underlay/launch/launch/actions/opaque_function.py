"""Action: call a function."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class OpaqueFunction(Action):
    """Call a function, and visit the entities that it returns."""

    def __init__(
        self,
        *,
        function: Callable[..., list[LaunchDescriptionEntity] | None],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **left_over_kwargs: Any,
    ) -> None:
        """Create the action.

        Args:
            function: Called as ``function(context, *args, **kwargs)``.
            args: Further positional arguments.
            kwargs: Keyword arguments.
            left_over_kwargs: Those of Action.

        Raises:
            TypeError: ``function`` is not callable.
        """
        super().__init__(**left_over_kwargs)
        if not callable(function):
            raise TypeError(f"function must be callable, got {type(function).__name__}")
        self.__function = function
        self.__args = tuple(args or ())
        self.__kwargs = dict(kwargs or {})

    def execute(self, context: "LaunchContext") -> list[LaunchDescriptionEntity] | None:
        """Call the function."""
        return self.__function(context, *self.__args, **self.__kwargs)
