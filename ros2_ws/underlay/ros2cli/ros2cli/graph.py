"""What the graph contains, and which of it is hidden."""

import argparse
from collections.abc import Iterable
from typing import NamedTuple

from rclpy.topic_or_service_is_hidden import topic_or_service_is_hidden

from ros2cli.errors import CommandError
from ros2cli.session import Session
from ros2cli.subcommands import positive_float

NamesAndTypes = list[tuple[str, list[str]]]


class NodeName(NamedTuple):
    """Name and namespace of a node in the graph."""

    name: str
    namespace: str

    @property
    def full_name(self) -> str:
        """The namespace and the name, joined by one slash."""
        return f"{self.namespace.rstrip('/')}/{self.name}"

    @property
    def hidden(self) -> bool:
        """Whether lists omit the node: its name starts with an underscore."""
        return self.name.startswith("_")


def add_spin_time(parser: argparse.ArgumentParser) -> None:
    """Declare the options on discovery that all graph verbs share."""
    parser.add_argument(
        "--spin-time",
        type=positive_float,
        metavar="SECONDS",
        help="Wait exactly so long for discovery (default: until the graph stops changing)",
    )
    parser.add_argument(
        "--no-daemon", action="store_true", help="Accepted: there is no daemon in this tool"
    )


def absolute_name(name: str) -> str:
    """Return a name with its leading slash."""
    return name if name.startswith("/") else f"/{name}"


def node_names(session: Session, *, include_hidden: bool) -> list[NodeName]:
    """Return the nodes of the graph, sorted; a name occurs as often as it is in use."""
    names = sorted(
        NodeName(name, namespace)
        for name, namespace in session.node.get_node_names_and_namespaces()
    )
    # This command is no part of the graph that the user asks about.
    names = [name for name in names if name.name != session.node.get_name()]
    names = [name for name in names if include_hidden or not name.hidden]
    return sorted(names, key=lambda name: name.full_name)


def find_node(session: Session, name: str) -> NodeName | None:
    """Wait for a node to be seen; None if it is not in the discovery time."""
    wanted = absolute_name(name)

    def matches() -> list[NodeName]:
        nodes = node_names(session, include_hidden=True)
        return [node for node in nodes if node.full_name == wanted]

    return matches()[0] if session.discover(lambda: bool(matches())) else None


def require_node(session: Session, name: str) -> NodeName:
    """Wait for a node to be seen.

    Raises:
        CommandError: It is not seen in the discovery time.
    """
    node = find_node(session, name)
    if node is None:
        raise CommandError("Node not found")
    return node


def visible(names: Iterable[tuple[str, list[str]]], include_hidden: bool) -> NamesAndTypes:
    """Sort topics or services, and drop the hidden ones unless they are asked for."""
    return sorted(
        (name, types)
        for name, types in names
        if include_hidden or not topic_or_service_is_hidden(name)
    )


def topics(session: Session, *, include_hidden: bool) -> NamesAndTypes:
    """Return the topics and their types, sorted."""
    return visible(session.node.get_topic_names_and_types(), include_hidden)


def services(session: Session, *, include_hidden: bool) -> NamesAndTypes:
    """Return the services and their types, sorted."""
    return visible(session.node.get_service_names_and_types(), include_hidden)


def single_type(kind: str, name: str, types: list[str]) -> str:
    """Return the only type of a topic, service or action.

    Raises:
        CommandError: It has several.
    """
    if len(types) > 1:
        raise CommandError(f"The {kind} '{name}' has more than one type: [{', '.join(types)}]")
    return types[0]


def wait_for_types(session: Session, source: str, name: str, *, forever: bool = False) -> list[str]:
    """Wait until a topic or service has a type.

    Args:
        session: The session.
        source: "topic" or "service".
        name: Absolute name.
        forever: Wait until it appears, not only until the graph is complete.

    Returns:
        Its types; empty if it is not in the graph.
    """
    listing = {
        "topic": session.node.get_topic_names_and_types,
        "service": session.node.get_service_names_and_types,
    }[source]

    def types() -> list[str]:
        return dict(listing()).get(name, [])

    wait = session.spin_until if forever else session.discover
    wait(lambda: bool(types()))
    return types()
