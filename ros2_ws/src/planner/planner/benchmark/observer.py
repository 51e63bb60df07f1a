"""A node that flies to and fro, exchanges the planner, and notes what the graph says."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from planner_core.errors import RobotError
from planner_interfaces.action import Navigate
from planner_interfaces.msg import Command, ExecutionStatus, Plan, PlannerStatus
from planner_ros.clock import nanoseconds
from planner_ros.qos import LATCHED, LATEST, ORDERED
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.action import ActionClient
from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.task import Future

TURNS = ((4.2, 0.95, 0.9), (-4.2, -0.44, 1.0))
"""Ends of the flight [m], free in the world ``cluttered_room``."""


@dataclass(slots=True)
class Notes:
    """What was seen while it mattered.

    Attributes:
        end_to_end_ms: From measurement to first command, one a plan.
        command_gaps_ms: Between the stamps of two commands.
        planning_ms: Time of the generator, one a plan.
        plan_gaps_ms: Between two plans, within one goal.
        flights: Goals that were reached.
        failed: Goals that were not, with the reason.
    """

    end_to_end_ms: list[float] = field(default_factory=list)
    command_gaps_ms: list[float] = field(default_factory=list)
    planning_ms: list[float] = field(default_factory=list)
    plan_gaps_ms: list[float] = field(default_factory=list)
    flights: int = 0
    failed: list[str] = field(default_factory=list)


class Observer(Node):
    """Notes figures, and asks for goals and changes.

    Args:
        executor: Spun while it waits.
    """

    def __init__(self, executor: Executor) -> None:
        super().__init__("benchmark")
        self._spins = executor
        executor.add_node(self)
        self.notes: Notes | None = None
        self.execution: ExecutionStatus | None = None
        self.planner: PlannerStatus | None = None
        self._turn = 0
        self._flying = False
        self._sequence = 0
        self._command_ns = 0
        self._plan_s: float | None = None
        self._navigate = ActionClient(self, Navigate, "navigate")
        self._set = self.create_client(
            SetParametersAtomically, "planner_server/set_parameters_atomically"
        )
        self.create_subscription(Plan, "plan", self._on_plan, ORDERED)
        self.create_subscription(Command, "command", self._on_command, LATEST)
        self.create_subscription(ExecutionStatus, "execution/status", self._on_execution, ORDERED)
        self.create_subscription(PlannerStatus, "planner/status", self._on_planner, LATCHED)

    def until(self, condition: Callable[[], object], what: str, limit_s: float = 30.0) -> None:
        """Spin until a condition holds.

        Raises:
            RobotError: The time is over.
        """
        end = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > end:
                raise RobotError(f"not within {limit_s:g} s: {what}")
            self._spins.spin_once(timeout_sec=0.05)

    def spin_for(self, seconds: float, while_: Callable[[], bool] = lambda: True) -> None:
        """Spin for a time, or as long as a condition holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and while_():
            self._spins.spin_once(timeout_sec=0.05)

    def shuttle(self) -> None:
        """Begin to fly to and fro, for as long as this node is spun."""
        self.until(self._navigate.server_is_ready, "the navigator")
        self._next_goal()

    def change(self, **values: Any) -> str:
        """Set parameters of the planner server at once.

        Returns:
            Why they were refused; empty where they were not.
        """
        self.until(self._set.service_is_ready, "the planner server")
        request = SetParametersAtomically.Request()
        request.parameters = [
            Parameter(name, value=value).to_parameter_msg() for name, value in values.items()
        ]
        future = self._set.call_async(request)
        self.until(future.done, "an answer to the change")
        result = future.result().result
        return "" if result.successful else result.reason

    def _next_goal(self) -> None:
        goal = Navigate.Goal()
        goal.goal.names, goal.goal.values = ["x", "y", "z"], list(TURNS[self._turn % 2])
        self._turn += 1
        self._navigate.send_goal_async(goal).add_done_callback(self._on_accepted)
        self._flying, self._plan_s = True, None

    def _on_accepted(self, future: Future) -> None:
        future.result().get_result_async().add_done_callback(self._on_result)

    def _on_result(self, future: Future) -> None:
        result = future.result().result
        self._flying = False
        if self.notes is not None:
            if result.error_code == Navigate.Result.NONE:
                self.notes.flights += 1
            else:
                self.notes.failed.append(result.error)
        self._next_goal()

    def _on_plan(self, msg: Plan) -> None:
        now_s = time.monotonic()
        if self.notes is not None and self._flying:
            self.notes.planning_ms.append(msg.planning_ms)
            if self._plan_s is not None:
                self.notes.plan_gaps_ms.append((now_s - self._plan_s) * 1e3)
        self._plan_s = now_s

    def _on_command(self, msg: Command) -> None:
        stamp_ns = nanoseconds(msg.header.stamp)
        if self.notes is not None:
            if self._command_ns:
                self.notes.command_gaps_ms.append((stamp_ns - self._command_ns) * 1e-6)
            if msg.sequence not in (0, self._sequence):
                delay_ns = stamp_ns - nanoseconds(msg.measured)
                self.notes.end_to_end_ms.append(delay_ns * 1e-6)
        self._command_ns, self._sequence = stamp_ns, msg.sequence

    def _on_execution(self, msg: ExecutionStatus) -> None:
        self.execution = msg

    def _on_planner(self, msg: PlannerStatus) -> None:
        self.planner = msg
