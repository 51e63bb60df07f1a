"""How long a planner server takes from its start to its first plan."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import time
from pathlib import Path

from planner_core.errors import RobotError
from planner_core.robots import load_robot
from planner_interfaces.msg import Goal, Plan, PlannerStatus, RobotState
from planner_ros.conversions import state_msg
from planner_ros.qos import LATCHED, LATEST, ORDERED
from rclpy.executors import Executor
from rclpy.node import Node
from sensor_msgs.msg import LaserScan

RAYS, RANGE_M = 48, 6.0


class _Waiting(Node):
    """A robot that stands in the open and wants to go somewhere."""

    def __init__(self) -> None:
        super().__init__("first_plan")
        self.planned = False
        self._robot = load_robot("crazyflie")
        self._state = self.create_publisher(RobotState, "state", LATEST)
        self._scan = self.create_publisher(LaserScan, "scan", LATEST)
        self._goal = self.create_publisher(Goal, "goal", LATCHED)
        self._epoch = 0
        self.create_subscription(Plan, "plan", self._on_plan, ORDERED)
        self.create_subscription(PlannerStatus, "planner/status", self._on_status, LATCHED)
        self.create_timer(0.01, self._send)

    def _send(self) -> None:
        now = self.get_clock().now()
        state = state_msg(
            self._robot, now.nanoseconds, [0.0, 0.0, 1.0, 0.0], [0.0] * 4,
            status=RobotState.VALID, measured_ns=now.nanoseconds,
        )  # fmt: skip
        self._state.publish(state)
        scan = LaserScan(
            angle_increment=2 * math.pi / RAYS, range_max=RANGE_M, ranges=[RANGE_M] * RAYS
        )
        scan.header.stamp = now.to_msg()
        self._scan.publish(scan)

    def _on_status(self, msg: PlannerStatus) -> None:
        if msg.state == PlannerStatus.LOADING or self._epoch:
            return
        self._epoch += 1
        goal = Goal(kind=Goal.REACH, epoch=1, names=["x", "y", "z"], values=[3.0, 0.0, 1.0])
        goal.header.stamp = self.get_clock().now().to_msg()
        self._goal.publish(goal)

    def _on_plan(self, _: Plan) -> None:
        self.planned = True


def first_plan_s(
    executor: Executor, program: Path, planner: str, model: str, limit_s: float = 60.0
) -> float:
    """Start a planner server with a robot around it, until its first plan comes.

    Args:
        executor: Spun meanwhile.
        program: The server's executable.
        planner: Planner plugin.
        model: Its bundle.
        limit_s: Longest wait.

    Returns:
        From the start of the process to the first plan [s].

    Raises:
        RobotError: No plan within the limit.
    """
    node = _Waiting()
    executor.add_node(node)
    command = [str(program), "--ros-args", "-p", f"planner:={planner}", "-p", f"model:='{model}'"]
    began = time.monotonic()
    server = subprocess.Popen(command, env=os.environ)
    try:
        while not node.planned:
            if server.poll() is not None:
                raise RobotError("planner server ended", got=f"exit code {server.returncode}")
            if time.monotonic() - began > limit_s:
                raise RobotError("no plan of a planner server", got=f"after {limit_s} s")
            executor.spin_once(timeout_sec=0.02)
        return time.monotonic() - began
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=20)
        executor.remove_node(node)
        node.destroy_node()
