"""What the verbs that read a topic share: its name, its type, its publishers."""

import sys
from typing import Any, NamedTuple

from rclpy.exceptions import InvalidTopicNameException
from rclpy.expand_topic_name import expand_topic_name
from rclpy.validate_full_topic_name import validate_full_topic_name

from ros2cli.errors import CommandError
from ros2cli.graph import single_type, wait_for_types
from ros2cli.session import Session
from ros2cli.type_loading import load_type

# A type that is given needs no discovery; the QoS of the publishers does.
_PUBLISHER_WAIT_S = 1.0


class Topic(NamedTuple):
    """A topic that can be read."""

    name: str
    message_type: Any


def expand_name(session: Session, name: str) -> str:
    """Return the absolute name of a topic.

    Raises:
        CommandError: The name is invalid.
    """
    try:
        full = expand_topic_name(name, session.node.get_name(), session.node.get_namespace())
        validate_full_topic_name(full)
    except (ValueError, InvalidTopicNameException) as error:
        raise CommandError(
            f"Invalid topic name '{name}': {' '.join(str(error).split())}"
        ) from error
    return full


def resolve_topic(session: Session, name: str, given_type: str | None = None) -> Topic:
    """Find the type of a topic and wait a moment for its publishers.

    Args:
        session: The session.
        name: Topic name.
        given_type: Its type, if the user gave it.

    Raises:
        CommandError: The topic has no type yet, or several, or one that is not installed.
    """
    full = expand_name(session, name)
    if given_type is None:
        types = wait_for_types(session, "topic", full)
        if not types:
            raise CommandError(
                f"WARNING: topic [{name}] does not appear to be published yet\n"
                "Could not determine the type for the passed topic"
            )
        given_type = single_type("topic", full, types)
    topic = Topic(full, load_type(given_type, "msg"))
    session.spin_until(lambda: session.node.count_publishers(full) > 0, _PUBLISHER_WAIT_S)
    return topic


def wait_for_topic(session: Session, name: str) -> Topic:
    """Wait without end until a topic is published.

    Raises:
        CommandError: The topic has several types, or one that is not installed.
    """
    full = expand_name(session, name)
    types = wait_for_types(session, "topic", full)
    if not types:
        print(f"WARNING: topic [{name}] does not appear to be published yet", file=sys.stderr)
        types = wait_for_types(session, "topic", full, forever=True)
    return resolve_topic(session, name, single_type("topic", full, types))
