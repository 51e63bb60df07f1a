"""``ros2 launch``: find a launch file, parse its arguments, hand both to the launch package."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ros2cli.errors import CommandError
from ros2cli.packages import package_names, package_share

if TYPE_CHECKING:
    from launch import LaunchDescription


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "-n", "--noninteractive", action="store_true", help="No terminal is attached to this launch"
    )
    parser.add_argument("-d", "--debug", action="store_true", help="Log what launch itself does")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "-p", "--print", "--print-description", action="store_true", help="Print, do not launch"
    )
    instead.add_argument(
        "-s", "--show-args", "--show-arguments", action="store_true", help="Show the arguments"
    )
    parser.add_argument(
        "-a",
        "--show-all-subprocesses-output",
        action="store_true",
        help="Show the output of all processes, whatever the launch file says",
    )
    parser.add_argument("package_name", metavar="package_or_path", help="Package, or launch file")
    parser.add_argument("launch_file_name", nargs="?", help="Launch file of the package")
    parser.add_argument(
        "launch_arguments", nargs="*", help="Arguments as <name>:=<value>; the last one wins"
    )
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    path, texts = _locate(args)
    arguments = parse_launch_arguments(texts)
    if args.show_all_subprocesses_output:
        os.environ["OVERRIDE_LAUNCH_PROCESS_OUTPUT"] = "both"
    if args.print:
        _print_description(path)
        return 0
    if args.show_args:
        _show_arguments(path)
        return 0

    from launch import LaunchDescription, LaunchService
    from launch.actions import IncludeLaunchDescription
    from launch.launch_description_sources import AnyLaunchDescriptionSource

    service = LaunchService(
        argv=texts,
        noninteractive=args.noninteractive or not sys.stdin.isatty(),
        debug=args.debug,
    )
    # Included, not run directly: the file then knows its own location (ThisLaunchFileDir).
    include = IncludeLaunchDescription(
        AnyLaunchDescriptionSource(str(path)), launch_arguments=list(arguments.items())
    )
    service.include_launch_description(LaunchDescription([include]))
    return service.run()


def parse_launch_arguments(texts: list[str]) -> dict[str, str]:
    """Split ``name:=value`` at the first ``:=``; the last of several values wins.

    Raises:
        CommandError: An argument has no name, no value or no ``:=``.
    """
    arguments = {}
    for text in texts:
        name, separator, value = text.partition(":=")
        if not (name and separator and value):
            raise CommandError(
                f"malformed launch argument '{text}', expected format '<name>:=<value>'"
            )
        arguments[name] = value
    return arguments


def _locate(args: argparse.Namespace) -> tuple[Path, list[str]]:
    """Return the launch file and the texts of the launch arguments."""
    second = args.launch_file_name
    first_is_path = os.path.isfile(args.package_name)
    if second is None:
        if not first_is_path:
            raise CommandError(f"No launch file '{args.package_name}'")
        return Path(args.package_name), []
    if first_is_path and args.package_name not in package_names():
        return Path(args.package_name), [second, *args.launch_arguments]
    return _find_in_share(args.package_name, second), args.launch_arguments


def _find_in_share(package: str, file_name: str) -> Path:
    share = package_share(package)
    # os.walk follows no links to folders, and --symlink-install makes links of files only.
    found = [Path(folder, file_name) for folder, _, names in os.walk(share) if file_name in names]
    if not found:
        raise CommandError(
            f"file '{file_name}' was not found in the share directory of package "
            f"'{package}' which is at '{share}'"
        )
    if len(found) > 1:
        paths = ", ".join(f"'{path}'" for path in sorted(found))
        raise CommandError(
            f"file '{file_name}' was found more than once in the share directory of package "
            f"'{package}': [{paths}]"
        )
    return found[0]


def _print_description(path: Path) -> None:
    from launch import LaunchIntrospector

    print(LaunchIntrospector().format_launch_description(_load(path)))


def _show_arguments(path: Path) -> None:
    arguments = _load(path).get_launch_arguments()
    print("Arguments (pass arguments as '<name>:=<value>'):")
    for argument in arguments:
        print(f"\n    '{argument.name}':\n        {argument.description}")
        if argument.default_value is not None:
            default = " + ".join(token.describe() for token in argument.default_value)
            print(f"        (default: {default})")
    if not arguments:
        print("\n  No arguments.")


def _load(path: Path) -> "LaunchDescription":
    from launch.launch_description_sources import get_launch_description_from_any_launch_file

    try:
        return get_launch_description_from_any_launch_file(str(path))
    except Exception as error:
        # A launch file is a program: anything can come out of it.
        raise CommandError(f"Cannot load '{path}': {type(error).__name__}: {error}") from error
