"""Playing: a bag's messages, published at the pace at which they came."""

import sys
import time
from collections.abc import Collection

from rclpy.duration import Duration
from rclpy.publisher import Publisher
from rosbags.interfaces import Connection, ConnectionExtRosbag2
from rosbags.rosbag2 import Reader
from rosgraph_msgs.msg import Clock

from ros2cli.bag.offered_qos import for_playback
from ros2cli.errors import CommandError
from ros2cli.session import Session
from ros2cli.type_loading import load_type

_NS_PER_S = 10**9
# Longer than the 3 s between the heartbeats of Fast DDS, which ask for what is missing.
_ACKNOWLEDGE_TIMEOUT = Duration(seconds=4)


class Player:
    """Publishes the messages of a bag.

    Args:
        session: The session.
        reader: The opened bag.
        topics: Only these; all if empty.
        rate: Seconds of the bag for each second.
        clock_hz: Rate of ``/clock`` [Hz], in the time of the bag; none if None.

    Raises:
        CommandError: The bag has none of the topics, or a type is not installed.
    """

    def __init__(
        self,
        session: Session,
        reader: Reader,
        topics: Collection[str],
        *,
        rate: float = 1.0,
        clock_hz: float | None = None,
    ) -> None:
        self._session = session
        self._reader = reader
        self._rate = rate
        missing = sorted(set(topics) - set(reader.topics))
        if missing:
            raise CommandError(
                f"The bag has no topic {', '.join(missing)}; it has: "
                f"{', '.join(sorted(reader.topics)) or 'none'}"
            )
        self._connections: list[Connection] = [
            connection
            for connection in reader.connections
            if not topics or connection.topic in topics
        ]
        if clock_hz is not None and any(each.topic == "/clock" for each in self._connections):
            raise CommandError("--clock: the bag has a /clock of its own")
        self._publishers = self._create_publishers()
        self._clock_publisher = (
            None if clock_hz is None else session.node.create_publisher(Clock, "/clock", 10)
        )
        self._clock_period_s = None if clock_hz is None else 1.0 / clock_hz
        self._clock_due_s = 0.0

    def _create_publishers(self) -> dict[str, Publisher]:
        publishers = {}
        for connection in self._connections:
            if connection.topic not in publishers:
                offered = [
                    qos
                    for each in self._connections
                    if each.topic == connection.topic and isinstance(each.ext, ConnectionExtRosbag2)
                    for qos in each.ext.offered_qos_profiles
                ]
                publishers[connection.topic] = self._session.node.create_publisher(
                    load_type(connection.msgtype, "msg"), connection.topic, for_playback(offered)
                )
        return publishers

    def wait_for_subscriptions(self) -> None:
        """Let the subscriptions that are in the graph find the new publishers."""
        self._session.settle()

    def play(self) -> int:
        """Publish all messages once.

        Returns:
            How many.

        Raises:
            Interrupted: SIGINT or SIGTERM was received.
        """
        count = 0
        start_s = time.monotonic()
        first_ns: int | None = None
        for connection, time_ns, data in self._reader.messages(connections=self._connections):
            if first_ns is None:
                first_ns = time_ns
            self._wait(start_s, first_ns, time_ns)
            self._publishers[connection.topic].publish(bytes(data))
            count += 1
        return count

    def finish(self) -> None:
        """Wait until reliable subscriptions have what was published."""
        for topic, publisher in self._publishers.items():
            if not publisher.wait_for_all_acked(_ACKNOWLEDGE_TIMEOUT):
                print(
                    f"WARNING: topic '{topic}': a subscription did not take all messages",
                    file=sys.stderr,
                )

    def _wait(self, start_s: float, first_ns: int, time_ns: int) -> None:
        """Wait until a message is due, and keep the clock going meanwhile."""
        # From the start, not from the last message: the pace does not drift.
        due_s = start_s + (time_ns - first_ns) / _NS_PER_S / self._rate
        while True:
            now_s = time.monotonic()
            self._tick(
                now_s, first_ns + int((min(now_s, due_s) - start_s) * self._rate * _NS_PER_S)
            )
            if now_s >= due_s:
                self._session.check_signals()
                return
            until_s = due_s if self._clock_period_s is None else min(due_s, self._clock_due_s)
            self._session.spin_once(max(0.0, until_s - now_s))

    def _tick(self, now_s: float, bag_ns: int) -> None:
        if self._clock_publisher is None or now_s < self._clock_due_s:
            return
        message = Clock()
        message.clock.sec, message.clock.nanosec = divmod(bag_ns, _NS_PER_S)
        self._clock_publisher.publish(message)
        assert self._clock_period_s is not None
        self._clock_due_s = now_s + self._clock_period_s
