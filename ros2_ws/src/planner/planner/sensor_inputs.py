"""The sensors that a planner asks for, as topics.

A ``scan`` comes as a LaserScan, every other sensor as named numbers on ``sensor/<name>``. A topic
is subscribed to once somebody needs it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final

from planner_core.errors import DriftpilotError, InvalidObservationError
from planner_core.observing import ObservationBuffer
from planner_core.robot import Robot
from planner_interfaces.msg import Quantities
from planner_ros.clock import nanoseconds
from planner_ros.conversions import quantities_from_msg, world_scan
from planner_ros.qos import LATEST
from rclpy.node import Node
from sensor_msgs.msg import LaserScan

SCAN: Final = "scan"


class SensorInputs:
    """Fills a planner's buffer.

    Args:
        node: Subscribes.
        robot: Whose heading turns a scan.
        buffer: Takes the readings.
        refuse: Told of readings that cannot be used.
    """

    def __init__(
        self,
        node: Node,
        robot: Robot,
        buffer: ObservationBuffer,
        refuse: Callable[[DriftpilotError], None],
    ) -> None:
        self._node, self._robot, self._buffer, self._refuse = node, robot, buffer, refuse
        self._heard: set[str] = set()
        self._lock = threading.Lock()

    def listen(self, sensors: Iterable[str]) -> None:
        """Subscribe to what is not subscribed to yet; from any thread.

        Raises:
            InvalidObservationError: A scan for a robot without a heading.
        """
        with self._lock:
            for name in sensors:
                if name in self._heard:
                    continue
                if name == SCAN:
                    self._listen_to_scan()
                else:
                    self._listen_to_quantities(name)
                self._heard.add(name)

    def _listen_to_scan(self) -> None:
        if "yaw" not in self._robot.names:
            raise InvalidObservationError(
                f"a scan for robot {self._robot.name}", got=list(self._robot.names),
                expected="a degree of freedom 'yaw'",
            )  # fmt: skip
        self._node.create_subscription(LaserScan, "scan", self.take_scan, LATEST)

    def take_scan(self, msg: LaserScan) -> None:
        """Turn a scan into the world's directions and keep it, once the heading is known."""
        position = self._buffer.position
        if position is None:
            return
        try:
            ranges = world_scan(msg, float(position[self._robot.names.index("yaw")]))
        except DriftpilotError as error:
            self._refuse(error)
            return
        self._buffer.take_sensor(SCAN, nanoseconds(msg.header.stamp), ranges)

    def _listen_to_quantities(self, name: str) -> None:
        def take(msg: Quantities) -> None:
            try:
                values = quantities_from_msg(msg)
            except DriftpilotError as error:
                self._refuse(error)
                return
            self._buffer.take_sensor(name, nanoseconds(msg.header.stamp), values)

        self._node.create_subscription(Quantities, f"sensor/{name}", take, LATEST)
