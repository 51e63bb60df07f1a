"""The simulated Go2 as a node: the robot over DDS, ground truth and faults over ROS.

Two threads: the simulation's thread steps the physics, serves the robot's DDS topics and publishes
the ground truth; the executor's thread serves the services and hands their work over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Final, TypeVar

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from nav_msgs.msg import Odometry
from planner_core.errors import DriftpilotError
from planner_interfaces.srv import InjectFault, ResetSimulation
from planner_ros.clock import RosClock
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATCHED, LATEST
from rclpy.node import Node
from robot_simulation.errors import SimulationError
from robot_simulation.go2.node_parameters import Go2SimulationParameters
from robot_simulation.go2.realtime import RealTimeLoop
from robot_simulation.go2.simulation import Go2Simulation
from robot_simulation.periodic import Periodic

CALL_TIMEOUT_S: Final = 5.0
"""A simulation thread that does not answer a service for so long is dead."""
WORLD_FRAME, BODY_FRAME = "odom", "base_link"
Result = TypeVar("Result")


class Go2SimulationNode(Node):
    """Hosts one simulated robot.

    Raises:
        DriftpilotError: A parameter or the DDS domain cannot be used.
    """

    def __init__(self) -> None:
        super().__init__("go2_simulation", automatically_declare_parameters_from_overrides=True)
        values = NodeParameters(self, Go2SimulationParameters).values
        # Late: without cyclonedds, an option, the parameters can still be documented.
        from robot_simulation.go2.server import Go2Server

        domain = self.context.get_domain_id()
        self._simulation = Go2Simulation(values.seed)
        server = Go2Server(self._simulation, domain, values.network_interface)
        self._loop = RealTimeLoop(
            self._simulation, server, RosClock(self), values.speed, self._after_tick
        )
        self._truth_due = Periodic(values.ground_truth_rate_hz)
        self._conflict = ""
        self._truth = self.create_publisher(Odometry, "simulation/ground_truth", LATEST)
        self._status = self.create_publisher(DiagnosticStatus, "simulation/status", LATCHED)
        self.create_service(ResetSimulation, "simulation/reset", self._reset)
        self.create_service(InjectFault, "simulation/inject_fault", self._inject_fault)
        self.create_timer(1.0, lambda: self._in_simulation(self._publish_status))
        self._thread = threading.Thread(target=self._loop.run, name="simulation")
        self._thread.start()
        self.get_logger().info(f"Go2 on DDS domain {domain}, interface {values.network_interface}")

    def shut_down(self) -> None:
        """Stop the simulation; from the executor's thread."""
        self._loop.stop()
        self._thread.join()

    def _in_simulation(self, function: Callable[[], Result]) -> Result:
        """Run a function in the simulation's thread and wait for it.

        Raises:
            DriftpilotError: What the function raises.
            TimeoutError: The simulation does not answer.
        """
        return self._loop.call(function).result(timeout=CALL_TIMEOUT_S)

    # In the simulation's thread.

    def _after_tick(self) -> None:
        conflict = self._simulation.low_level.conflict
        if conflict != self._conflict:
            self._conflict = conflict
            if conflict:
                self.get_logger().error(conflict)
            self._publish_status()
        if self._truth_due.due(self._simulation.time_s):
            self._publish_truth()

    def _publish_truth(self) -> None:
        body = self._simulation.dynamics.body()
        message = Odometry()
        message.header.stamp = self.get_clock().now().to_msg()
        message.header.frame_id, message.child_frame_id = WORLD_FRAME, BODY_FRAME
        pose, twist = message.pose.pose, message.twist.twist
        pose.position.x, pose.position.y, pose.position.z = map(float, body.position)
        q = pose.orientation
        q.w, q.x, q.y, q.z = map(float, body.quaternion)
        linear, angular = twist.linear, twist.angular
        linear.x, linear.y, linear.z = map(float, body.velocity_in_body)
        angular.x, angular.y, angular.z = map(float, body.rates)
        self._truth.publish(message)

    def _publish_status(self) -> None:
        simulation = self._simulation
        status = DiagnosticStatus(name=self.get_fully_qualified_name())
        status.level = DiagnosticStatus.ERROR if self._conflict else DiagnosticStatus.OK
        status.message = self._conflict or "one writer at most commands the joints"
        values: dict[str, object] = {
            "mode": simulation.switcher.mode or "none: low-level control",
            "sport": simulation.sport.mode.name.lower(),
            "battery": f"{simulation.charge:.2f}",
            "greatest_torque_nm": f"{np.abs(simulation.dynamics.torque).max():.1f}",
            "faults": simulation.faults,
            "real_time_factor": f"{self._loop.real_time_factor:.3f}",
            "abandoned_s": f"{self._loop.abandoned_s:.3f}",
            **{f"low_cmd.{k}": v for k, v in asdict(simulation.low_level.traffic).items()},
        }
        status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
        self._status.publish(status)

    # In the executor's thread.

    def _reset(
        self, request: ResetSimulation.Request, response: ResetSimulation.Response
    ) -> ResetSimulation.Response:
        try:
            if request.world or request.density_per_m2:
                raise SimulationError(
                    "world of a simulated Go2", got=request.world or "obstacles",
                    expected="none: it stands on a plane",
                )  # fmt: skip
            self._in_simulation(self._simulation.reset)
        except DriftpilotError as error:
            response.error_code, response.message = error.code, str(error)
            return response
        response.success, response.message = True, "lying at the origin"
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
            response.error_code, response.message = error.code, str(error)
            return response
        response.success, response.message = True, f"{request.fault} = {request.value:g}"
        return response


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``go2_simulation``."""
    return run(Go2SimulationNode, argv)
