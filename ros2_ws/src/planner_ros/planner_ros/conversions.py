"""Between messages and the types of planner_core."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from planner_core.errors import FrameError, InvalidObservationError, JointOrderError
from planner_core.limiter import Setpoint
from planner_core.monitor import LatencySummary, PlannerReport
from planner_core.plan import Array, Plan, PlanBatch
from planner_core.robot import Robot
from planner_core.timed_plan import TimedPlan
from planner_interfaces.msg import (
    Command,
    LatencyStatistics,
    PlanCandidates,
    PlannerStatus,
    Quantities,
    RobotState,
)
from planner_interfaces.msg import Plan as PlanMsg
from planner_ros.clock import duration_msg, nanoseconds, time_msg
from sensor_msgs.msg import LaserScan


def plan_msg(
    timed: TimedPlan,
    robot: Robot,
    *,
    planner: str,
    bundle: str,
    feasible: bool,
    planning_s: float = 0.0,
) -> PlanMsg:
    """A plan as a message."""
    plan, msg = timed.plan, PlanMsg()
    msg.header.stamp = time_msg(timed.measured_ns)
    msg.header.frame_id = robot.frame_id
    msg.robot, msg.names = robot.name, list(robot.names)
    msg.start, msg.period = time_msg(plan.start_ns), duration_msg(plan.dt_s)
    msg.horizon = plan.horizon
    msg.position = plan.position.ravel().tolist()
    msg.velocity = plan.velocity.ravel().tolist()
    msg.acceleration = plan.acceleration.ravel().tolist()
    msg.epoch, msg.sequence, msg.chunk = timed.epoch, timed.sequence, timed.chunk
    msg.planner, msg.bundle, msg.planning_ms = planner, bundle, planning_s * 1e3
    msg.value, msg.feasible = plan.value, feasible
    return msg


def plan_from_msg(msg: PlanMsg) -> TimedPlan:
    """A message as a plan.

    Raises:
        JointOrderError: The arrays do not have the size that the message itself states.
    """
    shape = (int(msg.horizon), len(msg.names))
    arrays = [np.array(a) for a in (msg.position, msg.velocity, msg.acceleration)]
    period = nanoseconds(msg.period) * 1e-9
    if shape[0] < 2 or period <= 0 or any(a.size != shape[0] * shape[1] for a in arrays):
        raise JointOrderError(
            "shape of the plan",
            got=f"{[a.size for a in arrays]} values every {period} s",
            expected=f"{shape[0]} x {shape[1]} of each, at least 2 samples",
        )
    position, velocity, acceleration = (a.reshape(shape) for a in arrays)
    plan = Plan(nanoseconds(msg.start), period, position, velocity, acceleration, msg.value)
    return TimedPlan(plan, msg.epoch, msg.sequence, nanoseconds(msg.header.stamp), msg.chunk)


def candidates_msg(batch: PlanBatch, robot: Robot, stamp: Time, sequence: int) -> PlanCandidates:
    """The candidates of a planning call as a message."""
    msg = PlanCandidates()
    msg.header.stamp, msg.header.frame_id = stamp, robot.frame_id
    msg.names = list(robot.names)
    msg.start, msg.period = time_msg(batch.start_ns), duration_msg(batch.dt_s)
    msg.count, msg.horizon = batch.position.shape[:2]
    msg.position = batch.position.astype(np.float32).ravel().tolist()
    msg.value = batch.value.astype(np.float32).tolist()
    msg.feasible = batch.feasible.tolist()
    msg.best, msg.sequence = batch.best, sequence
    return msg


def path_msg(plan: Plan, frame_id: str) -> Path:
    """The first three degrees of freedom of a mobile robot's plan as a path, yaw the fourth."""
    path = Path()
    path.header.frame_id = frame_id
    path.header.stamp = time_msg(plan.start_ns)
    for position in plan.position:
        pose = PoseStamped()
        pose.header = path.header
        pose.pose.position.x, pose.pose.position.y, pose.pose.position.z = map(float, position[:3])
        yaw = float(position[3]) if len(position) > 3 else 0.0
        pose.pose.orientation.z, pose.pose.orientation.w = math.sin(yaw / 2), math.cos(yaw / 2)
        path.poses.append(pose)
    return path


