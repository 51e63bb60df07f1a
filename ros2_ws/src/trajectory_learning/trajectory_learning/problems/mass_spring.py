"""Mass-spring-damper: Table I of Drifting MPC, and the same with noise and with a Duffing spring.

The figure is the cost of the test episodes over that of the receding oracle, a ratio of means as in
the table. Data, controllers, cost weights and test episodes are the authors'; the network is
smaller and trained for seconds (`Sizes`), the same for every row.

**Source**: "Receding-Horizon Control via Drifting Models", Sec. V and Table I.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from trajectory_learning.benchmarks.interface import Measure, Row, Score, Trial
from trajectory_learning.benchmarks.step_time import graph_step_ms, step_ms
from trajectory_learning.benchmarks.training import Budget
from trajectory_learning.methods.affine_recombination import recombine
from trajectory_learning.methods.drifting_mpc import DriftingMpc
from trajectory_learning.methods.retrieval import Array
from trajectory_learning.problems.mass_spring_data import (
    DATA_SEED,
    TRAJECTORIES,
    Plant,
    collect,
    draw_episodes,
)
from trajectory_learning.problems.mass_spring_diffusion import (
    STEPS,
    WindowDiffusion,
    train_diffusion,
)
from trajectory_learning.problems.mass_spring_generator import (
    NOISE,
    BestOfM,
    Generator,
    library_of,
)
from trajectory_learning.problems.mass_spring_oracle import Policy, fly, oracle
from trajectory_learning.problems.mass_spring_training import Sizes, Trainer

METRIC = "cost over oracle"
HORIZONS = (30, 50, 100)
GUIDANCE = 10.0
DUFFING_N_M3 = 0.5
NEAREST = 64

PLANTS = {
    "": Plant(),
    ", noise 0.02": Plant(noise=0.02),
    ", Duffing": Plant(cubic_n_m3=DUFFING_N_M3),
}

TEMPERATURES = {30: (5.0,), 50: (1.0, 5.0, 20.0), 100: (5.0, 20.0)}
"""Published temperatures by horizon."""

NEGATIVES = 32
"""Published number of negatives. With few, the nearest of them is far, and repels too far."""

PUBLISHED_BETA = {30: 0.0, 50: 1.0, 100: 1.0}
"""Published inverse temperatures: at H = 30 the released configuration does not tilt at all."""

STRONG = DriftingMpc(beta=12.0, temperatures=(0.3, 1.0), relative=True)
RECOMBINED = DriftingMpc(beta=1.0, temperatures=(0.1, 0.3, 1.0), relative=True)

# Costs of Table I over the oracle's of the same table (90.1, 107.3, 93.2).
PAPER = {
    "Drifting MPC": {30: 105.8 / 90.1, 50: 131.5 / 107.3, 100: 122.6 / 93.2},
    "Drifting Prior": {30: 116.9 / 90.1, 50: 169.2 / 107.3, 100: 168.1 / 93.2},
    "Diffusion": {30: 119.6 / 90.1, 50: 201.9 / 107.3, 100: 8647 / 93.2},
    "Guided Diffusion": {30: 106.4 / 90.1, 50: 623.5 / 107.3, 100: 27317 / 93.2},
}


@dataclass(frozen=True)
class Setting:
    """A setting: its name, horizon and plant."""

    name: str
    horizon: int
    plant: Plant


SETTINGS = {
    f"H={horizon}{suffix}": Setting(f"H={horizon}{suffix}", horizon, plant)
    for suffix, plant in PLANTS.items()
    for horizon in HORIZONS
}

MPC_5 = "Drifting MPC as published, M=5"
MPC_64 = "Drifting MPC as published, M=64"
LONGER = 8
"""How many times the training of the rows below, which the authors trained for 500 epochs."""
MPC_5_LONG = f"Drifting MPC as published, M=5, {LONGER} times the training"
MPC_64_LONG = f"Drifting MPC as published, M=64, {LONGER} times the training"
PRIOR = "Drifting Prior, one sample"
STRONG_64 = "Drifting MPC, beta=12, M=64"
RECOMBINED_5 = "Drifting MPC on recombined positives, M=5"
RECOMBINED_64 = "Drifting MPC on recombined positives, M=64"
DIFFUSION = "Diffusion"
GUIDED = "Guided Diffusion"
CLONING = "behaviour cloning"
CHEAPEST = "cheapest of the 64 nearest windows"
AFFINE = "affine recombination, no training"
AMORTISED = "affine recombination, one step"


class MassSpring:
    """See the module."""

    name = "mass_spring"
    title = "Mass-spring-damper: cost over the oracle's (Drifting MPC, Table I)"

    def settings(self) -> Sequence[str]:
        """See `Problem.settings`."""
        return tuple(SETTINGS)

    def rows(self, setting: str) -> Sequence[Row]:
        """See `Problem.rows`; beyond Table I, only rows that carry a bar and their baselines."""
        one = SETTINGS[setting]
        ours = [
            Row(RECOMBINED_5, model="recombined", seeded=True),
            Row(RECOMBINED_64, model="recombined", seeded=True),
            Row(AFFINE),
            Row(AMORTISED, seeded=True),
            Row(CHEAPEST),
            Row(CLONING),
        ]
        if one.plant != Plant():
            return ours
        paper = {name: {METRIC: ratios[one.horizon]} for name, ratios in PAPER.items()}
        return [
            Row(MPC_5, "published", paper["Drifting MPC"]),
            Row(MPC_64, "published"),
            Row(MPC_5_LONG, "published, long", paper["Drifting MPC"]),
            Row(MPC_64_LONG, "published, long"),
            Row(PRIOR, paper=paper["Drifting Prior"]),
            Row(DIFFUSION, "diffusion", paper["Diffusion"]),
            Row(GUIDED, "diffusion", paper["Guided Diffusion"]),
            Row(STRONG_64),
            *ours,
        ]

    def configuration(self, quick: bool) -> Mapping[str, Any]:
        """See `Problem.configuration`."""
        return {
            "data_seed": DATA_SEED,
            "trajectories": _trajectories(quick),
            "sizes": asdict(_sizes(quick)),
            "strong": asdict(STRONG),
            "recombined": asdict(RECOMBINED),
            "published_temperatures": {str(h): t for h, t in TEMPERATURES.items()},
            "published_beta": {str(h): beta for h, beta in PUBLISHED_BETA.items()},
            "duffing_n_m3": DUFFING_N_M3,
            "denoising_steps": STEPS,
            "guidance": GUIDANCE,
        }

    def run(self, methods: Sequence[str], trial: Trial) -> Mapping[str, Score]:
        """See `Problem.run`."""
        setting = SETTINGS[trial.setting]
        episodes = draw_episodes(
            setting.plant, setting.horizon, trial.episode_seed, 10 if trial.quick else 100
        )
        trainer = Trainer(
            library_of(collect(setting.plant, setting.horizon, _trajectories(trial.quick))),
            _sizes(trial.quick),
            trial.seed,
        )
        best = oracle(setting.plant, episodes)
        return {
            method: Score({METRIC: Measure(fly(setting.plant, episodes, policy), best)}, cpu_s, ms)
            for method, (policy, cpu_s, ms) in _planners(methods, trainer, trial.seed).items()
        }


def _planners(
    methods: Sequence[str], trainer: Trainer, seed: int
) -> dict[str, tuple[Policy, float, float | None]]:
    """Policy, training time [s] and step time [ms] of each method; trained once for all of them.

    Step times do not depend on the seed: the first one measures.
    """
    free = {AFFINE: _affine, CHEAPEST: _cheapest}
    if methods[0] in free:
        policies = {method: free[method](trainer) for method in methods}
        seconds = 0.0
    elif methods[0] in (DIFFUSION, GUIDED):
        diffusion, denoiser, scales, seconds = train_diffusion(trainer, seed)
        policies = {
            method: WindowDiffusion(
                diffusion, denoiser, scales, GUIDANCE if method == GUIDED else 0.0, STEPS
            ).policy()
            for method in methods
        }
    else:
        generator, seconds = _train(methods[0], trainer)
        return {
            method: (
                _best_of(generator, _candidates(method)),
                seconds,
                None if seed else _graph_ms(generator, _candidates(method)),
            )
            for method in methods
        }
    one = (np.ones((1, 2)), np.ones((1, 3)))
    return {
        method: (policy, seconds, step_ms(lambda policy=policy: policy(*one), calls=10))
        for method, policy in policies.items()
    }


def _train(method: str, trainer: Trainer) -> tuple[Generator, float]:
    horizon = trainer.horizon
    published = DriftingMpc(
        PUBLISHED_BETA[horizon], temperatures=TEMPERATURES[horizon], samples=NEGATIVES
    )
    trained: dict[str, Callable[[], tuple[Generator, float]]] = {
        MPC_5: lambda: trainer.drifting(published),
        MPC_64: lambda: trainer.drifting(published),
        MPC_5_LONG: lambda: trainer.longer(LONGER).drifting(published),
        MPC_64_LONG: lambda: trainer.longer(LONGER).drifting(published),
        PRIOR: lambda: trainer.drifting(replace(published, beta=0.0)),
        STRONG_64: lambda: trainer.drifting(STRONG),
        RECOMBINED_5: lambda: trainer.recombined_drifting(RECOMBINED),
        RECOMBINED_64: lambda: trainer.recombined_drifting(RECOMBINED),
        AMORTISED: trainer.amortised_recombination,
        CLONING: trainer.behaviour_cloning,
    }
    return trained[method]()


def _candidates(method: str) -> int:
    """M of a learned row; 0 for those that are asked without noise."""
    if method == PRIOR:
        return 1
    found = re.search(r"M=(\d+)", method)
    return int(found[1]) if found else 0


def _best_of(generator: Generator, candidates: int) -> Policy:
    planner = BestOfM(generator).eval()
    draw = torch.Generator().manual_seed(0)

    @torch.no_grad()
    def policy(x: Array, omega: Array) -> Array:
        query = (torch.from_numpy(x).float(), torch.from_numpy(omega).float())
        noise = _noise(len(x), candidates, draw)
        return planner(*query, noise).numpy().astype(np.float64)

    return policy


def _graph_ms(generator: Generator, candidates: int) -> float:
    noise = _noise(1, candidates, torch.Generator().manual_seed(0))
    return graph_step_ms(BestOfM(generator), (torch.ones(1, 2), torch.ones(1, 3), noise))


def _noise(queries: int, candidates: int, draw: torch.Generator) -> torch.Tensor:
    """(B, M, 32); none is drawn for a method that is asked without."""
    if candidates == 0:
        return torch.zeros(queries, 1, NOISE)
    return torch.randn(queries, candidates, NOISE, generator=draw)


def _affine(trainer: Trainer) -> Policy:
    how = trainer.recombination()
    first = 2 * trainer.horizon + 2
    return lambda x, omega: recombine(trainer.library, x, omega, how)[:, first]


def _cheapest(trainer: Trainer) -> Policy:
    library, first = trainer.library, 2 * trainer.horizon + 2

    def policy(x: Array, omega: Array) -> Array:
        best = library.nearest(x, omega, NEAREST).cheapest(1)[:, 0]
        return library.windows[best, first].astype(np.float64)

    return policy


def _sizes(quick: bool) -> Sizes:
    if not quick:
        return Sizes()
    return Sizes(budget=Budget(steps=60), width=64, blocks=2, anchors=256, targets=512)


def _trajectories(quick: bool) -> int:
    return 4000 if quick else TRAJECTORIES


PROBLEM = MassSpring()
