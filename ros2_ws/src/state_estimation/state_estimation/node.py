"""State estimation as a node: measurements in, the predicted state out at a fixed rate."""

from __future__ import annotations

from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from planner_core.errors import ConfigurationError, EstimationError
from planner_core.estimation import EstimatorStatus, StateEstimator, load_estimator
from planner_core.robots import load_robot
from planner_interfaces.msg import RobotState
from planner_ros.clock import RosClock, steady_timer
from planner_ros.lifecycle import ManagedNode
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATEST, ORDERED
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.timer import Timer
from sensor_msgs.msg import Imu
from tf2_msgs.msg import TFMessage

from state_estimation import messages
from state_estimation.parameters import StateEstimationParameters

STREAM = QoSProfile(  # type: ignore[no-untyped-call]
    history=HistoryPolicy.KEEP_LAST, depth=50, reliability=ReliabilityPolicy.BEST_EFFORT
)
"""Readings to integrate: every one counts, so that a short stall must not drop any."""


class StateEstimation(ManagedNode):
    """Fuses what sensors say and publishes the state, predicted to the present."""

    def __init__(self) -> None:
        super().__init__("state_estimation")
        self._time = RosClock(self)
        self._settings = NodeParameters(self, StateEstimationParameters)
        values = self._settings.values
        self._robot = load_robot(values.robot)
        if self._robot.names != messages.DEGREES_OF_FREEDOM:
            raise ConfigurationError(
                f"state_estimation for robot {values.robot}", got=self._robot.names,
                expected=f"a robot that flies: {messages.DEGREES_OF_FREEDOM}",
            )  # fmt: skip
        self._estimator: StateEstimator | None = None
        self._period: Timer | None = None
        self._status = EstimatorStatus.CONVERGING
        self._yaw = 0.0
        self._due_ns = 0.0
        self._refused = 0
        self._refusal = ""

        self._state = self.create_publisher(RobotState, "state", LATEST)
        self._odometry = self.create_publisher(Odometry, "odometry", LATEST)
        self._tf = self.create_publisher(TFMessage, "/tf", ORDERED)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", ORDERED)
        self.create_subscription(Imu, "imu", self._on_imu, STREAM)
        self.create_subscription(PoseStamped, "mocap/pose", self._on_pose, STREAM)
        if values.use_robot_odometry:
            self.create_subscription(Odometry, "robot/odometry", self._on_odometry, STREAM)
        steady_timer(self, 1.0, self._publish_diagnostics)
        if values.autostart:
            self.bring_up()

    # Lifecycle.

    def set_up(self) -> None:
        values = self._settings.values
        self._estimator = load_estimator(values.estimator, values)

    def start(self) -> None:
        assert self._estimator is not None
        # What was measured before a pause says nothing about now.
        self._estimator.reset()
        # Readings set the pace; without them the state still goes out, half a period late.
        period_s = 1.0 / self._settings.values.rate_hz
        self._period = steady_timer(self, period_s / 2, lambda: self._publish_if_due(0.5))

    def halt(self) -> None:
        if self._period is not None:
            self.destroy_timer(self._period)
            self._period = None

    def take_down(self) -> None:
        self._estimator = None

    # Measurements.

    def _on_imu(self, msg: Imu) -> None:
        self._take(lambda estimator, now_ns: estimator.add_imu(messages.imu_sample(msg), now_ns))
        # A reading that has just come is passed on at once, not when the next period ends.
        self._publish_if_due(-0.25)

    def _on_pose(self, msg: PoseStamped) -> None:
        def take(estimator: StateEstimator, now_ns: int) -> None:
            measurement = messages.pose_measurement(msg, self._robot, self._settings.values)
            estimator.add_measurement(measurement, now_ns)

        self._take(take)

    def _on_odometry(self, msg: Odometry) -> None:
        def take(estimator: StateEstimator, now_ns: int) -> None:
            measurement = messages.odometry_measurement(msg, self._robot, self._settings.values)
            estimator.add_measurement(measurement, now_ns)

        self._take(take)

    def _take(self, take: Callable[[StateEstimator, int], None]) -> None:
        if self._estimator is None or self._period is None:
            return
        try:
            take(self._estimator, self._time.now_ns())
        except EstimationError as error:
            self._refuse(error)

    def _refuse(self, error: EstimationError) -> None:
        self._refused += 1
        self._refusal = str(error)
        self.get_logger().warning(str(error), throttle_duration_sec=1.0)

    # Results.

    def _publish_if_due(self, slack: float) -> None:
        """Publish unless the last state is fresh; ``slack`` in periods after it is due."""
        now_ns, period_ns = self._time.steady_ns(), 1e9 / self._settings.values.rate_hz
        if self._period is not None and now_ns >= self._due_ns + slack * period_ns:
            self._due_ns = now_ns + period_ns
            self._publish()

    def _publish(self) -> None:
        assert self._estimator is not None
        try:
            estimate = self._estimator.estimate(self._time.now_ns())
        except EstimationError as error:
            self._refuse(error)
            return
        if estimate is None:
            self._report(EstimatorStatus.CONVERGING)
            return
        self._report(estimate.status)
        state = messages.robot_state(estimate, self._robot, self._yaw)
        self._yaw = state.position[3]
        self._state.publish(state)
        odometry = messages.odometry_msg(
            estimate, self._robot.frame_id, self._settings.values.base_frame
        )
        self._odometry.publish(odometry)
        if estimate.status is not EstimatorStatus.DIVERGED:
            self._tf.publish(TFMessage(transforms=[messages.transform_msg(odometry)]))

    def _report(self, status: EstimatorStatus) -> None:
        if status is self._status:
            return
        self._status = status
        logger = self.get_logger()
        if status in (EstimatorStatus.DEGRADED, EstimatorStatus.DIVERGED):
            logger.warning(status.name.lower())
        else:
            logger.info(status.name.lower())

    def _publish_diagnostics(self) -> None:
        if self._estimator is None or self._period is None:
            return
        counters = self._estimator.counters
        values = {
            "accepted": counters.accepted,
            "rejected by the gate": counters.rejected,
            "refused": self._refused,
            "last refusal": self._refusal,
            "initialisations": counters.initialisations,
            "normalised innovation": f"{counters.distance:.3f}",
        }
        name = self.get_fully_qualified_name()
        self._diagnostics.publish(
            messages.diagnostics_msg(name, self._time.now_ns(), self._status, values)
        )


def main() -> int:
    """Entry of the process."""
    return run(StateEstimation)
