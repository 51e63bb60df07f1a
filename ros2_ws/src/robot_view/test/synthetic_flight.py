"""A flight whose figures can be computed by hand.

From the origin to x = 2 m at 0.5 m/s, past a cylinder at (1, 1) of radius 0.25 m. Planned at 20 Hz;
the first command of each plan comes 20 or 30 ms after its measurement, in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from builtin_interfaces.msg import Time
from nav_msgs.msg import Odometry
from planner_interfaces.msg import (
    BridgeStatus,
    Command,
    ExecutionStatus,
    Goal,
    LatencyStatistics,
    Plan,
    PlanCandidates,
    PlannerStatus,
)
from robot_view.flight import Flight, FlightLog
from visualization_msgs.msg import Marker, MarkerArray

NAMES = ["x", "y", "z", "yaw"]
START_S, ARRIVAL_S, END_S = 10.0, 14.0, 14.5
TOLERANCE_M = 0.26
SPEED_M_S = 0.5

EXPECTED = {
    "success": "1 of 1",
    "time to success": "3.5 s",  # 1.75 m of the way, the first sample within 0.26 m of 2 m
    "replan rate": "20.0 Hz",
    "planner p50": "5.0 ms",
    "planner p99": "5.8 ms",  # 0.8 of the rank from the second longest to the longest of 81
    "end to end p50": "20.0 ms",  # 41 of 81 plans
    "end to end p99": "30.0 ms",
    "max command gap": "12.5 ms",
    "least clearance": "0.75 m",
}


def time(seconds: float) -> Time:
    nanoseconds = round(seconds * 1e9)
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def at(msg: Any, seconds: float) -> Any:
    """The message with a stamp in the world frame."""
    msg.header.stamp, msg.header.frame_id = time(seconds), "map"
    return msg


def marker(
    kind: int, centre: tuple[float, float, float], size: tuple[float, float, float], number: int,
    rgba: tuple[float, float, float, float] = (0.45, 0.5, 0.6, 1.0),
) -> Marker:  # fmt: skip
    msg = Marker(type=kind, ns="world", id=number)
    p, s, c = msg.pose.position, msg.scale, msg.color
    p.x, p.y, p.z = centre
    s.x, s.y, s.z = size
    c.r, c.g, c.b, c.a = rgba
    msg.header.frame_id = "map"
    return msg


def world() -> MarkerArray:
    return MarkerArray(
        markers=[
            Marker(action=Marker.DELETEALL),
            marker(Marker.CUBE, (1.0, 0.0, -0.01), (6.0, 4.0, 0.02), 1, (0.85, 0.85, 0.85, 1.0)),
            marker(Marker.CYLINDER, (1.0, 1.0, 1.2), (0.5, 0.5, 2.4), 2),
        ]
    )


def odometry(seconds: float) -> Odometry:
    msg = at(Odometry(child_frame_id="base_link"), seconds)
    moving = START_S <= seconds < ARRIVAL_S
    msg.pose.pose.position.x = SPEED_M_S * (min(max(seconds, START_S), ARRIVAL_S) - START_S)
    msg.pose.pose.position.z = 1.0
    msg.pose.pose.orientation.w = 1.0
    msg.twist.twist.linear.x = SPEED_M_S if moving else 0.0
    return msg


def goal(seconds: float, kind: int = Goal.REACH) -> Goal:
    msg = at(Goal(kind=kind), seconds)
    if kind == Goal.REACH:
        msg.names, msg.values = ["x", "y", "z"], [2.0, 0.0, 1.0]
        msg.tolerances = [TOLERANCE_M]
    return msg


def positions(x: float, side: float) -> list[float]:
    """Eight samples over a metre ahead, bending aside."""
    return [v for i in range(8) for v in (x + i / 7, side * (i / 7) ** 2, 1.0, 0.0)]


def plan(seconds: float, sequence: int) -> Plan:
    msg = at(Plan(robot="crazyflie", names=NAMES, horizon=8, sequence=sequence), seconds)
    msg.start, msg.planner = time(seconds), "one_step"
    msg.planning_ms = 9.0 if sequence == 1 else 5.0
    msg.period.nanosec = 100_000_000
    msg.position = positions(SPEED_M_S * (seconds - START_S), 0.0)
    msg.velocity = msg.acceleration = [0.0] * 32
    return msg


def candidates(seconds: float) -> PlanCandidates:
    msg = at(PlanCandidates(names=NAMES, count=5, horizon=8, best=2), seconds)
    x = SPEED_M_S * (seconds - START_S)
    msg.position = [v for side in (-1.0, -0.5, 0.0, 0.5, 1.0) for v in positions(x, side)]
    msg.value = [0.0] * 5
    msg.feasible = [True, True, True, True, False]
    return msg


def command(measured_s: float, delay_s: float, sequence: int) -> Command:
    msg = at(Command(robot="crazyflie", mode=Command.TRACK, names=NAMES), measured_s + delay_s)
    msg.sequence, msg.measured = sequence, time(measured_s)
    return msg


def planner_status(seconds: float) -> PlannerStatus:
    msg = at(PlannerStatus(state=PlannerStatus.PLANNING, planner="one_step"), seconds)
    msg.candidates, msg.feasible, msg.replan_rate_hz = 5, 4, 20.0
    msg.planning = LatencyStatistics(count=81, p50_ms=5.0, p90_ms=8.0, p99_ms=9.0, max_ms=11.0)
    return msg


def execution_status(seconds: float) -> ExecutionStatus:
    msg = at(ExecutionStatus(mode=ExecutionStatus.TRACKING, sequence=81), seconds)
    msg.max_command_gap_ms = 12.5
    return msg


def bridge_status(seconds: float) -> BridgeStatus:
    msg = at(BridgeStatus(robot="crazyflie", state=BridgeStatus.ACTIVE), seconds)
    msg.battery, msg.battery_voltage, msg.link_quality = 0.8, 3.9, 1.0
    return msg


def flight_messages() -> Iterator[tuple[str, float, Any]]:
    """Topic, time of arrival [s] and message, in order."""
    yield "world/markers", 9.0, world()
    yield "bridge/status", 9.5, bridge_status(9.5)
    yield "goal", START_S, goal(START_S)
    for i in range(46):
        seconds = START_S + i / 10
        yield "odometry", seconds, odometry(seconds)
    for i in range(81):
        measured_s, delay_s = START_S + i / 20, 0.03 if i % 2 else 0.02
        yield "plan", measured_s, plan(measured_s, i + 1)
        yield "command", measured_s, command(measured_s, delay_s, i + 1)
        yield "command", measured_s, command(measured_s, delay_s + 0.01, i + 1)
    for i in range(20):
        yield "plan/candidates", START_S + i / 5, candidates(START_S + i / 5)
    yield "execution/status", ARRIVAL_S, execution_status(ARRIVAL_S)
    yield "goal", END_S, goal(END_S, Goal.HOLD)


def synthetic_flight(without: tuple[str, ...] = ()) -> Flight:
    """The flight, as if some topics had never been published."""
    log = FlightLog()
    for topic, _, message in flight_messages():
        if topic not in without:
            log.add(topic, message)
    return log.flight()
