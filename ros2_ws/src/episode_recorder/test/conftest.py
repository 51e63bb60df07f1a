"""Bags of flights that nobody flew: along a known curve, with known messages."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from episode_recorder.bag_metadata import Topic
from episode_recorder.bag_writer import BagWriter, Splitting
from episode_recorder.message_definitions import type_hash
from episode_recorder.offered_qos import stored_qos
from planner_interfaces.msg import Command, Goal, RobotState
from planner_ros.clock import time_msg
from planner_ros.qos import LATCHED, LATEST
from rclpy.serialization import serialize_message
from sensor_msgs.msg import LaserScan
from std_msgs.msg import String

START_NS = 1_700_000_000_000_000_000
MS = 1_000_000
TYPES = {
    "/state": (RobotState, "planner_interfaces/msg/RobotState", LATEST),
    "/scan": (LaserScan, "sensor_msgs/msg/LaserScan", LATEST),
    "/goal": (Goal, "planner_interfaces/msg/Goal", LATCHED),
    "/command": (Command, "planner_interfaces/msg/Command", LATEST),
    "/world/description": (String, "std_msgs/msg/String", LATCHED),
}


def topic(name: str) -> Topic:
    """A topic of a flight as the recorder announces it."""
    _, type_name, qos = TYPES[name]
    return Topic(name, type_name, type_hash(type_name), [stored_qos(qos)])


def curve(t: float) -> tuple[list[float], list[float], list[float]]:
    """Position, velocity and acceleration of the flight at a time [s]."""
    return (
        [math.sin(t), 0.5 * t, 1.0, 0.0],
        [math.cos(t), 0.5, 0.0, 0.0],
        [-math.sin(t), 0.0, 0.0, 0.0],
    )


def state_at(t: float, stamp_ns: int) -> RobotState:
    position, velocity, _ = curve(t)
    msg = RobotState(robot="crazyflie", names=["x", "y", "z", "yaw"], status=RobotState.VALID)
    msg.header.stamp, msg.header.frame_id = time_msg(stamp_ns), "map"
    msg.position, msg.velocity, msg.measured = position, velocity, time_msg(stamp_ns - MS)
    return msg


def scan_at(t: float, stamp_ns: int) -> LaserScan:
    msg = LaserScan(range_min=0.0, range_max=4.0, angle_increment=2 * math.pi / 48)
    msg.header.stamp = time_msg(stamp_ns)
    msg.ranges = (2.0 + np.sin(np.arange(48) + t)).astype(np.float32).tolist()
    return msg


def goal_msg(epoch: int, stamp_ns: int) -> Goal:
    msg = Goal(kind=Goal.REACH, epoch=epoch, names=["x", "y", "z"], values=[0.0, 5.0, 1.0])
    msg.header.stamp = time_msg(stamp_ns)
    return msg


def command_at(t: float, stamp_ns: int) -> Command:
    position, velocity, acceleration = curve(t)
    msg = Command(robot="crazyflie", mode=Command.TRACK, names=["x", "y", "z", "yaw"], sequence=1)
    msg.header.stamp, msg.header.frame_id = time_msg(stamp_ns), "map"
    msg.position, msg.velocity, msg.acceleration = position, velocity, acceleration
    return msg


def flight_messages(seconds: float) -> list[tuple[str, int, Any]]:
    """Topic, reception time [ns] and message of a flight; data are 2 ms under way."""
    messages: list[tuple[str, int, Any]] = [
        ("/world/description", START_NS, String(data="name: nowhere")),
        ("/goal", START_NS + 5 * MS, goal_msg(1, START_NS + 5 * MS)),
    ]
    for i in range(round(seconds * 100)):
        t, stamp_ns = i * 0.01, START_NS + i * 10 * MS
        messages.append(("/state", stamp_ns + 2 * MS, state_at(t, stamp_ns)))
        messages.append(("/command", stamp_ns + 3 * MS, command_at(t, stamp_ns)))
        if i % 2 == 0:
            messages.append(("/scan", stamp_ns + 4 * MS, scan_at(t, stamp_ns)))
    return sorted(messages, key=lambda entry: entry[1])


WriteBag = Callable[..., Path]


@pytest.fixture
def write_bag(tmp_path: Path) -> WriteBag:
    """Writes a flight as a bag."""

    def write(
        name: str = "flight",
        seconds: float = 3.0,
        *,
        change: Callable[[list[tuple[str, int, Any]]], list[tuple[str, int, Any]]] = lambda m: m,
        outcome: str = "success",
        splitting: Splitting | None = None,
        spoil: Callable[[bytes], bytes] = lambda data: data,
    ) -> Path:
        bag = BagWriter(
            tmp_path / name, {"seed": "{}"}, splitting=splitting or Splitting(), ros_distro="jazzy"
        )
        for topic_name in TYPES:
            bag.add_topic(topic(topic_name))
        for topic_name, time_ns, message in change(flight_messages(seconds)):
            bag.write(topic_name, time_ns, spoil(serialize_message(message)))
        bag.close({"outcome": outcome})
        return tmp_path / name

    return write


@pytest.fixture
def flown() -> Callable[[float], tuple[list[float], list[float], list[float]]]:
    """Position, velocity and acceleration of the flight at a time [s]."""
    return curve
