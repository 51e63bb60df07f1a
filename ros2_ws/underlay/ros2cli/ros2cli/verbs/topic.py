"""``ros2 topic``: the verbs, and those of them that only look at the graph."""

import argparse

from ros2cli import topic_echo, topic_pub, topic_rates
from ros2cli.errors import CommandError
from ros2cli.graph import absolute_name, add_spin_time, topics, wait_for_types
from ros2cli.session import Session
from ros2cli.subcommands import Verbs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs of the group."""
    verbs = Verbs(parser)
    listing = verbs.add("list", _list, "List the topics")
    add_spin_time(listing)
    listing.add_argument("-t", "--show-types", action="store_true", help="Show the types too")
    listing.add_argument("-c", "--count-topics", action="store_true", help="Print the number only")
    listing.add_argument(
        "-a", "--include-hidden-topics", action="store_true", help="Include hidden topics"
    )
    listing.add_argument("-v", "--verbose", action="store_true", help="Show the endpoints too")

    info = verbs.add("info", _info, "Print the type and the endpoints of a topic")
    add_spin_time(info)
    info.add_argument("topic_name")
    info.add_argument("-v", "--verbose", action="store_true", help="Show nodes, QoS and type hash")

    type_of = verbs.add("type", _type, "Print the type of a topic")
    add_spin_time(type_of)
    type_of.add_argument("topic_name")

    find = verbs.add("find", _find, "List the topics of a type")
    add_spin_time(find)
    find.add_argument("topic_type")
    find.add_argument("-c", "--count-topics", action="store_true", help="Print the number only")
    find.add_argument("-a", "--include-hidden-topics", action="store_true")

    topic_echo.add_arguments(verbs)
    topic_pub.add_arguments(verbs)
    topic_rates.add_arguments(verbs)


def _list(args: argparse.Namespace) -> None:
    with Session() as session:
        session.settle(args.spin_time)
        found = topics(session, include_hidden=args.include_hidden_topics)
        if args.count_topics:
            print(len(found))
        elif args.verbose:
            _print_endpoints(session, found)
        else:
            for name, types in found:
                print(f"{name} [{', '.join(types)}]" if args.show_types else name)


def _print_endpoints(session: Session, found: list[tuple[str, list[str]]]) -> None:
    for title, noun, count in (
        ("Published", "publisher", session.node.count_publishers),
        ("Subscribed", "subscriber", session.node.count_subscribers),
    ):
        print(f"{title} topics:")
        for name, types in found:
            number = count(name)
            if number:
                plural = "" if number == 1 else "s"
                print(f" * {name} [{', '.join(types)}] {number} {noun}{plural}")
        print()


def _info(args: argparse.Namespace) -> None:
    name = absolute_name(args.topic_name)
    with Session() as session:
        types = wait_for_types(session, "topic", name)
        if not types:
            raise CommandError(f"Unknown topic '{args.topic_name}'")
        # The topic is known by its first endpoint; the others may still be on their way.
        session.settle(args.spin_time)
        print(f"Type: {types[0] if len(types) == 1 else types}")
        for title, endpoints in (
            ("Publisher", session.node.get_publishers_info_by_topic(name)),
            ("Subscription", session.node.get_subscriptions_info_by_topic(name)),
        ):
            if args.verbose:
                print(f"\n{title} count: {len(endpoints)}")
                for endpoint in endpoints:
                    print(f"\n{endpoint}")
            else:
                print(f"{title} count: {len(endpoints)}")
        if args.verbose:
            print()


def _type(args: argparse.Namespace) -> int:
    with Session() as session:
        types = wait_for_types(session, "topic", absolute_name(args.topic_name))
        for text in types:
            print(text)
        return 0 if types else 1


def _find(args: argparse.Namespace) -> None:
    with Session() as session:
        session.settle(args.spin_time)
        found = topics(session, include_hidden=args.include_hidden_topics)
        names = [name for name, types in found if args.topic_type in types]
        if args.count_topics:
            print(len(names))
        else:
            for name in names:
                print(name)
