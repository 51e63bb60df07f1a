"""The simulated Crazyflie as a node: radio over UDP, sensors and ground truth over ROS.

Two threads: the simulation's thread steps the physics, serves the radio and publishes sensor data,
so that a slow callback never delays the vehicle; the executor's thread serves the services and
hands their work to the simulation's thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PointStamped, PoseStamped
from nav_msgs.msg import Odometry
from planner_core.clock import NS_PER_S
from planner_core.errors import DriftpilotError
from planner_core.world import World
from planner_core.worlds import find_world
from planner_interfaces.srv import InjectFault, ResetSimulation
from planner_ros.clock import RosClock, time_msg
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATCHED, LATEST, ORDERED
from planner_ros.world import WorldPublisher, world_text
from rclpy.node import Node
from robot_simulation.crazyflie import messages
from robot_simulation.crazyflie.dynamics import Collision
from robot_simulation.crazyflie.node_parameters import CrazyflieSimulationParameters
from robot_simulation.crazyflie.sensors import CapturedPose, RangeScanner
from robot_simulation.crazyflie.server import RadioServer
from robot_simulation.crazyflie.simulation import CrazyflieSimulation
from robot_simulation.periodic import Periodic
from robot_simulation.realtime import RealTimeLoop
from sensor_msgs.msg import LaserScan

CALL_TIMEOUT_S: Final = 5.0
"""A simulation thread that does not answer a service for so long is dead."""
LANDING_LIMIT_S: Final = 10.0
"""A vehicle that is still in the air so long after the end was asked for stays there."""
Result = TypeVar("Result")


class CrazyflieSimulationNode(Node):
    """Hosts one simulated vehicle.

    Raises:
        DriftpilotError: A parameter, the world or the UDP port cannot be used.
    """

    def __init__(self) -> None:
        super().__init__(
            "crazyflie_simulation", automatically_declare_parameters_from_overrides=True
        )
        self._settings = NodeParameters(self, CrazyflieSimulationParameters)
        self._time = RosClock(self)
        values = self._settings.values
        world = find_world(values.world, values.seed, density_per_m2=values.density_per_m2)
        self._simulation = CrazyflieSimulation(world, values.simulation)
        self._server = RadioServer(self._simulation, values.host, values.udp_port)
        self._loop = RealTimeLoop(
            self._simulation, self._server, self._time, values.speed, self._publish_due
        )
        self._scanner = RangeScanner(values.scanner, np.random.default_rng((values.seed, 1)))
        self._truth_due = Periodic(values.ground_truth_rate_hz)
        self._scan_due = Periodic(values.scan_rate_hz)
        self._poses = self.create_publisher(PoseStamped, "mocap/pose", LATEST)
        self._scans = self.create_publisher(LaserScan, "scan", LATEST)
        self._truth = self.create_publisher(Odometry, "simulation/ground_truth", LATEST)
        self._world = WorldPublisher(self, messages.WORLD_FRAME)
        self._collisions = self.create_publisher(PointStamped, "simulation/collision", ORDERED)
        self._status = self.create_publisher(DiagnosticStatus, "simulation/status", LATCHED)
        self.create_service(ResetSimulation, "simulation/reset", self._reset)
        self.create_service(InjectFault, "simulation/inject_fault", self._inject_fault)
        self.create_timer(1.0, lambda: self._in_simulation(self._publish_status))
        self._simulation.on_pose = self._publish_pose
        self._simulation.on_collision = self._publish_collision
        self._world.publish(world)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._loop.run, name="simulation")
        self._thread.start()
        host, port = self._server.address
        self.get_logger().info(f"{world.name}: radio on udp://{host}:{port}")

    def shut_down(self) -> None:
        """Stop the simulation and close its radio; from the executor's thread.

        A robot is not switched off in mid-air by a Ctrl-C that its bridge gets as well: the
        simulation goes on until it has landed, for a while.
        """
        end_ns = self._time.steady_ns() + round(LANDING_LIMIT_S * NS_PER_S)
        while self._in_simulation(self._is_flying) and self._time.steady_ns() < end_ns:
            self._stopped.wait(0.1)
        self._loop.stop()
        self._thread.join()
        self._server.close()

    def _is_flying(self) -> bool:
        return self._simulation.firmware.supervisor.flying

    def _in_simulation(self, function: Callable[[], Result]) -> Result:
        """Run a function in the simulation's thread and wait for it.

        Raises:
            DriftpilotError: What the function raises.
            TimeoutError: The simulation does not answer.
        """
        return self._loop.call(function).result(timeout=CALL_TIMEOUT_S)

    def _stamp_of(self, simulated_s: float) -> int:
        """ROS time [ns] at which the simulation was at a time of this flight."""
        age_s = (self._simulation.time_s - simulated_s) / self._settings.values.speed
        return self._time.now_ns() - round(age_s * NS_PER_S)

    # In the simulation's thread.

    def _publish_due(self) -> None:
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
        stamp = time_msg(self._stamp_of(captured.exposure_s))
        self._poses.publish(messages.pose_message(captured, stamp))

    def _publish_collision(self, collision: Collision) -> None:
        stamp = time_msg(self._stamp_of(collision.time_s))
        self._collisions.publish(messages.collision_message(collision, stamp))
        self._publish_status()
        self.get_logger().error(
            f"crashed into {collision.surface} at {collision.speed_m_s:.2f} m/s"
        )

    def _publish_status(self) -> None:
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
                    "real_time_factor": f"{self._loop.real_time_factor:.3f}",
                    "abandoned_s": f"{self._loop.abandoned_s:.3f}",
                },
            )
        )

    # In the executor's thread.

    def _reset(
        self, request: ResetSimulation.Request, response: ResetSimulation.Response
    ) -> ResetSimulation.Response:
        values = self._settings.values
        density = request.density_per_m2 or values.density_per_m2

        def begin(world: World) -> None:
            self._simulation.begin_flight(world, request.seed)
            self._scanner = RangeScanner(values.scanner, np.random.default_rng((request.seed, 1)))
            self._publish_status()

        try:
            if request.seed < 0:
                raise DriftpilotError("seed", got=request.seed, expected="0 or more")
            name = request.world or "random"
            world = find_world(name, request.seed, density_per_m2=density)
            self._in_simulation(lambda: begin(world))
        except DriftpilotError as error:
            return _refused(response, error)
        self._world.publish(world)
        response.success = True
        response.message = f"{world.name}: at the start"
        response.description = world_text(world)
        return response

    def _inject_fault(
        self, request: InjectFault.Request, response: InjectFault.Response
    ) -> InjectFault.Response:
        def inject() -> None:
            self._simulation.inject(request.fault, request.value, request.duration_s)
            self._publish_status()

        try:
            self._in_simulation(inject)
        except DriftpilotError as error:
            return _refused(response, error)
        response.success = True
        response.message = f"{request.fault} = {request.value:g}"
        return response


Response = TypeVar("Response", ResetSimulation.Response, InjectFault.Response)


def _refused(response: Response, error: DriftpilotError) -> Response:
    response.success, response.error_code, response.message = False, error.code, str(error)
    return response


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``crazyflie_simulation``."""
    return run(CrazyflieSimulationNode, argv)
