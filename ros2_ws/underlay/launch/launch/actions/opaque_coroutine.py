"""Action: run a coroutine."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..event import Event
from ..event_handlers import OnShutdown

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class OpaqueCoroutine(Action):
    """Run a coroutine in the loop of the launch."""

    def __init__(
        self,
        *,
        coroutine: Callable[..., Coroutine[Any, Any, None]],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        ignore_context: bool = False,
        **left_over_kwargs: Any,
    ) -> None:
        """Create the action.

        Args:
            coroutine: Called as ``coroutine(context, *args, **kwargs)``.
            args: Further positional arguments.
            kwargs: Keyword arguments.
            ignore_context: Do not pass the context.
            left_over_kwargs: Those of Action.

        Raises:
            TypeError: ``coroutine`` is not a coroutine function.
        """
        super().__init__(**left_over_kwargs)
        if not asyncio.iscoroutinefunction(coroutine):
            raise TypeError(f"coroutine must be a coroutine function, got {coroutine!r}")
        self.__coroutine = coroutine
        self.__args = tuple(args or ())
        self.__kwargs = dict(kwargs or {})
        self.__ignore_context = ignore_context
        self.__task: asyncio.Task[None] | None = None

    def execute(self, context: "LaunchContext") -> None:
        """Start the coroutine; it is cancelled when the launch shuts down."""
        args = self.__args if self.__ignore_context else (context, *self.__args)
        self.__task = task = asyncio.create_task(self.__coroutine(*args, **self.__kwargs))

        def cancel(event: Event, context: "LaunchContext") -> None:
            task.cancel()

        context.register_event_handler(OnShutdown(on_shutdown=cancel))

    def get_asyncio_future(self) -> "asyncio.Future[None] | None":
        """Return the task."""
        return self.__task
