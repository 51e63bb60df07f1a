"""``ros2 topic hz``, ``bw`` and ``delay``: statistics of a topic, once a second."""

import argparse
import itertools
import statistics
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ros2cli.errors import CommandError
from ros2cli.qos_options import matching_qos
from ros2cli.session import Session
from ros2cli.subcommands import Verbs, positive_int
from ros2cli.topic_input import Topic, wait_for_topic

_REPORT_S = 1.0
_DEPTH = 100


def add_arguments(verbs: Verbs) -> None:
    """Declare the verbs."""
    for name, run, text, window in (
        ("hz", _hz, "Print the rate of a topic", 10000),
        ("bw", _bw, "Print the bandwidth of a topic", 100),
        ("delay", _delay, "Print the age of the messages, from their header", 10000),
    ):
        parser = verbs.add(name, run, text)
        parser.add_argument("topic_name")
        parser.add_argument(
            "-w",
            "--window",
            type=positive_int,
            default=window,
            metavar="N",
            help=f"Number of messages to average over (default: {window})",
        )


def _report(
    session: Session,
    topic: Topic,
    callback: Callable[[Any], None],
    text: Callable[[], str | None],
    *,
    raw: bool,
) -> None:
    """Subscribe, and print a text every second until a signal arrives."""
    publishers = session.node.get_publishers_info_by_topic(topic.name)
    session.node.create_subscription(
        topic.message_type, topic.name, callback, matching_qos(publishers, _DEPTH), raw=raw
    )
    while True:
        session.sleep(_REPORT_S)
        line = text()
        if line is not None:
            print(line, flush=True)


def _hz(args: argparse.Namespace) -> None:
    window = IntervalWindow(args.window)
    with Session() as session:
        topic = wait_for_topic(session, args.topic_name)
        # Raw: the rate is that of the topic, not that of deserialising in Python.
        _report(session, topic, lambda _: window.add(time.monotonic()), window.text, raw=True)


def _bw(args: argparse.Namespace) -> None:
    window = SizeWindow(args.window)
    with Session() as session:
        topic = wait_for_topic(session, args.topic_name)
        print(f"Subscribed to [{topic.name}]", flush=True)
        _report(
            session,
            topic,
            lambda data: window.add(time.monotonic(), len(data)),
            window.text,
            raw=True,
        )


def _delay(args: argparse.Namespace) -> None:
    window = DelayWindow(args.window)
    with Session() as session:
        topic = wait_for_topic(session, args.topic_name)
        if topic.message_type.get_fields_and_field_types().get("header") != "std_msgs/Header":
            raise CommandError("msg does not have header")
        clock = session.node.get_clock()

        def add(message: Any) -> None:
            sent = message.header.stamp
            window.add(clock.now().nanoseconds * 1e-9 - (sent.sec + sent.nanosec * 1e-9))

        _report(session, topic, add, window.text, raw=False)


class IntervalWindow:
    """The intervals between the latest messages [s].

    Args:
        length: Number of messages to keep.
    """

    def __init__(self, length: int) -> None:
        self._times_s: deque[float] = deque(maxlen=length)
        self._new = False

    def add(self, time_s: float) -> None:
        """Note the arrival of a message."""
        self._times_s.append(time_s)
        self._new = True

    def text(self) -> str | None:
        """Describe the window; None if nothing has come since the last call."""
        new, self._new = self._new, False
        if not new or len(self._times_s) < 2:
            return None
        times = list(self._times_s)
        gaps = [after - before for before, after in itertools.pairwise(times)]
        mean = statistics.fmean(gaps)
        rate = 1.0 / mean if mean > 0.0 else 0.0
        return (
            f"average rate: {rate:.3f}\n"
            f"\tmin: {min(gaps):.3f}s max: {max(gaps):.3f}s "
            f"std dev: {statistics.pstdev(gaps):.5f}s window: {len(times)}"
        )


class DelayWindow:
    """The ages of the latest messages on arrival [s].

    Args:
        length: Number of messages to keep.
    """

    def __init__(self, length: int) -> None:
        self._delays_s: deque[float] = deque(maxlen=length)
        self._new = False

    def add(self, delay_s: float) -> None:
        """Note the age of a message."""
        self._delays_s.append(delay_s)
        self._new = True

    def text(self) -> str | None:
        """Describe the window; None if nothing has come since the last call."""
        new, self._new = self._new, False
        if not new:
            return None
        delays = list(self._delays_s)
        return (
            f"average delay: {statistics.fmean(delays):.3f}\n"
            f"\tmin: {min(delays):.3f}s max: {max(delays):.3f}s "
            f"std dev: {statistics.pstdev(delays):.5f}s window: {len(delays)}"
        )


class SizeWindow:
    """The sizes of the latest messages.

    Args:
        length: Number of messages to keep.
    """

    def __init__(self, length: int) -> None:
        self._entries: deque[tuple[float, int]] = deque(maxlen=length)

    def add(self, time_s: float, size: int) -> None:
        """Note a message of so many bytes."""
        self._entries.append((time_s, size))

    def text(self, now_s: float | None = None) -> str | None:
        """Describe the window up to a time [s]; None while it spans none."""
        if len(self._entries) < 2:
            return None
        now_s = time.monotonic() if now_s is None else now_s
        sizes = [size for _, size in self._entries]
        span_s = now_s - self._entries[0][0]
        if span_s <= 0.0:
            return None
        return (
            f"{_size_text(sum(sizes) / span_s)}/s from {len(sizes)} messages\n"
            f"\tMessage size mean: {_size_text(statistics.fmean(sizes))} "
            f"min: {_size_text(min(sizes))} max: {_size_text(max(sizes))}"
        )


def _size_text(size: float) -> str:
    if size < 1e3:
        return f"{size:.0f} B"
    if size < 1e6:
        return f"{size / 1e3:.2f} KB"
    return f"{size / 1e6:.2f} MB"
