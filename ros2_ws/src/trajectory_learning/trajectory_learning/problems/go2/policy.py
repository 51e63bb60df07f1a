"""The walking policy: trained, and kept at four qualities."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tqdm import tqdm
from trajectory_learning.methods.ppo import Policy, PPOConfig, Progress, train
from trajectory_learning.problems.go2.task import ACTION, OBSERVATION, WalkingTask

QUALITIES: Final = (0, 1 / 7, 4 / 7, 1)
"""After which shares of the training a snapshot is kept. The paper's are 0.1, 0.4, 0.7 and 1; what
begins with a trot that walks already is as good after a tenth as theirs later."""


def train_policy(folder: Path, config: PPOConfig, robots: int = 128) -> None:
    """Train a policy and write its snapshots.

    Args:
        folder: Of ``policy_ITERATION.safetensors`` and ``training.json``.
        config: How.
        robots: Stepped together.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    policy = Policy(OBSERVATION, ACTION, config.width, config.noise)
    task = WalkingTask(robots, np.random.default_rng(config.seed))
    kept = {round(share * config.iterations) for share in QUALITIES}

    def keep(iteration: int) -> None:
        save_file(policy.state_dict(), folder / f"policy_{iteration:04d}.safetensors")

    history: list[Progress] = []
    begin = time.process_time()
    with tqdm(total=config.iterations, unit="iteration") as bar:

        def report(progress: Progress) -> None:
            history.append(progress)
            bar.update()
            bar.set_postfix_str(f"reward {progress.reward:.2f} fell {progress.failures:.4f}")
            if progress.iteration in kept:
                keep(progress.iteration)

        keep(0)
        train(task, policy, config, report)
    summary = {
        "config": asdict(config), "robots": robots,
        "steps": config.iterations * config.steps * robots,
        "train_cpu_s": time.process_time() - begin,
        "history": [asdict(progress) for progress in history],
    }  # fmt: skip
    (folder / "training.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")


def load_policies(folder: Path) -> Sequence[Policy]:
    """The snapshots of a training, the worst first."""
    policies = []
    for file in sorted(folder.glob("policy_*.safetensors")):
        weights = load_file(file)
        width = weights["actor.0.weight"].shape[0]
        policy = Policy(OBSERVATION, ACTION, width, noise=1.0)
        policy.load_state_dict(weights)
        policies.append(policy.eval())
    return policies
