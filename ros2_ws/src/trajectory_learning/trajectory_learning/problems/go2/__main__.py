"""Commands of ``python -m trajectory_learning.problems.go2``: policy, judge, data, export, walk.

The table that compares planners is ``python -m trajectory_learning benchmark go2``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from planner_core import dataset_file
from planner_core.errors import DriftpilotError
from planner_core.manifest import Provenance
from trajectory_learning import __version__
from trajectory_learning.arguments import add_options, from_options
from trajectory_learning.methods.diffusion_family import Family
from trajectory_learning.methods.diffusion_training import FitConfig
from trajectory_learning.methods.ppo import PPOConfig
from trajectory_learning.problems.go2 import data as go2_data
from trajectory_learning.problems.go2.card import write_walking_card
from trajectory_learning.problems.go2.data import DataConfig, cut_windows, make_data
from trajectory_learning.problems.go2.demonstration import DemonstrationConfig, demonstrate
from trajectory_learning.problems.go2.evaluation import standing, walk_by_policy
from trajectory_learning.problems.go2.export import graphs, write_walking_bundle
from trajectory_learning.problems.go2.picture import walking_picture
from trajectory_learning.problems.go2.planners import HORIZON
from trajectory_learning.problems.go2.policy import load_policies, train_policy
from trajectory_learning.problems.go2.table import TableConfig, wanted
from trajectory_learning.problems.go2.velocity import errors, train_velocity
from trajectory_learning.problems.go2.walking import DISTURBED, Randomisation

PARTS = {"planner": ("planner",), "joint": ("planner", "dynamics")}
"""Networks of the methods that can be exported."""
HELD_OUT = 10
"""One episode of so many is kept from the estimator, to measure it."""


def policy(options: argparse.Namespace) -> None:
    """Train the walking policy and keep it at four qualities."""
    train_policy(options.out, from_options(PPOConfig, options))


def judge(options: argparse.Namespace) -> None:
    """Let the policies walk, pushed as in their training and as in the data, and write figures."""
    figures = []
    for number, snapshot in enumerate(load_policies(options.policy)):
        for name, randomisation in (("training", Randomisation()), ("data", DISTURBED)):
            task = standing(options.robots, options.seed, randomisation)
            walks = walk_by_policy(snapshot, task, DataConfig.steps)
            figures.append({"snapshot": number, "pushed_as_in": name, **walks.figures()})
    options.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


def data(options: argparse.Namespace) -> None:
    """Let the policies walk and write the data set."""
    config = from_options(DataConfig, options)
    episodes = make_data(load_policies(options.policy), config)
    digest = go2_data.save(options.out, episodes, config, _command())
    print(json.dumps({**go2_data.figures(episodes), "sha256": digest}, indent=1))


def export(options: argparse.Namespace) -> None:
    """Train a planner and the velocity estimator, and write them as a bundle."""
    stored = dataset_file.load(options.data)
    windows = cut_windows(stored.episodes, HORIZON, TableConfig.stride)
    fit = replace(
        TableConfig.family.fit, seconds=options.seconds, steps=options.steps, seed=options.seed
    )
    family = Family(windows, replace(TableConfig.family, fit=fit))
    family.train(options.method, progress=True)
    held = stored.episodes[::HELD_OUT]
    taught = [e for i, e in enumerate(stored.episodes) if i % HELD_OUT]
    velocity = train_velocity(
        taught, FitConfig(seconds=options.seconds / 2, steps=options.steps, seed=options.seed)
    )
    missed = {f"velocity_{name}": value for name, value in errors(velocity, held).items()}
    made = graphs(family, PARTS[options.method], velocity, wanted(windows))
    method = "mpdiffuser" if options.method == "joint" else "diffuser"
    provenance = Provenance(
        method, _command(), __version__, dataset_file.content_hash(stored.episodes),
        str(stored.provenance["command"]), options.seed,
    )  # fmt: skip
    sampling = replace(TableConfig.sampling, guidance_scale=options.guidance_scale)
    manifest = write_walking_bundle(
        options.out, family, made, sampling, provenance,
        {"training_processor_s": sum(family.train_cpu_s.values()), **missed},
    )  # fmt: skip
    write_walking_card(manifest, options.out)
    print(json.dumps(dict(manifest.quality), indent=1))


def walk(options: argparse.Namespace) -> None:
    """Let the simulated robot walk by a bundle, off the graph; write figures and a picture."""
    config = from_options(DemonstrationConfig, options)
    walked = demonstrate(options.bundle, config)
    figures = {"config": asdict(config), **walked.figures(config)}
    options.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    walking_picture(walked, config, options.out.with_suffix(".png"))
    print(json.dumps(figures, indent=1))


def _command() -> str:
    return " ".join(["python -m trajectory_learning.problems.go2", *sys.argv[1:]])


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(
        "python -m trajectory_learning.problems.go2", description=__doc__
    )
    commands = root.add_subparsers(required=True, metavar="command")
    made = {}
    for run, configs in (
        (policy, (PPOConfig,)), (judge, ()), (data, (DataConfig,)), (export, ()),
        (walk, (DemonstrationConfig,)),
    ):  # fmt: skip
        verb = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
        verb.add_argument("--out", type=Path, required=True, help="file or folder to write")
        for config in configs:
            add_options(verb, config)
        verb.set_defaults(run=run)
        made[run] = verb
    for verb in (made[judge], made[data]):
        verb.add_argument("--policy", type=Path, required=True, help="folder of `policy`")
    made[judge].add_argument("--robots", type=int, default=64)
    made[judge].add_argument("--seed", type=int, default=5)
    verb = made[export]
    verb.add_argument("--data", type=Path, required=True, help="folder of `data`")
    verb.add_argument("--method", choices=sorted(PARTS), default="joint")
    verb.add_argument("--seconds", type=float, default=90.0, help="processor time of a network")
    verb.add_argument("--steps", type=int, default=0, help="optimiser steps instead")
    verb.add_argument("--seed", type=int, default=0)
    verb.add_argument("--guidance-scale", type=float, default=2.5, help="weight of the task")
    made[walk].add_argument("--bundle", type=Path, required=True, help="folder of `export`")
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    options = parser().parse_args(arguments)
    torch.set_num_threads(1)
    try:
        options.run(options)
    except (DriftpilotError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
