"""Somebody who uses a bridge: its services and its status, for tests of any robot's bridge."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from planner_interfaces.msg import BridgeStatus
from planner_ros.clock import RosClock
from planner_ros.qos import LATCHED
from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.task import Future
from robot_bridge.bridge import Phase
from std_srvs.srv import Trigger


class BridgeOperator:
    """A node that waits for a bridge and calls its services.

    Args:
        executor: Spun by every wait; may serve further nodes.
    """

    timeout_s = 30.0
    """Longest wait, with room for a busy machine."""

    def __init__(self, executor: Executor) -> None:
        self.node = Node("operator")
        self.clock = RosClock(self.node)
        self.executor = executor
        self.executor.add_node(self.node)
        self.status: BridgeStatus | None = None
        self.phases: list[Phase] = []
        """Each phase that the bridge went over to; may be cleared."""
        self.node.create_subscription(BridgeStatus, "bridge/status", self._on_status, LATCHED)

    @property
    def phase(self) -> Phase:
        """As last published."""
        return Phase.DISCONNECTED if self.status is None else Phase(self.status.state)

    @property
    def reasons(self) -> str:
        """As last published."""
        return "" if self.status is None else "; ".join(self.status.reasons)

    def wait(
        self, condition: Callable[[], object], what: str = "", timeout_s: float | None = None
    ) -> float:
        """Spin until a condition holds; the time that it took [s].

        Args:
            condition: Looked at about fifty times a second.
            what: Named where it does not come true.
            timeout_s: Longest wait; None for that of the operator.

        Raises:
            AssertionError: It does not in time; with what the bridge reports.
        """
        limit_s, began = timeout_s or self.timeout_s, time.monotonic()
        while not condition():
            waited = time.monotonic() - began
            bridge = f"{self.phase.name}: {self.reasons}; {self.phases}"
            assert waited < limit_s, f"not within {limit_s} s: {what}; {bridge}"
            # Many callbacks to one look at the condition, which may ask a robot and wait.
            until = time.monotonic() + 0.02
            while (left := until - time.monotonic()) > 0:
                self.executor.spin_once(timeout_sec=left)
        return time.monotonic() - began

    def wait_for(self, phase: Phase, timeout_s: float | None = None) -> float:
        """Spin until the bridge reports a phase."""
        return self.wait(lambda: self.phase is phase, phase.name, timeout_s)

    def pass_time(self, seconds: float) -> None:
        """Spin for a while."""
        until = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() > until)

    def result_of(self, future: Future, what: str, timeout_s: float | None = None) -> Any:
        """Spin until a future is done; what it holds."""
        self.wait(future.done, what, timeout_s)
        return future.result()

    def call(self, service: str, kind: type = Trigger, **fields: object) -> Any:
        """Call a service; its response.

        Args:
            service: Its name.
            kind: Its type; those of the bridge are triggers.
            fields: Of the request.
        """
        client = self.node.create_client(kind, service)
        self.wait(client.service_is_ready, service)
        response = self.result_of(client.call_async(kind.Request(**fields)), service)
        self.node.destroy_client(client)
        return response

    def _on_status(self, message: BridgeStatus) -> None:
        before, self.status = self.phase, message
        if self.phase is not before:
            self.phases.append(self.phase)
