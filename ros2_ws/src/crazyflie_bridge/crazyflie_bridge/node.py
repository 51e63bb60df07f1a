"""The bridge to one Crazyflie.

Threads: the executor's runs everything here but the publishing of samples, which cflib's own thread
does the moment they arrive; the link's thread talks to cflib.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import numpy as np
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from planner_core.clock import seconds
from planner_core.errors import DriftpilotError, RobotConnectionError
from planner_core.limiter import Setpoint
from planner_core.plan import Array
from planner_ros.clock import time_msg
from planner_ros.process import run
from planner_ros.qos import LATEST
from rclpy.executors import SingleThreadedExecutor
from robot_bridge.bridge import BridgeParameters, Health, RobotBridge
from sensor_msgs.msg import BatteryState, Imu

from crazyflie_bridge import conversions
from crazyflie_bridge.flight import Flight
from crazyflie_bridge.link import CrazyflieLink, LinkReport, LinkStatus
from crazyflie_bridge.parameters import CrazyflieParameters
from crazyflie_bridge.telemetry import Telemetry

LANDING_LIMIT_S: Final = 8.0
STOP_LIMIT_S: Final = 2.0
"""Longest wait for a landing at the end; the robot has the command by then and lands alone."""


class CrazyflieBridge(RobotBridge):
    """Commands in, telemetry out.

    Raises:
        DriftpilotError: A parameter cannot be used, or cflib is missing.
    """

    parameter_class: ClassVar[type[BridgeParameters]] = CrazyflieParameters

    def __init__(self) -> None:
        super().__init__("crazyflie_bridge")
        options = self.options
        options.check()
        self._pose_due_ns = 0
        self._battery_steady_ns = 0
        self._connected_once = False
        self._began_steady_ns = self.clock.steady_ns()
        self._telemetry = Telemetry(self.clock.steady_ns, self._publish_samples)
        self._link = CrazyflieLink(
            options.uri, self._telemetry, options.firmware, self.clock, options.link_timeout_s,
            options.cache_folder,
        )  # fmt: skip
        self._flight = Flight(
            self.robot, self._link, self._telemetry, lambda: self.options.flight, self.clock,
            lambda text: self.get_logger().warning(text),
        )  # fmt: skip
        self._link_news = ""
        self._imu = self.create_publisher(Imu, "imu", LATEST)
        self._odometry = self.create_publisher(Odometry, "robot/odometry", LATEST)
        self._battery = self.create_publisher(BatteryState, "battery", LATEST)
        if options.external_pose != "none":
            self.create_subscription(PoseStamped, "mocap/pose", self._on_pose, LATEST)
        self._link.start()

    @property
    def options(self) -> CrazyflieParameters:
        """The present parameter values."""
        values = self.values
        assert isinstance(values, CrazyflieParameters)
        return values

    def poll(self) -> Health:
        report = self._link.report
        self._connected_once = self._connected_once or report.session > 0
        self._log_link(report)
        waited_s = seconds(self.clock.steady_ns() - self._began_steady_ns)
        if (
            self.options.require_robot
            and not self._connected_once
            and waited_s > self.options.connect_timeout_s
        ):
            raise RobotConnectionError(
                f"no robot at {self.options.uri} after {self.options.connect_timeout_s:g} s",
                got=report.error,
            )
        return self._flight.poll()

    def _log_link(self, report: LinkReport) -> None:
        """Say once what has changed; attempts that fail for the same reason are not news."""
        if report.error is not None and str(report.error) != self._link_news:
            self._link_news = str(report.error)
            self.get_logger().warning(self._link_news)
        elif report.status is LinkStatus.UP and self._link_news != "up":
            self._link_news = "up"
            self.get_logger().info(f"connected to {self.options.uri}")

    def engage(self) -> None:
        self._flight.begin()

    def send(self, setpoint: Setpoint) -> None:
        self._flight.follow(setpoint)

    def rest(self) -> None:
        self._flight.land()

    def stop(self) -> None:
        self._flight.stop()

    def recover(self) -> None:
        self._flight.recover()

    def persisting_fault(self) -> str | None:
        return self._flight.persisting_fault()

    def position(self) -> Array | None:
        state = self._telemetry.state
        return None if state is None else np.array([*state.position, state.yaw])

    def close(self) -> None:
        self._flight.land()
        began_ns = self.clock.steady_ns()
        executor = self.executor or SingleThreadedExecutor(context=self.context)
        executor.add_node(self)

        def unfinished() -> bool:
            waited_s = seconds(self.clock.steady_ns() - began_ns)
            if self._flight.stopping:  # repeated at every status until it is confirmed
                return waited_s < STOP_LIMIT_S
            return self._flight.airborne and waited_s < LANDING_LIMIT_S

        while unfinished():
            # Poses must go on reaching the robot: without them it would land somewhere else.
            executor.spin_once(timeout_sec=0.05)
        self._link.close()

    def _publish_samples(self) -> None:
        """Pass on what has arrived; called in cflib's thread."""
        states, inertial = self._telemetry.take()
        # The age is steady time; ROS time may have jumped since the sample was made.
        now_ns, steady_ns = self.clock.now_ns(), self.clock.steady_ns()
        for state in states:
            stamp = time_msg(now_ns - (steady_ns - state.steady_ns))
            self._odometry.publish(conversions.odometry(state, stamp, self.robot.frame_id))
        for sample in inertial:
            stamp = time_msg(now_ns - (steady_ns - sample.steady_ns))
            self._imu.publish(conversions.imu(sample, stamp))
        vitals = self._telemetry.vitals
        if vitals is not None and vitals.received_ns != self._battery_steady_ns:
            self._battery_steady_ns = vitals.received_ns
            stamp = time_msg(now_ns - (steady_ns - vitals.received_ns))
            self._battery.publish(conversions.battery(vitals, stamp))

    def _on_pose(self, message: PoseStamped) -> None:
        steady_ns = self.clock.steady_ns()
        period_ns = round(1e9 / self.options.external_pose_rate_hz)
        # A source at just this rate has jitter: a little early is not too early.
        if steady_ns < self._pose_due_ns - period_ns // 4:
            return
        try:
            position, quaternion = conversions.external_pose(
                message, self.robot.frame_id, self.clock.now_ns()
            )
        except DriftpilotError as error:
            self.get_logger().error(str(error), throttle_duration_sec=1.0)
            return
        self._pose_due_ns = max(self._pose_due_ns, steady_ns - period_ns) + period_ns

        def send(client: Any) -> None:
            if self.options.external_pose == "pose":
                client.extpos.send_extpose(*position, *quaternion)
            else:
                client.extpos.send_extpos(*position)

        self._link.post_pose(send)


def main() -> int:
    """Entry of the process."""
    return run(CrazyflieBridge)
