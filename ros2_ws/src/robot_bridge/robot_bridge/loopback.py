"""A robot without physics: its state is what it was commanded to be.

It stands in for a bridge and a state estimator at once, so that planners, execution and navigation
can be launched and tested with nothing else. It flies through obstacles without noticing; use
``robot_simulation`` for anything that depends on physics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from planner_core.limiter import Setpoint
from planner_core.parameters import parameter
from planner_core.plan import Array
from planner_core.robot import StopBehaviour
from planner_core.worlds import find_world
from planner_interfaces.msg import RobotState
from planner_ros.conversions import state_msg
from planner_ros.process import run
from planner_ros.qos import LATEST, ORDERED
from robot_bridge.bridge import BridgeParameters, Health, Phase, RobotBridge
from tf2_msgs.msg import TFMessage


@dataclass(frozen=True, slots=True)
class LoopbackParameters(BridgeParameters):
    """Parameters of the loopback robot."""

    state_rate_hz: float = parameter(
        100.0, "How often the state is published.", minimum=1.0, maximum=500.0, read_only=True
    )
    world: str = parameter(
        "", "World file, or `random`; gives the start. Empty: the origin.", read_only=True
    )
    seed: int = parameter(0, "Names the random world.", minimum=0, read_only=True)
    engage_s: float = parameter(
        0.5, "How long the robot takes to become active.", minimum=0.0, maximum=10.0,
        read_only=True,
    )  # fmt: skip


class LoopbackRobot(RobotBridge):
    """Echoes commands to state."""

    parameter_class: ClassVar[type[BridgeParameters]] = LoopbackParameters

    def __init__(self) -> None:
        super().__init__("loopback_robot")
        values = self.values
        assert isinstance(values, LoopbackParameters)
        self._options = values
        self._now_phase = Phase.READY
        self._change_ns: int | None = None
        start = np.zeros(self.robot.n_q)
        if values.world:
            start[:4] = find_world(values.world, values.seed).start
        self._ready_position = np.clip(start, self.robot.lower, self.robot.upper)
        rest = self._ready_position.copy()
        if self.robot.stop is StopBehaviour.LAND:
            rest[2] = self.robot.lower[2]
        self._setpoint = Setpoint.at_rest(rest)
        self._state = self.create_publisher(RobotState, "state", LATEST)
        self._odometry = self.create_publisher(Odometry, "odometry", LATEST)
        self._tf = self.create_publisher(TFMessage, "/tf", ORDERED)
        self.create_timer(1.0 / values.state_rate_hz, self._publish_state)

    def poll(self) -> Health:
        if self._change_ns is not None and self.clock.steady_ns() >= self._change_ns:
            self._change_ns = None
            if self._now_phase is Phase.ENGAGING:
                self._setpoint = Setpoint.at_rest(self._ready_position)
                # Whoever hears that the robot is active must know where it is by then.
                self._publish_state()
                self._now_phase = Phase.ACTIVE
            elif self._now_phase is Phase.RESTING:
                rest = self._setpoint.position.copy()
                if self.robot.stop is StopBehaviour.LAND:
                    rest[2] = self.robot.lower[2]
                self._setpoint = Setpoint.at_rest(rest)
                self._now_phase = Phase.READY
        moving = self._now_phase in (Phase.ACTIVE, Phase.ENGAGING, Phase.RESTING)
        return Health(self._now_phase, battery=1.0, link_quality=1.0, armed=moving)

    def engage(self) -> None:
        self._change_to(Phase.ENGAGING)

    def send(self, setpoint: Setpoint) -> None:
        self._setpoint = setpoint

    def rest(self) -> None:
        self._ready_position = self._setpoint.position
        self._change_to(Phase.RESTING)

    def stop(self) -> None:
        self._now_phase, self._change_ns = Phase.FAULT, None
        self._setpoint = Setpoint.at_rest(self._setpoint.position)

    def recover(self) -> None:
        self._now_phase = Phase.READY

    def position(self) -> Array:
        return self._setpoint.position

    def close(self) -> None:
        self._now_phase = Phase.READY

    def _change_to(self, phase: Phase) -> None:
        self._now_phase = phase
        self._change_ns = self.clock.steady_ns() + int(self._options.engage_s * 1e9)

    def _publish_state(self) -> None:
        now_ns = self.clock.now_ns()
        position, velocity = self._setpoint.position, self._setpoint.velocity
        state = state_msg(
            self.robot, now_ns, position, velocity, status=RobotState.VALID, measured_ns=now_ns
        )
        self._state.publish(state)
        if self.robot.names[:3] != ("x", "y", "z"):
            return
        odometry = Odometry()
        odometry.header = state.header
        odometry.child_frame_id = "base_link"
        pose, twist = odometry.pose.pose, odometry.twist.twist
        pose.position.x, pose.position.y, pose.position.z = map(float, position[:3])
        pose.orientation.z = math.sin(position[3] / 2)
        pose.orientation.w = math.cos(position[3] / 2)
        # The twist is in body axes, as the message defines it.
        c, s = math.cos(position[3]), math.sin(position[3])
        twist.linear.x = float(c * velocity[0] + s * velocity[1])
        twist.linear.y = float(c * velocity[1] - s * velocity[0])
        twist.linear.z = float(velocity[2])
        self._odometry.publish(odometry)
        transform = TransformStamped(header=state.header, child_frame_id="base_link")
        transform.transform.translation.x = pose.position.x
        transform.transform.translation.y = pose.position.y
        transform.transform.translation.z = pose.position.z
        transform.transform.rotation = pose.orientation
        self._tf.publish(TFMessage(transforms=[transform]))


def main() -> int:
    """Entry of the process."""
    return run(LoopbackRobot)
