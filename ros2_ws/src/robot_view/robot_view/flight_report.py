"""Writes a one-page report at the end of each flight, of whatever robot.

A flight is what happens from a goal until the navigator ends it, also where nothing flies. The page
is drawn in a thread of its own, so that the next flight is collected meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from action_msgs.msg import GoalStatusArray
from nav_msgs.msg import Odometry
from planner_core.errors import DriftpilotError
from planner_core.parameters import parameter
from planner_core.robots import load_robot
from planner_interfaces.msg import (
    BridgeStatus,
    Command,
    ExecutionStatus,
    Goal,
    Plan,
    PlanCandidates,
    RobotState,
)
from planner_ros.clock import RosClock
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATCHED, ORDERED
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from visualization_msgs.msg import MarkerArray

from robot_view.flight import Flight, FlightLog
from robot_view.report import write_report

EVERY = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=200, reliability=ReliabilityPolicy.BEST_EFFORT
)
"""Measurements of which each one counts: two seconds of them may wait."""

TOPICS = {
    "odometry": (Odometry, EVERY),
    "state": (RobotState, EVERY),
    "plan": (Plan, ORDERED),
    "plan/candidates": (PlanCandidates, ORDERED),
    "command": (Command, EVERY),
    "goal": (Goal, LATCHED),
    "execution/status": (ExecutionStatus, ORDERED),
    "bridge/status": (BridgeStatus, LATCHED),
    "navigate/_action/status": (GoalStatusArray, LATCHED),
    "world/markers": (MarkerArray, LATCHED),
}

IN_FLIGHT = {"odometry", "state", "plan", "plan/candidates", "command"}
"""Topics that are collected only while a robot is under way."""


@dataclass(frozen=True, slots=True)
class FlightReportParameters:
    """Parameters of the flight report."""

    robot: str = parameter(
        "crazyflie", "Which robot's joints and limits are drawn.", read_only=True
    )
    output_dir: str = parameter(
        "reports", "Folder of the pages, made where it is missing.", read_only=True
    )
    goal_tolerance_m: float = parameter(
        0.25, "Closer to the goal than this counts as there, unless the goal says otherwise.",
        minimum=0.01, maximum=5.0, read_only=True,
    )  # fmt: skip
    settle_s: float = parameter(
        0.5, "Collected on for so long after the end: the last messages are still on their way.",
        minimum=0.1, maximum=10.0, read_only=True,
    )  # fmt: skip


class FlightReport(Node):
    """Collects flights and reports them."""

    def __init__(self) -> None:
        super().__init__("flight_report", automatically_declare_parameters_from_overrides=True)
        self._time = RosClock(self)
        self._settings = NodeParameters(self, FlightReportParameters)
        values = self._settings.values
        load_robot(values.robot)
        self._log = FlightLog(values.goal_tolerance_m, values.robot)
        self._ended_ns: int | None = None
        self._writer: threading.Thread | None = None
        for topic, (kind, qos) in TOPICS.items():
            self.create_subscription(kind, topic, self._taker(topic), qos)
        self.create_timer(0.1, self._watch)

    def shut_down(self) -> None:
        """Report a flight that is not reported yet."""
        if self._log.under_way or self._ended_ns is not None:
            self._report()
        if self._writer is not None:
            self._writer.join()

    def _taker(self, topic: str) -> Callable[[Any], None]:
        def take(msg: Any) -> None:
            if topic == "goal" and msg.kind == Goal.REACH and self._ended_ns is not None:
                # The next flight begins before the last one was written.
                self._report()
            was_under_way = self._log.under_way
            if topic in IN_FLIGHT and not was_under_way and self._ended_ns is None:
                # What happens between flights belongs to none, and would fill the memory.
                return
            try:
                self._log.add(topic, msg)
            except DriftpilotError as error:
                self.get_logger().warning(str(error), throttle_duration_sec=5.0)
            if was_under_way and not self._log.under_way:
                self._ended_ns = self._time.steady_ns()

        return take

    def _watch(self) -> None:
        settle_ns = int(self._settings.values.settle_s * 1e9)
        if self._ended_ns is not None and self._time.steady_ns() - self._ended_ns > settle_ns:
            self._report()

    def _report(self) -> None:
        flight = self._log.flight()
        self._log.clear()
        self._ended_ns = None
        values = self._settings.values
        began = datetime.fromtimestamp(flight.start_ns * 1e-9, tz=UTC)
        path = Path(values.output_dir) / f"{values.robot}_{began:%Y%m%d_%H%M%S}.png"
        if self._writer is not None:
            self._writer.join()
        self._writer = threading.Thread(
            target=self._write, args=(flight, path, values.robot), name="report"
        )
        self._writer.start()

    def _write(self, flight: Flight, path: Path, robot: str) -> None:
        try:
            figures = write_report(flight, path, robot)
        except OSError as error:
            self.get_logger().error(f"report not written: {error}")
            return
        self.get_logger().info(f"report: {path}\n{figures}")


def main() -> int:
    """Entry of the process."""
    return run(FlightReport)
