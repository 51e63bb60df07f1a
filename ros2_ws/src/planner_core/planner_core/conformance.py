"""Check a planner or a robot of one's own.

    python -m planner_core.conformance robot gantry
    python -m planner_core.conformance planner quintic --robot crazyflie

The same in a package's own tests, with `check_planner` and `check_robot`:

    assert failures(check_planner(PlannerRequest(crazyflie()), create)) == []
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from planner_core.conformance_rules import failures
from planner_core.errors import DriftpilotError
from planner_core.planner_conformance import check_planner
from planner_core.planners import PlannerRequest
from planner_core.plugins import load_plugin
from planner_core.robot_conformance import check_robot
from planner_core.robots import load_robot
from planner_core.worlds import find_world

__all__ = ["check_planner", "check_robot", "failures", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: 0 where everything conforms, 1 where something does not."""
    parser = argparse.ArgumentParser(prog="planner_core.conformance", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    kinds = parser.add_subparsers(dest="kind", required=True)
    robot = kinds.add_parser("robot", help="a description of a robot")
    robot.add_argument("name", help="registered in planner.robots")
    planner = kinds.add_parser("planner", help="a planner")
    planner.add_argument("name", help="registered in planner.planners")
    planner.add_argument("--robot", default="crazyflie", help="robot to plan for")
    planner.add_argument("--model", type=Path, help="folder of a model bundle")
    planner.add_argument("--candidates", type=int, help="K; the planner's own number by default")
    planner.add_argument("--world", help="world file, or `random`")
    options = parser.parse_args(arguments)
    try:
        if options.kind == "robot":
            found = check_robot(options.name, load_plugin("planner.robots", options.name))
        else:
            world = None if options.world is None else find_world(options.world, 0)
            request = PlannerRequest(
                load_robot(options.robot), options.model, options.candidates, world
            )
            found = check_planner(request, load_plugin("planner.planners", options.name))
    except DriftpilotError as error:
        print(error, file=sys.stderr)
        return 2
    for finding in found:
        print(f"{'FAILED' if finding.failure else 'ok':7}{finding.rule}")
        if finding.failure:
            print(f"       {finding.failure}")
    broken = len(failures(found))
    print(f"{len(found) - broken} of {len(found)} rules kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
