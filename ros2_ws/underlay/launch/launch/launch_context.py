"""The state that a running launch shares with its entities."""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, NoReturn

from ._guardian import Guardian
from .event import Event
from .event_handler import BaseEventHandler
from .substitution import Substitution


class _Locals:
    """Read-only attribute access to the locals."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_values", values)

    def __getattr__(self, key: str) -> Any:
        try:
            return self._values[key]
        except KeyError:
            raise AttributeError(
                f"context.locals has no {key!r}, it has: {', '.join(sorted(self._values))}"
            ) from None

    def __setattr__(self, key: str, value: object) -> NoReturn:
        raise AttributeError(f"context.locals is read-only, cannot set {key!r}")


class LaunchContext:
    """Configurations, environment, locals, event handlers and pending events.

    Everything but ``add_completion_future`` may also be used without a running service. Use it
    only from the thread of the launch service.
    """

    def __init__(self, *, argv: Iterable[str] | None = None, noninteractive: bool = False) -> None:
        """Create an empty context.

        Args:
            argv: Arguments of the launch, for the entities to read.
            noninteractive: Whether the launch has no terminal.
        """
        self.__argv = list(argv) if argv is not None else []
        self.__noninteractive = noninteractive
        self.__globals: dict[str, Any] = {}
        self.__locals: dict[str, Any] = {}
        self.__locals_stack: list[dict[str, Any]] = []
        self.__configurations: dict[str, Any] = {}
        self.__configurations_stack: list[dict[str, Any]] = []
        self.__environment_reset = dict(os.environ)
        self.__environment_stack: list[dict[str, str]] = []
        self._events: deque[Event] = deque()
        self._event_handlers: deque[BaseEventHandler] = deque()
        self._completion_futures: list[asyncio.Future[Any]] = []
        self._wake: Callable[[], None] = lambda: None
        self._is_shutdown = False
        self._asyncio_loop: asyncio.AbstractEventLoop | None = None
        self._guardian = Guardian()

    @property
    def argv(self) -> list[str]:
        """The arguments that the launch was given."""
        return self.__argv

    @property
    def noninteractive(self) -> bool:
        """Whether the launch has no terminal."""
        return self.__noninteractive

    @property
    def is_shutdown(self) -> bool:
        """Whether the launch is shutting down."""
        return self._is_shutdown

    @property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop of the running service, None while none runs."""
        return self._asyncio_loop

    def add_completion_future(self, completion_future: "asyncio.Future[Any]") -> None:
        """Keep the launch from being idle until the future is done."""
        self._completion_futures.append(completion_future)
        completion_future.add_done_callback(lambda _: self._wake())
        self._wake()

    # -- locals ------------------------------------------------------------------------------

    def extend_globals(self, extensions: Mapping[str, Any]) -> None:
        """Add locals that stay for the whole launch."""
        self.__globals.update(extensions)

    def extend_locals(self, extensions: Mapping[str, Any]) -> None:
        """Add locals that live until the current event is handled."""
        self.__locals.update(extensions)

    def get_locals_as_dict(self) -> dict[str, Any]:
        """Return the locals, a copy."""
        return {**self.__globals, **self.__locals}

    @property
    def locals(self) -> Any:
        """The locals by attribute access."""
        return _Locals(self.get_locals_as_dict())

    def _push_locals(self) -> None:
        self.__locals_stack.append(dict(self.__locals))

    def _pop_locals(self) -> None:
        self.__locals = self.__locals_stack.pop()

    # -- launch configurations ---------------------------------------------------------------

    @property
    def launch_configurations(self) -> dict[str, Any]:
        """The configurations of the current scope."""
        return self.__configurations

    def _push_launch_configurations(self) -> None:
        self.__configurations_stack.append(dict(self.__configurations))

    def _pop_launch_configurations(self) -> None:
        if not self.__configurations_stack:
            raise RuntimeError("PopLaunchConfigurations without PushLaunchConfigurations")
        self.__configurations = self.__configurations_stack.pop()

    # -- environment -------------------------------------------------------------------------

    @property
    def environment(self) -> MutableMapping[str, str]:
        """The process environment of the current scope."""
        return os.environ

    def _push_environment(self) -> None:
        self.__environment_stack.append(dict(os.environ))

    def _pop_environment(self) -> None:
        if not self.__environment_stack:
            raise RuntimeError("PopEnvironment without PushEnvironment")
        _replace_environment(self.__environment_stack.pop())

    def _reset_environment(self) -> None:
        _replace_environment(self.__environment_reset)

    # -- events ------------------------------------------------------------------------------

    def would_handle_event(self, event: Event) -> bool:
        """Say whether any handler matches the event."""
        return any(handler.matches(event) for handler in self._event_handlers)

    def register_event_handler(self, event_handler: BaseEventHandler) -> None:
        """Add a handler; the latest is asked first."""
        self._event_handlers.appendleft(event_handler)

    def unregister_event_handler(self, event_handler: BaseEventHandler) -> None:
        """Remove a handler.

        Raises:
            ValueError: The handler is not registered.
        """
        self._event_handlers.remove(event_handler)

    def emit_event_sync(self, event: Event) -> None:
        """Queue an event."""
        self._events.append(event)
        self._wake()

    async def emit_event(self, event: Event) -> None:
        """Queue an event from a coroutine."""
        self.emit_event_sync(event)

    def perform_substitution(self, substitution: Substitution) -> str:
        """Evaluate a substitution in this context."""
        return substitution.perform(self)


def _replace_environment(environment: Mapping[str, str]) -> None:
    # Only what differs is written: every write is a putenv, which other threads may race with.
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    for name, value in environment.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
