"""The thread in which a launch talks ROS."""

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from launch import Event, LaunchContext
from launch.event_handlers import OnShutdown

_POLL_S = 0.1
_KEY = "launch_ros_thread"


class RosThread:
    """A ROS node and its executor, which live in one thread; rclpy is loaded when it starts.

    Everything that touches the node is called in that thread: rclpy's entities must not be
    created while its executor collects them.
    """

    def __init__(self, on_error: Callable[[BaseException], None]) -> None:
        """Start the thread; ``on_error`` is called in it with what ends it early."""
        self.node: Any = None
        self._on_error = on_error
        self._calls: deque[Callable[[RosThread], None]] = deque()
        self._later: list[Callable[[RosThread], None]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="launch_ros")
        self._thread.start()

    def call(self, function: Callable[["RosThread"], None]) -> None:
        """Have a function called in the thread, soon."""
        self._calls.append(function)

    def call_later(self, function: Callable[["RosThread"], None]) -> None:
        """Have a function called again a little later; only from within the thread."""
        self._later.append(function)

    def stop(self) -> None:
        """End the thread, and wait for it."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._spin()
        except BaseException as error:
            self._on_error(error)

    def _spin(self) -> None:
        import rclpy
        from rclpy.context import Context
        from rclpy.executors import SingleThreadedExecutor

        context = Context()
        # A context of its own, without rclpy's signal handlers: the launch has its own.
        rclpy.init(args=[], context=context)
        try:
            self.node = rclpy.create_node(
                f"launch_ros_{os.getpid()}", context=context, start_parameter_services=False
            )
            executor = SingleThreadedExecutor(context=context)
            executor.add_node(self.node)
            try:
                while not self._stopping.is_set():
                    self._calls.extend(self._later)
                    self._later.clear()
                    for _ in range(len(self._calls)):
                        self._calls.popleft()(self)
                    executor.spin_once(timeout_sec=_POLL_S)
            finally:
                executor.shutdown()
                self.node.destroy_node()
        finally:
            rclpy.shutdown(context=context)


def get_ros_thread(context: LaunchContext) -> RosThread:
    """Return the launch's thread for ROS; it is started when first asked for."""
    existing: RosThread | None = context.get_locals_as_dict().get(_KEY)
    if existing is not None:
        return existing
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()

    def fail(error: BaseException) -> None:
        if not failed.done():
            failed.set_exception(error)
            # Only now: it would keep the launch from being idle.
            context.add_completion_future(failed)

    def on_error(error: BaseException) -> None:
        loop.call_soon_threadsafe(fail, error)

    thread = RosThread(on_error)

    def stop(event: Event, context: LaunchContext) -> None:
        context.add_completion_future(loop.run_in_executor(None, thread.stop))
        context.extend_globals({_KEY: None})

    context.extend_globals({_KEY: thread})
    context.register_event_handler(OnShutdown(on_shutdown=stop))
    return thread
