"""``ros2 topic echo``: print the messages of a topic."""

import argparse
from collections.abc import Callable
from typing import Any

from ros2cli.errors import CommandError
from ros2cli.message_text import (
    DEFAULT_TRUNCATE_LENGTH,
    TextStyle,
    select_field,
    value_to_csv,
    value_to_text,
)
from ros2cli.qos_options import add_qos_options, matching_qos, qos_from_options
from ros2cli.session import Session
from ros2cli.subcommands import Verbs, non_negative_int, positive_float
from ros2cli.topic_input import resolve_topic

_DEPTH = 10


def add_arguments(verbs: Verbs) -> None:
    """Declare the verb."""
    parser = verbs.add("echo", _echo, "Print the messages of a topic")
    parser.add_argument("topic_name")
    parser.add_argument("message_type", nargs="?", help="Its type, to subscribe before discovery")
    parser.add_argument("--once", action="store_true", help="Print one message and exit")
    parser.add_argument(
        "--timeout",
        type=positive_float,
        metavar="SECONDS",
        help="Fail without a message for so long",
    )
    parser.add_argument("--field", metavar="PATH", help="Only this field, such as pose.position.x")
    parser.add_argument("--csv", action="store_true", help="All scalars, separated by commas")
    parser.add_argument("--raw", action="store_true", help="The serialised bytes")
    parser.add_argument("--flow-style", action="store_true", help="YAML in one line")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("-f", "--full-length", action="store_true", help="Truncate nothing")
    length.add_argument(
        "-l",
        "--truncate-length",
        type=non_negative_int,
        default=DEFAULT_TRUNCATE_LENGTH,
        help=f"Longest array or string shown in full (default: {DEFAULT_TRUNCATE_LENGTH})",
    )
    parser.add_argument("--no-arr", action="store_true", help="Show no elements of arrays")
    parser.add_argument("--no-str", action="store_true", help="Show no text of strings")
    add_qos_options(parser, "subscribe", "what matches the publishers")


def _echo(args: argparse.Namespace) -> None:
    if args.raw and (args.field or args.csv):
        raise CommandError("--raw cannot be combined with --field or --csv")
    with Session() as session:
        topic = resolve_topic(session, args.topic_name, args.message_type)
        publishers = session.node.get_publishers_info_by_topic(topic.name)
        printer = _Printer(args)
        session.node.create_subscription(
            topic.message_type,
            topic.name,
            printer,
            qos_from_options(args, matching_qos(publishers, _DEPTH)),
            raw=args.raw,
        )
        while session.spin_until(printer.has_printed, args.timeout):
            if args.once:
                return
        raise CommandError(f"No message on '{topic.name}' for {args.timeout:g} s")


class _Printer:
    """The subscription callback."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._count = 0
        self._seen = 0
        self._once = args.once
        self._field = args.field
        self._csv = args.csv
        self._style = TextStyle(
            truncate_length=None if args.full_length else args.truncate_length,
            hide_arrays=args.no_arr,
            hide_strings=args.no_str,
            flow=args.flow_style,
        )
        self._show: Callable[[Any], str] = repr if args.raw else self._text

    def __call__(self, message: Any) -> None:
        if self._once and self._count:
            return  # a burst came before the command could stop
        self._count += 1
        # Flushed at once: readers at the other end of a pipe want messages as they come.
        print(self._show(message), end="\n" if self._csv else "\n---\n", flush=True)

    def has_printed(self) -> bool:
        """Tell whether anything was printed since the last call."""
        seen, self._seen = self._seen, self._count
        return self._count > seen

    def _text(self, message: Any) -> str:
        value = select_field(message, self._field) if self._field else message
        return (value_to_csv if self._csv else value_to_text)(value, self._style)
