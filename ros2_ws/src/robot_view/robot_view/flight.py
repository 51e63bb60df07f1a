"""A flight as data: what was flown, planned and commanded, collected from messages.

Nothing here needs ROS: a live node and a reader of bags feed the same `FlightLog`. All times are
stamps of the messages, never times of arrival, so that a report does not depend on who listened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot_view.bodies import AXES, body_of, followed_points
from robot_view.errors import ReportError
from robot_view.shapes import Array, Shape, ShapeSet

Stamps = NDArray[np.int64]

TRACK = 1
"""Of ``Command.mode``."""
SUCCEEDED = 4
"""Of an action, by the numbers of ``action_msgs/GoalStatus``."""
KEPT_CANDIDATES = 64
"""Sets of candidates kept of one flight; of more, every other one is dropped."""


class GoalKind(IntEnum):
    """The numbers of ``Goal.kind``."""

    REACH = 0
    HOLD = 1
    REST = 2


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The candidates of one planning call.

    Attributes:
        stamp_ns: Of the measurement that they start from [ns].
        position: (K, H, P, 3) [m] of the points that are followed: a robot that is drawn as a
            point, the tool of an arm, each foot of a walking robot in the frame of its base.
        feasible: (K,) bool.
        best: Index of the chosen one.
    """

    stamp_ns: int
    position: NDArray[np.float32]
    feasible: NDArray[np.bool_]
    best: int


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One goal and what became of it.

    Attributes:
        start_ns: When the goal was given [ns].
        end_ns: When the navigator ended it, None if it did not [ns].
        goal: (3,) [m], NaN where the goal leaves an axis open or is not a place.
        tolerance_m: Closer than this counts as there.
        replaced: Whether a newer goal ended it.
        of_robot: Whether the robot itself is to be there, so that its path says whether it was;
            what becomes of other goals, only the navigator knows.
        succeeded: What the navigator said of it; None if it said nothing.
    """

    start_ns: int
    end_ns: int | None
    goal: Array
    tolerance_m: float
    replaced: bool = False
    of_robot: bool = True
    succeeded: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class JointHistory:
    """What the joints did, and what was asked of them.

    Attributes:
        names: The ``n`` joints.
        stamp_ns: (N,) stamps of the states [ns].
        position: (N, n) [rad].
        asked_ns: (M,) instants that commands were for [ns].
        asked: (M, n) [rad] followed positions of the plan.
    """

    names: tuple[str, ...]
    stamp_ns: Stamps
    position: Array
    asked_ns: Stamps
    asked: Array


@dataclass(frozen=True, slots=True, eq=False)
class Flight:
    """Everything that a report shows.

    Attributes:
        robot: Name of the robot, empty if nothing said it.
        planner: Plugin that planned, empty if unknown.
        stamp_ns: (N,) stamps of the odometry, or of the states of an arm [ns].
        position: (N, 3) [m] of the robot, or of the tool of an arm.
        speed: (N,) [m/s] of the same.
        joints: Of a robot whose body is known, None of others.
        plan_ns: (M,) stamps of the measurements behind the plans [ns].
        planning_s: (M,) time that the planner took for each of them [s], NaN if it did not say.
        end_to_end_s: (E,) from a measurement to the first command made of it [s].
        max_command_gap_ms: Longest time between commands [ms], NaN if unknown.
        candidates: Sets of candidates, in order.
        shapes: The world.
        tasks: The goals, in order.
    """

    robot: str
    planner: str
    stamp_ns: Stamps
    position: Array
    speed: Array
    joints: JointHistory | None
    plan_ns: Stamps
    planning_s: Array
    end_to_end_s: Array
    max_command_gap_ms: float
    candidates: tuple[Candidates, ...]
    shapes: tuple[Shape, ...]
    tasks: tuple[Task, ...]

    @property
    def start_ns(self) -> int:
        """Time zero of the report: the first goal, or the first odometry [ns]."""
        if self.tasks:
            return self.tasks[0].start_ns
        return int(self.stamp_ns[0]) if len(self.stamp_ns) else 0

    def seconds(self, stamps: Stamps | int) -> Array:
        """Stamps as seconds since the start, in the shape of ``stamps`` [s]."""
        return np.asarray((np.asarray(stamps) - self.start_ns) * 1e-9)


class FlightLog:
    """Collects the messages of a flight.

    Args:
        tolerance_m: Distance that counts as there, for goals that do not say.
        robot: Its name, for as long as no message says it.
    """

    def __init__(self, tolerance_m: float = 0.25, robot: str = "") -> None:
        self._tolerance_m = tolerance_m
        self._world = ShapeSet()
        self._robot, self._planner = robot, ""
        self._handlers: dict[str, Callable[[Any], None]] = {
            "odometry": self._on_odometry,
            "state": self._on_state,
            "plan": self._on_plan,
            "plan/candidates": self._on_candidates,
            "command": self._on_command,
            "goal": self._on_goal,
            "execution/status": self._on_execution_status,
            "bridge/status": self._on_bridge_status,
            "navigate/_action/status": self._on_action_status,
            "world/markers": self._world.update,
        }
        self.clear()

    @property
    def topics(self) -> tuple[str, ...]:
        """The relative topics that a report is made from."""
        return tuple(self._handlers)

    @property
    def under_way(self) -> bool:
        """Whether a goal was given and has not ended."""
        return bool(self._tasks) and self._tasks[-1].end_ns is None

    def clear(self) -> None:
        """Forget the flight, and keep the world."""
        self._odometry: list[tuple[int, float, float, float, float]] = []
        self._joints: list[tuple[int, Array]] = []
        self._asked: list[tuple[int, Array]] = []
        self._results: dict[int, bool] = {}
        self._plans: list[tuple[int, float]] = []
        self._end_to_end: list[float] = []
        self._commanded_sequence = 0
        self._max_gap_ms = float("nan")
        self._candidates: list[Candidates] = []
        self._candidates_stride, self._candidates_seen = 1, 0
        self._tasks: list[Task] = []

    def add(self, topic: str, message: Any) -> None:
        """Take a message in.

        Args:
            topic: Relative name, one of `topics`.
            message: By its fields; the class does not matter.

        Raises:
            ReportError: The arrays of a message do not have the size that it states.
        """
        self._handlers[topic](message)

    def flight(self) -> Flight:
        """What was collected so far."""
        rows = np.array([row[1:] for row in self._odometry], dtype=np.float64).reshape(-1, 4)
        stamps = np.array([row[0] for row in self._odometry], dtype=np.int64)
        position, speed = rows[:, :3], rows[:, 3]
        body, joints = body_of(self._robot), self._joint_history()
        if joints is not None and body is not None and body.fixed:
            stamps, position = joints.stamp_ns, body.tip_points(joints.position)[:, 0]
            speed = _speed(stamps, position)
        return Flight(
            robot=self._robot,
            planner=self._planner,
            stamp_ns=stamps,
            position=position,
            speed=speed,
            joints=joints,
            plan_ns=np.array([row[0] for row in self._plans], dtype=np.int64),
            planning_s=np.array([row[1] for row in self._plans], dtype=np.float64),
            end_to_end_s=np.array(self._end_to_end, dtype=np.float64),
            max_command_gap_ms=self._max_gap_ms,
            candidates=tuple(self._candidates),
            shapes=self._world.shapes,
            tasks=tuple(self._judged(task) for task in self._tasks),
        )

    def _joint_history(self) -> JointHistory | None:
        body = body_of(self._robot)
        if body is None:
            return None
        rows = [
            np.array([row for _, row in kept], dtype=np.float64).reshape(-1, len(body.tree.names))
            for kept in (self._joints, self._asked)
        ]
        stamps = [
            np.array([stamp for stamp, _ in kept], dtype=np.int64)
            for kept in (self._joints, self._asked)
        ]
        return JointHistory(body.tree.names, stamps[0], rows[0], stamps[1], rows[1])

    def _judged(self, task: Task) -> Task:
        """The task with the end of the action that it came by: the last one begun before it."""
        begun = [stamp for stamp in self._results if stamp <= task.start_ns]
        succeeded = self._results[max(begun)] if begun else None
        return replace(task, succeeded=succeeded)

    def _on_state(self, msg: Any) -> None:
        self._robot = self._robot or msg.robot
        self._keep_joints(self._joints, msg)

    def _keep_joints(self, kept: list[tuple[int, Array]], msg: Any) -> None:
        """Keep the positions of a message, of a robot whose joints are drawn."""
        body = body_of(self._robot)
        if body is None or len(msg.names) != len(msg.position):
            return
        q = body.joints_of(msg.names, np.asarray(msg.position, dtype=np.float64))
        if q is not None:
            kept.append((stamp_ns(msg.header.stamp), q))

    def _on_action_status(self, msg: Any) -> None:
        for status in msg.status_list:
            began_ns = stamp_ns(status.goal_info.stamp)
            self._results[began_ns] = int(status.status) == SUCCEEDED

    def _on_odometry(self, msg: Any) -> None:
        p, v = msg.pose.pose.position, msg.twist.twist.linear
        speed = float(np.sqrt(v.x**2 + v.y**2 + v.z**2))
        self._odometry.append((stamp_ns(msg.header.stamp), p.x, p.y, p.z, speed))

    def _on_plan(self, msg: Any) -> None:
        planning_s = msg.planning_ms * 1e-3 if msg.planning_ms > 0 else float("nan")
        self._plans.append((stamp_ns(msg.header.stamp), planning_s))
        self._planner = msg.planner

    def _on_candidates(self, msg: Any) -> None:
        number = self._candidates_seen
        self._candidates_seen += 1
        if number % self._candidates_stride:
            return
        candidates = read_candidates(msg, self._robot)
        if candidates is None:
            return
        self._candidates.append(candidates)
        if len(self._candidates) > KEPT_CANDIDATES:
            # A long flight keeps fewer per second, still evenly spread, and the memory is bounded.
            self._candidates = self._candidates[::2]
            self._candidates_stride *= 2

    def _on_command(self, msg: Any) -> None:
        if msg.mode == TRACK:
            self._keep_joints(self._asked, msg)
        if msg.sequence in (0, self._commanded_sequence):
            return
        self._commanded_sequence = int(msg.sequence)
        self._end_to_end.append((stamp_ns(msg.header.stamp) - stamp_ns(msg.measured)) * 1e-9)

    def _on_goal(self, msg: Any) -> None:
        now_ns, kind = stamp_ns(msg.header.stamp), GoalKind(msg.kind)
        if self.under_way:
            self._tasks[-1] = replace(
                self._tasks[-1], end_ns=now_ns, replaced=kind is GoalKind.REACH
            )
        if kind is GoalKind.REACH:
            place = goal_place(msg)
            of_robot = bool(set(AXES) & set(msg.names))
            tolerance = float(msg.tolerances[0]) if len(msg.tolerances) else self._tolerance_m
            self._tasks.append(Task(now_ns, None, place, tolerance, of_robot=of_robot))

    def _on_execution_status(self, msg: Any) -> None:
        self._max_gap_ms = float(msg.max_command_gap_ms)

    def _on_bridge_status(self, msg: Any) -> None:
        self._robot = msg.robot


def stamp_ns(msg: Any) -> int:
    """A time message in nanoseconds."""
    return int(msg.sec) * 1_000_000_000 + int(msg.nanosec)


def goal_place(msg: Any) -> Array:
    """Where a goal is, (3,) [m]; NaN where it leaves an axis open or is not a place.

    A place is named by ``x``, ``y``, ``z`` for the robot, or by ``object_x`` … for an object.
    """
    place = np.full(3, np.nan)
    for name, value in zip(msg.names, msg.values, strict=False):
        axis = name.removeprefix("object_")
        if axis in AXES:
            place[AXES.index(axis)] = value
    return place


def read_candidates(msg: Any, robot: str = "") -> Candidates | None:
    """Candidates in space, or None of a robot whose degrees of freedom have no place there.

    Args:
        msg: A ``PlanCandidates``.
        robot: By whose body joints have a place.

    Raises:
        ReportError: The arrays do not have the size that the message states.
    """
    count, horizon, names = int(msg.count), int(msg.horizon), list(msg.names)
    position = np.asarray(msg.position, dtype=np.float64)
    feasible = np.asarray(msg.feasible, dtype=np.bool_)
    if position.size != count * horizon * len(names) or feasible.size != count:
        raise ReportError(
            "shape of the candidates",
            got=f"{position.size} positions, {feasible.size} verdicts",
            expected=f"{count} x {horizon} x {len(names)} and {count}",
        )
    if not count:
        return None
    table = position.reshape(count, horizon, len(names))
    points = followed_points(body_of(robot), names, table)
    if points is None:
        return None
    stamp = stamp_ns(msg.header.stamp)
    return Candidates(stamp, points.astype(np.float32), feasible, int(msg.best))


def _speed(stamps: Stamps, position: Array) -> Array:
    """(N,) [m/s] of positions (N, 3) [m], from one to the next."""
    seconds = np.diff(stamps) * 1e-9
    steps = np.linalg.norm(np.diff(position, axis=0), axis=1)
    # Two states with one stamp are one state.
    speed = np.divide(steps, seconds, out=np.zeros_like(steps), where=seconds > 0)
    return np.concatenate([speed[:1], speed]) if len(speed) else np.zeros(len(stamps))
