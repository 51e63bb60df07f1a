"""``ros2 node``: the nodes and what each of them offers."""

import argparse
from collections.abc import Callable

from rclpy.action import (
    get_action_client_names_and_types_by_node,
    get_action_server_names_and_types_by_node,
)
from rclpy.node import Node

from ros2cli.errors import CommandError
from ros2cli.graph import NodeName, add_spin_time, find_node, node_names, visible
from ros2cli.session import Session
from ros2cli.subcommands import Verbs

# Title -> names and types of one node, in the order of the output.
_SECTIONS: dict[str, Callable[[Node, str, str], list[tuple[str, list[str]]]]] = {
    "Subscribers": Node.get_subscriber_names_and_types_by_node,
    "Publishers": Node.get_publisher_names_and_types_by_node,
    "Service Servers": Node.get_service_names_and_types_by_node,
    "Service Clients": Node.get_client_names_and_types_by_node,
    "Action Servers": get_action_server_names_and_types_by_node,
    "Action Clients": get_action_client_names_and_types_by_node,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs of the group."""
    verbs = Verbs(parser)
    listing = verbs.add("list", _list, "List the nodes")
    add_spin_time(listing)
    listing.add_argument("-a", "--all", action="store_true", help="Include hidden nodes")
    listing.add_argument("-c", "--count-nodes", action="store_true", help="Print the number only")

    info = verbs.add("info", _info, "Print what a node publishes, subscribes to and serves")
    add_spin_time(info)
    info.add_argument("node_name")
    info.add_argument("--include-hidden", action="store_true", help="Include hidden names")


def _list(args: argparse.Namespace) -> None:
    with Session() as session:
        session.settle(args.spin_time)
        names = [node.full_name for node in node_names(session, include_hidden=args.all)]
    if args.count_nodes:
        print(len(names))
        return
    _warn_of_duplicates(names)
    for name in names:
        print(name)


def _warn_of_duplicates(names: list[str]) -> None:
    if len(set(names)) < len(names):
        print(
            "WARNING: Be aware that there are nodes in the graph that share an exact name, which "
            "can have unintended side effects."
        )


def _info(args: argparse.Namespace) -> None:
    with Session() as session:
        node = find_node(session, args.node_name)
        if node is None:
            raise CommandError(f"Unable to find node '{args.node_name}'")
        # The node is known before its endpoints are.
        session.settle(args.spin_time)
        same = [
            other.full_name for other in node_names(session, include_hidden=True) if other == node
        ]
        _warn_of_duplicates(same)
        print(node.full_name)
        for title, listing in _SECTIONS.items():
            print(f"  {title}:")
            for name, types in _entries(session, node, listing, args.include_hidden):
                print(f"    {name}: {', '.join(types)}")
            if title in ("Service Clients", "Action Servers", "Action Clients"):
                print()


def _entries(
    session: Session,
    node: NodeName,
    listing: Callable[[Node, str, str], list[tuple[str, list[str]]]],
    include_hidden: bool,
) -> list[tuple[str, list[str]]]:
    return visible(listing(session.node, node.name, node.namespace), include_hidden)
