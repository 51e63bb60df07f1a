"""``ros2 param``: read and write the parameters of nodes."""

import argparse
import re
from pathlib import Path
from typing import Any

import yaml
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rclpy.parameter import get_parameter_value, parameter_dict_from_yaml_file

from ros2cli.errors import CommandError
from ros2cli.graph import add_spin_time, node_names, require_node, services
from ros2cli.message_text import to_yaml
from ros2cli.parameter_service import TYPE_NAMES, ParameterServer, nested, plain_value
from ros2cli.session import Session
from ros2cli.subcommands import Verbs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs of the group."""
    verbs = Verbs(parser)
    listing = verbs.add("list", _list, "List the parameters of one or all nodes")
    listing.add_argument("node_name", nargs="?")
    listing.add_argument("--param-prefixes", nargs="+", default=[], metavar="PREFIX")
    listing.add_argument("--param-type", action="store_true", help="Show the types too")
    listing.add_argument("--filter", metavar="REGEX", help="Only names that match")

    get = verbs.add("get", _get, "Print a parameter")
    get.add_argument("node_name")
    get.add_argument("parameter_name")
    get.add_argument("--hide-type", action="store_true", help="Print the value only")

    change = verbs.add("set", _set, "Set a parameter")
    change.add_argument("node_name")
    change.add_argument("parameter_name")
    change.add_argument("value", help="The value as YAML")

    delete = verbs.add("delete", _delete, "Undeclare a dynamically typed parameter")
    delete.add_argument("node_name")
    delete.add_argument("parameter_name")

    describe = verbs.add("describe", _describe, "Print the descriptors of parameters")
    describe.add_argument("node_name")
    describe.add_argument("parameter_names", nargs="+")

    dump = verbs.add("dump", _dump, "Print all parameters of a node as a parameter file")
    dump.add_argument("node_name")

    load = verbs.add("load", _load, "Set parameters from a parameter file")
    load.add_argument("node_name")
    load.add_argument("parameter_file", type=Path)
    load.add_argument("--no-use-wildcard", action="store_true", help="Ignore the section /**")

    for verb in (listing, get, change, delete, describe, dump, load):
        add_spin_time(verb)
        verb.add_argument("--include-hidden-nodes", action="store_true")


def _server(session: Session, args: argparse.Namespace) -> tuple[str, ParameterServer]:
    """Return the absolute name of the given node, and its parameters."""
    node = require_node(session, args.node_name).full_name
    return node, ParameterServer(session, node)


def _list(args: argparse.Namespace) -> None:
    if args.node_name is not None:
        with Session() as session:
            _, server = _server(session, args)
            for line in _names(server, args):
                print(line)
        return
    with Session() as session:
        session.settle(args.spin_time)
        offered = {name for name, _ in services(session, include_hidden=True)}
        found = node_names(session, include_hidden=args.include_hidden_nodes)
        for node in sorted({node.full_name for node in found}):
            if f"{node}/list_parameters" in offered:
                print(f"{node}:")
                for line in _names(ParameterServer(session, node), args):
                    print(line)


def _names(server: ParameterServer, args: argparse.Namespace) -> list[str]:
    names = server.names(args.param_prefixes)
    if args.filter is not None:
        try:
            pattern = re.compile(args.filter)
        except re.error as error:
            raise CommandError(f"Invalid --filter '{args.filter}': {error}") from error
        names = [name for name in names if pattern.search(name)]
    if not args.param_type or not names:
        return [f"  {name}" for name in names]
    return [
        f"  {descriptor.name} (type: {TYPE_NAMES[descriptor.type]})"
        for descriptor in server.descriptors(names)
    ]


def _get(args: argparse.Namespace) -> None:
    with Session() as session:
        _, server = _server(session, args)
        values = server.values([args.parameter_name])
    if not values:
        raise CommandError("Parameter not set")
    value = values[0]
    plain = plain_value(value)
    if args.hide_type:
        print(plain)
    elif value.type == ParameterType.PARAMETER_NOT_SET:
        print("Parameter not set.")
    else:
        word, _, is_array = TYPE_NAMES[value.type].partition(" ")
        print(f"{word.capitalize()} {'values are' if is_array else 'value is'}: {plain}")


def _set(args: argparse.Namespace) -> None:
    # As in a parameter file; what is no YAML counts as a string.
    value = get_parameter_value(args.value)
    with Session() as session:
        _, server = _server(session, args)
        result = server.set([Parameter(name=args.parameter_name, value=value)])[0]
    if not result.successful:
        raise CommandError(f"Setting parameter failed: {result.reason}")
    print("Set parameter successful" + (f": {result.reason}" if result.reason else ""))


def _delete(args: argparse.Namespace) -> None:
    with Session() as session:
        _, server = _server(session, args)
        unset = ParameterValue(type=ParameterType.PARAMETER_NOT_SET)
        result = server.set([Parameter(name=args.parameter_name, value=unset)])[0]
    if not result.successful:
        raise CommandError(f"Deleting parameter failed: {result.reason}")
    print("Deleted parameter successfully")


def _describe(args: argparse.Namespace) -> None:
    with Session() as session:
        _, server = _server(session, args)
        descriptors = server.descriptors(args.parameter_names)
    if not descriptors:
        raise CommandError(f"Parameter not declared: {', '.join(args.parameter_names)}")
    for descriptor in descriptors:
        print("\n".join(_descriptor_lines(descriptor)))


def _descriptor_lines(descriptor: Any) -> list[str]:
    lines = [f"Parameter name: {descriptor.name}", f"  Type: {TYPE_NAMES[descriptor.type]}"]
    if descriptor.description:
        lines.append(f"  Description: {descriptor.description}")
    lines.append("  Constraints:")
    if descriptor.read_only:
        lines.append("    Read only: true")
    for bounds in [*descriptor.integer_range, *descriptor.floating_point_range]:
        lines += [f"    Min value: {bounds.from_value}", f"    Max value: {bounds.to_value}"]
        if bounds.step:
            lines.append(f"    Step: {bounds.step}")
    if descriptor.additional_constraints:
        lines.append(f"    Additional constraints: {descriptor.additional_constraints}")
    return lines


def _dump(args: argparse.Namespace) -> None:
    with Session() as session:
        node, server = _server(session, args)
        names = server.names()
        values = dict(zip(names, server.values(names), strict=True)) if names else {}
    plain = {
        name: plain_value(value)
        for name, value in values.items()
        # A parameter file cannot say "not set".
        if value.type != ParameterType.PARAMETER_NOT_SET
    }
    print(to_yaml({node: {"ros__parameters": nested(plain)}}), end="")


def _load(args: argparse.Namespace) -> int:
    with Session() as session:
        node, server = _server(session, args)
        parameters = _read_file(args.parameter_file, node, not args.no_use_wildcard)
        failed = 0
        for parameter, result in zip(parameters, server.set(parameters), strict=True):
            reason = f": {result.reason}" if result.reason else ""
            if result.successful:
                print(f"Set parameter {parameter.name} successful{reason}")
            else:
                print(f"Set parameter {parameter.name} failed{reason}")
                failed += 1
    return 1 if failed else 0


def _read_file(path: Path, node: str, use_wildcard: bool) -> list[Parameter]:
    """Return the parameters that a file has for a node.

    Raises:
        CommandError: The file cannot be read, is no parameter file, or has none for the node.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise CommandError(f"Cannot read '{path}': {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise CommandError(f"'{path}' is no parameter file")
    # A file may name the node with or without its leading slash.
    sections = [name for name in (node, node.removeprefix("/")) if name in content]
    if not sections and not (use_wildcard and "/**" in content):
        raise CommandError(f"'{path}' has no parameters for '{node}', only for: {list(content)}")
    try:
        # Without a section of its own the wildcard's stands for the node.
        found = parameter_dict_from_yaml_file(str(path), use_wildcard, sections or ["/**"])
    except RuntimeError as error:
        raise CommandError(f"'{path}': {error}") from error
    return list(found.values())
