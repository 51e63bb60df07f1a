"""The short-lived node through which one command talks to the graph.

There is no daemon: every command discovers the graph afresh, so every wait here ends as soon as
what was asked for is seen.
"""

import os
import signal
import time
from collections.abc import Callable, Hashable
from types import FrameType, TracebackType
from typing import Any, Self

import rclpy
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from ros2cli.errors import CommandError, Interrupted
from ros2cli.local_participants import count_local_participants

# Longest wait for something that is not in the graph (yet): participants announce every 3 s, and
# one announcement may get lost.
_DISCOVERY_TIMEOUT_S = 7.0
# Without --spin-time the graph counts as complete when all participants of this machine are seen
# and nothing has changed for so long.
_QUIET_S = 0.25
_MINIMUM_S = 0.5
_POLL_S = 0.02
# What rmw calls the node of a publisher whose participant has not told its nodes yet.
_UNKNOWN_NAME = "_NODE_NAME_UNKNOWN_"
# The wait inside rclpy does not return on a signal; this bounds how late one is noticed.
_SLICE_S = 0.1


class Session:
    """A node, its executor and the signals, for the time of one command.

    SIGINT and SIGTERM are noted and raised as `Interrupted` between two spins only, never inside
    a callback: a message is handled as a whole or not at all. Use as a context manager, in the
    main thread.

    Args:
        name: Name of the node; a hidden one, unique to the process, if None.
        parameter_services: Whether others may read and set the parameters of the node.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        parameter_services: bool = False,
    ) -> None:
        self._signum: int | None = None
        self._previous = {
            signum: signal.signal(signum, self._note) for signum in (signal.SIGINT, signal.SIGTERM)
        }
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        try:
            self.node = Node(
                name or f"_ros2cli_{os.getpid()}",
                enable_rosout=False,
                start_parameter_services=parameter_services,
            )
        except Exception as error:
            rclpy.shutdown()
            raise CommandError(f"Cannot create the node '{name}': {error}") from error
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # In this order: rclpy aborts the process when the executor outlives the context.
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown()
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self._signum = signum

    def check_signals(self) -> None:
        """Raise the signal that has arrived, once.

        Raises:
            Interrupted: SIGINT or SIGTERM was received.
        """
        signum, self._signum = self._signum, None
        if signum is not None:
            raise Interrupted(signum)

    def spin_once(self, timeout_s: float = _SLICE_S) -> None:
        """Handle at most one callback.

        Args:
            timeout_s: Longest wait for one [s]; cut to the slice in which signals are noticed.

        Raises:
            Interrupted: SIGINT or SIGTERM was received.
        """
        self.check_signals()
        self._executor.spin_once(timeout_sec=min(timeout_s, _SLICE_S))
        self.check_signals()

    def spin(self) -> None:
        """Handle callbacks until a signal arrives.

        Raises:
            Interrupted: SIGINT or SIGTERM was received.
        """
        while True:
            self.spin_once()

    def spin_until(self, predicate: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Handle callbacks until a condition holds.

        Args:
            predicate: The condition; polled.
            timeout_s: Longest wait [s]; none if None.

        Returns:
            Whether it holds; False after the timeout.

        Raises:
            Interrupted: SIGINT or SIGTERM was received.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not predicate():
            if deadline is not None and time.monotonic() >= deadline:
                return False
            self.spin_once(_POLL_S)
        return True

    def sleep(self, duration_s: float) -> None:
        """Handle callbacks for a time [s]."""
        self.spin_until(lambda: False, duration_s)

    def settle(self, spin_time_s: float | None = None) -> None:
        """Wait until the graph is complete, as far as one can know.

        Args:
            spin_time_s: Exactly so long [s]; None waits until the graph stops changing.
        """
        if spin_time_s is None:
            self.discover(lambda: False)
        else:
            self.sleep(spin_time_s)

    def discover(self, predicate: Callable[[], bool]) -> bool:
        """Wait until something is seen, or the graph is complete without it.

        Args:
            predicate: Whether it is seen; polled.

        Returns:
            Whether it is.
        """
        start = changed = time.monotonic()
        seen: Hashable = None
        while not predicate():
            now = time.monotonic()
            current = (
                repr(self.node.get_node_names_and_namespaces()),
                repr(self.node.get_topic_names_and_types()),
                repr(self.node.get_service_names_and_types()),
            )
            if current != seen:
                seen, changed = current, now
            quiet = now - changed >= _QUIET_S and now - start >= _MINIMUM_S
            if now - start >= _DISCOVERY_TIMEOUT_S or (quiet and self._sees_this_machine()):
                return False
            self.spin_once(_POLL_S)
        return True

    def _sees_this_machine(self) -> bool:
        """Tell whether as many participants are discovered as are running here."""
        # Every node publishes on this topic; the first 12 bytes of a GID are its participant's. The
        # names of its nodes come after the publisher, in a message of their own.
        publishers = self.node.get_publishers_info_by_topic("/parameter_events")
        seen = {
            bytes(publisher.endpoint_gid[:12])
            for publisher in publishers
            if publisher.node_name != _UNKNOWN_NAME
        }
        return len(seen) >= count_local_participants(self.node.context.get_domain_id())

    def wait_for(self, future: Future, timeout_s: float | None, what: str) -> Any:
        """Return the result of a future.

        Args:
            future: The future.
            timeout_s: Longest wait [s]; none if None.
            what: What it stands for, for the error.

        Raises:
            CommandError: No result in time.
        """
        if not self.spin_until(future.done, timeout_s):
            raise CommandError(f"No answer from {what} within {timeout_s:g} s")
        return future.result()

    def call(self, service_type: type, name: str, request: Any, timeout_s: float = 5.0) -> Any:
        """Call a service once.

        Args:
            service_type: The service class.
            name: Absolute name of the service.
            request: The request.
            timeout_s: Longest wait for the answer [s].

        Raises:
            CommandError: The service is not there, or does not answer.
        """
        client = self.node.create_client(service_type, name)
        try:
            if not self.discover(client.service_is_ready):
                raise CommandError(f"Service '{name}' is not available")
            return self.call_ready(client, request, timeout_s)
        finally:
            self.node.destroy_client(client)

    def call_ready(self, client: Client, request: Any, timeout_s: float | None) -> Any:
        """Call a service that is known to be there."""
        return self.wait_for(client.call_async(request), timeout_s, f"service '{client.srv_name}'")
