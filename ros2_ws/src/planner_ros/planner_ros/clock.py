"""ROS time and steady time of a node, as planner_core's `Clock`."""

from __future__ import annotations

import time
from collections.abc import Callable

from builtin_interfaces.msg import Duration as DurationMsg
from builtin_interfaces.msg import Time as TimeMsg
from planner_core.clock import NS_PER_S
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.timer import Timer


class RosClock:
    """The clocks of a node.

    Args:
        node: Its clock gives ROS time, simulated where ``use_sim_time`` is set.
    """

    def __init__(self, node: Node) -> None:
        self._clock = node.get_clock()

    def now_ns(self) -> int:
        """ROS time [ns]."""
        return int(self._clock.now().nanoseconds)

    def steady_ns(self) -> int:
        """Steady time [ns]."""
        return time.monotonic_ns()


def steady_timer(node: Node, period_s: float, callback: Callable[[], None]) -> Timer:
    """A timer on the steady clock, for what goes on when ROS time stands still or goes back."""
    return node.create_timer(period_s, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))


def time_msg(nanoseconds: int) -> TimeMsg:
    """ROS time [ns] as a message."""
    sec, nanosec = divmod(nanoseconds, NS_PER_S)
    return TimeMsg(sec=sec, nanosec=nanosec)


def duration_msg(seconds: float) -> DurationMsg:
    """A duration [s] as a message."""
    sec, nanosec = divmod(round(seconds * NS_PER_S), NS_PER_S)
    return DurationMsg(sec=sec, nanosec=nanosec)


def nanoseconds(msg: TimeMsg | DurationMsg) -> int:
    """A time or duration message in nanoseconds."""
    return int(msg.sec) * NS_PER_S + int(msg.nanosec)
