"""An arm in its own process, the bridge in this one or its own, and an operator of both."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import rclpy
from planner_core.limiter import Setpoint
from planner_core.robots import so100
from planner_interfaces.msg import Command
from planner_ros.conversions import command_msg
from planner_ros.qos import LATEST
from rclpy.executors import SingleThreadedExecutor
from robot_bridge.bridge import Phase
from robot_bridge.bridge_operator import BridgeOperator
from robot_simulation.so100.process import ArmProcess
from sensor_msgs.msg import JointState
from so100_bridge.leader import So100Leader
from so100_bridge.node import So100Bridge

TIMEOUT_S = 30.0
READY_POSE = (0.0, -1.6, 1.3, 0.6, 0.0, 0.3)
"""Above the table, away from the rest."""
RELAXED = {"answer_timeout_s": 0.1, "link_timeout_s": 1.0, "command_timeout_s": 1.5}
"""Room for a busy machine, where a test is not about these."""


class Operator(BridgeOperator):
    """A node that uses the bridge's topics and services, and the bridge if it runs here."""

    timeout_s = TIMEOUT_S

    def __init__(self, *, with_bridge: bool = True, with_leader: bool = False) -> None:
        self.bridge = So100Bridge() if with_bridge else None
        self.leader = So100Leader() if with_leader else None
        super().__init__(SingleThreadedExecutor())
        self.robot = so100()
        for node in filter(None, (self.bridge, self.leader)):
            self.executor.add_node(node)
        self.joints: list[JointState] = []
        self.target: Callable[[float], Sequence[float]] | None = None
        self._target_since = 0.0
        subscribe = self.node.create_subscription
        subscribe(JointState, "joint_states", self.joints.append, LATEST)
        self._command = self.node.create_publisher(Command, "command", LATEST)
        self.node.create_timer(0.02, self._publish_command)

    @property
    def position(self) -> np.ndarray:
        """As last published."""
        return np.array(self.joints[-1].position)

    def engage(self) -> None:
        """Wait until ready, engage, and hold the present pose."""
        # A bridge in a process of its own imports a large library first.
        self.wait_for(Phase.READY, 2 * TIMEOUT_S)
        self.wait(lambda: self.joints)
        response = self.call("engage")
        assert response.success, response.message
        self.wait_for(Phase.ACTIVE)
        self.command(tuple(self.position))

    def command(self, target: Sequence[float] | Callable[[float], Sequence[float]] | None) -> None:
        """Send a pose, also as a function of time, 50 times a second; None: send nothing."""
        self.target = target if callable(target) or target is None else lambda _: target
        self._target_since = time.monotonic()

    def go(self, pose: Sequence[float], tolerance: float = 0.05) -> None:
        """Command a pose until the arm is there."""
        self.command(pose)
        self.wait(lambda: np.abs(self.position - pose).max() < tolerance)

    def settle(self, arm: ArmProcess) -> list[float]:
        """Wait until the arm is still, and give its joints."""
        self.wait(lambda: max(abs(v) for v in arm.truth.velocities) < 0.01)
        return arm.truth.positions

    def order(self, mode: int, condition: Callable[[], object]) -> None:
        """Send a command that names a mode only, as often as it takes: one may get lost."""
        self.command(None)

        def ordered() -> object:
            now_ns = self.clock.now_ns()
            self._command.publish(command_msg(mode, self.robot, now_ns, None, None))
            return condition()

        self.wait(ordered)

    def close(self) -> None:
        """As a process ends."""
        for node in filter(None, (self.bridge, self.leader)):
            node.shut_down()
        self.executor.shutdown()
        for node in filter(None, (self.bridge, self.leader, self.node)):
            node.destroy_node()

    def _publish_command(self) -> None:
        if self.target is None:
            return
        position = np.array(self.target(time.monotonic() - self._target_since), dtype=float)
        setpoint = Setpoint.at_rest(position)
        now_ns = self.clock.now_ns()
        self._command.publish(command_msg(Command.TRACK, self.robot, now_ns, setpoint, None))


def ros_arguments(**parameters: object) -> list[str]:
    """The command line of a node."""
    arguments = ["--ros-args"]
    for name, value in parameters.items():
        arguments += ["-p", f"{name}:={value}"]
    return arguments


@contextmanager
def operator(
    port: str = "", *, with_bridge: bool = True, leader: str = "", **parameters: object
) -> Iterator[Operator]:
    """A running bridge and its operator, or the operator alone; with a leader on its own port."""
    given = {f"so100_bridge:{n}": v for n, v in (RELAXED | {"port": port} | parameters).items()}
    if leader:
        given |= {"so100_leader:port": leader, "so100_leader:answer_timeout_s": 0.1}
    arguments = ros_arguments(**given)
    rclpy.init(args=arguments if with_bridge else None)
    try:
        running = Operator(with_bridge=with_bridge, with_leader=bool(leader))
        try:
            yield running
        finally:
            running.close()
    finally:
        rclpy.try_shutdown()


@contextmanager
def bridge_process(**parameters: object) -> Iterator[subprocess.Popen[str]]:
    """The bridge in a process of its own."""
    start = "import sys; from so100_bridge.node import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", start, *ros_arguments(**parameters)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
