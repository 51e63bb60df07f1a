"""Entry point: the table of command groups and the one place that turns errors into exit codes."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence

from ros2cli.errors import CommandError, Interrupted

# Group -> one line of help. Each is a module of ros2cli.verbs with `add_arguments(parser)`, and is
# imported only when asked for: `ros2 --help`, `pkg`, `run` and `launch` stay free of rclpy.
GROUPS = {
    "action": "Introspect and use actions",
    "bag": "Record, inspect and play bags",
    "doctor": "Check this ROS 2 set-up",
    "interface": "Show information about interfaces",
    "launch": "Run a launch file",
    "lifecycle": "Introspect and drive lifecycle nodes",
    "node": "Introspect nodes",
    "param": "Read and write parameters",
    "pkg": "Find packages and executables",
    "run": "Run an executable of a package",
    "service": "Introspect and call services",
    "topic": "Introspect, read and write topics",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments after ``ros2``; those of the process if None.

    Returns:
        The exit code: 0, 1 for an error, 2 for wrong usage or SIGINT, 15 for SIGTERM.
    """
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        # Flushing here and not at interpreter exit catches `ros2 topic list | head -1`.
        sys.stdout.flush()
        return code
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    except Interrupted as stop:
        return stop.signum
    except KeyboardInterrupt:
        return signal.SIGINT
    except BrokenPipeError:
        # The reader has gone. Python would report the pipe once more at exit without this.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(arguments: list[str]) -> int:
    parser, group_parsers = _top_parser()
    if arguments and arguments[0] in GROUPS:
        module = importlib.import_module(f"ros2cli.verbs.{arguments[0]}")
        module.add_arguments(group_parsers[arguments[0]])
    args = parser.parse_args(arguments)
    if "run" not in args:
        # `ros2` or `ros2 topic` alone: the genuine tool shows the help and succeeds.
        group_parsers.get(args.group, parser).print_help()
        return 0
    return args.run(args) or 0


def _top_parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    # No abbreviations: an option that works only until another one is added helps nobody.
    parser = argparse.ArgumentParser(
        prog="ros2",
        description="The ros2 command for ROS 2 from PyPI wheels.",
        epilog="Call `ros2 <command> -h` for more.",
        allow_abbrev=False,
    )
    groups = parser.add_subparsers(title="Commands", dest="group", metavar="<command>")
    return parser, {
        name: groups.add_parser(name, help=text, description=text, allow_abbrev=False)
        for name, text in GROUPS.items()
    }
