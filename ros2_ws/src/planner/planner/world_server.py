"""A room that is known beforehand: its map, and the scan that a sensor would measure in it.

For robots without a range sensor of their own: the loopback robot, or a real one in a lab whose
obstacles were measured once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from planner_core.errors import DriftpilotError
from planner_core.parameters import parameter
from planner_core.plan import Array
from planner_core.robots import load_robot
from planner_core.worlds import find_world
from planner_interfaces.msg import RobotState
from planner_ros.clock import nanoseconds, time_msg
from planner_ros.conversions import state_from_msg
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATEST
from planner_ros.world import WorldPublisher
from rclpy.node import Node
from sensor_msgs.msg import LaserScan


@dataclass(frozen=True, slots=True)
class WorldServerParameters:
    """Parameters of the world server."""

    robot: str = parameter("crazyflie", "Which robot moves in the world.", read_only=True)
    world: str = parameter("random", "World file, or `random`.", read_only=True)
    seed: int = parameter(0, "Names the random world.", minimum=0, read_only=True)
    scan_rays: int = parameter(
        48, "Rays of the scan, over the full turn.", minimum=4, maximum=1440, read_only=True
    )
    scan_range_m: float = parameter(
        6.0, "Length at which a ray ends.", minimum=0.5, maximum=100.0, read_only=True
    )
    scan_rate_hz: float = parameter(
        50.0, "How often the scan is published.", minimum=1.0, maximum=200.0, read_only=True
    )


class WorldServer(Node):
    """Publishes the world, and a scan from wherever the robot is."""

    def __init__(self) -> None:
        super().__init__("world_server", automatically_declare_parameters_from_overrides=True)
        self._settings = NodeParameters(self, WorldServerParameters)
        values = self._settings.values
        self._robot = load_robot(values.robot)
        self._world = find_world(values.world, values.seed)
        self._position: Array | None = None
        self._stamp_ns = self._scanned_ns = 0
        WorldPublisher(self, self._robot.frame_id).publish(self._world)
        self._scan = self.create_publisher(LaserScan, "scan", LATEST)
        self.create_subscription(RobotState, "state", self._on_state, LATEST)
        self.create_timer(1.0 / values.scan_rate_hz, self._publish_scan)

    def _on_state(self, msg: RobotState) -> None:
        try:
            self._position, _ = state_from_msg(msg, self._robot)
        except DriftpilotError as error:
            self.get_logger().error(str(error), throttle_duration_sec=1.0)
            return
        self._stamp_ns = nanoseconds(msg.header.stamp)

    def _publish_scan(self) -> None:
        if self._position is None or self._stamp_ns == self._scanned_ns:
            return
        self._scanned_ns = self._stamp_ns
        values = self._settings.values
        increment = 2 * math.pi / values.scan_rays
        angles = np.arange(values.scan_rays) * increment + self._position[3]
        scan = LaserScan(angle_increment=increment, angle_max=increment * (values.scan_rays - 1))
        scan.header.stamp = time_msg(self._stamp_ns)
        scan.header.frame_id = "base_stabilized"
        scan.range_max = values.scan_range_m
        ranges = self._world.scan(self._position[:3], angles, values.scan_range_m)
        scan.ranges = ranges.astype(np.float32).tolist()
        self._scan.publish(scan)


def main() -> int:
    """Entry of the process."""
    return run(WorldServer)
