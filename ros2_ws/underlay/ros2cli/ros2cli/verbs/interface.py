"""``ros2 interface``: the messages, services and actions that are installed."""

import argparse
import sys

from ros2cli.interface_files import (
    definition_file,
    interfaces_of,
    packages_with_interfaces,
    shown_definition,
)
from ros2cli.subcommands import Verbs
from ros2cli.type_loading import load_type

_TITLES = {"msg": "Messages", "srv": "Services", "action": "Actions"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs of the group."""
    verbs = Verbs(parser)
    listing = verbs.add("list", _list, "List the interfaces")
    packages = verbs.add("packages", _packages, "List the packages that have interfaces")
    for verb in (listing, packages):
        for kind, plural in (("msg", "msgs"), ("srv", "srvs"), ("action", "actions")):
            verb.add_argument(
                f"-{kind[0]}",
                f"--only-{plural}",
                dest="kinds",
                action="append_const",
                const=kind,
                help=f"{_TITLES[kind]} only",
            )

    package = verbs.add("package", _package, "List the interfaces of a package")
    package.add_argument("package_name")

    show = verbs.add("show", _show, "Print the definition of an interface")
    show.add_argument("type", help="Such as std_msgs/msg/String; - reads it from stdin")
    comments = show.add_mutually_exclusive_group()
    comments.add_argument("--all-comments", action="store_true", help="Also those of nested types")
    comments.add_argument("--no-comments", action="store_true", help="No comments at all")

    proto = verbs.add("proto", _proto, "Print an interface with its defaults, as YAML")
    proto.add_argument("type", help="Such as std_msgs/msg/String")
    proto.add_argument("--no-quotes", action="store_true", help="Without the quotation marks")


def _list(args: argparse.Namespace) -> None:
    found = [
        (package, interface)
        for package in packages_with_interfaces()
        for interface in interfaces_of(package)
    ]
    for kind in args.kinds or _TITLES:
        print(f"{_TITLES[kind]}:")
        for package, interface in found:
            if interface.startswith(f"{kind}/"):
                print(f"    {package}/{interface}")


def _packages(args: argparse.Namespace) -> None:
    kinds = tuple(f"{kind}/" for kind in args.kinds or _TITLES)
    for package in packages_with_interfaces():
        if any(interface.startswith(kinds) for interface in interfaces_of(package)):
            print(package)


def _package(args: argparse.Namespace) -> None:
    for interface in interfaces_of(args.package_name):
        print(f"{args.package_name}/{interface}")


def _show(args: argparse.Namespace) -> None:
    name = sys.stdin.readline().strip() if args.type == "-" else args.type
    for line in shown_definition(
        name, comments=not args.no_comments, nested_comments=args.all_comments
    ):
        print(line)


def _proto(args: argparse.Namespace) -> None:
    # Rendering needs the Python classes, and only this verb does.
    from ros2cli.message_text import message_to_yaml

    definition_file(args.type)
    kind = args.type.split("/")[1]
    cls = load_type(args.type, kind)
    part = {"msg": "", "srv": "Request", "action": "Goal"}[kind]
    text = message_to_yaml(getattr(cls, part)() if part else cls())
    print(text if args.no_quotes else f'"{text}"')
