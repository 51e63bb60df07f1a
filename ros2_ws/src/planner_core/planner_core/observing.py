"""What a planner server has taken in, from the thread that receives to the thread that plans."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Final

import numpy as np
from planner_core.clock import NS_PER_S, Clock, nanoseconds, seconds
from planner_core.errors import EarlierGoalError, InvalidObservationError, StaleObservationError
from planner_core.plan import Array, GeneratorSpec, Observation
from planner_core.replanning import AHEAD_SHARE, Snapshot
from planner_core.tasks import Request, Values, select
from planner_core.timed_plan import TimedPlan

JUST_GIVEN_NS: Final = NS_PER_S
"""Where ROS time was set back since goals are taken up, a younger goal than this is a new one."""
RECENT_PLANS: Final = 100
"""Plans kept to know what the robot follows: a second at 100 Hz."""


class ObservationBuffer:
    """Newest state, sensors, goal, and the plan in execution. May be called from any thread.

    Args:
        clock: ROS time.
        max_age_s: Older sensor data are not planned from.
    """

    def __init__(self, clock: Clock, max_age_s: float) -> None:
        self._clock = clock
        self._max_age_s = max_age_s
        self._lock = threading.Condition()
        self._state: tuple[int, Array, Array] | None = None
        self._measured_ns = 0
        self._came_ns = 0
        self._is_unused = False
        self._sensors: dict[str, tuple[int, Array | Values]] = {}
        self._goal: Array | Request | None = None
        self._goal_ns = 0
        self._opened_ns: int | None = 0
        self._epoch = 0
        self._recent: deque[TimedPlan] = deque(maxlen=RECENT_PLANS)
        self._followed = 0

    def take_state(self, stamp_ns: int, position: Array, velocity: Array, measured_ns: int) -> None:
        """Keep a newer state.

        Args:
            stamp_ns: ROS time at which it holds [ns].
            position: (n_q,) positions.
            velocity: (n_q,) velocities.
            measured_ns: ROS time of the newest measurement in it [ns].
        """
        with self._lock:
            self._state = stamp_ns, position, velocity
            self._measured_ns = measured_ns
            self._came_ns = self._clock.steady_ns()
            self._is_unused = True
            self._note_opening()
            self._lock.notify_all()

    def wait_for_state(self, timeout_s: float, fresh_s: float = 0.0) -> None:
        """Wait until the next state comes, so that planning starts from a fresh one.

        Args:
            timeout_s: Longest wait.
            fresh_s: A state that came no longer ago than this and was not planned from is fresh
                enough.
        """
        with self._lock:
            age_s = seconds(self._clock.steady_ns() - self._came_ns)
            if not (self._is_unused and age_s <= fresh_s):
                self._lock.wait(timeout_s)

    def take_sensor(self, name: str, stamp_ns: int, values: Array | Values) -> None:
        """Keep newer values of a sensor.

        Args:
            name: Of the sensor.
            stamp_ns: ROS time of the measurement [ns].
            values: An array, or numbers by name.
        """
        with self._lock:
            self._sensors[name] = stamp_ns, values
            self._lock.notify_all()

    def take_goal(self, goal: Array | Request | None, epoch: int, stamp_ns: int = 0) -> None:
        """Set what is planned for.

        Args:
            goal: (n_q,) values for all degrees of freedom, or the request of a task; None where
                nothing is to be planned.
            epoch: Which goal it is.
            stamp_ns: ROS time at which it was given [ns].
        """
        with self._lock:
            now_ns, opened_ns = self._clock.now_ns(), self._opened_ns
            was_set_back = opened_ns is not None and now_ns < opened_ns
            if was_set_back and epoch != self._epoch and 0 <= now_ns - stamp_ns <= JUST_GIVEN_NS:
                # Stamps will not reach those of the opening for as long as the clock was set back.
                self._opened_ns = stamp_ns
            self._goal, self._epoch, self._goal_ns = goal, epoch, stamp_ns

    def wait_for_sensors(self, spec: GeneratorSpec, timeout_s: float) -> bool:
        """Wait until every sensor that a generator needs has been heard once.

        Returns:
            Whether they have; False after the longest wait.
        """
        with self._lock:
            return self._lock.wait_for(lambda: set(spec.sensors) <= set(self._sensors), timeout_s)

    def open(self, *, standing_goal: bool) -> None:
        """Take up goals from now on.

        Args:
            standing_goal: Whether a goal that was given before counts; else it waits, until another
                one comes.
        """
        with self._lock:
            self._opened_ns = 0 if standing_goal else None
            self._note_opening()

    def _note_opening(self) -> None:
        """Where ROS time has not begun, as before the first /clock, no goal is from before now."""
        now_ns = self._clock.now_ns()
        if self._opened_ns is None and now_ns > 0:
            self._opened_ns = now_ns

    def take_plan(self, plan: TimedPlan) -> None:
        """Remember a published plan: it may be followed soon."""
        with self._lock:
            self._recent.append(plan)

    def take_followed(self, sequence: int) -> None:
        """Note which plan the robot follows, 0 for none."""
        with self._lock:
            self._followed = sequence

    @property
    def position(self) -> Array | None:
        """The newest position (n_q,), if one came."""
        with self._lock:
            return None if self._state is None else self._state[1]

    @property
    def epoch(self) -> int:
        """Which goal it is."""
        with self._lock:
            return self._epoch

    @property
    def has_goal(self) -> bool:
        """Whether there is something to plan for."""
        with self._lock:
            return self._goal is not None

    def snapshot(self, spec: GeneratorSpec) -> Snapshot | None:
        """What a generator is to plan from.

        Args:
            spec: Says which sensors it needs, and what it aims at.

        Returns:
            The snapshot, or None without a goal.

        Raises:
            EarlierGoalError: The goal was given before goals were taken up.
            StaleObservationError: The state or a sensor is missing, too old, or from the future.
            InvalidObservationError: A sensor or the goal lacks one of the names that it needs.
        """
        now_ns = self._clock.now_ns()
        with self._lock:
            if self._goal is None:
                return None
            opened_ns = now_ns if self._opened_ns is None else self._opened_ns
            if self._opened_ns is None or self._goal_ns < opened_ns:
                raise EarlierGoalError(
                    "goal from before the planner server started",
                    got=f"{seconds(opened_ns - self._goal_ns):.1f} s before",
                    remedy="Send a new goal, or deactivate and activate the server.",
                )
            if self._state is None:
                raise StaleObservationError("no state of the robot yet")
            self._check_age("state", now_ns - self._state[0])
            sensors = {name: self._reading(name, now_ns) for name in spec.sensors}
            goal = self._target(spec, now_ns)
            self._is_unused = False
            following = next((p for p in self._recent if p.sequence == self._followed), None)
            observation = Observation(
                *self._state,
                goal,
                {name: _array(name, sensors[name], asked) for name, asked in spec.sensors.items()},
            )
            return Snapshot(observation, self._measured_ns, self._epoch, following)

    def _reading(self, name: str, now_ns: int) -> Array | Values:
        if name not in self._sensors:
            raise StaleObservationError(f"nothing from the sensor {name!r} yet")
        stamp_ns, values = self._sensors[name]
        self._check_age(f"sensor {name!r}", now_ns - stamp_ns)
        return values

    def _target(self, spec: GeneratorSpec, now_ns: int) -> Array:
        goal = self._goal
        if not isinstance(goal, Request):
            assert goal is not None
            return goal
        quantities: dict[str, float] = {}
        for name in goal.task.sensors:
            reading = self._reading(name, now_ns)
            if isinstance(reading, Mapping):
                quantities |= reading
        return goal.target(spec.goal_names, quantities)

    def _check_age(self, what: str, age_ns: int) -> None:
        limit_ns = nanoseconds(self._max_age_s)
        if not -AHEAD_SHARE * limit_ns <= age_ns <= limit_ns:
            raise StaleObservationError(
                f"age of the {what}",
                got=f"{seconds(age_ns):.3f} s",
                expected=f"up to {self._max_age_s} s",
            )


def _array(sensor: str, values: Array | Values, asked: int | tuple[str, ...]) -> Array:
    """A reading as the generator takes it."""
    if isinstance(values, Mapping):
        if isinstance(asked, int):
            raise InvalidObservationError(
                f"sensor {sensor!r}", got=f"numbers by name: {sorted(values)}",
                expected=f"an array of {asked}",
            )  # fmt: skip
        return select(values, asked, f"sensor {sensor!r}")
    if not isinstance(asked, int):
        raise InvalidObservationError(
            f"sensor {sensor!r}", got=f"an array {np.shape(values)}",
            expected=f"numbers by name: {list(asked)}",
        )  # fmt: skip
    return values
