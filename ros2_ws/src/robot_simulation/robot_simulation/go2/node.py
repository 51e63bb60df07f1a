"""The simulated Go2 as a node: the robot over DDS, ground truth and faults over ROS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from nav_msgs.msg import Odometry
from planner_interfaces.srv import ResetSimulation
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATEST
from robot_simulation.errors import SimulationError
from robot_simulation.go2.node_parameters import Go2SimulationParameters
from robot_simulation.go2.simulation import TICK_S, Go2Simulation
from robot_simulation.node import SimulationNode
from robot_simulation.periodic import Periodic

WORLD_FRAME, BODY_FRAME = "odom", "base_link"


class Go2SimulationNode(SimulationNode):
    """Hosts one simulated robot.

    Raises:
        DriftpilotError: A parameter or the DDS domain cannot be used.
    """

    def __init__(self) -> None:
        super().__init__("go2_simulation")
        values = NodeParameters(self, Go2SimulationParameters).values
        # Late: without cyclonedds, an option, the parameters can still be documented.
        from robot_simulation.go2.server import Go2Server

        domain = self.context.get_domain_id()
        self._simulation = Go2Simulation(values.seed)
        server = Go2Server(self._simulation, domain, values.network_interface)
        self._truth_due = Periodic(values.ground_truth_rate_hz)
        self._conflict = ""
        self._truth = self.create_publisher(Odometry, "simulation/ground_truth", LATEST)
        self.start(self._simulation, server, values.speed, TICK_S)
        self.get_logger().info(f"Go2 on DDS domain {domain}, interface {values.network_interface}")

    # In the simulation's thread.

    def after_chunk(self) -> None:
        """See `SimulationNode.after_chunk`."""
        conflict = self._simulation.low_level.conflict
        if conflict != self._conflict:
            self._conflict = conflict
            if conflict:
                self.get_logger().error(conflict)
            self.publish_status()
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

    def publish_status(self) -> None:
        """See `SimulationNode.publish_status`."""
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
            **self.real_time(),
            **{f"low_cmd.{k}": v for k, v in asdict(simulation.low_level.traffic).items()},
        }
        status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
        self._status.publish(status)

    # In the executor's thread.

    def begin(self, request: ResetSimulation.Request) -> tuple[str, str]:
        """Lie down at the origin; see `SimulationNode.begin`."""
        if request.world or request.density_per_m2:
            raise SimulationError(
                "world of a simulated Go2", got=request.world or "obstacles",
                expected="none: it stands on a plane",
            )  # fmt: skip
        self.in_simulation(self._simulation.reset)
        return "lying at the origin", ""


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``go2_simulation``."""
    return run(Go2SimulationNode, argv)
