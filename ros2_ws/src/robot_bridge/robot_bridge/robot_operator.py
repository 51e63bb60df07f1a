"""Somebody who uses a whole robot through its navigator, for launch tests of any robot's graph."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import psutil
import rclpy
from planner_interfaces.action import Navigate
from planner_interfaces.msg import Command, ExecutionStatus, PlannerStatus
from planner_interfaces.srv import InjectFault
from planner_ros.actions import give_goal
from planner_ros.qos import LATCHED, ORDERED
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.qos import QoSProfile, qos_profile_sensor_data
from robot_bridge.bridge_operator import BridgeOperator


class RobotOperator(BridgeOperator):
    """A node that sends goals, breaks what is simulated, and remembers what it hears.

    Args:
        executor: Spun by every wait.
        timeout_s: Longest wait.

    Attributes:
        commands: Of the execution, as far as they reached this process.
        execution: Status of the execution.
        planner: Status of the planner server.
    """

    def __init__(self, executor: Executor, timeout_s: float) -> None:
        super().__init__(executor)
        self.timeout_s = timeout_s
        self.commands: list[Command] = self.hear(Command, "command")
        self.execution: list[ExecutionStatus] = self.hear(
            ExecutionStatus, "execution/status", ORDERED
        )
        self.planner: list[PlannerStatus] = self.hear(PlannerStatus, "planner/status", LATCHED)
        self._navigate = ActionClient(self.node, Navigate, "navigate")

    @classmethod
    @contextmanager
    def at_work(cls, timeout_s: float) -> Iterator[Self]:
        """ROS and an operator; for `unittest.TestCase.enterClassContext`."""
        rclpy.init()
        try:
            operator = cls(SingleThreadedExecutor(), timeout_s)
            try:
                yield operator
            finally:
                operator.close()
        finally:
            rclpy.shutdown()

    def close(self) -> None:
        """Take the node down."""
        self.executor.shutdown()
        self._navigate.destroy()
        self.node.destroy_node()

    def hear(self, kind: type, topic: str, qos: QoSProfile = qos_profile_sensor_data) -> list[Any]:
        """The messages of a topic from now on; the list may be cleared."""
        heard: list[Any] = []
        self.node.create_subscription(kind, topic, heard.append, qos)
        return heard

    def wait_for_mode(self, mode: int, timeout_s: float | None = None) -> None:
        """Spin until the last command has a mode, such as ``Command.TRACK``."""
        self.wait(
            lambda: self.commands and self.commands[-1].mode == mode, f"mode {mode}", timeout_s
        )

    def send(
        self, names: Iterable[str], values: Iterable[float], task: str = "", frame_id: str = ""
    ) -> ClientGoalHandle:
        """Ask the navigator for a goal, which may yet be refused."""
        self.wait(self._navigate.server_is_ready, "the navigator")
        goal = Navigate.Goal()
        goal.goal.task, goal.goal.header.frame_id = task, frame_id
        goal.goal.names, goal.goal.values = list(names), list(values)
        return give_goal(self._navigate, goal, self.wait)

    def result(self, handle: ClientGoalHandle, timeout_s: float | None = None) -> Navigate.Result:
        """How a goal ends."""
        return self.result_of(handle.get_result_async(), "a result", timeout_s).result

    def cancel(self, handle: ClientGoalHandle) -> Navigate.Result:
        """Withdraw a goal; how it ends."""
        self.result_of(handle.cancel_goal_async(), "the cancellation")
        return self.result(handle)

    def inject(self, fault: str, value: float, duration_s: float) -> None:
        """Break something of the simulation for a while."""
        response = self.call(
            "simulation/inject_fault", InjectFault, fault=fault, value=value, duration_s=duration_s
        )
        assert response.success, response.message

    def process(self, executable: str) -> psutil.Process:
        """The process of a node of this graph.

        Args:
            executable: Its package and executable, such as ``planner/planner_server``.
        """
        (found,) = (
            process for process in psutil.process_iter(["cmdline", "environ"])
            if any(f"lib/{executable}" in part for part in process.info["cmdline"] or ())
            and (process.info["environ"] or {}).get("ROS_DOMAIN_ID")
            == os.environ.get("ROS_DOMAIN_ID")
        )  # fmt: skip
        return found
