"""The simulated SO-100 as a node: servos behind a serial port, camera and ground truth over ROS.

Two threads: the simulation's thread steps the physics, serves the port and publishes, so that a
slow callback never delays the arm; the executor's thread serves the services and hands their work
to the simulation's thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from planner_core.clock import NS_PER_S
from planner_core.errors import DriftpilotError
from planner_interfaces.srv import InjectFault, ResetSimulation
from planner_ros.clock import RosClock, time_msg
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATCHED, LATEST
from planner_ros.world import DESCRIPTION_TOPIC
from rclpy.node import Node
from robot_simulation.errors import SimulationError
from robot_simulation.periodic import Periodic
from robot_simulation.realtime import RealTimeLoop
from robot_simulation.so100 import messages
from robot_simulation.so100.node_parameters import So100SimulationParameters
from robot_simulation.so100.serial_port import SerialPort
from robot_simulation.so100.simulation import ArmSimulation, target_place
from sensor_msgs.msg import JointState
from std_msgs.msg import String

CALL_TIMEOUT_S: Final = 5.0
"""A simulation thread that does not answer a service for so long is dead."""
Result = TypeVar("Result")


class So100SimulationNode(Node):
    """Hosts one simulated arm.

    Raises:
        DriftpilotError: A parameter or the serial port cannot be used.
    """

    def __init__(self) -> None:
        super().__init__("so100_simulation", automatically_declare_parameters_from_overrides=True)
        self._settings = NodeParameters(self, So100SimulationParameters)
        self._time = RosClock(self)
        values = self._settings.values
        self._simulation = ArmSimulation(values.simulation)
        self._port = SerialPort(self._simulation, values.port)
        self._loop = RealTimeLoop(
            self._simulation, self._port, self._time, values.speed, self._publish_due
        )
        self._truth_due = Periodic(values.ground_truth_rate_hz)
        cubes = range(values.cubes)
        self._cameras = [
            self.create_publisher(PoseStamped, f"camera/cube_{i}/pose", LATEST) for i in cubes
        ]
        self._truths = [
            self.create_publisher(PoseStamped, f"simulation/cube_{i}/pose", LATEST) for i in cubes
        ]
        self._joints = self.create_publisher(JointState, "simulation/joint_states", LATEST)
        self._status = self.create_publisher(DiagnosticStatus, "simulation/status", LATCHED)
        self._world = self.create_publisher(String, DESCRIPTION_TOPIC, LATCHED)
        self._describe(values.seed)
        self.create_service(ResetSimulation, "simulation/reset", self._reset)
        self.create_service(InjectFault, "simulation/inject_fault", self._inject_fault)
        self.create_timer(1.0, lambda: self._in_simulation(self._publish_status))
        self._thread = threading.Thread(target=self._loop.run, name="simulation")
        self._thread.start()
        self.get_logger().info(f"servos on {self._port.address}")

    def shut_down(self) -> None:
        """Stop the simulation and take its port away; from the executor's thread."""
        self._loop.stop()
        self._thread.join()
        self._port.close()

    def _in_simulation(self, function: Callable[[], Result]) -> Result:
        """Run a function in the simulation's thread and wait for it.

        Raises:
            DriftpilotError: What the function raises.
            TimeoutError: The simulation does not answer.
        """
        return self._loop.call(function).result(timeout=CALL_TIMEOUT_S)

    def _stamp_of(self, simulated_s: float) -> int:
        """ROS time [ns] at which the simulation was at a time since its reset."""
        age_s = (self._simulation.time_s - simulated_s) / self._settings.values.speed
        return self._time.now_ns() - round(age_s * NS_PER_S)

    # In the simulation's thread.

    def _publish_due(self) -> None:
        arm = self._simulation.arm
        for sighting in self._simulation.camera.sightings(arm):
            stamp = time_msg(self._stamp_of(sighting.exposure_s))
            self._cameras[sighting.cube].publish(messages.pose_message(sighting.pose, stamp))
        if self._truth_due.due(arm.time_s):
            stamp = time_msg(self._time.now_ns())
            self._joints.publish(messages.joint_state_message(arm, stamp))
            for index, publisher in enumerate(self._truths):
                publisher.publish(messages.pose_message(arm.cube(index), stamp))

    def _publish_status(self) -> None:
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
                    "real_time_factor": f"{self._loop.real_time_factor:.3f}",
                    "abandoned_s": f"{self._loop.abandoned_s:.3f}",
                },
            )
        )

    # In the executor's thread.

    def _reset(
        self, request: ResetSimulation.Request, response: ResetSimulation.Response
    ) -> ResetSimulation.Response:
        def place() -> None:
            self._simulation.place_cubes(request.seed)
            self._publish_status()

        try:
            if request.seed < 0:
                raise SimulationError("seed", got=request.seed, expected="0 or more")
            if request.world not in ("", "random"):
                raise SimulationError(
                    "world of the arm", got=repr(request.world), expected="'random', or nothing"
                )
            self._in_simulation(place)
        except DriftpilotError as error:
            return _refused(response, error)
        response.success = True
        response.description = self._describe(request.seed)
        response.message = f"cubes-{request.seed}: on the table"
        return response

    def _describe(self, seed: int) -> str:
        """Say where the cubes are; returns the description."""
        placements = self._simulation.placements
        text = messages.world_text(seed, placements, target_place(seed, len(placements)))
        self._world.publish(String(data=text))
        return text

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
    """Console script ``so100_simulation``."""
    return run(So100SimulationNode, argv)
