"""The bridge to one SO-100.

Threads: the executor's runs everything here but the publishing of joint states, which the link's
thread does the moment they are read.
"""

from __future__ import annotations

from typing import ClassVar, Final

from planner_core.clock import seconds
from planner_core.errors import NotReadyError, RobotFaultError
from planner_core.limiter import Setpoint
from planner_ros.clock import time_msg
from planner_ros.process import run
from planner_ros.qos import LATEST
from robot_bridge.bridge import BridgeParameters, Health, Phase, RobotBridge
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from so100_bridge.arm_link import ArmLink, JointSample, LinkReport, LinkStatus
from so100_bridge.arm_state import Activity, ArmControl
from so100_bridge.calibration import Calibration
from so100_bridge.errors import CalibrationError
from so100_bridge.motion import Array
from so100_bridge.parameters import So100Parameters, calibration_of
from so100_bridge.servos import Servos

STALL_N_M_V: Final = 0.25
"""Stall torque per volt: 1.91 N m at 7.4 V, 2.94 N m at 12 V."""
EXIT_LIMIT_S: Final = 5.0
"""Longest wait for the arm to come to rest at the end."""
_MOVED: Final = (Activity.STARTING, Activity.FOLLOWING, Activity.STOPPING)
"""What an arm that was stopped does not do."""
_STATUS_BITS: Final = 5
_PHASE: Final = {
    Activity.LIMP: Phase.READY,
    Activity.HOLDING: Phase.READY,
    Activity.STARTING: Phase.ENGAGING,
    Activity.FOLLOWING: Phase.ACTIVE,
    Activity.STOPPING: Phase.RESTING,
    Activity.RELEASING: Phase.RESTING,
}


class So100Bridge(RobotBridge):
    """Commands in, joint states out.

    Raises:
        DriftpilotError: A parameter cannot be used, or lerobot is missing.
    """

    parameter_class: ClassVar[type[BridgeParameters]] = So100Parameters

    def __init__(self) -> None:
        super().__init__("so100_bridge")
        options = self.options
        options.check()
        self._stopped = False
        self._been_up = False
        self._link_news = ""
        self._joints = self.create_publisher(JointState, "joint_states", LATEST)
        servos = Servos(options.port, self.robot, options.answer_timeout_s, options.retries)
        self._link = ArmLink(
            servos, self._calibration, self.robot, lambda: self.options.settings, self.clock,
            self._publish,
        )  # fmt: skip
        self.create_service(Trigger, "release_torque", self._on_release)
        self._link.start()

    @property
    def options(self) -> So100Parameters:
        """The present parameter values."""
        values = self.values
        assert isinstance(values, So100Parameters)
        return values

    def poll(self) -> Health:
        report = self._link.report
        self._log_link(report)
        reading = report.reading
        health = Health(link_quality=report.quality)
        if reading is not None:
            health.battery_voltage = float(reading.voltage_v.min())
            health.link_age_s = seconds(self.clock.steady_ns() - report.steady_ns)
            health.armed = bool(reading.torque.any())
            for index, status in enumerate(reading.status):
                # The five lowest bits; the sixth, overload, takes the place of the unused fourth.
                bits = int(status) & 0b1111 | (int(status) >> 1 & 0b10000)
                health.flags |= bits << _STATUS_BITS * index
        if report.error is not None:
            health.reasons, health.error_code = [str(report.error)], report.error.code
        if report.status is not LinkStatus.UP:
            lost = Phase.DISCONNECTED if self._been_up else Phase.CONNECTING
            health.phase = Phase.CONNECTED if isinstance(report.error, CalibrationError) else lost
            return health
        self._been_up = True
        if self._stopped:
            # A stop that got lost with a link that came back is made good.
            if report.activity in _MOVED:
                self._link.wish(ArmControl.stop)
            health.reasons.append("stopped; call reset_emergency_stop")
            health.error_code = health.error_code or RobotFaultError.code
        fault = self._stopped or report.error is not None
        health.phase = Phase.FAULT if fault else _PHASE[report.activity]
        return health

    def _log_link(self, report: LinkReport) -> None:
        """Say once what has changed; attempts that fail for the same reason are not news."""
        if report.error is not None and str(report.error) != self._link_news:
            self._link_news = str(report.error)
            self.get_logger().warning(self._link_news)
        elif report.error is None and report.status is LinkStatus.UP and self._link_news != "up":
            self._link_news = "up"
            self.get_logger().info(f"connected to {self.options.port}: {report.activity.value}")

    def engage(self) -> None:
        if self._link.report.status is not LinkStatus.UP:
            raise NotReadyError("cannot engage", got="no link to the arm")
        self._link.wish(ArmControl.engage)

    def send(self, setpoint: Setpoint) -> None:
        self._link.follow(setpoint.position)

    def rest(self) -> None:
        self._link.wish(ArmControl.rest)

    def stop(self) -> None:
        self._stopped = True
        self._link.wish(ArmControl.stop)

    def recover(self) -> None:
        self._stopped = False
        self._link.wish(ArmControl.recover)

    def persisting_fault(self) -> str | None:
        report = self._link.report
        if report.status is not LinkStatus.UP or report.reading is None:
            return "no link to the arm"
        if self._stopped and report.activity in _MOVED:
            return "the arm has not been stopped yet"
        return None

    def position(self) -> Array | None:
        return self._link.report.position

    def close(self) -> None:
        self._link.wish(ArmControl.rest)
        released = self.options.on_exit == "release"
        if released:
            self._link.wish(ArmControl.release)
        still = (Activity.LIMP,) if released else (Activity.LIMP, Activity.HOLDING)
        self._link.close_when(lambda report: report.activity in still, EXIT_LIMIT_S)

    def _on_release(
        self, _request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        activity = self._link.report.activity
        response.success = activity in (Activity.HOLDING, Activity.LIMP)
        if response.success:
            self._link.wish(ArmControl.release)
        else:
            response.message = f"the arm is {activity.value}; let it rest first"
        return response

    # In the link's thread.

    def _calibration(self, servos: Servos) -> Calibration:
        options = self.options
        return calibration_of(servos, self.robot, options.calibration_file, options.directions)

    def _publish(self, sample: JointSample) -> None:
        # The age is steady time; ROS time may have jumped since the measurement.
        age_ns = self.clock.steady_ns() - sample.steady_ns
        message = JointState(name=list(self.robot.names))
        message.header.stamp = time_msg(self.clock.now_ns() - age_ns)
        message.header.frame_id = self.robot.frame_id
        message.position = sample.position.tolist()
        message.velocity = sample.velocity.tolist()
        message.effort = (sample.reading.load * STALL_N_M_V * sample.reading.voltage_v).tolist()
        self._joints.publish(message)


def main() -> int:
    """Entry of the process."""
    return run(So100Bridge)
