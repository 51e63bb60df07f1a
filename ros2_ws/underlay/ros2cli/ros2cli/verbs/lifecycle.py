"""``ros2 lifecycle``: the states of managed nodes."""

import argparse

from lifecycle_msgs.srv import ChangeState, GetAvailableTransitions, GetState

from ros2cli.errors import CommandError
from ros2cli.graph import add_spin_time, node_names, require_node, services
from ros2cli.session import Session
from ros2cli.subcommands import Verbs

_STATE_SERVICE = "/get_state"
_STATE_TYPE = "lifecycle_msgs/srv/GetState"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs of the group."""
    verbs = Verbs(parser)
    nodes = verbs.add("nodes", _nodes, "List the lifecycle nodes")
    add_spin_time(nodes)
    nodes.add_argument("-a", "--all", action="store_true", help="Include hidden nodes")
    nodes.add_argument("-c", "--count-nodes", action="store_true", help="Print the number only")

    get = verbs.add("get", _get, "Print the state of one or all lifecycle nodes")
    add_spin_time(get)
    get.add_argument("node_name", nargs="?")
    get.add_argument("--include-hidden-nodes", action="store_true")

    change = verbs.add("set", _set, "Trigger a transition")
    add_spin_time(change)
    change.add_argument("node_name")
    change.add_argument("transition", help="Its label or number, such as configure or 1")

    transitions = verbs.add("list", _list, "List the transitions that a node offers")
    add_spin_time(transitions)
    transitions.add_argument("node_name")
    transitions.add_argument("-a", "--all", action="store_true", help="Whatever the current state")


def _lifecycle_nodes(session: Session, args: argparse.Namespace, hidden: bool) -> list[str]:
    session.settle(args.spin_time)
    known = {node.full_name for node in node_names(session, include_hidden=hidden)}
    served = {
        name.removesuffix(_STATE_SERVICE)
        for name, types in services(session, include_hidden=True)
        if name.endswith(_STATE_SERVICE) and _STATE_TYPE in types
    }
    return sorted(known & served)


def _nodes(args: argparse.Namespace) -> None:
    with Session() as session:
        names = _lifecycle_nodes(session, args, args.all)
    if args.count_nodes:
        print(len(names))
        return
    for name in names:
        print(name)


def _get(args: argparse.Namespace) -> None:
    with Session() as session:
        if args.node_name is not None:
            node = require_node(session, args.node_name).full_name
            print(_state(session, node))
            return
        for node in _lifecycle_nodes(session, args, args.include_hidden_nodes):
            print(f"{node}: {_state(session, node)}")


def _state(session: Session, node: str) -> str:
    state = session.call(GetState, f"{node}{_STATE_SERVICE}", GetState.Request()).current_state
    return f"{state.label} [{state.id}]"


def _transitions(session: Session, node: str, source: str = "get_available_transitions"):
    response = session.call(
        GetAvailableTransitions, f"{node}/{source}", GetAvailableTransitions.Request()
    )
    return response.available_transitions


def _set(args: argparse.Namespace) -> None:
    with Session() as session:
        node = require_node(session, args.node_name).full_name
        offered = [entry.transition for entry in _transitions(session, node)]
        matches = [
            transition
            for transition in offered
            if args.transition in (transition.label, str(transition.id))
        ]
        if not matches:
            known = "".join(f"\n- {entry.label} [{entry.id}]" for entry in offered)
            raise CommandError(f"Unknown transition requested, available ones are:{known}")
        request = ChangeState.Request(transition=matches[0])
        # A transition may load a model: long, but not without end.
        if not session.call(ChangeState, f"{node}/change_state", request, timeout_s=120.0).success:
            raise CommandError("Transitioning failed")
        print("Transitioning successful")


def _list(args: argparse.Namespace) -> None:
    source = "get_transition_graph" if args.all else "get_available_transitions"
    with Session() as session:
        node = require_node(session, args.node_name).full_name
        for entry in _transitions(session, node, source):
            print(
                f"- {entry.transition.label} [{entry.transition.id}]\n"
                f"\tStart: {entry.start_state.label}\n"
                f"\tGoal: {entry.goal_state.label}"
            )
