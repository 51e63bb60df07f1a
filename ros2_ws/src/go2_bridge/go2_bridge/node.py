"""The bridge to one Go2, over the robot's own topics; everything runs in the executor's thread."""

from __future__ import annotations

import math
from typing import ClassVar, Final

from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
from planner_core.clock import seconds
from planner_core.errors import NonFiniteError, RobotConnectionError
from planner_core.limiter import Setpoint
from planner_ros.clock import steady_timer
from planner_ros.process import run
from planner_ros.qos import LATEST, ORDERED
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from robot_bridge.bridge import BridgeParameters, Health, Phase, RobotBridge
from sensor_msgs.msg import BatteryState, Imu, JointState
from unitree_api.msg import Request, Response
from unitree_go.msg import LowCmd, LowState, SportModeState

from go2_bridge import conversions
from go2_bridge.control import Surroundings
from go2_bridge.joint_control import JointControl
from go2_bridge.parameters import Go2Parameters
from go2_bridge.requests import Function, Requests, Sport
from go2_bridge.sport_control import SportControl
from go2_bridge.telemetry import PERIOD_MS, Telemetry
from go2_bridge.wire import Array

REST_LIMIT_S: Final = 5.0
"""Longest wait for the robot to lie at the end; its joints yield by themselves after that."""
BATTERY_S: Final = 1.0
# A second of samples waits where the executor is late: none is lost, and none is waited for.
SAMPLES: Final = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=500, reliability=ReliabilityPolicy.BEST_EFFORT
)


