"""The offline data set: rollouts of the walking policy at four qualities.

Letters: ``E`` episodes, ``T`` steps of each, ``n`` windows, ``H`` samples of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from planner_core import dataset_file
from planner_core.dataset_file import Dataset, StoredEpisode
from trajectory_learning.methods.diffusion_family import Windows
from trajectory_learning.methods.ppo import Policy
from trajectory_learning.problems.go2.task import WalkingTask, cost, reward
from trajectory_learning.problems.go2.walking import DISTURBED

Array = NDArray[np.float64]

NAME: Final = "driftpilot/go2-walking-v0"
TASK: Final = 5
"""Numbers of a window's task: the command, the mean reward of the second that follows, and the
share of it that is spent tilted."""
AHEAD: Final = 50
"""Steps of that second."""


@dataclass(frozen=True)
class DataConfig:
    """The data set.

    Attributes:
        rollouts: ``E``, a fourth of them by each snapshot.
        steps: ``T``.
        robots: Walk at a time.
        noise: Greatest share of the policy's own noise that a rollout has.
        seed: Of everything.
    """

    rollouts: int = 5000
    steps: int = 250
    robots: int = 250
    noise: float = 1.0
    seed: int = 0


def roll_out(
    policy: Policy, task: WalkingTask, steps: int, noise: Array, rng: np.random.Generator
) -> Iterator[StoredEpisode]:
    """Episodes from standing still, each until its robot falls.

    Args:
        policy: The policy.
        task: Robots, at their beginning.
        steps: ``T``, where they do not fall.
        noise: (n,) share of the policy's noise.
        rng: Of the noise.
    """
    n = task.robots.n
    spread = np.exp(policy.log_noise.detach().double().numpy()) * noise[:, None]
    states, actions, fell = [task.robots.state()], [], []
    for _ in range(steps):
        action = policy.act(task.observe()) + spread * rng.normal(size=(n, len(spread[0])))
        task.advance(action)
        states.append(task.robots.state())
        actions.append(task.robots.target.copy())
        fell.append(task.robots.fallen())
    seen, done, falls = np.stack(states, axis=1), np.stack(actions, axis=1), np.stack(fell, axis=1)
    for i in range(n):
        length = int(falls[i].argmax()) + 1 if falls[i].any() else steps
        following = seen[i, 1 : length + 1]
        terminations = falls[i, :length]
        yield StoredEpisode(
            {
                "observations": seen[i, : length + 1].astype(np.float32),
                "actions": done[i, :length].astype(np.float32),
                "rewards": reward(following, task.command[i : i + 1]),
                "terminations": terminations,
                "truncations": (np.arange(length) == steps - 1) & ~terminations,
                "infos/cost": cost(following),
            },
            {f"command_{axis}": float(v) for axis, v in zip("xyw", task.command[i], strict=True)},
        )


def make_data(policies: Sequence[Policy], config: DataConfig) -> list[StoredEpisode]:
    """The episodes of all snapshots."""
    rng = np.random.default_rng([7, config.seed])
    episodes: list[StoredEpisode] = []
    for quality, policy in enumerate(policies):
        wanted = config.rollouts // len(policies)
        made = 0
        while made < wanted:
            n = min(config.robots, wanted - made)
            task = WalkingTask(n, rng, DISTURBED, noisy=False)
            noise = rng.uniform(0.0, config.noise, n)
            for episode in roll_out(policy, task, config.steps, noise, rng):
                attributes = {**episode.attributes, "quality": quality}
                episodes.append(StoredEpisode(episode.arrays, attributes))
            made += n
    return episodes


def save(folder: Path, episodes: Sequence[StoredEpisode], config: DataConfig, command: str) -> str:
    """Write the data set; returns its content hash."""
    provenance = {"command": command, "config": asdict(config)}
    return dataset_file.save(folder, Dataset(NAME, episodes, provenance))


def figures(episodes: Sequence[StoredEpisode]) -> dict[str, float]:
    """What the data are like: means over the episodes."""
    return {
        "rollouts": len(episodes),
        "steps": sum(e.steps for e in episodes),
        "return": float(np.mean([e.arrays["rewards"].sum() for e in episodes])),
        "cost": float(np.mean([e.arrays["infos/cost"].sum() for e in episodes])),
        "falls": float(np.mean([e.arrays["terminations"].any() for e in episodes])),
    }


def cut_windows(episodes: Sequence[StoredEpisode], horizon: int, stride: int) -> Windows:
    """Windows with the command that was given and what came of it."""
    parts: tuple[list[Array], ...] = ([], [], [], [])
    for episode in episodes:
        seen, done = episode.arrays["observations"], episode.arrays["actions"]
        begins = np.arange(0, episode.steps - horizon + 1, stride)
        if not len(begins):
            continue
        rows = begins[:, None] + np.arange(horizon)
        fell = bool(episode.arrays["terminations"].any())
        outcome = [_ahead(episode.arrays[name], fell) for name in ("rewards", "infos/cost")]
        command = [episode.attributes[f"command_{axis}"] for axis in "xyw"]
        task = np.column_stack([np.tile(command, (len(begins), 1)), *(o[begins] for o in outcome)])
        for part, values in zip(
            parts, (seen[begins], task, seen[rows + 1], done[rows]), strict=True
        ):
            part.append(values)
    return Windows(*(torch.from_numpy(np.concatenate(p)).float() for p in parts))


def _ahead(values: Array, fell: bool) -> Array:
    """(T,) mean over the second that follows each step.

    After a fall nothing more comes, which counts; where time ended the episode, what is left of it
    stands for the whole second.
    """
    total = np.concatenate([[0.0], np.cumsum(values)])
    begin = np.arange(len(values))
    end = np.minimum(begin + AHEAD, len(values))
    return (total[end] - total[begin]) / (AHEAD if fell else end - begin)
