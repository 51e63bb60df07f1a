"""``ros2 run``: become an executable of a package."""

import argparse
import os
import shlex
import sys

from ros2cli.errors import CommandError
from ros2cli.packages import executables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--prefix", help="Command to put before the executable, such as a debugger")
    parser.add_argument("package_name", help="Name of the package")
    parser.add_argument("executable_name", help="Name of the executable in lib/<package>")
    parser.add_argument("argv", nargs=argparse.REMAINDER, help="Passed on to the executable")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    found = executables(args.package_name)
    matches = [path for path in found if path.name == args.executable_name]
    if not matches:
        names = ", ".join(sorted({path.name for path in found})) or "none"
        raise CommandError(
            f"No executable '{args.executable_name}' in package '{args.package_name}'; "
            f"it has: {names}"
        )
    if len(matches) > 1:
        raise CommandError(
            f"Several executables '{args.executable_name}' in package '{args.package_name}': "
            + ", ".join(str(path) for path in matches)
        )
    command = [*shlex.split(args.prefix or ""), str(matches[0]), *args.argv]
    sys.stdout.flush()
    try:
        # Replacing this process leaves nothing that would have to forward signals or exit codes.
        os.execvp(command[0], command)
    except OSError as error:
        raise CommandError(f"Cannot start {command[0]}: {error.strerror}") from error
