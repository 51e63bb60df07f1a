"""A second SO-100, moved by hand, as a source of commands for the first.

Its own torque stays off. Where leader and follower stand apart at the beginning, the follower's
bridge brings them together at its bounded speed.
"""

from __future__ import annotations

import threading
from typing import Final

from planner_core.clock import seconds
from planner_core.errors import DriftpilotError, NotReadyError
from planner_core.limiter import Setpoint
from planner_core.robots import load_robot
from planner_interfaces.msg import Command
from planner_ros.clock import RosClock, time_msg
from planner_ros.conversions import command_msg
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATEST
from rclpy.node import Node
from sensor_msgs.msg import JointState

from so100_bridge.calibration import Array
from so100_bridge.parameters import So100LeaderParameters, calibration_of
from so100_bridge.servos import Servos

_BACKOFF_S: Final = 0.5


class So100Leader(Node):
    """Reads an arm that a person moves, and commands that its follower does the same.

    Raises:
        DriftpilotError: A parameter cannot be used, or lerobot is missing.
    """

    def __init__(self) -> None:
        super().__init__("so100_leader", automatically_declare_parameters_from_overrides=True)
        self._options = NodeParameters(self, So100LeaderParameters).values
        self._options.check()
        self._ros_clock = RosClock(self)
        self._robot = load_robot(self._options.robot)
        options = self._options
        self._servos = Servos(options.port, self._robot, options.answer_timeout_s, options.retries)
        self._commands = self.create_publisher(Command, "command", LATEST)
        self._joints = self.create_publisher(JointState, "leader/joint_states", LATEST)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leader arm", daemon=True)
        self._thread.start()

    def shut_down(self) -> None:
        """Let go of the arm; called before the node is destroyed."""
        self._closing.set()
        self._thread.join(timeout=5.0)

    # In the arm's thread.

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._session()
            except DriftpilotError as error:
                # Without commands, the follower's bridge brings it to rest by itself.
                self.get_logger().error(str(error), throttle_duration_sec=5.0)
            self._closing.wait(_BACKOFF_S)

    def _session(self) -> None:
        """Read and command until the arm is lost or the node ends.

        Raises:
            DriftpilotError: Why it ended, unless it was closed.
        """
        options = self._options
        self._servos.open()
        try:
            calibration = calibration_of(
                self._servos, self._robot, options.calibration_file, options.directions
            )
            due_ns = self._ros_clock.steady_ns()
            period_ns = round(1e9 / options.rate_hz)
            while not self._closing.is_set():
                began_ns = self._ros_clock.now_ns()
                reading = self._servos.read()
                if reading.torque.any():
                    raise NotReadyError(
                        "the leader's torque is on: nobody can move it by hand",
                        remedy="Switch it off with so100_calibrate release.",
                    )
                stamp_ns = (began_ns + self._ros_clock.now_ns()) // 2
                self._publish(
                    stamp_ns, calibration.positions(reading.position),
                    calibration.velocities(reading.velocity),
                )  # fmt: skip
                due_ns = max(due_ns + period_ns, self._ros_clock.steady_ns() - period_ns)
                left_s = seconds(due_ns - self._ros_clock.steady_ns())
                if left_s > 0.0:
                    self._closing.wait(left_s)
        finally:
            self._servos.close()

    def _publish(self, stamp_ns: int, position: Array, velocity: Array) -> None:
        setpoint = Setpoint(position, velocity, 0.0 * velocity)
        self._commands.publish(command_msg(Command.TRACK, self._robot, stamp_ns, setpoint, None))
        message = JointState(name=list(self._robot.names))
        message.header.stamp, message.header.frame_id = time_msg(stamp_ns), self._robot.frame_id
        message.position, message.velocity = position.tolist(), velocity.tolist()
        self._joints.publish(message)


def main() -> int:
    """Entry of the process."""
    return run(So100Leader)
