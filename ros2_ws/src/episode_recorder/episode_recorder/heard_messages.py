"""From a bag's messages to what a planner hears, as the planner server takes them in.

Only the newest scan and command before a sample can matter to it, so only those are decoded: the
result is the same, and converting is some times faster.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from planner_core.dataset_alignment import Heard, HeardGoal, HeardSensor, HeardState, goal_vector
from planner_core.errors import FrameError, GoalError, InvalidObservationError, JointOrderError
from planner_core.plan import Array
from planner_core.robot import Robot
from planner_interfaces.msg import Command, Goal, RobotState
from planner_ros.clock import nanoseconds
from planner_ros.conversions import setpoint_from_msg, state_from_msg, world_scan

from episode_recorder.bag_messages import BagMessage
from episode_recorder.errors import BagContentError


@dataclass(frozen=True, slots=True)
class Topics:
    """Where a bag has what a data set needs.

    Attributes:
        state: Of ``RobotState``.
        scan: Of ``LaserScan``.
        goal: Of ``Goal``.
        command: Of ``Command``.
        world: Of ``String``, with the description of the world.
    """

    state: str
    scan: str
    goal: str
    command: str
    world: str

    @classmethod
    def below(cls, namespace: str) -> Topics:
        """The topics of a robot's namespace."""
        root = namespace.rstrip("/")
        names = ("state", "scan", "goal", "command", "world/description")
        return cls(*(f"{root}/{name}" for name in names))


def heard_states(messages: Sequence[BagMessage], robot: Robot) -> tuple[list[HeardState], int]:
    """The states that a planner would take.

    Returns:
        Them, and how many were refused: diverged, of another robot or frame, or not finite.
    """
    states, refused = [], 0
    for message in messages:
        state = message.decode()
        if state.status not in (RobotState.VALID, RobotState.DEGRADED):
            refused += 1
            continue
        try:
            position, velocity = state_from_msg(state, robot)
        except (JointOrderError, FrameError):
            refused += 1
            continue
        stamp_ns, measured_ns = nanoseconds(state.header.stamp), nanoseconds(state.measured)
        states.append(HeardState(message.time_ns, stamp_ns, measured_ns, position, velocity))
    return states, refused


def newest(messages: Sequence[BagMessage], instants_ns: Sequence[int]) -> list[BagMessage]:
    """Those messages that are the newest at one of the instants."""
    times = [message.time_ns for message in messages]
    places = (bisect.bisect_right(times, instant) - 1 for instant in instants_ns)
    return [messages[i] for i in sorted({place for place in places if place >= 0})]


def heard_scans(
    messages: Sequence[BagMessage], states: Sequence[HeardState], robot: Robot
) -> list[HeardSensor]:
    """Scans turned into the world frame by the heading that was known when they came.

    Raises:
        BagContentError: One has no rays, another number of them, or no direction.
    """
    times, yaw = [state.time_ns for state in states], robot.names.index("yaw")
    scans: list[HeardSensor] = []
    width = 0
    for message in messages:
        known = bisect.bisect_right(times, message.time_ns) - 1
        if known >= 0:
            scan = message.decode()
            width = width or len(scan.ranges)
            if not math.isfinite(scan.angle_min) or not 0 < len(scan.ranges) == width:
                raise BagContentError(
                    f"scan on {message.topic}",
                    got=f"{len(scan.ranges)} rays from {scan.angle_min} rad",
                    expected=f"{width or 'some'} rays, as in the scans before",
                )
            try:
                ranges = world_scan(scan, float(states[known].position[yaw]))
            except InvalidObservationError:
                continue  # as the planner: it goes on with the scan before
            stamp_ns = nanoseconds(scan.header.stamp)
            scans.append(HeardSensor(message.time_ns, "scan", stamp_ns, ranges))
    return scans


def heard_goals(
    messages: Sequence[BagMessage], states: Sequence[HeardState], robot: Robot
) -> list[HeardGoal]:
    """Goals, completed by the position that was known when they came.

    One from before the first state that leaves something open is no goal here: the planner knew a
    position that the recording does not.
    """
    times = [state.time_ns for state in states]
    goals = []
    for message in messages:
        msg: Goal = message.decode()
        known = bisect.bisect_right(times, message.time_ns) - 1
        position = states[known].position if known >= 0 else None
        goal: Array | None = None
        is_complete = position is not None or set(msg.names) == set(robot.names)
        if msg.kind == Goal.REACH and is_complete:
            try:
                goal = goal_vector(robot, list(msg.names), list(msg.values), position)
            except GoalError:
                goal = None  # as the planner: nothing is planned for a goal that is not one
        stamp_ns = nanoseconds(msg.header.stamp)
        goals.append(HeardGoal(message.time_ns, stamp_ns, msg.epoch, goal))
    return goals


def merged(*streams: Sequence[Heard]) -> list[Heard]:
    """All of them in the order of reception; of the same time in the order of the arguments."""
    return sorted((heard for stream in streams for heard in stream), key=lambda h: h.time_ns)


def commands_at(messages: Sequence[BagMessage], instants_ns: Sequence[int], robot: Robot) -> Array:
    """Position, velocity and acceleration that were asked for at each instant.

    Returns:
        (3, T, n_q); not a number where the robot was not asked to follow anything.

    Raises:
        BagContentError: A command is for another robot, or in another frame.
    """
    times = [message.time_ns for message in messages]
    asked = np.full((3, len(instants_ns), robot.n_q), np.nan)
    for column, instant_ns in enumerate(instants_ns):
        place = bisect.bisect_right(times, instant_ns) - 1
        if place < 0:
            continue
        command: Command = messages[place].decode()
        if command.mode != Command.TRACK:
            continue
        try:
            setpoint = setpoint_from_msg(command, robot)
        except (JointOrderError, FrameError) as error:
            raise BagContentError(f"command on {messages[place].topic}: {error}") from error
        asked[:, column] = setpoint.position, setpoint.velocity, setpoint.acceleration
    return asked