def command_msg(
    mode: int, robot: Robot, now_ns: int, setpoint: Setpoint | None, plan: TimedPlan | None
) -> Command:
    """A command; without a setpoint it names a mode only."""
    msg = Command()
    msg.header.stamp, msg.header.frame_id = time_msg(now_ns), robot.frame_id
    msg.robot, msg.mode = robot.name, mode
    msg.names = list(robot.names)
    if setpoint is not None:
        msg.position = setpoint.position.tolist()
        msg.velocity = setpoint.velocity.tolist()
        msg.acceleration = setpoint.acceleration.tolist()
    if plan is not None:
        msg.sequence = plan.sequence
        msg.measured = time_msg(plan.measured_ns)
    return msg


def setpoint_from_msg(msg: Command, robot: Robot) -> Setpoint:
    """The setpoint of a command.

    Raises:
        JointOrderError: It is for another robot, other degrees of freedom, or has missing values.
        FrameError: Its positions are in another frame.
    """
    sizes = {len(msg.position), len(msg.velocity), len(msg.acceleration)}
    if msg.robot != robot.name or tuple(msg.names) != robot.names or sizes != {robot.n_q}:
        raise JointOrderError(
            "command",
            got=f"{msg.robot}: {list(msg.names)} with {sorted(sizes)} values",
            expected=f"{robot.name}: {list(robot.names)}",
        )
    _require_frame("command", msg.header.frame_id, robot)
    arrays = (np.array(a) for a in (msg.position, msg.velocity, msg.acceleration))
    return Setpoint(*arrays)


def state_msg(
    robot: Robot,
    stamp_ns: int,
    position: Array,
    velocity: Array,
    *,
    status: int,
    measured_ns: int,
    position_deviation: Array | None = None,
    velocity_deviation: Array | None = None,
) -> RobotState:
    """An estimated state as a message."""
    msg = RobotState()
    msg.header.stamp, msg.header.frame_id = time_msg(stamp_ns), robot.frame_id
    msg.robot, msg.names = robot.name, list(robot.names)
    msg.position, msg.velocity = list(map(float, position)), list(map(float, velocity))
    if position_deviation is not None:
        msg.position_deviation = list(map(float, position_deviation))
    if velocity_deviation is not None:
        msg.velocity_deviation = list(map(float, velocity_deviation))
    msg.status, msg.measured = status, time_msg(measured_ns)
    return msg


def state_from_msg(msg: RobotState, robot: Robot) -> tuple[Array, Array]:
    """Position and velocity of a state, each (n_q,).

    Raises:
        JointOrderError: It is of another robot, or values are missing or not finite.
        FrameError: Its positions are in another frame.
    """
    position, velocity = np.array(msg.position), np.array(msg.velocity)
    if (
        msg.robot != robot.name
        or tuple(msg.names) != robot.names
        or position.shape != (robot.n_q,)
        or velocity.shape != (robot.n_q,)
        or not (np.isfinite(position).all() and np.isfinite(velocity).all())
    ):
        raise JointOrderError(
            "state",
            got=f"{msg.robot}: {list(msg.names)} at {position}, {velocity}",
            expected=f"{robot.n_q} finite numbers for {robot.name}: {list(robot.names)}",
        )
    _require_frame("state", msg.header.frame_id, robot)
    return position, velocity


def _require_frame(what: str, got: str, robot: Robot) -> None:
    if got != robot.frame_id:
        raise FrameError(f"{what} in another frame", got=repr(got), expected=repr(robot.frame_id))


def latency_msg(summary: LatencySummary) -> LatencyStatistics:
    """Percentiles as a message."""
    return LatencyStatistics(
        count=summary.count,
        p50_ms=summary.p50_s * 1e3,
        p90_ms=summary.p90_s * 1e3,
        p99_ms=summary.p99_s * 1e3,
        max_ms=summary.max_s * 1e3,
    )


