"""Two ways round: a toy whose truth is known, for what a generator does with modes.

A window is a path past an obstacle that 70 % of the data pass on one side and 30 % on the other;
the condition says where the path begins and ends. Behaviour cloning runs into the obstacle. A
planner that ranks its samples needs both ways among them, in the right shares.

Letters: ``B`` conditions, ``G`` samples of each, ``H = 16`` samples of a path, ``E`` tested ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from trajectory_learning.benchmarks.interface import Measure, Row, Score, Trial
from trajectory_learning.benchmarks.step_time import graph_step_ms
from trajectory_learning.benchmarks.training import Budget, fit
from trajectory_learning.methods import (
    BehaviourCloning,
    EnergyScore,
    GroupedDrift,
    KeyedDrift,
    Method,
)
from trajectory_learning.networks.residual_mlp import ResidualMLP

HORIZON = 16
SHARE = 0.7
MODE_SPREAD = 0.05
NEAR = 0.4
"""A sample further than this from both ways, at the obstacle, takes neither."""
NOISE = 4
SAMPLES = 64
TRUE_STD = float(np.sqrt(1.0 - (2 * SHARE - 1) ** 2 + MODE_SPREAD**2))

CLONING = "behaviour cloning"
METHODS: dict[str, Method] = {
    CLONING: BehaviourCloning(),
    "energy score": EnergyScore(16),
    "grouped keyed drift": GroupedDrift(8, key_temperature=1.0),
    "Algorithm 1 as printed": KeyedDrift(normalise=False),
    "Algorithm 1, drift normalised": KeyedDrift(),
    "no keying": KeyedDrift(keyed=False),
    "self-negatives included": KeyedDrift(mask_self=False),
    "attraction only": KeyedDrift(repulsion=False),
    "single temperature": KeyedDrift(temperatures=(1.0,)),
}
"""The last five are the paper's full method and the ablations of its Table IV. Samples and key
temperature of the grouped drift were chosen with the conditions of episode seed 0."""

BAR = ("energy score", "grouped keyed drift")


class PathGenerator(nn.Module):
    """Paths from a condition and noise."""

    def __init__(self, width: int = 128, blocks: int = 2) -> None:
        super().__init__()
        self.body = ResidualMLP(2 + NOISE, width, blocks)
        self.head = nn.Linear(width, HORIZON)

    def forward(self, condition: Tensor, noise: Tensor) -> Tensor:
        """(B, 2), (B, G, 4) -> (B, G, H)."""
        condition = condition[:, None].expand(-1, noise.shape[1], -1)
        return self.head(self.body(torch.cat([condition, noise], dim=-1)))


def bump() -> Tensor:
    """(H,) how far from the straight line a path is, at most 1."""
    return torch.sin(torch.pi * (torch.arange(HORIZON) + 0.5) / HORIZON)


def line(condition: Tensor) -> Tensor:
    """(B, H) the straight line from one end to the other."""
    along = (torch.arange(HORIZON) + 0.5) / HORIZON
    return condition[:, :1] * (1 - along) + condition[:, 1:] * along


def draw(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """(count, 2) conditions and (count, H) paths of the data."""
    condition = 2 * torch.rand(count, 2, generator=generator) - 1
    side = torch.where(torch.rand(count, 1, generator=generator) < SHARE, 1.0, -1.0)
    side = side + MODE_SPREAD * torch.randn(count, 1, generator=generator)
    return condition, line(condition) + side * bump()


def sides(condition: Tensor, paths: Tensor) -> Tensor:
    """(B, G) how far each path (B, G, H) passes from the obstacle: the bump's share in it."""
    shape = bump()
    return (paths - line(condition)[:, None]) @ shape / shape.square().sum()


class Bimodal:
    """See the module."""

    name = "bimodal"
    title = "Two ways round: shares and spread of the modes (truth: 0.70, 0.30, 1)"

    def settings(self) -> Sequence[str]:
        """See `Problem.settings`."""
        return ("two modes",)

    def rows(self, setting: str) -> Sequence[Row]:
        """See `Problem.rows`."""
        return [Row(name, seeded=name in BAR) for name in METHODS]

    def configuration(self, quick: bool) -> Mapping[str, Any]:
        """See `Problem.configuration`."""
        return {
            "budget": asdict(_budget(quick)),
            "batch": BATCH,
            "noise": NOISE,
            "methods": {name: repr(method) for name, method in METHODS.items()},
        }

    def run(self, methods: Sequence[str], trial: Trial) -> Mapping[str, Score]:
        """See `Problem.run`."""
        scores = {}
        for name in methods:
            torch.manual_seed(trial.seed)
            generator, seconds = train(METHODS[name], _budget(trial.quick), trial.seed)
            scores[name] = replace(
                evaluate(generator, METHODS[name], trial.episode_seed or 0),
                train_cpu_s=seconds,
                step_ms_p50=None if trial.seed else _graph_ms(generator),
            )
        return scores


BATCH = 512
"""Samples of a training step, whatever the number that a condition has."""


def train(method: Method, budget: Budget, seed: int) -> tuple[PathGenerator, float]:
    """Train a generator; returns it and the processor time [s]."""
    drawn = torch.Generator().manual_seed(seed)
    conditions = BATCH // method.samples
    network = PathGenerator()

    def loss(progress: float) -> Tensor:
        condition, path = draw(conditions, drawn)
        noise = torch.randn(conditions, method.samples, NOISE) * float(method.stochastic)
        # The methods' unit: the Euclidean norm of a window is a root-mean-square error.
        scale = HORIZON**-0.5
        return method.loss(scale * network(condition, noise), scale * path, condition)

    trained, seconds = fit(network, loss, budget)
    assert isinstance(trained, PathGenerator)
    return trained, seconds


@torch.no_grad()
def evaluate(generator: PathGenerator, method: Method, seed: int, count: int = 200) -> Score:
    """Shares of samples that take each way, and their spread, by condition."""
    drawn = torch.Generator().manual_seed(10_000 + seed)
    condition, _ = draw(count, drawn)
    noise = torch.randn(count, SAMPLES, NOISE, generator=drawn) * float(method.stochastic)
    side = sides(condition, generator(condition, noise))
    near = [((side - mode).abs() < NEAR).float().mean(dim=1).numpy() for mode in (1.0, -1.0)]
    return Score(
        {
            "share at +1": Measure(near[0]),
            "share at -1": Measure(near[1]),
            "std over truth": Measure(side.std(dim=1).numpy() / TRUE_STD),
        }
    )


def _graph_ms(generator: PathGenerator) -> float:
    return graph_step_ms(generator, (torch.zeros(1, 2), torch.zeros(1, SAMPLES, NOISE)))


def _budget(quick: bool) -> Budget:
    return Budget(steps=60) if quick else Budget(seconds=12.0)


PROBLEM = Bimodal()
