"""A vehicle in its own process, the bridge in this one or its own, and an operator of both."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import rclpy
from crazyflie_bridge.node import CrazyflieBridge
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from planner_core.limiter import Setpoint
from planner_core.robots import load_robot
from planner_interfaces.msg import Command
from planner_ros.conversions import command_msg
from planner_ros.qos import LATEST
from rclpy.executors import SingleThreadedExecutor
from robot_bridge.bridge import Phase
from robot_bridge.bridge_operator import BridgeOperator
from sensor_msgs.msg import BatteryState, Imu

DOMAIN = 47
TIMEOUT_S = 20.0


class Vehicle:
    """A simulated vehicle in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        script = Path(__file__).with_name("vehicle_process.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.port = self._answer()["port"]
        self.uri = f"udp://127.0.0.1:{self.port}"

    def inject(self, fault: str, value: float = 1.0) -> None:
        """Break something, or mend it with 0."""
        self._say(f"inject {fault} {value}")

    @property
    def truth(self) -> SimpleNamespace:
        """What really happens."""
        return SimpleNamespace(**self._say("truth"))

    @property
    def height(self) -> float:
        """True height [m]."""
        return self.truth.position[2]

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

    def _say(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the simulated vehicle has died"
        return json.loads(line)


@contextmanager
def vehicle(*arguments: str) -> Iterator[Vehicle]:
    """A running vehicle."""
    running = Vehicle(*arguments)
    try:
        yield running
    finally:
        running.close()


class Operator(BridgeOperator):
    """A node that uses the bridge's topics and services, and the bridge if it runs here."""

    timeout_s = TIMEOUT_S

    def __init__(self, *, with_bridge: bool = True) -> None:
        self.bridge = CrazyflieBridge() if with_bridge else None
        super().__init__(SingleThreadedExecutor())
        self.robot = load_robot("crazyflie")
        if self.bridge is not None:
            self.executor.add_node(self.bridge)
        self.odometry: list[Odometry] = []
        self.imu: list[Imu] = []
        self.battery: list[BatteryState] = []
        self.target: Callable[[float], Setpoint] | None = None
        self._target_since = 0.0
        subscribe = self.node.create_subscription
        subscribe(Odometry, "robot/odometry", self.odometry.append, LATEST)
        subscribe(Imu, "imu", self.imu.append, LATEST)
        subscribe(BatteryState, "battery", self.battery.append, LATEST)
        self._command = self.node.create_publisher(Command, "command", LATEST)
        self.poses = self.node.create_publisher(PoseStamped, "mocap/pose", LATEST)
        self.node.create_timer(0.02, self._publish_command)

    @property
    def position(self) -> tuple[float, float, float]:
        """As last published."""
        p = self.odometry[-1].pose.pose.position
        return p.x, p.y, p.z

    def take_off(self) -> None:
        """Wait until ready, engage, hover."""
        self.wait_for(Phase.READY)
        response = self.call("engage")
        assert response.success, response.message
        self.wait_for(Phase.ACTIVE)
        self.hover()

    def hover(self) -> None:
        """Ask for the present position from now on."""
        hold = Setpoint.at_rest(np.array([*self.position, 0.0]))
        self.command(lambda _: hold)

    def command(self, target: Callable[[float], Setpoint] | None) -> None:
        """Send a setpoint 50 times a second, as a function of time; None: send nothing."""
        self.target, self._target_since = target, time.monotonic()

    def send_mode(self, mode: int) -> None:
        """Send one command that names a mode only."""
        now_ns = self.clock.now_ns()
        self._command.publish(command_msg(mode, self.robot, now_ns, None, None))

    def close(self) -> None:
        """As a process ends."""
        if self.bridge is not None:
            self.bridge.shut_down()
        self.executor.shutdown()
        if self.bridge is not None:
            self.bridge.destroy_node()
        self.node.destroy_node()

    def _publish_command(self) -> None:
        if self.target is None:
            return
        setpoint = self.target(time.monotonic() - self._target_since)
        now_ns = self.clock.now_ns()
        self._command.publish(command_msg(Command.TRACK, self.robot, now_ns, setpoint, None))


QUICK = {"takeoff_height_m": 0.4, "climb_speed_m_s": 0.6, "link_timeout_s": 0.6}
"""Saves time; the timeout leaves room for a busy machine."""


def ros_arguments(uri: str, **parameters: object) -> list[str]:
    """The command line of a bridge."""
    arguments = ["--ros-args"]
    for name, value in (QUICK | {"uri": uri} | parameters).items():
        arguments += ["-p", f"{name}:={value}"]
    return arguments


@contextmanager
def operator(
    uri: str = "", *, with_bridge: bool = True, **parameters: object
) -> Iterator[Operator]:
    """A running bridge and its operator, or the operator alone."""
    arguments = ros_arguments(uri, **parameters) if with_bridge else None
    rclpy.init(args=arguments, domain_id=DOMAIN)
    try:
        running = Operator(with_bridge=with_bridge)
        try:
            yield running
        finally:
            running.close()
    finally:
        rclpy.try_shutdown()


@contextmanager
def bridge_process(uri: str, **parameters: object) -> Iterator[subprocess.Popen[str]]:
    """The bridge in a process of its own."""
    start = "import sys; from crazyflie_bridge.node import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", start, *ros_arguments(uri, **parameters)],
        env={**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def distance(a: Any, b: Any) -> float:
    """Between two points [m]."""
    return math.dist(tuple(a)[:3], tuple(b)[:3])
