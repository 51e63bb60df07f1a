"""``python -m episode_recorder``: repair bags, make data sets of them."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from planner_core.dataset_labels import REWARDS
from planner_core.errors import DriftpilotError

from episode_recorder.bag_repair import repair


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit code: 1 after an error, which is printed in one line.
    """
    arguments = _parser().parse_args(argv)
    arguments.command = shlex.join(["python", "-m", "episode_recorder", *(argv or sys.argv[1:])])
    try:
        arguments.run(arguments)
    except DriftpilotError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m episode_recorder", description=__doc__)
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("repair", help="give bags of a killed recorder their end")
    command.add_argument("bags", nargs="+", type=Path, metavar="BAG")
    command.set_defaults(run=_repair)

    command = commands.add_parser("dataset", help="make a data set of bags")
    command.add_argument("bags", nargs="+", type=Path, metavar="BAG", help="or folders of bags")
    command.add_argument("--robot", required=True)
    command.add_argument("--out", required=True, type=Path, metavar="FOLDER")
    command.add_argument("--dt-s", type=float, default=0.1, help="time between samples")
    command.add_argument("--max-age-s", type=float, default=0.5, help="as the planner's")
    command.add_argument("--max-gap-s", type=float, default=0.2, help="longer gaps are cut")
    command.add_argument("--shortest-s", type=float, default=0.5, help="shorter ones are left out")
    command.add_argument("--sensors", choices=("scan", "none"), default="scan")
    command.add_argument("--namespace", default="/")
    command.add_argument("--validation-share", type=float, default=0.1)
    command.add_argument(
        "--lerobot", type=Path, metavar="FOLDER", help="write it as a LeRobotDataset v3 as well"
    )
    command.add_argument("--task", default="", help="what LeRobot is told that the robot does")
    command.add_argument("--quiet", action="store_true", help="no progress bar")
    _add_labels(command)
    command.set_defaults(run=_dataset)

    command = commands.add_parser("relabel", help="give a data set other rewards and costs")
    command.add_argument("dataset", type=Path, metavar="FOLDER")
    command.add_argument("--out", type=Path, metavar="FOLDER", help="the same one by default")
    _add_labels(command)
    command.set_defaults(run=_relabel)
    return parser


def _add_labels(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reward", choices=sorted(REWARDS), default="progress")
    command.add_argument(
        "--clearance-m", type=float, default=0.15, help="a step that ends closer to something costs"
    )


def _repair(arguments: argparse.Namespace) -> None:
    for bag in arguments.bags:
        metadata = repair(bag)
        outcome = metadata.custom.get("outcome", "unknown")
        print(f"{bag}: {metadata.message_count} messages, outcome {outcome}")


def _dataset(arguments: argparse.Namespace) -> None:
    # h5py and matplotlib are not needed to repair a bag on a robot.
    from planner_core.dataset_file import VALIDATION

    from episode_recorder.conversion import ConversionSettings
    from episode_recorder.dataset_command import Job, make_dataset
    from episode_recorder.episode_labels import Labels
    from episode_recorder.lerobot_export import export_lerobot

    sensors = ("scan",) if arguments.sensors == "scan" else ()
    made = make_dataset(
        Job(
            tuple(arguments.bags), arguments.robot, arguments.out,
            ConversionSettings(
                arguments.dt_s, arguments.max_age_s, arguments.max_gap_s, arguments.shortest_s,
                sensors, arguments.namespace,
            ),
            Labels(arguments.reward, arguments.clearance_m), arguments.validation_share,
            arguments.command, not arguments.quiet,
        )
    )  # fmt: skip
    episodes = made.dataset.episodes
    for recording in made.recordings:
        for cut in recording.cuts:
            print(f"{recording.folder.name}: {cut}")
    for folder, reason in made.refused.items():
        print(f"{folder} is left out: {reason}")
    validation = sum(e.attributes["split"] == VALIDATION for e in episodes)
    print(
        f"{arguments.out}: {len(episodes)} episodes, {validation} of them for validation, "
        f"{made.dataset.total_steps} steps, sha256 {made.sha256}"
    )
    print(f"{made.report}: quality report")
    if arguments.lerobot:
        export_lerobot(made.dataset, arguments.lerobot, arguments.task)
        print(f"{arguments.lerobot}: LeRobotDataset v3")
    print(f"{made.reused} of {len(made.recordings)} bags were converted before", end="")
    print(f", the others at {made.speed:.0f} x real time" if made.speed else "")


def _relabel(arguments: argparse.Namespace) -> None:
    from episode_recorder.dataset_command import relabel
    from episode_recorder.episode_labels import Labels

    out = arguments.out or arguments.dataset
    digest = relabel(arguments.dataset, out, Labels(arguments.reward, arguments.clearance_m))
    print(f"{out}: sha256 {digest}")


if __name__ == "__main__":
    sys.exit(main())
