"""The service that runs a launch."""

import asyncio
import contextlib
import signal
import threading
import traceback
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any

from .event import Event
from .event_handlers import OnIncludeLaunchDescription
from .events import IncludeLaunchDescription, Shutdown
from .launch_context import LaunchContext
from .launch_description import LaunchDescription
from .logging import get_logger, launch_config
from .utilities import normalize_to_list_of_entities, visit_all_entities_and_collect_futures


class LaunchService:
    """Runs launch descriptions: an event loop that ends when nothing is left to do."""

    def __init__(
        self,
        *,
        argv: Iterable[str] | None = None,
        noninteractive: bool = False,
        debug: bool = False,
    ) -> None:
        """Create a service.

        Args:
            argv: Arguments of the launch, for the entities to read.
            noninteractive: Whether the launch has no terminal.
            debug: Log debug messages, tracebacks among them.
        """
        self._debug = debug
        if debug:
            launch_config.level = "DEBUG"
        self._logger = get_logger("launch")
        self._context = LaunchContext(argv=argv, noninteractive=noninteractive)
        self._context.register_event_handler(OnIncludeLaunchDescription())
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[int] | None = None
        self._shutdown_requested = False
        self._return_code = 0
        self._futures: list[asyncio.Future[None]] = []

    @property
    def context(self) -> LaunchContext:
        """The context of the launch."""
        return self._context

    @property
    def event_loop(self) -> asyncio.AbstractEventLoop | None:
        """The running loop, None while the service does not run."""
        return self._loop

    @property
    def task(self) -> "asyncio.Task[int] | None":
        """The running task, None while the service does not run."""
        return self._task

    def emit_event(self, event: Event) -> None:
        """Queue an event, from any thread; before ``run`` it waits for that."""
        self._in_loop(lambda: self._context.emit_event_sync(event))

    def include_launch_description(self, launch_description: LaunchDescription) -> None:
        """Have a launch description visited, from any thread."""
        self.emit_event(IncludeLaunchDescription(launch_description))

    def shutdown(self, force_sync: bool = False) -> Coroutine[Any, Any, None] | None:
        """Shut the launch down, from any thread; does nothing while the service does not run.

        Args:
            force_sync: Accepted for the genuine interface; the request is never awaited here.
        """
        with self._lock:
            running = self._loop is not None
        if running:
            self._in_loop(lambda: self._request_shutdown("LaunchService.shutdown() called"))
        return None

    def run(self, *, shutdown_when_idle: bool = True) -> int:
        """Run the launch to its end.

        Args:
            shutdown_when_idle: End when nothing is left to do.

        Returns:
            0, or 1 if an exception occurred in the launch.

        Raises:
            RuntimeError: The service runs already.
        """
        loop = asyncio.new_event_loop()
        loop.set_debug(self._debug)
        try:
            return loop.run_until_complete(self.run_async(shutdown_when_idle=shutdown_when_idle))
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    async def run_async(self, *, shutdown_when_idle: bool = True) -> int:
        """Run the launch to its end in the current loop; see ``run``."""
        loop = asyncio.get_running_loop()
        wake = asyncio.Event()
        with self._lock:
            if self._loop is not None:
                raise RuntimeError("the launch service is running already")
            self._loop = loop
        self._task = asyncio.current_task()
        self._return_code = 0
        self._shutdown_requested = False
        self._context._is_shutdown = False
        self._context._asyncio_loop = loop
        self._context._wake = wake.set
        launch_config.announce()
        try:
            with self._signals_handled(loop):
                try:
                    await self._process_events(wake, shutdown_when_idle)
                except asyncio.CancelledError:
                    # In order all the same; a second cancellation leaves it to the guardian.
                    self._request_shutdown("cancelled")
                    await self._process_events(wake, shutdown_when_idle)
                    raise
                finally:
                    # In another thread: a second Ctrl-C is still to be answered meanwhile.
                    await loop.run_in_executor(None, self._context._guardian.close)
            return self._return_code
        finally:
            with self._lock:
                self._loop = None
            self._task = None
            self._futures.clear()
            self._context._wake = lambda: None
            self._context._asyncio_loop = None

    async def _process_events(self, wake: asyncio.Event, shutdown_when_idle: bool) -> None:
        context = self._context
        while True:
            wake.clear()
            if context._events:
                with self._failures_reported():
                    self._process_event(context._events.popleft())
                await asyncio.sleep(0)  # output, signals and timers have their turn
                continue
            if not self._is_waiting() and not context._events:
                if context.is_shutdown:
                    return
                if shutdown_when_idle:
                    self._request_shutdown("idle")
                    continue
            await wake.wait()

    def _process_event(self, event: Event) -> None:
        context = self._context
        if isinstance(event, Shutdown):
            if context.is_shutdown:
                return
            self._shutdown_requested = True
            context._is_shutdown = True
        self._logger.debug(f"processing event: {event.name}")
        for handler in tuple(context._event_handlers):
            if not handler.matches(event):
                continue
            context._push_locals()
            try:
                for entity in normalize_to_list_of_entities(handler.handle(event, context)):
                    for _, future in visit_all_entities_and_collect_futures(entity, context):
                        future.add_done_callback(lambda _: context._wake())
                        self._futures.append(future)
            finally:
                context._pop_locals()

    def _is_waiting(self) -> bool:
        """Drop the futures that are done, report their errors, and say whether any is left."""
        futures = self._futures + self._context._completion_futures
        for future in futures:
            if future.done() and not future.cancelled():
                with self._failures_reported():
                    future.result()
        self._futures = [future for future in self._futures if not future.done()]
        self._context._completion_futures = [
            future for future in self._context._completion_futures if not future.done()
        ]
        return bool(self._futures or self._context._completion_futures)

    @contextlib.contextmanager
    def _failures_reported(self) -> Iterator[None]:
        """Turn an exception into a message, an orderly shutdown and the return code 1."""
        try:
            yield
        except Exception as error:
            message = f"Caught exception in launch (see debug for traceback): {error}"
            self._logger.debug(traceback.format_exc())
            self._logger.error(message)
            self._return_code = 1
            self._request_shutdown(message)

    def _request_shutdown(self, reason: str, *, due_to_sigint: bool = False) -> None:
        if not self._shutdown_requested:
            self._shutdown_requested = True
            self._context.emit_event_sync(Shutdown(reason=reason, due_to_sigint=due_to_sigint))

    def _in_loop(self, call: Callable[[], None]) -> None:
        """Call in the loop's thread, or right here if no loop runs."""
        with self._lock:
            if self._loop is None:
                call()
            else:
                self._loop.call_soon_threadsafe(call)

    @contextlib.contextmanager
    def _signals_handled(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Shut down on SIGINT, SIGTERM, SIGQUIT and SIGHUP; only a main thread can do that."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup asks to stay
            numbers.append(signal.SIGHUP)
        previous = {number: signal.getsignal(number) for number in numbers}
        for number in numbers:
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            yield
        finally:
            for number, handler in previous.items():
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _on_signal(self, number: signal.Signals) -> None:
        interrupted = number == signal.SIGINT
        what = "user interrupted with ctrl-c (SIGINT)" if interrupted else f"got {number.name}"
        if self._shutdown_requested:
            self._logger.warning(f"{what} again, ignoring...")
            return
        self._logger.warning(what)
        reason = "ctrl-c (SIGINT)" if interrupted else number.name
        self._request_shutdown(reason, due_to_sigint=interrupted)
