"""Bringing a robot to a goal of any task: check the goal, watch the motion, say how it ended.

ROS-free, so that every outcome can be provoked in a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from types import MappingProxyType

import numpy as np
from planner_core.clock import NS_PER_S, Clock, seconds
from planner_core.errors import (
    GoalError,
    GoalFrameError,
    GoalInObstacleError,
    GoalOutsideFenceError,
)
from planner_core.plan import Array
from planner_core.robot import Robot
from planner_core.tasks import REACH, Task, Values
from planner_core.world import World


class Outcome(IntEnum):
    """How a navigation ended; the numbers are those of ``Navigate``'s result."""

    SUCCESS = 0
    NOT_READY = 801
    TIMED_OUT = 802
    CRASHED = 803
    CANCELLED = 804
    STOPPED = 805
    REPLACED = 806
    LOST = 807


class Stage(Enum):
    """What a navigation is waiting for."""

    ENGAGING = "engaging"
    MOVING = "moving"
    SETTLING = "arriving"
    DONE = "done"


def check_goal(
    robot: Robot,
    names: tuple[str, ...],
    values: Array,
    frame_id: str,
    world: World | None,
    clearance_m: float,
    task: Task = REACH,
) -> None:
    """Refuse a goal that the robot must not be sent to.

    Args:
        robot: Whose limits hold.
        names: Degrees of freedom, or quantities of the task, that the goal fixes.
        values: (n,) their values.
        frame_id: Frame of the values.
        world: Obstacles of a mobile robot, None where they are not known.
        clearance_m: Distance that the goal has to keep from them.
        task: What the values are for.

    Raises:
        GoalError: The subclass says why.
    """
    if len(names) != len(values) or len(set(names)) != len(names):
        raise GoalError(
            "goal", got=f"{len(values)} values for {list(names)}", expected="one for each name"
        )
    if not np.isfinite(values).all():
        raise GoalError("goal", got=list(values), expected="finite numbers")
    if frame_id not in ("", robot.frame_id):
        raise GoalFrameError(
            "goal in another frame", got=repr(frame_id), expected=repr(robot.frame_id)
        )
    task.check(robot, dict(zip(names, map(float, values), strict=True)))
    if world is not None and {"x", "y", "z"} <= set(names):
        point = np.array([values[names.index(axis)] for axis in ("x", "y", "z")])
        outside = np.minimum(point - world.lower, world.upper - point).min()
        if outside < 0:
            raise GoalOutsideFenceError(
                "goal outside the room", got=point.tolist(),
                expected=f"between {world.lower.tolist()} and {world.upper.tolist()}",
            )  # fmt: skip
        free = float(world.clearance(point))
        if free < clearance_m:
            raise GoalInObstacleError(
                "goal in or too close to an obstacle or wall",
                got=f"clearance {free:.2f} m", expected=f"at least {clearance_m:.2f} m",
            )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What is known of the robot at one instant.

    Attributes:
        position: (n_q,), None while no valid state is known.
        velocity: (n_q,), likewise.
        state_age_s: Age of that state [s].
        active: Whether the robot follows commands.
        fault: Why it cannot any more, if so.
        stopped: Whether the emergency stop is latched.
        crashed: Whether it hit something.
        quantities: Newest readings of the task's sensors, by their names.
    """

    position: Array | None
    velocity: Array | None
    state_age_s: float
    active: bool
    fault: str = ""
    stopped: bool = False
    crashed: bool = False
    quantities: Values = field(default_factory=lambda: MappingProxyType({}))


class NavigationTask:
    """Watches one goal from the request to its outcome.

    Args:
        robot: Order of the degrees of freedom.
        asked: Values of the goal.
        clock: Steady time counts.
        task: What the values are for.
        tolerance: Greatest distance from the goal that counts as there.
        settle_s: How long it has to be there.
        time_limit_s: For the motion, from the first moment the robot is active.
        engage_limit_s: For becoming active.
        state_timeout_s: A motion without a state for so long is lost.
    """

    def __init__(
        self,
        robot: Robot,
        asked: Values,
        clock: Clock,
        task: Task = REACH,
        *,
        tolerance: float,
        settle_s: float,
        time_limit_s: float,
        engage_limit_s: float,
        state_timeout_s: float,
    ) -> None:
        self._robot, self._task, self._asked = robot, task, dict(asked)
        self._complete = False
        self._clock = clock
        self._tolerance = tolerance
        self._settle_s = settle_s
        self._time_limit_s = time_limit_s
        self._engage_limit_s = engage_limit_s
        self._state_timeout_s = state_timeout_s
        self._begun_ns = clock.steady_ns()
        self._moving_ns: int | None = None
        self._arrived_ns: int | None = None
        self.stage = Stage.ENGAGING
        self.outcome: Outcome | None = None
        self.reason = ""
        self.distance = float("nan")
        self.elapsed_s = 0.0
        """Time of the motion, engaging left out [s]."""

    def finish(self, outcome: Outcome, reason: str = "") -> None:
        """End the task; the first outcome stays."""
        if self.outcome is None:
            self.outcome, self.reason, self.stage = outcome, reason, Stage.DONE

    def update(self, view: View) -> Stage:
        """Look at the robot.

        Returns:
            The stage that the task is in now.
        """
        if self.outcome is not None:
            return self.stage
        now_ns = self._clock.steady_ns()
        if view.position is not None:
            position = dict(zip(self._robot.names, view.position.tolist(), strict=True))
            progress = self._task.progress(self._asked, position, view.quantities)
            self.distance, self._complete = progress.distance, progress.complete
        if view.crashed:
            self.finish(Outcome.CRASHED, view.fault or "the robot hit something")
        elif view.stopped:
            self.finish(Outcome.STOPPED, "emergency stop")
        elif self._moving_ns is None:
            self._engaging(view, now_ns)
        else:
            self._moving(view, now_ns, self._moving_ns)
        return self.stage

    def _engaging(self, view: View, now_ns: int) -> None:
        if view.active and view.position is not None:
            self._moving_ns = now_ns
            self.stage = Stage.MOVING
        elif now_ns - self._begun_ns > self._engage_limit_s * NS_PER_S:
            reason = view.fault or f"not active after {self._engage_limit_s} s"
            self.finish(Outcome.NOT_READY, reason)

    def _moving(self, view: View, now_ns: int, moving_ns: int) -> None:
        self.elapsed_s = seconds(now_ns - moving_ns)
        if not view.active:
            self.finish(Outcome.LOST, view.fault or "the robot ended its motion by itself")
        elif view.position is None or view.state_age_s > self._state_timeout_s:
            self.finish(Outcome.LOST, f"no valid state for {view.state_age_s:.2f} s")
        elif self.elapsed_s > self._time_limit_s:
            self.finish(Outcome.TIMED_OUT, f"not there after {self._time_limit_s} s")
        elif not (self._complete and self.distance <= self._tolerance):
            self._arrived_ns = None
            self.stage = Stage.MOVING
        else:
            if self._arrived_ns is None:
                self._arrived_ns = now_ns
                self.stage = Stage.SETTLING
            if now_ns - self._arrived_ns >= self._settle_s * NS_PER_S:
                # The time to success ends when the robot got there, not when it was believed.
                self.elapsed_s = seconds(self._arrived_ns - moving_ns)
                self.finish(Outcome.SUCCESS)
