"""The entry of every node's process: spin until asked to stop, end in order, exit with a code."""

from __future__ import annotations

import faulthandler
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol

import rclpy
from planner_core.errors import DriftpilotError, RobotError
from rclpy._rclpy_pybind11 import RCLError
from rclpy.experimental import EventsExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

CRASHED = 70
"""Exit code of a node that an unforeseen exception ended; 1 is for refusals, which end a launch."""
SWITCH_S = 0.0005
"""After how long a thread is asked to leave the interpreter to another [s]: a plan, a command and a
sample do not wait for a message that another thread reads."""
TEAR_DOWN_LIMIT_S = 5.0
"""Longest time that the middleware may take to let go of a process."""


class Stopped(Exception):  # noqa: N818  (not an error: somebody asked)
    """The process was asked to stop while a script waited."""


class _Process(AbstractContextManager["_Process"]):
    """ROS, one executor, and the wish to stop.

    Args:
        argv: Command line, that of the process by default.
    """

    def __init__(self, argv: Sequence[str] | None) -> None:
        sys.setswitchinterval(SWITCH_S)
        # rclpy's own handlers would tear the context down before the node can say goodbye.
        rclpy.init(args=argv, signal_handler_options=SignalHandlerOptions.NO)
        self.stopping = False
        self.node: Node | None = None
        self.executor = EventsExecutor()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)

    def host(self, make_node: Callable[[], Node]) -> Node:
        """Make the node and let the executor serve it."""
        self.node = make_node()
        self.executor.add_node(self.node)
        return self.node

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.node is not None:
            if hasattr(self.node, "shut_down"):
                self.node.shut_down()
            # The robot is at rest. A middleware that hangs while it is taken down (shared memory
            # of a process that was killed) must not keep a launch waiting: it is cut off, and says
            # where it hung.
            faulthandler.dump_traceback_later(TEAR_DOWN_LIMIT_S, exit=True)
            self.executor.remove_node(self.node)
            self.node.destroy_node()
        self.executor.shutdown()
        rclpy.try_shutdown()
        faulthandler.cancel_dump_traceback_later()

    def _ask_to_stop(self, _signal: int, _frame: object) -> None:
        self.stopping = True


def run(make_node: Callable[[], Node], argv: Sequence[str] | None = None) -> int:
    """Run one node until SIGINT or SIGTERM.

    The node's ``shut_down`` method, where it has one, is called while the ROS context still lives,
    so that a robot can be told to stop and threads can be joined.

    Args:
        make_node: Constructs the node.
        argv: Command line, that of the process by default.

    Returns:
        The exit code: 0 after a signal, 1 after a refusal to run, which is printed in one line,
        `CRASHED` after any other exception.
    """
    try:
        with _Process(argv) as process:
            node = process.host(make_node)
            while not process.stopping:
                try:
                    process.executor.spin_once(timeout_sec=0.1)
                except RCLError as error:
                    # Jazzy raises an invalid lifecycle request out of spin; Kilted refuses it.
                    if not isinstance(node, LifecycleNode):
                        raise
                    node.get_logger().error(f"request refused: {error}")
    except DriftpilotError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    except Exception:
        traceback.print_exc()
        return CRASHED
    return 0


class Wait:
    """Spins a node while a script waits.

    Args:
        process: Whose executor spins.
    """

    def __init__(self, process: _Process) -> None:
        self._process = process

    def __call__(
        self,
        condition: Callable[[], object],
        what: str,
        limit_s: float = 10.0,
        why: Callable[[], str] = lambda: "",
    ) -> None:
        """Wait for a condition.

        Args:
            condition: Looked at after each callback.
            what: Named where it does not come true.
            limit_s: Longest wait.
            why: Says what stands in the way.

        Raises:
            RobotError: The time is over.
            Stopped: The process was asked to stop.
        """
        end = time.monotonic() + limit_s
        while not condition():
            if self._process.stopping:
                raise Stopped
            if time.monotonic() > end:
                raise RobotError(f"not within {limit_s:g} s: {what}", got=why() or None)
            self._process.executor.spin_once(timeout_sec=0.1)

    def future(self, future: Future, what: str, limit_s: float = 10.0) -> Any:
        """Wait for a future and give its result; raises as the call does."""
        self(future.done, what, limit_s)
        return future.result()


class ScriptNode(Protocol):
    """A node that follows a script."""

    def script(self, wait: Wait) -> int:
        """Do everything in order; return the exit code."""
        ...


def run_script(make_node: Callable[[], Any], argv: Sequence[str] | None = None) -> int:
    """Run the script of a node, then end; see `run`.

    Returns:
        What the script returned; 0 after a signal, 1 after an error.
    """
    try:
        with _Process(argv) as process:
            node: ScriptNode = process.host(make_node)
            return node.script(Wait(process))
    except Stopped:
        return 0
    except DriftpilotError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
