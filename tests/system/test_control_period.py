"""The control loop beside processes that take all the processor time there is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import rclpy
from ament_index_python.packages import get_package_prefix
from planner_core.plan import Plan
from planner_core.robots import crazyflie
from planner_core.timed_plan import TimedPlan
from planner_interfaces.msg import BridgeStatus, ExecutionStatus, RobotState
from planner_interfaces.msg import Plan as PlanMsg
from planner_ros.conversions import plan_msg, state_msg
from planner_ros.qos import LATCHED, LATEST, ORDERED
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

HOGS = 4
SECONDS = 20
PERIOD_MS = 10.0
ROBOT = crazyflie()
Wait = Callable[..., None]


class Source(Node):
    """State and plans at 100 Hz, and a bridge that is active."""

    def __init__(self) -> None:
        super().__init__("source")
        self.status: list[ExecutionStatus] = []
        self.sequence = 0
        self._plans = self.create_publisher(PlanMsg, "plan", ORDERED)
        self._states = self.create_publisher(RobotState, "state", LATEST)
        self._bridge = self.create_publisher(BridgeStatus, "bridge/status", LATCHED)
        self.create_subscription(ExecutionStatus, "execution/status", self.status.append, ORDERED)
        self.create_timer(0.01, self._send)
        self.create_timer(0.2, self._say_active)

    def _send(self) -> None:
        now_ns = int(self.get_clock().now().nanoseconds)
        still = np.zeros((32, 4))
        self._states.publish(
            state_msg(
                ROBOT, now_ns, still[0], still[0], status=RobotState.VALID, measured_ns=now_ns
            )
        )
        self.sequence += 1
        plan = Plan(now_ns, 0.1, still, still, still)
        timed = TimedPlan(plan, 0, self.sequence, now_ns, chunk=2)
        self._plans.publish(plan_msg(timed, ROBOT, planner="test", bundle="", feasible=True))

    def _say_active(self) -> None:
        self._bridge.publish(BridgeStatus(state=BridgeStatus.ACTIVE))


@contextmanager
def hogs(count: int) -> Iterator[None]:
    """Processes that never sleep."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.study
@pytest.mark.parametrize("count", [0, HOGS])
def test_the_period_is_kept(count: int, ros_domain: int, wait_until: Wait) -> None:
    rclpy.init(domain_id=ros_domain)
    source, executor = Source(), SingleThreadedExecutor()
    executor.add_node(source)
    path = Path(get_package_prefix("plan_execution"), "lib", "plan_execution", "plan_execution")
    execution = subprocess.Popen([path], env=os.environ)

    def until(condition: Callable[[], object], what: str) -> None:
        wait_until(condition, what, 60.0, lambda: executor.spin_once(timeout_sec=0.05))

    try:
        with hogs(count):
            until(
                lambda: source.status and source.status[-1].mode == ExecutionStatus.TRACKING,
                "tracking",
            )
            first = source.status[-1]
            until(
                lambda: source.status[-1].periods - first.periods > SECONDS * 1e3 / PERIOD_MS,
                f"{SECONDS} s of control",
            )
            last = source.status[-1]
    finally:
        execution.terminate()
        execution.wait(timeout=20)
        executor.shutdown()
        source.destroy_node()
        rclpy.shutdown()
    periods = last.periods - first.periods
    missed = last.missed_periods - first.missed_periods
    # Of the last thousand periods; those before the start are not among them.
    error = last.period_error_p99_ms / PERIOD_MS
    print(f"control with {count} hogs: {periods} periods, {missed} missed, period error p99 "
          f"{error:.1%}, measurement to command p99 {last.end_to_end.p99_ms:.1f} ms")  # fmt: skip
    assert error <= 0.20
    assert missed <= 0.001 * periods
