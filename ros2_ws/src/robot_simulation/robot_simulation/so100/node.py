"""The simulated SO-100 as a node: servos behind a serial port, camera and ground truth over ROS."""

from __future__ import annotations

from collections.abc import Sequence

from geometry_msgs.msg import PoseStamped
from planner_interfaces.srv import ResetSimulation
from planner_ros.clock import time_msg
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATCHED, LATEST
from planner_ros.world import DESCRIPTION_TOPIC
from robot_simulation.errors import SimulationError
from robot_simulation.node import SimulationNode
from robot_simulation.periodic import Periodic
from robot_simulation.so100 import messages
from robot_simulation.so100.node_parameters import So100SimulationParameters
from robot_simulation.so100.serial_port import SerialPort
from robot_simulation.so100.simulation import ArmSimulation, target_place
from sensor_msgs.msg import JointState
from std_msgs.msg import String


class So100SimulationNode(SimulationNode):
    """Hosts one simulated arm.

    Raises:
        DriftpilotError: A parameter or the serial port cannot be used.
    """

    def __init__(self) -> None:
        super().__init__("so100_simulation")
        values = NodeParameters(self, So100SimulationParameters).values
        self._simulation = ArmSimulation(values.simulation)
        self._port = SerialPort(self._simulation, values.port)
        self._truth_due = Periodic(values.ground_truth_rate_hz)
        cubes = range(values.cubes)
        self._cameras = [
            self.create_publisher(PoseStamped, f"camera/cube_{i}/pose", LATEST) for i in cubes
        ]
        self._truths = [
            self.create_publisher(PoseStamped, f"simulation/cube_{i}/pose", LATEST) for i in cubes
        ]
        self._joints = self.create_publisher(JointState, "simulation/joint_states", LATEST)
        self._world = self.create_publisher(String, DESCRIPTION_TOPIC, LATCHED)
        self._describe(values.seed)
        self.start(self._simulation, self._port, values.speed)
        self.get_logger().info(f"servos on {self._port.address}")

    def shut_down(self) -> None:
        """Stop the simulation and take its port away; from the executor's thread."""
        super().shut_down()
        self._port.close()

    # In the simulation's thread.

    def after_chunk(self) -> None:
        """See `SimulationNode.after_chunk`."""
        arm = self._simulation.arm
        for sighting in self._simulation.camera.sightings(arm):
            stamp = time_msg(self.stamp_of(sighting.exposure_s))
            self._cameras[sighting.cube].publish(messages.pose_message(sighting.pose, stamp))
        if self._truth_due.due(arm.time_s):
            stamp = time_msg(self._time.now_ns())
            self._joints.publish(messages.joint_state_message(arm, stamp))
            for index, publisher in enumerate(self._truths):
                publisher.publish(messages.pose_message(arm.cube(index), stamp))

    def publish_status(self) -> None:
        """See `SimulationNode.publish_status`."""
        simulation = self._simulation
        servos = simulation.bus.servos
        self._status.publish(
            messages.status_message(
                self.get_fully_qualified_name(),
                {
                    "time_s": f"{simulation.time_s:.3f}",
                    "torque": " ".join(str(int(s.torque_enabled)) for s in servos),
                    "servo_status": " ".join(str(int(s.status)) for s in servos),
                    "faults": simulation.faults,
                    **self.real_time(),
                },
            )
        )

    # In the executor's thread.

    def begin(self, request: ResetSimulation.Request) -> tuple[str, str]:
        """Put the cubes elsewhere; see `SimulationNode.begin`."""
        if request.seed < 0:
            raise SimulationError("seed", got=request.seed, expected="0 or more")
        if request.world not in ("", "random"):
            raise SimulationError(
                "world of the arm", got=repr(request.world), expected="'random', or nothing"
            )

        def place() -> None:
            self._simulation.place_cubes(request.seed)
            self.publish_status()

        self.in_simulation(place)
        return f"cubes-{request.seed}: on the table", self._describe(request.seed)

    def _describe(self, seed: int) -> str:
        """Say where the cubes are; returns the description."""
        placements = self._simulation.placements
        text = messages.world_text(seed, placements, target_place(seed, len(placements)))
        self._world.publish(String(data=text))
        return text


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``so100_simulation``."""
    return run(So100SimulationNode, argv)
