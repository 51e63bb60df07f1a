"""``ros2 topic pub``: publish messages given as YAML."""

import argparse
import time
from collections.abc import Callable

from rclpy.qos import QoSPresetProfiles

from ros2cli.errors import CommandError
from ros2cli.message_input import message_from_text, stamp
from ros2cli.qos_options import add_qos_options, qos_from_options
from ros2cli.session import Session
from ros2cli.subcommands import (
    Verbs,
    non_negative_float,
    non_negative_int,
    positive_float,
    positive_int,
)
from ros2cli.topic_input import expand_name
from ros2cli.type_loading import load_type

_REMINDER_S = 1.0


def add_arguments(verbs: Verbs) -> None:
    """Declare the verb."""
    parser = verbs.add("pub", _pub, "Publish messages to a topic")
    parser.add_argument("topic_name")
    parser.add_argument("message_type", help="Its type, such as std_msgs/msg/String")
    parser.add_argument(
        "values", nargs="?", default="{}", help="The message as YAML; 'auto' and 'now' for stamps"
    )
    parser.add_argument(
        "-r", "--rate", type=positive_float, default=1.0, metavar="HZ", help="Rate (default: 1)"
    )
    parser.add_argument(
        "-p", "--print", type=non_negative_int, default=1, metavar="N", help="Print every N-th"
    )
    number = parser.add_mutually_exclusive_group()
    number.add_argument("-1", "--once", action="store_true", help="Publish one message and exit")
    number.add_argument(
        "-t", "--times", type=positive_int, metavar="N", help="Publish N, then exit"
    )
    parser.add_argument(
        "-w",
        "--wait-matching-subscriptions",
        type=non_negative_int,
        metavar="N",
        help="Wait for N subscriptions (default: 1 with --once or --times, else 0)",
    )
    parser.add_argument(
        "--max-wait-time-secs", type=positive_float, metavar="SECONDS", help="Longest such wait"
    )
    parser.add_argument(
        "--keep-alive",
        type=non_negative_float,
        default=0.1,
        metavar="SECONDS",
        help="Stay so long after the last message (default: 0.1)",
    )
    parser.add_argument("-n", "--node-name", help="Name of the publishing node")
    add_qos_options(parser, "publish", "default")


def _pub(args: argparse.Namespace) -> None:
    message, stamps = message_from_text(load_type(args.message_type, "msg"), args.values)
    times = 1 if args.once else args.times
    with Session(args.node_name) as session:
        publisher = session.node.create_publisher(
            type(message),
            expand_name(session, args.topic_name),
            qos_from_options(args, QoSPresetProfiles.DEFAULT.value),
        )
        wanted = args.wait_matching_subscriptions
        if wanted is None:
            wanted = 1 if times else 0
        _wait_for_subscriptions(
            session, publisher.get_subscription_count, wanted, args.max_wait_time_secs
        )
        print("publisher: beginning loop", flush=True)
        start_s, count = time.monotonic(), 0
        while times is None or count < times:
            count += 1
            stamp(stamps, session.node.get_clock().now().to_msg())
            if args.print and count % args.print == 0:
                print(f"publishing #{count}: {message!r}\n", flush=True)
            publisher.publish(message)
            if count != times:
                # Against the start, not the last message: the rate does not drift.
                session.sleep(start_s + count / args.rate - time.monotonic())
        session.sleep(args.keep_alive)


def _wait_for_subscriptions(
    session: Session, count: Callable[[], int], wanted: int, longest_s: float | None
) -> None:
    deadline_s = None if longest_s is None else time.monotonic() + longest_s
    while count() < wanted:
        if deadline_s is not None and time.monotonic() >= deadline_s:
            raise CommandError(
                f"Timed out waiting for {wanted} matching subscription(s): have {count()}"
            )
        print(f"Waiting for at least {wanted} matching subscription(s)...", flush=True)
        patience_s = _REMINDER_S
        if deadline_s is not None:
            patience_s = min(patience_s, deadline_s - time.monotonic())
        session.spin_until(lambda: count() >= wanted, patience_s)
