"""An arm that carries a cube, and a quadruped that trots: motions as the graph would publish them.

Both last four seconds from a goal; joints lag 50 ms behind what the commands ask of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from action_msgs.msg import GoalStatus, GoalStatusArray
from nav_msgs.msg import Odometry
from planner_core.arm_kinematics import reach
from planner_core.robots import load_robot
from planner_interfaces.msg import Command, Goal, Plan, PlanCandidates, Quantities, RobotState
from robot_view.flight import Flight, FlightLog
from synthetic_flight import at, bridge_status, execution_status, time

START_S, END_S, LAG_S = 20.0, 24.0, 0.05
HORIZON, PERIOD_S = 16, 0.05
WALKING_SPEED_M_S = 0.5
STANDING_M = 0.31
Array = np.ndarray[Any, np.dtype[np.float64]]

ARM_WAYPOINTS = np.array(
    [
        [*reach(0.20, -0.10, 0.12, pitch_rad=1.2), 0.6],
        [*reach(0.24, -0.10, 0.03), 0.5],
        [*reach(0.24, 0.00, 0.12, pitch_rad=1.2), 0.1],
        [*reach(0.24, 0.12, 0.08, pitch_rad=1.2), 0.1],
        [*reach(0.24, 0.12, 0.03), 0.5],
    ]
)


def joints(robot: str, seconds: float) -> Array:
    """Where the plan wants the joints at a time, (n_q,) [rad]."""
    along = np.clip((seconds - START_S) / (END_S - START_S), 0.0, 1.0)
    if robot == "so100":
        steps = np.linspace(0.0, 1.0, len(ARM_WAYPOINTS))
        return np.array([np.interp(along, steps, column) for column in ARM_WAYPOINTS.T])
    phases = 2 * np.pi * (2.0 * seconds + np.array([0.0, 0.5, 0.5, 0.0]))
    swing = np.stack([0.0 * phases, 0.8 + 0.25 * np.sin(phases), -1.5 - 0.3 * np.cos(phases)], 1)
    return swing.ravel()


def state(robot: str, seconds: float) -> RobotState:
    msg = at(RobotState(robot=robot, names=load_robot(robot).names, status=1), seconds)
    msg.position = joints(robot, seconds - LAG_S).tolist()
    msg.velocity = [0.0] * len(msg.position)
    return msg


def odometry(seconds: float) -> Odometry:
    """Of the quadruped, which walks along x."""
    msg = at(Odometry(child_frame_id="base_link"), seconds)
    msg.pose.pose.position.x = WALKING_SPEED_M_S * (seconds - START_S)
    msg.pose.pose.position.z = STANDING_M
    msg.pose.pose.orientation.w = 1.0
    msg.twist.twist.linear.x = WALKING_SPEED_M_S
    return msg


def plan(robot: str, seconds: float, sequence: int = 1) -> Plan:
    msg = at(Plan(robot=robot, names=load_robot(robot).names, horizon=HORIZON), seconds)
    msg.start, msg.planner, msg.sequence, msg.planning_ms = time(seconds), "one_step", sequence, 2.0
    msg.period.nanosec = round(PERIOD_S * 1e9)
    msg.position = np.ravel(
        [joints(robot, seconds + i * PERIOD_S) for i in range(HORIZON)]
    ).tolist()
    msg.velocity = msg.acceleration = [0.0] * len(msg.position)
    return msg


def candidates(robot: str, seconds: float) -> PlanCandidates:
    """Three of them, spread in the first joints; the last one is infeasible."""
    msg = at(PlanCandidates(names=load_robot(robot).names, count=3, horizon=HORIZON), seconds)
    chosen = np.array([joints(robot, seconds + i * PERIOD_S) for i in range(HORIZON)])
    ramp = np.linspace(0.0, 1.0, HORIZON)[:, None]
    msg.position = np.ravel([chosen + side * ramp for side in (0.0, 0.25, -0.25)]).tolist()
    msg.value, msg.feasible = [0.0] * 3, [True, True, False]
    return msg


def command(robot: str, seconds: float, sequence: int = 1) -> Command:
    msg = at(Command(robot=robot, mode=Command.TRACK, names=load_robot(robot).names), seconds)
    msg.position = joints(robot, seconds).tolist()
    msg.sequence, msg.measured = sequence, time(seconds - 0.004)
    return msg


def goal(robot: str, seconds: float, kind: int = Goal.REACH) -> Goal:
    msg = at(Goal(kind=kind), seconds)
    if kind == Goal.REACH and robot == "so100":
        msg.task, msg.names = "pick_place", ["object_x", "object_y", "object_z"]
        msg.values = [0.24, 0.12, 0.0125]
    elif kind == Goal.REACH:
        msg.task, msg.names, msg.values = "walk", ["forward_m_s"], [WALKING_SPEED_M_S]
    return msg


def objects(seconds: float) -> Quantities:
    """Two cubes on the table, one of them turned."""
    names = [f"cube_{i}_{part}" for i in range(2) for part in ("x", "y", "z", "yaw")]
    values = [0.24, -0.10, 0.0125, 0.0, 0.16, 0.12, 0.0125, 0.6]
    return at(Quantities(names=names, values=values), seconds)


def action_status(status: int) -> GoalStatusArray:
    entry = GoalStatus(status=status)
    entry.goal_info.stamp = time(START_S - 0.01)
    return GoalStatusArray(status_list=[entry])


def motion_messages(
    robot: str, end: int = GoalStatus.STATUS_SUCCEEDED
) -> Iterator[tuple[str, Any]]:
    """Topics and messages of the whole motion, in order."""
    status = bridge_status(START_S - 1.0)
    status.robot = robot
    yield "bridge/status", status
    yield "goal", goal(robot, START_S)
    yield "navigate/_action/status", action_status(GoalStatus.STATUS_EXECUTING)
    for i in range(round((END_S - START_S) * 20)):
        seconds = START_S + i / 20
        yield "state", state(robot, seconds)
        if robot == "go2":
            yield "odometry", odometry(seconds)
        yield "plan", plan(robot, seconds, i + 1)
        yield "plan/candidates", candidates(robot, seconds)
        yield "command", command(robot, seconds + 0.008, i + 1)
    yield "execution/status", execution_status(END_S)
    yield "goal", goal(robot, END_S, Goal.HOLD)
    yield "navigate/_action/status", action_status(end)


def synthetic_motion(robot: str, end: int = GoalStatus.STATUS_SUCCEEDED) -> Flight:
    log = FlightLog()
    for topic, message in motion_messages(robot, end):
        log.add(topic, message)
    return log.flight()
