"""The report of a flight from a bag: the page that the node writes, at any later time.

Usage:
    python -m robot_view.report BAG --out report.png
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from planner_core.errors import DriftpilotError
from planner_core.robots import load_robot

from robot_view.bag import read_flight
from robot_view.flight import Flight
from robot_view.key_figures import text_table
from robot_view.page import write_page


def write_report(flight: Flight, path: Path, robot: str = "") -> str:
    """Write the page of a flight.

    Args:
        flight: What was flown.
        path: File to write.
        robot: Whose limits are drawn; empty for the robot that the flight names, if it does.

    Returns:
        The key figures as a table for a terminal.

    Raises:
        UnknownPluginError: No such robot is installed.
    """
    name = robot or flight.robot
    write_page(flight, load_robot(name) if name else None, path)
    return text_table(flight)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m robot_view.report", description=__doc__)
    parser.add_argument("bag", type=Path, help="folder of a bag")
    parser.add_argument("--out", type=Path, default=Path("report.png"), help="file to write")
    parser.add_argument("--robot", default="", help="whose limits are drawn; default: as recorded")
    parser.add_argument("--namespace", default="", help="of the robot, e.g. cf1")
    parser.add_argument(
        "--tolerance", type=float, default=0.25, metavar="M",
        help="distance that counts as there, for goals that do not say (default: 0.25 m)",
    )  # fmt: skip
    chosen = parser.parse_args(arguments)
    try:
        flight = read_flight(chosen.bag, chosen.namespace, chosen.tolerance, chosen.robot)
        print(write_report(flight, chosen.out, chosen.robot))
    except (DriftpilotError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"page: {chosen.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
