"""``ros2 service``: list, look up and call services."""

import argparse
import time

from ros2cli.errors import CommandError
from ros2cli.graph import absolute_name, add_spin_time, services, wait_for_types
from ros2cli.message_input import message_from_text, stamp
from ros2cli.session import Session
from ros2cli.subcommands import Verbs, positive_float
from ros2cli.type_loading import load_type


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs of the group."""
    verbs = Verbs(parser)
    listing = verbs.add("list", _list, "List the services")
    add_spin_time(listing)
    listing.add_argument("-t", "--show-types", action="store_true", help="Show the types too")
    listing.add_argument("-c", "--count-services", action="store_true", help="Print the number")
    listing.add_argument(
        "-a", "--include-hidden-services", action="store_true", help="Include hidden services"
    )

    type_of = verbs.add("type", _type, "Print the type of a service")
    add_spin_time(type_of)
    type_of.add_argument("service_name")

    find = verbs.add("find", _find, "List the services of a type")
    add_spin_time(find)
    find.add_argument("service_type")
    find.add_argument("-c", "--count-services", action="store_true", help="Print the number")
    find.add_argument("-a", "--include-hidden-services", action="store_true")

    call = verbs.add("call", _call, "Call a service")
    call.add_argument("service_name")
    call.add_argument("service_type", help="Its type, such as std_srvs/srv/Trigger")
    call.add_argument("values", nargs="?", default="{}", help="The request as YAML")
    call.add_argument("-r", "--rate", type=positive_float, metavar="HZ", help="Repeat at this rate")


def _list(args: argparse.Namespace) -> None:
    with Session() as session:
        session.settle(args.spin_time)
        found = services(session, include_hidden=args.include_hidden_services)
    if args.count_services:
        print(len(found))
        return
    for name, types in found:
        print(f"{name} [{', '.join(types)}]" if args.show_types else name)


def _type(args: argparse.Namespace) -> int:
    with Session() as session:
        types = wait_for_types(session, "service", absolute_name(args.service_name))
    for text in types:
        print(text)
    return 0 if types else 1


def _find(args: argparse.Namespace) -> None:
    with Session() as session:
        session.settle(args.spin_time)
        found = services(session, include_hidden=args.include_hidden_services)
    names = [name for name, types in found if args.service_type in types]
    if args.count_services:
        print(len(names))
        return
    for name in names:
        print(name)


def _call(args: argparse.Namespace) -> None:
    service_type = load_type(args.service_type, "srv")
    request, stamps = message_from_text(service_type.Request, args.values)
    with Session() as session:
        name = absolute_name(args.service_name)
        try:
            client = session.node.create_client(service_type, name)
        except Exception as error:
            # rclpy raises one class for each rule on names.
            raise CommandError(f"Invalid service name '{args.service_name}': {error}") from error
        if not session.spin_until(client.service_is_ready, 0.5):
            print("waiting for service to become available...", flush=True)
            session.spin_until(client.service_is_ready)
        while True:
            start_s = time.monotonic()
            stamp(stamps, session.node.get_clock().now().to_msg())
            print(f"requester: making request: {request!r}\n", flush=True)
            response = session.call_ready(client, request, timeout_s=None)
            print(f"response:\n{response!r}\n", flush=True)
            if args.rate is None:
                return
            session.sleep(start_s + 1.0 / args.rate - time.monotonic())
