"""One bag into the episodes of a data set.

A recording is cut wherever its states do not follow upon each other, its clock jumps, its goal
changes or a planner would have had nothing to plan from. Nothing is filled in.

Letters: ``T`` steps of an episode, which has ``T + 1`` samples; ``n_q`` degrees of freedom, ``N``
rays.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from planner_core.clock import nanoseconds, seconds
from planner_core.dataset_alignment import HeardGoal, HeardState, Sample, align, breaks, resample
from planner_core.plan import Array, GeneratorSpec, Observation
from planner_core.robot import Robot

from episode_recorder.bag_messages import BagContent, BagMessage, read_bag
from episode_recorder.errors import BagContentError
from episode_recorder.heard_messages import (
    Topics,
    commands_at,
    heard_goals,
    heard_scans,
    heard_states,
    merged,
    newest,
)

CLOCK_JUMP_S = 0.5
"""Reception time against stamp: a change beyond this is no delay, one of the clocks was set."""


@dataclass(frozen=True, slots=True)
class ConversionSettings:
    """How bags become a data set.

    Attributes:
        dt_s: Time between samples [s].
        max_age_s: Older data are not planned from, as the planner's ``max_observation_age_s`` [s].
        max_gap_s: Longer times between two states are gaps [s].
        shortest_s: Shorter episodes are left out [s].
        sensors: Names of the sensors in each sample: ``scan`` or none.
        namespace: Of the robot's topics.
    """

    dt_s: float = 0.1
    max_age_s: float = 0.5
    max_gap_s: float = 0.2
    shortest_s: float = 0.5
    sensors: tuple[str, ...] = ("scan",)
    namespace: str = "/"


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """An unbroken piece of a recording, under one goal.

    Attributes:
        start_ns: ROS time of its first sample [ns].
        observations: (T + 1, ...) what a planner would have had, by name.
        position: (T + 1, n_q) resampled at the sample times.
        velocity: (T + 1, n_q).
        acceleration: (T + 1, n_q).
        command: (3, T + 1, n_q) position, velocity, acceleration asked for; NaN for none.
        success: Whether it is the end of a recording that succeeded.
        terminated: Whether the task came to its end with it.
    """

    start_ns: int
    observations: dict[str, Array]
    position: Array
    velocity: Array
    acceleration: Array
    command: Array
    success: bool
    terminated: bool

    @property
    def steps(self) -> int:
        """``T``."""
        return len(self.position) - 1


@dataclass(slots=True)
class Converted:
    """What became of a bag.

    Attributes:
        folder: Of the bag.
        duration_s: From its first message to its last [s].
        outcome: What its recorder says, ``unknown`` for the bags of others.
        world: Description of the world, empty without one.
        custom: Provenance, as recorded.
        episodes: In the order of time.
        cuts: Why and where it was cut, one sentence each.
        rates_hz: Messages a second of each topic.
        state_steps_s: Times between states [s].
    """

    folder: Path
    duration_s: float
    outcome: str
    world: str
    custom: dict[str, str]
    episodes: list[Episode] = field(default_factory=list)
    cuts: list[str] = field(default_factory=list)
    rates_hz: dict[str, float] = field(default_factory=dict)
    state_steps_s: Array = field(default_factory=lambda: np.zeros(0))


def convert(folder: Path, robot: Robot, settings: ConversionSettings) -> Converted:
    """Make the episodes of a bag.

    Raises:
        BagError: It cannot be read, or has no states or goals of this robot.
    """
    topics = Topics.below(settings.namespace)
    needed = [topics.state, topics.goal, topics.command, topics.world]
    content = read_bag(folder, [*needed, topics.scan] if settings.sensors else needed)
    by_topic: dict[str, list[BagMessage]] = {}
    for message in content.messages:
        by_topic.setdefault(message.topic, []).append(message)
    result = _summary(content, by_topic.get(topics.world, []))
    states, refused = heard_states(by_topic.get(topics.state, []), robot)
    if len(states) < 2:
        raise BagContentError(
            f"bag {folder}: states of {robot.name} on {topics.state}",
            got=f"{len(states)}, {refused} refused", expected="2 or more",
            remedy="Is it another robot's, or in another namespace?",
        )  # fmt: skip
    if refused:
        result.cuts.append(f"{refused} states could not be acted upon")
    result.state_steps_s = np.diff([state.stamp_ns for state in states]) * 1e-9
    # Completed by what was known when they came, before a break too.
    goals = heard_goals(by_topic.get(topics.goal, []), states, robot)
    for piece in _pieces(states, settings, result.cuts):
        _convert_piece(piece, goals, by_topic, robot, topics, settings, result)
    if result.episodes and result.outcome in ("success", "failure"):
        result.episodes[-1] = _ended(result.episodes[-1], result.outcome == "success")
    return result


def _summary(content: BagContent, worlds: Sequence[BagMessage]) -> Converted:
    times = [time for stream in content.times_ns.values() for time in (stream[0], stream[-1])]
    duration_s = seconds(max(times) - min(times)) if times else 0.0
    return Converted(
        content.folder,
        duration_s,
        content.metadata.custom.get("outcome", "unknown"),
        worlds[-1].decode().data if worlds else "",
        content.metadata.custom,
        cuts=list(content.cuts),
        rates_hz={
            topic: len(stream) / duration_s if duration_s > 0 else 0.0
            for topic, stream in content.times_ns.items()
        },
    )


def _pieces(
    states: list[HeardState], settings: ConversionSettings, cuts: list[str]
) -> list[list[HeardState]]:
    """The states between gaps and clock jumps."""
    stamps = np.array([state.stamp_ns for state in states])
    received = np.array([state.time_ns for state in states])
    found = dict(breaks(stamps, settings.max_gap_s))
    for index, step_s in found.items():
        kind = "the clock went back by" if step_s <= 0 else "gap of"
        cuts.append(
            f"{_at(states[0], states[index - 1])}: {kind} {abs(step_s):.3f} s in the states"
        )
    latency = np.diff((received - stamps) * 1e-9)
    back = np.diff(received) < 0
    for index in (np.flatnonzero((np.abs(latency) > CLOCK_JUMP_S) | back) + 1).tolist():
        if index not in found:
            found[index] = 0.0
            jump_s = float(latency[index - 1])
            cuts.append(
                f"{_at(states[0], states[index - 1])}: clocks moved by {jump_s:+.3f} s against "
                "each other"
            )
    edges = [0, *sorted(found), len(states)]
    return [states[a:b] for a, b in pairwise(edges)]


def _convert_piece(
    states: list[HeardState],
    goals: list[HeardGoal],
    by_topic: dict[str, list[BagMessage]],
    robot: Robot,
    topics: Topics,
    settings: ConversionSettings,
    result: Converted,
) -> None:
    """Append the episodes of an unbroken run of states."""
    dt_ns = nanoseconds(settings.dt_s)
    # Half a sample at both ends: the acceleration is a difference over one.
    first_ns = max(states[0].time_ns, states[0].stamp_ns) + dt_ns // 2 + 1
    last_ns = states[-1].stamp_ns - dt_ns // 2
    instants = list(range(first_ns, last_ns, dt_ns))
    if len(instants) < 2:
        return
    begin_ns, end_ns = states[0].time_ns, states[-1].time_ns
    scans = [m for m in by_topic.get(topics.scan, []) if begin_ns <= m.time_ns <= end_ns]
    heard = merged(
        states,
        heard_scans(newest(scans, instants), states, robot) if settings.sensors else [],
        goals,
    )
    spec = GeneratorSpec(
        "data set", robot.name, robot.names, len(instants), settings.dt_s, 1,
        dict.fromkeys(settings.sensors, 0),
    )  # fmt: skip
    samples = list(align(heard, spec, instants, settings.max_age_s))
    origin = states[0]
    for run in _runs(samples, origin, result.cuts):
        if (len(run) - 1) * settings.dt_s < settings.shortest_s:
            continue
        times = [sample.time_ns for sample in run]
        turning = [robot.names.index("yaw")] if "yaw" in robot.names else []
        trajectory = resample(_around(states, times, dt_ns), times, settings.dt_s, turning)
        observations = [sample.observation for sample in run if sample.observation is not None]
        command = commands_at(by_topic.get(topics.command, []), times, robot)
        result.episodes.append(
            Episode(
                times[0], _stacked(observations, settings.sensors), trajectory.position,
                trajectory.velocity, trajectory.acceleration, command, False, False,
            )
        )  # fmt: skip


def _runs(samples: Sequence[Sample], origin: HeardState, cuts: list[str]) -> Iterator[list[Sample]]:
    """Samples under one goal, each with an observation."""
    run: list[Sample] = []
    refusal = ""
    for sample in samples:
        if run and (sample.observation is None or sample.epoch != run[-1].epoch):
            yield run
            run = []
        if sample.observation is not None:
            run.append(sample)
        elif sample.refusal and not refusal:
            at_s = seconds(sample.time_ns - origin.stamp_ns)
            cuts.append(f"at {at_s:.2f} s: {sample.refusal}")
        refusal = sample.refusal
    if run:
        yield run


def _around(states: list[HeardState], times: Sequence[int], margin_ns: int) -> list[HeardState]:
    """The states that the resampling of some times needs."""
    stamps = [state.stamp_ns for state in states]
    begin = max(0, bisect.bisect_left(stamps, times[0] - margin_ns) - 1)
    return states[begin : bisect.bisect_right(stamps, times[-1] + margin_ns) + 1]


def _stacked(observations: Sequence[Observation], sensors: Sequence[str]) -> dict[str, Array]:
    columns = {
        name: np.array([getattr(o, name) for o in observations])
        for name in ("position", "velocity", "goal")
    }
    columns |= {name: np.array([o.sensors[name] for o in observations]) for name in sensors}
    return columns


def _ended(episode: Episode, success: bool) -> Episode:
    """The last episode of a recording whose end is known."""
    return Episode(
        episode.start_ns, episode.observations, episode.position, episode.velocity,
        episode.acceleration, episode.command, success, True,
    )  # fmt: skip


def _at(first: HeardState, state: HeardState) -> str:
    return f"at {seconds(state.stamp_ns - first.stamp_ns):.2f} s"