def planner_status_msg(
    report: PlannerReport, stamp: Time, planner: str, bundle: str
) -> PlannerStatus:
    """The state of a planner's work as a message."""
    msg = PlannerStatus()
    msg.header.stamp = stamp
    msg.state = int(report.state)
    msg.planner, msg.bundle = planner, bundle
    msg.epoch, msg.candidates, msg.feasible = report.epoch, report.candidates, report.feasible
    msg.best_value = report.best_value
    msg.replan_rate_hz = report.replan_rate_hz
    msg.observation_age_ms = report.observation_age_s * 1e3
    msg.plans, msg.deadlines_missed = report.plans, report.deadlines_missed
    msg.consecutive_errors = report.consecutive_errors
    msg.loading, msg.change, msg.chunk = report.loading, report.change, report.chunk
    msg.lead_ms, msg.delay_ms = report.lead_s * 1e3, report.delay_s * 1e3
    msg.selection, msg.cost = report.selection, report.cost
    msg.remaining_budget = report.remaining_budget
    msg.planning, msg.end_to_end = latency_msg(report.planning), latency_msg(report.end_to_end)
    msg.error_code, msg.error = report.error_code, report.error
    return msg


def quantities_msg(frame_id: str, stamp_ns: int, values: Mapping[str, float]) -> Quantities:
    """Named numbers as a message."""
    msg = Quantities(names=list(values), values=list(map(float, values.values())))
    msg.header.stamp, msg.header.frame_id = time_msg(stamp_ns), frame_id
    return msg


def quantities_from_msg(msg: Quantities) -> dict[str, float]:
    """Numbers by name.

    Raises:
        InvalidObservationError: A name comes twice, or a number is missing or not finite.
    """
    values = dict(zip(msg.names, msg.values, strict=False))
    if not len(values) == len(msg.names) == len(msg.values) or not all(
        map(math.isfinite, msg.values)
    ):
        raise InvalidObservationError(
            "named numbers", got=f"{list(msg.names)}: {list(msg.values)}",
            expected="one finite number for each name",
        )  # fmt: skip
    return values


def world_scan(msg: LaserScan, yaw: float) -> Array:
    """The ranges of a full-turn scan at directions that are fixed in the world.

    Ray ``i`` of the result points to ``2 pi i / N``. Where the sensor's rays lie between those, the
    shorter of the two neighbours is taken: an obstacle may seem wider, never narrower.

    Args:
        msg: A scan with ``N`` rays over the full turn, in the sensor's frame.
        yaw: Heading of the sensor in the world [rad].

    Returns:
        (N,) [m] ranges, infinite where nothing was hit.

    Raises:
        InvalidObservationError: It has no rays, no direction, does not go round once to the left,
            or has measured nothing at all.
    """
    if not msg.ranges or not math.isfinite(msg.angle_min + yaw):
        raise InvalidObservationError(
            "scan", got=f"{len(msg.ranges)} rays from {msg.angle_min} rad",
            expected="rays from a finite angle",
        )  # fmt: skip
    count = len(msg.ranges)
    # Written so that NaN fails it. A ray too many or too few is one that ends where it began.
    if not abs(count * msg.angle_increment / (2 * math.pi) - 1) <= 1.5 / count:
        raise InvalidObservationError(
            "scan", got=f"{count} rays, {msg.angle_increment:.4g} rad apart",
            expected="one full turn to the left",
        )  # fmt: skip
    ranges = np.array(msg.ranges, dtype=np.float64)
    missing = np.isnan(ranges)
    if missing.all():
        # Not an open space: a sensor that is covered, or broken.
        raise InvalidObservationError("scan", got="no range at all", expected="ranges, or infinity")
    ranges[missing] = np.inf
    shift = (msg.angle_min + yaw) * count / (2 * math.pi)
    low = math.floor(shift + 1e-6)
    rolled = np.roll(ranges, low)
    if shift - low < 1e-3:
        return rolled
    return np.minimum(rolled, np.roll(ranges, low + 1))
