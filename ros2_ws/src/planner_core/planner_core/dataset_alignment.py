"""What a robot heard, cut into samples at even times, as its live planner would have seen them.

The messages of a recording go, in the order of their reception, through the live planner's own
`ObservationBuffer`, whose clock shows the time of each sample. Whatever the live planner does with
late, stale or missing data happens here too, because it is the same code.

Letters: ``T`` samples, ``n_q`` degrees of freedom, ``M`` states of a recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from planner_core.clock import nanoseconds, seconds
from planner_core.errors import GoalError, StaleObservationError
from planner_core.observing import ObservationBuffer
from planner_core.plan import Array, GeneratorSpec, Observation
from planner_core.robot import Robot


@dataclass(frozen=True, slots=True, eq=False)
class HeardState:
    """A state that may be acted upon, when it was received.

    Attributes:
        time_ns: ROS time of reception [ns].
        stamp_ns: ROS time at which it holds [ns].
        measured_ns: ROS time of the newest measurement in it [ns].
        position: (n_q,) positions.
        velocity: (n_q,) velocities.
    """

    time_ns: int
    stamp_ns: int
    measured_ns: int
    position: Array
    velocity: Array

    def feed(self, buffer: ObservationBuffer) -> None:
        """Hand it to a planner's buffer."""
        buffer.take_state(self.stamp_ns, self.position, self.velocity, self.measured_ns)


@dataclass(frozen=True, slots=True, eq=False)
class HeardSensor:
    """A sensor's values, when they were received.

    Attributes:
        time_ns: ROS time of reception [ns].
        name: Sensor.
        stamp_ns: ROS time of the measurement [ns].
        values: (N,) as the planner takes them.
    """

    time_ns: int
    name: str
    stamp_ns: int
    values: Array

    def feed(self, buffer: ObservationBuffer) -> None:
        """Hand it to a planner's buffer."""
        buffer.take_sensor(self.name, self.stamp_ns, self.values)


@dataclass(frozen=True, slots=True, eq=False)
class HeardGoal:
    """A goal, when it was received.

    Attributes:
        time_ns: ROS time of reception [ns].
        stamp_ns: ROS time at which it was given [ns].
        epoch: Which goal it is.
        goal: (n_q,) values, None where nothing is to be planned.
    """

    time_ns: int
    stamp_ns: int
    epoch: int
    goal: Array | None

    def feed(self, buffer: ObservationBuffer) -> None:
        """Hand it to a planner's buffer."""
        buffer.take_goal(self.goal, self.epoch, self.stamp_ns)


