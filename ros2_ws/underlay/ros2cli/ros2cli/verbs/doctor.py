"""``ros2 doctor``: say what is wrong with the set-up and how to put it right."""

import argparse

from ros2cli.doctor.checks import CHECKS, find_problems
from ros2cli.doctor.facts import gather, report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("-r", "--report", action="store_true", help="Print the whole set-up too")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    facts = gather()
    if args.report:
        for title, rows in report(facts):
            print(f"   {title}")
            for name, value in rows:
                print(f"{name:<29} : {value}")
            print()
    problems = find_problems(facts)
    if not problems:
        print(f"All {len(CHECKS)} checks passed")
        return 0
    print(f"{len(problems)}/{len(CHECKS)} check(s) failed")
    for name, problem in problems.items():
        print(f"\n{name}: {problem.what}\n  fix: {problem.fix}")
    return 1
