"""A simulated robot and the bridge, each in a process of its own, and an operator in this one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import rclpy
from geometry_msgs.msg import Twist
from go2_bridge.joint_control import STANDING_RAD
from nav_msgs.msg import Odometry
from planner_core.limiter import Setpoint
from planner_core.robots import load_robot
from planner_interfaces.msg import Command
from planner_ros.conversions import command_msg
from planner_ros.qos import LATEST
from rclpy.experimental import EventsExecutor
from robot_bridge.bridge import Phase
from robot_bridge.bridge_operator import BridgeOperator
from sensor_msgs.msg import BatteryState, Imu, JointState

DOMAIN = int(os.environ["ROS_DOMAIN_ID"])
PROFILE = str(Path(__file__).parents[4] / "config" / "dds" / "go2.xml")
TIMEOUT_S = 60.0
QUICK = {"ramp_s": 1.0, "link_timeout_s": 1.0, "command_timeout_s": 1.0, "min_link_quality": 0.1}
"""Saves time; the timeouts and the quality leave room for a busy machine."""


class Go2:
    """A simulated robot in a process of its own."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("go2_process.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(DOMAIN)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._answer()

    def inject(self, fault: str, value: float = 1.0) -> None:
        """Break something, or mend it with 0."""
        self.say(f"inject {fault} {value}")

    @property
    def truth(self) -> SimpleNamespace:
        """What really happens."""
        return self.say("truth")

    @property
    def height(self) -> float:
        """True height of the trunk [m]."""
        return self.truth.position[2]

    def say(self, line: str) -> SimpleNamespace:
        """Give an order; returns the truth after it."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        finally:
            self.process.kill()
            assert self.process.stdout is not None
            self.process.stdout.close()

    def _answer(self) -> SimpleNamespace:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the simulated robot has died"
        return SimpleNamespace(**json.loads(line))


@contextmanager
def go2() -> Iterator[Go2]:
    """A running robot."""
    robot = Go2()
    try:
        yield robot
    finally:
        robot.close()


class Bridge:
    """The bridge in a process of its own.

    Args:
        parameters: Of the node.
    """

    def __init__(self, **parameters: object) -> None:
        arguments = ["--ros-args"]
        for name, value in (QUICK | parameters).items():
            arguments += ["-p", f"{name}:={value}"]
        start = "import sys; from go2_bridge.node import main; sys.exit(main())"
        # Fast DDS 2 and 3 read their profile from variables of different names.
        profile = {f"{name}_DEFAULT_PROFILES_FILE": PROFILE for name in ("FASTRTPS", "FASTDDS")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", start, *arguments], env={**os.environ, **profile},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def end(self, number: signal.Signals | None = signal.SIGINT) -> str:
        """Send a signal, None for none, and wait for the end; the output."""
        if number is not None:
            self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=TIMEOUT_S)
        return output

    def close(self) -> None:
        """End the process if it has not."""
        self.process.kill()
        self.process.communicate()


@contextmanager
def bridge(**parameters: object) -> Iterator[Bridge]:
    """A running bridge."""
    running = Bridge(**parameters)
    try:
        yield running
    finally:
        running.close()


class Operator(BridgeOperator):
    """A node that uses the bridge's topics and services."""

    timeout_s = TIMEOUT_S

    def __init__(self) -> None:
        super().__init__(EventsExecutor())
        self.robot = load_robot("go2")
        self.joints: list[JointState] = []
        self.imu: list[Imu] = []
        self.battery: list[BatteryState] = []
        self.odometry: list[Odometry] = []
        self.target: Callable[[float], Setpoint] | None = None
        self.mode: int | None = None
        self.velocity: Twist | None = None
        self._target_since = 0.0
        self._command = self.node.create_publisher(Command, "command", LATEST)
        self._twist = self.node.create_publisher(Twist, "cmd_vel", LATEST)
        self.node.create_timer(0.05, self._publish_command)

    def listen(self) -> None:
        """Keep what the bridge publishes of the robot from now on."""
        subscribe = self.node.create_subscription
        subscribe(JointState, "joint_states", self.joints.append, LATEST)
        subscribe(Imu, "imu", self.imu.append, LATEST)
        subscribe(BatteryState, "battery", self.battery.append, LATEST)
        subscribe(Odometry, "robot/odometry", self.odometry.append, LATEST)

    @property
    def code(self) -> int:
        """As last published."""
        return 0 if self.status is None else self.status.error_code

    def stand(self) -> None:
        """Wait until ready, engage, and hold the standing posture."""
        self.wait_for(Phase.READY)
        response = self.call("engage")
        assert response.success, response.message
        self.wait_for(Phase.ACTIVE)
        self.hold()

    def hold(self) -> None:
        """Ask for the standing posture from now on."""
        self.command(lambda _: Setpoint.at_rest(STANDING_RAD.copy()))

    def command(self, target: Callable[[float], Setpoint] | None) -> None:
        """Send a setpoint 20 times a second, as a function of time; None: send nothing."""
        self.target, self._target_since, self.mode = target, time.monotonic(), None

    def command_mode(self, mode: int) -> None:
        """Send a command that names a mode only, 20 times a second, instead of setpoints."""
        self.target, self.mode = None, mode

    def walk(self, x: float, yaw: float = 0.0) -> None:
        """Send a velocity 20 times a second."""
        self.velocity = Twist()
        self.velocity.linear.x, self.velocity.angular.z = x, yaw

    def close(self) -> None:
        """Take the node down."""
        self.executor.remove_node(self.node)
        self.node.destroy_node()
        self.executor.shutdown()

    def _publish_command(self) -> None:
        now_ns = self.clock.now_ns()
        if self.mode is not None:
            self._command.publish(command_msg(self.mode, self.robot, now_ns, None, None))
        elif self.target is not None:
            setpoint = self.target(time.monotonic() - self._target_since)
            self._command.publish(command_msg(Command.TRACK, self.robot, now_ns, setpoint, None))
        if self.velocity is not None:
            self._twist.publish(self.velocity)


@contextmanager
def operator() -> Iterator[Operator]:
    """A running operator."""
    rclpy.init(domain_id=DOMAIN)
    try:
        running = Operator()
        try:
            yield running
        finally:
            running.close()
    finally:
        rclpy.try_shutdown()


def from_standing(q: list[float]) -> float:
    """Greatest distance of a joint from the standing posture [rad]."""
    return float(np.abs(np.array(q) - STANDING_RAD).max())
