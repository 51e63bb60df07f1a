"""The simulated Crazyflie as a node: radio over UDP, sensors and ground truth over ROS."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
from geometry_msgs.msg import PointStamped, PoseStamped
from nav_msgs.msg import Odometry
from planner_core.clock import NS_PER_S
from planner_core.errors import DriftpilotError
from planner_core.worlds import find_world
from planner_interfaces.srv import ResetSimulation
from planner_ros.clock import time_msg
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATEST, ORDERED
from planner_ros.world import WorldPublisher, world_text
from robot_simulation.crazyflie import messages
from robot_simulation.crazyflie.dynamics import Collision
from robot_simulation.crazyflie.node_parameters import CrazyflieSimulationParameters
from robot_simulation.crazyflie.sensors import CapturedPose, RangeScanner
from robot_simulation.crazyflie.server import RadioServer
from robot_simulation.crazyflie.simulation import CrazyflieSimulation
from robot_simulation.node import SimulationNode
from robot_simulation.periodic import Periodic
from sensor_msgs.msg import LaserScan

LANDING_LIMIT_S: Final = 10.0
"""A vehicle that is still in the air so long after the end was asked for stays there."""


class CrazyflieSimulationNode(SimulationNode):
    """Hosts one simulated vehicle.

    Raises:
        DriftpilotError: A parameter, the world or the UDP port cannot be used.
    """

    def __init__(self) -> None:
        super().__init__("crazyflie_simulation")
        self._settings = NodeParameters(self, CrazyflieSimulationParameters)
        values = self._settings.values
        world = find_world(values.world, values.seed, density_per_m2=values.density_per_m2)
        self._simulation = CrazyflieSimulation(world, values.simulation)
        self._server = RadioServer(self._simulation, values.host, values.udp_port)
        self._scanner = RangeScanner(values.scanner, np.random.default_rng((values.seed, 1)))
        self._truth_due = Periodic(values.ground_truth_rate_hz)
        self._scan_due = Periodic(values.scan_rate_hz)
        self._poses = self.create_publisher(PoseStamped, "mocap/pose", LATEST)
        self._scans = self.create_publisher(LaserScan, "scan", LATEST)
        self._truth = self.create_publisher(Odometry, "simulation/ground_truth", LATEST)
        self._world = WorldPublisher(self, messages.WORLD_FRAME)
        self._collisions = self.create_publisher(PointStamped, "simulation/collision", ORDERED)
        self._simulation.on_pose = self._publish_pose
        self._simulation.on_collision = self._publish_collision
        self._world.publish(world)
        self._stopped = threading.Event()
        self.start(self._simulation, self._server, values.speed)
        host, port = self._server.address
        self.get_logger().info(f"{world.name}: radio on udp://{host}:{port}")

    def shut_down(self) -> None:
        """Stop the simulation and close its radio; from the executor's thread.

        A robot is not switched off in mid-air by a Ctrl-C that its bridge gets as well: the
        simulation goes on until it has landed, for a while.
        """
        end_ns = self._time.steady_ns() + round(LANDING_LIMIT_S * NS_PER_S)
        while self.in_simulation(self._is_flying) and self._time.steady_ns() < end_ns:
            self._stopped.wait(0.1)
        super().shut_down()
        self._server.close()

    def _is_flying(self) -> bool:
        return self._simulation.firmware.supervisor.flying

    # In the simulation's thread.

    def after_chunk(self) -> None:
        """See `SimulationNode.after_chunk`."""
        simulation = self._simulation
        now = simulation.time_s
        if self._truth_due.due(now):
            stamp = time_msg(self._time.now_ns())
            self._truth.publish(messages.odometry_message(simulation.dynamics.body, stamp))
        if self._scan_due.due(now):
            stamp = time_msg(self._time.now_ns())
            ranges = self._scanner.scan(simulation.world, simulation.dynamics.body)
            self._scans.publish(messages.scan_message(ranges, self._scanner.settings, stamp))

    def _publish_pose(self, captured: CapturedPose) -> None:
        stamp = time_msg(self.stamp_of(captured.exposure_s))
        self._poses.publish(messages.pose_message(captured, stamp))

    def _publish_collision(self, collision: Collision) -> None:
        stamp = time_msg(self.stamp_of(collision.time_s))
        self._collisions.publish(messages.collision_message(collision, stamp))
        self.publish_status()
        self.get_logger().error(
            f"crashed into {collision.surface} at {collision.speed_m_s:.2f} m/s"
        )

    def publish_status(self) -> None:
        """See `SimulationNode.publish_status`."""
        simulation = self._simulation
        self._status.publish(
            messages.status_message(
                self.get_fully_qualified_name(),
                simulation.dynamics.collision,
                {
                    "world": simulation.world.name,
                    "time_s": f"{simulation.time_s:.3f}",
                    "flight_state": simulation.firmware.supervisor.state.value,
                    "faults": simulation.faults,
                    **self.real_time(),
                },
            )
        )

    # In the executor's thread.

    def begin(self, request: ResetSimulation.Request) -> tuple[str, str]:
        """Begin a flight in another world; see `SimulationNode.begin`."""
        if request.seed < 0:
            raise DriftpilotError("seed", got=request.seed, expected="0 or more")
        values = self._settings.values
        density = request.density_per_m2 or values.density_per_m2
        world = find_world(request.world or "random", request.seed, density_per_m2=density)

        def begin_flight() -> None:
            self._simulation.begin_flight(world, request.seed)
            self._scanner = RangeScanner(values.scanner, np.random.default_rng((request.seed, 1)))
            self.publish_status()

        self.in_simulation(begin_flight)
        self._world.publish(world)
        return f"{world.name}: at the start", world_text(world)


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``crazyflie_simulation``."""
    return run(CrazyflieSimulationNode, argv)
