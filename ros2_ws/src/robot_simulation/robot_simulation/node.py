"""What the nodes of all simulated robots share: the simulation's thread, and services to it.

Two threads: the simulation's thread steps the physics, serves the robot's link and publishes, so
that a slow callback never delays the robot; the executor's thread serves the services and hands
their work to the simulation's thread.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from diagnostic_msgs.msg import DiagnosticStatus
from planner_core.clock import NS_PER_S
from planner_core.errors import DriftpilotError
from planner_interfaces.srv import InjectFault, ResetSimulation
from planner_ros.clock import RosClock
from planner_ros.qos import LATCHED
from rclpy.node import Node
from robot_simulation.realtime import CHUNK_S, Link, RealTimeLoop, Simulation

CALL_TIMEOUT_S: Final = 5.0
"""A simulation thread that does not answer a service for so long is dead."""
Result = TypeVar("Result")


class SimulatedRobot(Simulation, Protocol):
    """A simulation that keeps its time and can be disturbed."""

    @property
    def time_s(self) -> float:
        """Simulated time [s]."""
        ...

    def inject(self, fault: str, value: float, duration_s: float) -> None:
        """Begin a fault, for so long, 0 for ever.

        Raises:
            FaultError: It does not exist, or its value is out of range.
        """
        ...


class SimulationNode(Node):
    """Hosts one simulated robot.

    Args:
        name: Name of the node.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True)
        self._time = RosClock(self)
        self._status = self.create_publisher(DiagnosticStatus, "simulation/status", LATCHED)

    def start(
        self, robot: SimulatedRobot, link: Link, speed: float, chunk_s: float = CHUNK_S
    ) -> None:
        """Run a robot from now on, when everything that it publishes to exists.

        Args:
            robot: What to step.
            link: What it is reached through.
            speed: Simulated seconds per second.
            chunk_s: Simulated time between two looks at the clock.

        Raises:
            SimulationError: The speed is not positive.
        """
        self._robot, self._speed = robot, speed
        self._loop = RealTimeLoop(robot, link, self._time, speed, self.after_chunk, chunk_s)
        self.create_service(ResetSimulation, "simulation/reset", self._reset)
        self.create_service(InjectFault, "simulation/inject_fault", self._inject_fault)
        self.create_timer(1.0, lambda: self.in_simulation(self.publish_status))
        self._thread = threading.Thread(target=self._loop.run, name="simulation")
        self._thread.start()

    def shut_down(self) -> None:
        """Stop the simulation; from the executor's thread."""
        self._loop.stop()
        self._thread.join()

    def in_simulation(self, function: Callable[[], Result]) -> Result:
        """Run a function in the simulation's thread and wait for it.

        Raises:
            DriftpilotError: What the function raises.
            TimeoutError: The simulation does not answer.
        """
        return self._loop.call(function).result(timeout=CALL_TIMEOUT_S)

    def stamp_of(self, simulated_s: float) -> int:
        """ROS time [ns] at which the simulation was at a time since its reset."""
        age_s = (self._robot.time_s - simulated_s) / self._speed
        return self._time.now_ns() - round(age_s * NS_PER_S)

    def real_time(self) -> dict[str, str]:
        """How well the simulation keeps up, for its status."""
        return {
            "real_time_factor": f"{self._loop.real_time_factor:.3f}",
            "abandoned_s": f"{self._loop.abandoned_s:.3f}",
        }

    # In the simulation's thread.

    @abstractmethod
    def after_chunk(self) -> None:
        """Publish what is due."""

    @abstractmethod
    def publish_status(self) -> None:
        """Publish the status now."""

    # In the executor's thread.

    @abstractmethod
    def begin(self, request: ResetSimulation.Request) -> tuple[str, str]:
        """Begin anew.

        Returns:
            What to say of it, and the description of the world.

        Raises:
            DriftpilotError: The request cannot be met.
        """

    def _reset(
        self, request: ResetSimulation.Request, response: ResetSimulation.Response
    ) -> ResetSimulation.Response:
        try:
            response.message, response.description = self.begin(request)
        except DriftpilotError as error:
            return _refused(response, error)
        response.success = True
        return response

    def _inject_fault(
        self, request: InjectFault.Request, response: InjectFault.Response
    ) -> InjectFault.Response:
        def inject() -> None:
            self._robot.inject(request.fault, request.value, request.duration_s)
            self.publish_status()

        try:
            self.in_simulation(inject)
        except DriftpilotError as error:
            return _refused(response, error)
        response.success, response.message = True, f"{request.fault} = {request.value:g}"
        return response


Response = TypeVar("Response", ResetSimulation.Response, InjectFault.Response)


def _refused(response: Response, error: DriftpilotError) -> Response:
    response.success, response.error_code, response.message = False, error.code, str(error)
    return response
