"""``ros2 action``: list, look up and use actions."""

import argparse
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import (
    ActionClient,
    get_action_client_names_and_types_by_node,
    get_action_names_and_types,
    get_action_server_names_and_types_by_node,
)
from rclpy.node import Node

from ros2cli.errors import CommandError, Interrupted
from ros2cli.graph import absolute_name, add_spin_time, node_names
from ros2cli.message_input import message_from_text, stamp
from ros2cli.message_text import message_to_yaml
from ros2cli.session import Session
from ros2cli.subcommands import Verbs
from ros2cli.type_loading import load_type

_STATUS_NAMES = {
    getattr(GoalStatus, f"STATUS_{name}"): name
    for name in (
        "UNKNOWN",
        "ACCEPTED",
        "EXECUTING",
        "CANCELING",
        "SUCCEEDED",
        "CANCELED",
        "ABORTED",
    )
}
_CANCEL_TIMEOUT_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs of the group."""
    verbs = Verbs(parser)
    listing = verbs.add("list", _list, "List the actions")
    add_spin_time(listing)
    listing.add_argument("-t", "--show-types", action="store_true", help="Show the types too")
    listing.add_argument("-c", "--count-actions", action="store_true", help="Print the number only")

    type_of = verbs.add("type", _type, "Print the type of an action")
    add_spin_time(type_of)
    type_of.add_argument("action_name")

    info = verbs.add("info", _info, "Print the clients and servers of an action")
    add_spin_time(info)
    info.add_argument("action_name")
    info.add_argument("-t", "--show-types", action="store_true", help="Show the types too")
    info.add_argument("-c", "--count", action="store_true", help="Print the numbers only")

    send = verbs.add("send_goal", _send_goal, "Send a goal and wait for its result")
    send.add_argument("action_name")
    send.add_argument("action_type", help="Its type, such as example_interfaces/action/Fibonacci")
    send.add_argument("goal", help="The goal as YAML")
    send.add_argument("-f", "--feedback", action="store_true", help="Print the feedback too")


def _list(args: argparse.Namespace) -> None:
    with Session() as session:
        session.settle(args.spin_time)
        found = sorted(get_action_names_and_types(session.node))
    if args.count_actions:
        print(len(found))
        return
    for name, types in found:
        print(f"{name} [{', '.join(types)}]" if args.show_types else name)


def _type(args: argparse.Namespace) -> int:
    name = absolute_name(args.action_name)
    with Session() as session:

        def types() -> list[str]:
            return dict(get_action_names_and_types(session.node)).get(name, [])

        session.discover(lambda: bool(types()))
        found = types()
    for text in found:
        print(text)
    return 0 if found else 1


def _info(args: argparse.Namespace) -> None:
    action = absolute_name(args.action_name)
    with Session() as session:
        session.settle(args.spin_time)
        print(f"Action: {action}")
        for title, listing in (
            ("Action clients", get_action_client_names_and_types_by_node),
            ("Action servers", get_action_server_names_and_types_by_node),
        ):
            users = _users(session, action, listing)
            print(f"{title}: {len(users)}")
            if args.count:
                continue
            for name, types in users:
                print(f"    {name} [{', '.join(types)}]" if args.show_types else f"    {name}")


def _users(session: Session, action: str, listing: Any) -> list[tuple[str, list[str]]]:
    """Return the nodes that a listing relates to an action, each with the types."""
    node: Node = session.node
    users = []
    for name in node_names(session, include_hidden=True):
        types = dict(listing(node, name.name, name.namespace)).get(action)
        if types:
            users.append((name.full_name, types))
    return users


def _send_goal(args: argparse.Namespace) -> int:
    action_type = load_type(args.action_type, "action")
    goal, stamps = message_from_text(action_type.Goal, args.goal)
    with Session() as session:
        client = ActionClient(session.node, action_type, absolute_name(args.action_name))
        try:
            return _pursue(session, client, goal, stamps, args.feedback)
        finally:
            client.destroy()


def _pursue(
    session: Session, client: ActionClient, goal: Any, stamps: list[Any], feedback: bool
) -> int:
    print("Waiting for an action server to become available...", flush=True)
    session.spin_until(client.server_is_ready)
    stamp(stamps, session.node.get_clock().now().to_msg())
    print(f"Sending goal:\n{_indented(goal)}", flush=True)
    sending = client.send_goal_async(goal, _print_feedback if feedback else None)
    handle = session.wait_for(sending, None, "the action server")
    if not handle.accepted:
        raise CommandError("Goal was rejected.")
    print(f"Goal accepted with ID: {bytes(handle.goal_id.uuid).hex()}\n", flush=True)
    getting = handle.get_result_async()
    try:
        answer = session.wait_for(getting, None, "the action server")
    except Interrupted:
        # Whoever stops the command wants the robot to stop, not only the output.
        print("Canceling goal...", flush=True)
        session.wait_for(handle.cancel_goal_async(), _CANCEL_TIMEOUT_S, "the action server")
        session.wait_for(getting, _CANCEL_TIMEOUT_S, "the action server")
        print("Goal canceled.", flush=True)
        raise
    status = _STATUS_NAMES.get(answer.status, str(answer.status))
    print(f"Result:\n{_indented(answer.result)}\nGoal finished with status: {status}", flush=True)
    return 0


def _print_feedback(message: Any) -> None:
    print(f"Feedback:\n{_indented(message.feedback)}", flush=True)


def _indented(message: Any) -> str:
    lines = message_to_yaml(message).splitlines()
    return "".join(f"    {line}\n" for line in lines)
