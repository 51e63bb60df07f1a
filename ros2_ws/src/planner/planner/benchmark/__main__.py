"""Benchmarks of the whole system.

python -m planner.benchmark system --hogs 4 --seconds 60 --json system.json
python -m planner.benchmark system --swaps 50
python -m planner.benchmark delay --json delay.json --plot delay.png
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from planner_core.errors import DriftpilotError

from planner.benchmark.sweep import SweepRun, plot, sweep
from planner.benchmark.system import SystemRun, measure, table


def arguments() -> argparse.ArgumentParser:
    """The command line: every field of a run is an option."""
    parser = argparse.ArgumentParser(
        prog="python -m planner.benchmark", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True)
    system = commands.add_parser("system", help="the graph in flight")
    delay = commands.add_parser("delay", help="chunk length against planning delay, without ROS")
    for command, run in ((system, SystemRun()), (delay, SweepRun())):
        for field in fields(run):
            default = getattr(run, field.name)
            several = isinstance(default, tuple)
            command.add_argument(
                f"--{field.name.replace('_', '-')}",
                type=type(default[0] if several else default),
                default=default,
                nargs="+" if several else None,
                help=f"default: {default}",
            )
        command.add_argument("--json", type=Path, help="file for the figures")
    delay.add_argument("--plot", type=Path, help="file for the picture")
    return parser


def main() -> int:
    """Entry of the program."""
    given = vars(arguments().parse_args())
    command, file, picture = given.pop("command"), given.pop("json"), given.pop("plot", None)
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    figures: Any
    try:
        if command == "system":
            figures = measure(SystemRun(**options))
            print(table(figures))
        else:
            figures = sweep(SweepRun(**options))
            if picture is not None:
                plot(figures, picture)
    except DriftpilotError as error:
        print(error, file=sys.stderr)
        return 1
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
