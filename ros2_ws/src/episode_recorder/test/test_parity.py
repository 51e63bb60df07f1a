"""A data set's observations are, bit for bit, those that the live planner would have had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from episode_recorder.bag_messages import read_bag
from episode_recorder.conversion import ConversionSettings, convert
from planner_core.clock import ManualClock
from planner_core.dataset_alignment import goal_vector
from planner_core.observing import ObservationBuffer
from planner_core.plan import GeneratorSpec, Observation
from planner_core.robots import load_robot
from planner_ros.clock import nanoseconds
from planner_ros.conversions import state_from_msg, world_scan

ROBOT = load_robot("crazyflie")
SPEC = GeneratorSpec("live", "crazyflie", ROBOT.names, 2, 0.1, 1, {"scan": 48})


def live_observations(bag: Path, instants_ns: list[int]) -> list[Observation]:
    """Every message into a planner's buffer as it came, a snapshot at each instant."""
    clock = ManualClock()
    buffer = ObservationBuffer(clock, 0.5)
    messages = read_bag(bag, ["/state", "/scan", "/goal"]).messages
    observations, following = [], 0
    for instant_ns in instants_ns:
        while following < len(messages) and messages[following].time_ns <= instant_ns:
            message = messages[following]
            clock.jump((message.time_ns - clock.now_ns()) * 1e-9)
            msg, position = message.decode(), buffer.position
            stamp_ns = nanoseconds(msg.header.stamp)
            if message.topic == "/state":
                buffer.take_state(stamp_ns, *state_from_msg(msg, ROBOT), nanoseconds(msg.measured))
            elif message.topic == "/goal":
                goal = goal_vector(ROBOT, msg.names, msg.values, position)
                buffer.take_goal(goal, msg.epoch, stamp_ns)
            elif position is not None:
                buffer.take_sensor("scan", stamp_ns, world_scan(msg, float(position[3])))
            following += 1
        clock.jump((instant_ns - clock.now_ns()) * 1e-9)
        snapshot = buffer.snapshot(SPEC)
        assert snapshot is not None
        observations.append(snapshot.observation)
    return observations


def test_observations_are_those_of_the_live_planner(write_bag: Callable[..., Path]) -> None:
    bag = write_bag()
    (episode,) = convert(bag, ROBOT, ConversionSettings()).episodes
    instants = [episode.start_ns + i * 100_000_000 for i in range(episode.steps + 1)]
    live = live_observations(bag, instants)
    for name in ("position", "velocity", "goal"):
        expected = np.array([getattr(observation, name) for observation in live])
        assert episode.observations[name].tobytes() == expected.tobytes(), name
    scans = np.array([observation.sensors["scan"] for observation in live])
    assert episode.observations["scan"].tobytes() == scans.tobytes()
    assert len({row.tobytes() for row in scans}) == len(scans), "each sample has a scan of its own"