class Go2Bridge(RobotBridge):
    """Commands in, telemetry out.

    Raises:
        DriftpilotError: A parameter cannot be used.
    """

    parameter_class: ClassVar[type[BridgeParameters]] = Go2Parameters

    def __init__(self) -> None:
        super().__init__("go2_bridge")
        options = self.options
        options.check()
        self._began_ns = self._battery_ns = self.clock.steady_ns()
        self._published_ms: int | None = None
        self._telemetry = Telemetry(self.clock.steady_ns, lambda: self._control.restarted())
        self._joints = self.create_publisher(JointState, "joint_states", LATEST)
        self._imu = self.create_publisher(Imu, "imu", LATEST)
        self._battery = self.create_publisher(BatteryState, "battery", LATEST)
        self._odometry = self.create_publisher(Odometry, "robot/odometry", LATEST)
        # The robot's names are absolute: it has no namespace.
        self._low_cmd = self.create_publisher(LowCmd, "/lowcmd", LATEST)
        self._calls = {
            service: self.create_publisher(Request, f"/api/{service}/request", ORDERED)
            for service in ("sport", "motion_switcher")
        }
        self._requests = Requests(self._send_request, self.clock)
        surroundings = Surroundings(
            self._telemetry, self._requests, lambda: self.options.settings, self.clock,
            self._low_cmd.publish, lambda text: self.get_logger().warning(text),
        )  # fmt: skip
        self._walking = SportControl(surroundings)
        self._legs = JointControl(surroundings)
        by_joints = options.control == "joints"
        self._control: JointControl | SportControl = self._legs if by_joints else self._walking
        subscribe = self.create_subscription
        subscribe(LowState, "/lowstate", self._on_low_state, SAMPLES, raw=True)
        subscribe(SportModeState, "/sportmodestate", self._on_sport_state, LATEST, raw=True)
        for service in self._calls:
            subscribe(Response, f"/api/{service}/response", self._on_response, ORDERED)
        if by_joints:
            subscribe(LowCmd, "/lowcmd", self._legs.heard, SAMPLES, raw=True)
        else:
            subscribe(Twist, "cmd_vel", self._on_velocity, LATEST)
        steady_timer(self, 1.0 / options.command_rate_hz, self._control.tick)

    @property
    def options(self) -> Go2Parameters:
        """The present parameter values."""
        values = self.values
        assert isinstance(values, Go2Parameters)
        return values

    def poll(self) -> Health:
        waited_s = seconds(self.clock.steady_ns() - self._began_ns)
        if (
            self.options.require_robot
            and self._telemetry.state is None
            and waited_s > self.options.connect_timeout_s
        ):
            raise RobotConnectionError(
                f"no Go2 heard on DDS domain {self.context.get_domain_id()} "
                f"after {self.options.connect_timeout_s:g} s",
                got=f"{self._telemetry.reception}",
                remedy="Start the Fast DDS process with config/dds/go2.xml, on the robot's domain "
                "and with ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET for a real one.",
            )
        return self._control.poll()

    def engage(self) -> None:
        self._control.begin()

    def send(self, setpoint: Setpoint) -> None:
        self._control.follow(setpoint)

    def rest(self) -> None:
        self._control.rest()

    def stop(self) -> None:
        self._control.stop()

    def recover(self) -> None:
        self._control.recover()

    def persisting_fault(self) -> str | None:
        return self._control.persisting_fault()

    def position(self) -> Array | None:
        state = self._telemetry.state
        return None if state is None else state.q

    def close(self) -> None:
        self._control.rest()
        began_ns = self.clock.steady_ns()
        executor = self.executor or SingleThreadedExecutor(context=self.context)
        executor.add_node(self)
        while (
            self._control.phase is Phase.RESTING
            and seconds(self.clock.steady_ns() - began_ns) < REST_LIMIT_S
        ):
            executor.spin_once(timeout_sec=0.05)
        self.get_logger().info(f"samples: {self._telemetry.reception}")

    def _on_low_state(self, payload: bytes) -> None:
        state = self._telemetry.receive(payload)
        if state is None:
            return
        period_ms = round(1e3 / self.options.state_rate_hz)
        published_ms = self._published_ms
        if published_ms is not None:
            since_ms = (state.tick_ms - published_ms) & 0xFFFFFFFF
            # By the robot's clock: samples that waited together are not one sample.
            if since_ms < period_ms and since_ms >= PERIOD_MS:
                return
        self._published_ms = state.tick_ms
        stamp = self.get_clock().now().to_msg()
        self._joints.publish(conversions.joint_state(state, self.robot.names, stamp))
        self._imu.publish(conversions.imu(state, stamp))
        now_ns = self.clock.steady_ns()
        if seconds(now_ns - self._battery_ns) >= BATTERY_S:
            self._battery_ns = now_ns
            self._battery.publish(conversions.battery(state, stamp))

    def _on_sport_state(self, payload: bytes) -> None:
        sport = self._telemetry.receive_sport(payload)
        if sport is not None:
            stamp = self.get_clock().now().to_msg()
            self._odometry.publish(conversions.odometry(sport, stamp))

    def _on_velocity(self, message: Twist) -> None:
        x, y, yaw = message.linear.x, message.linear.y, message.angular.z
        if not all(map(math.isfinite, (x, y, yaw))):
            error = NonFiniteError("cmd_vel", got=(x, y, yaw))
            self.get_logger().error(str(error), throttle_duration_sec=1.0)
            return
        speed, turn = self.options.max_speed_m_s, self.options.max_turn_rad_s
        walks = self._walking.walk(
            min(speed, max(-speed, x)), min(speed, max(-speed, y)), min(turn, max(-turn, yaw))
        )
        if walks:
            # This is the command that the guard waits for: without one, the robot lies down.
            self.guard.arm()

    def _send_request(self, number: int, function: Function, parameter: str, reply: bool) -> None:
        service = "sport" if isinstance(function, Sport) else "motion_switcher"
        request = Request(parameter=parameter)
        identity, policy = request.header.identity, request.header.policy
        identity.id, identity.api_id = number, function.value
        policy.noreply = not reply
        self._calls[service].publish(request)

    def _on_response(self, response: Response) -> None:
        header = response.header
        self._requests.answer(header.identity.id, header.status.code, response.data)


def main() -> int:
    """Entry of the process."""
    return run(Go2Bridge)