Heard = HeardState | HeardSensor | HeardGoal


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What a planner would have had at an instant.

    Attributes:
        time_ns: ROS time [ns].
        epoch: Which goal it is.
        observation: The observation; None without a goal, or where it is unusable.
        refusal: Why it is unusable, empty where it is not.
    """

    time_ns: int
    epoch: int
    observation: Observation | None
    refusal: str


class ReplayClock:
    """The clock of a replay: it shows what it is set to."""

    def __init__(self) -> None:
        self.time_ns = 0

    def now_ns(self) -> int:
        """ROS time [ns]."""
        return self.time_ns

    def steady_ns(self) -> int:
        """Steady time [ns]: a replay has no other."""
        return self.time_ns


def align(
    heard: Sequence[Heard], spec: GeneratorSpec, instants_ns: Sequence[int], max_age_s: float
) -> Iterator[Sample]:
    """The samples of a recording.

    Args:
        heard: In the order of reception.
        spec: Says which sensors a sample must have.
        instants_ns: ROS times of the samples, rising [ns].
        max_age_s: As the planner's parameter ``max_observation_age_s``.
    """
    clock = ReplayClock()
    buffer = ObservationBuffer(clock, max_age_s)
    following = 0
    for instant_ns in instants_ns:
        while following < len(heard) and heard[following].time_ns <= instant_ns:
            clock.time_ns = heard[following].time_ns
            heard[following].feed(buffer)
            following += 1
        clock.time_ns = instant_ns
        try:
            snapshot = buffer.snapshot(spec)
        except StaleObservationError as error:
            yield Sample(instant_ns, buffer.epoch, None, str(error))
            continue
        observation = None if snapshot is None else snapshot.observation
        yield Sample(instant_ns, buffer.epoch, observation, "")


def goal_vector(
    robot: Robot, names: Sequence[str], values: Sequence[float], position: Array | None
) -> Array:
    """A goal for all degrees of freedom; those that it leaves open stay as they are.

    Args:
        robot: Whose.
        names: Degrees of freedom that the goal is for.
        values: Value of each.
        position: (n_q,) newest position, None where none is known.

    Returns:
        (n_q,) values.

    Raises:
        GoalError: It names other degrees of freedom, or lacks values.
    """
    if not set(names) <= set(robot.names) or len(names) != len(values):
        raise GoalError("goal", got=list(names), expected=f"some of {robot.names}")
    goal = np.zeros(robot.n_q) if position is None else position.copy()
    for name, value in zip(names, values, strict=True):
        goal[robot.names.index(name)] = value
    return goal


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """The states of a recording between two breaks, at even times.

    Position is the cubic Hermite interpolation of the neighbouring states' positions and
    velocities, velocity is linear between them, acceleration is the difference of the velocity half
    a sample before and after, by the time between.

    Attributes:
        position: (T, n_q).
        velocity: (T, n_q) per second.
        acceleration: (T, n_q) per second squared.
    """

    position: Array
    velocity: Array
    acceleration: Array


INTERPOLATION = {
    "observations": "newest value received before the sample, as the live planner has it",
    "position": "cubic Hermite of neighbouring states' positions and velocities",
    "velocity": "linear between neighbouring states",
    "acceleration": "central difference of the velocity over one sample",
    "command": "newest value received before the sample",
}
"""How each quantity of a data set comes to its even times, in words."""


def breaks(times_ns: NDArray[np.int64], max_gap_s: float) -> list[tuple[int, float]]:
    """Where the states of a recording do not follow upon each other.

    Args:
        times_ns: (M,) stamps of the states, in the order of reception [ns].
        max_gap_s: A longer time between two states is a gap.

    Returns:
        Index of the first state after each break and the step there [s]: negative where the clock
        went back, or did not go on.
    """
    steps_ns = np.diff(times_ns)
    found = np.flatnonzero((steps_ns <= 0) | (steps_ns > nanoseconds(max_gap_s)))
    return [(int(i) + 1, seconds(int(steps_ns[i]))) for i in found]


def resample(
    states: Sequence[HeardState],
    instants_ns: Sequence[int],
    dt_s: float,
    turning: Sequence[int] = (),
) -> Trajectory:
    """The trajectory at even times.

    Args:
        states: Without a break, from half a sample before the first instant to half a sample after
            the last.
        instants_ns: ROS times [ns].
        dt_s: Time between them.
        turning: Columns of angles [rad] that jump by a full turn; the result does not.
    """
    origin_ns = states[0].stamp_ns
    # Differences from an origin: nanoseconds since 1970 do not fit a float.
    time = np.array([s.stamp_ns - origin_ns for s in states]) * 1e-9
    at = np.array([t - origin_ns for t in instants_ns]) * 1e-9
    position = np.array([s.position for s in states])
    velocity = np.array([s.velocity for s in states])
    for column in turning:
        position[:, column] = np.unwrap(position[:, column])
    i = np.clip(np.searchsorted(time, at, side="right") - 1, 0, len(time) - 2)
    step = (time[i + 1] - time[i])[:, None]
    s = (at - time[i])[:, None] / step
    between = (
        (1 + 2 * s) * (1 - s) ** 2 * position[i]
        + s * (1 - s) ** 2 * step * velocity[i]
        + s * s * (3 - 2 * s) * position[i + 1]
        + s * s * (s - 1) * step * velocity[i + 1]
    )

    def velocity_at(when: Array) -> Array:
        return np.stack([np.interp(when, time, column) for column in velocity.T], axis=-1)

    acceleration = (velocity_at(at + dt_s / 2) - velocity_at(at - dt_s / 2)) / dt_s
    return Trajectory(between, velocity_at(at), acceleration)
