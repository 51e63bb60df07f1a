"""Training of one-step generators.

Letters: ``B`` conditions of a batch, ``G`` samples of each.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm
from trajectory_learning.methods import METHODS, Method
from trajectory_learning.networks.late_branch import LateBranchConfig
from trajectory_learning.problems.navigation import NavigationModel, WindowMetric, Windows
from trajectory_learning.training_record import Progress, TensorBoardLog, TrainingState


@dataclass(frozen=True)
class TrainingConfig:
    """How a generator is trained.

    Attributes:
        method: Name in `trajectory_learning.methods.METHODS`.
        seconds: Processor time of training [s], which a busy machine does not shorten.
        steps: Optimiser steps instead of ``seconds``, for a result that can be reproduced to the
            last bit; 0 leaves it to ``seconds``.
        batch: Conditions of a step.
        learning_rate: Peak learning rate; it falls to zero along a cosine.
        weight_decay: AdamW weight decay.
        value_weight: Weight of the value head's loss.
        averaging: Decay of the exponential average of the weights, which is what is kept.
        held_out: Share of the flights that only measures.
        seed: Seed of weights, batches and noise.
        mirror: Mirror half of each batch left to right.
    """

    method: str = "energy"
    seconds: float = 150.0
    steps: int = 0
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    value_weight: float = 0.3
    averaging: float = 0.998
    held_out: float = 0.03
    seed: int = 0
    mirror: bool = True


@dataclass
class TrainingReport:
    """What training came to.

    Attributes:
        steps: Optimiser steps.
        seconds: Processor time [s].
        windows: Windows trained on.
        loss: Smoothed loss, one in a hundred steps.
        held_out: Held-out figures: energy score, and the distance from the data window to the mean
            and to the nearest of 16 samples, in units of the data's spread; value error [m].
    """

    steps: int
    seconds: float
    windows: int
    loss: list[float] = field(default_factory=list)
    held_out: dict[str, float] = field(default_factory=dict)


def train(
    windows: Windows,
    dt_s: float,
    config: TrainingConfig,
    network: LateBranchConfig,
    progress: bool = True,
    held: NDArray[np.int32] | None = None,
    state: TrainingState | None = None,
    log: TensorBoardLog | None = None,
) -> tuple[NavigationModel, TrainingReport]:
    """Train a generator.

    Args:
        windows: Data.
        dt_s: Spacing of the samples.
        config: How.
        network: Sizes.
        progress: Show a progress bar.
        held: Flights that only measure; None: a share of them, drawn.
        state: Where the run is saved, and resumed from.
        log: Losses, and distances to held-out data, as training goes on.

    Returns:
        The averaged model and the report.
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    method = METHODS[config.method]()
    if held is None:
        flights = np.unique(windows.flight)
        held = flights[rng.random(len(flights)) < config.held_out]
    is_held = np.isin(windows.flight, held)
    data = windows.subset(np.flatnonzero(~is_held))
    metric = WindowMetric(data.subset(rng.choice(len(data), min(len(data), 50_000))), dt_s)
    horizon = windows.window.shape[2]
    model = NavigationModel(windows.scan.shape[1], horizon, dt_s, network)
    model.set_statistics(data)
    average = NavigationModel(windows.scan.shape[1], horizon, dt_s, network)
    average.load_state_dict(model.state_dict())
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    measured = windows.subset(np.flatnonzero(is_held)[:4000]) if is_held.any() else data
    glimpse = measured.subset(np.arange(min(len(measured), 500)))
    models = {"model": model, "average": average}
    so_far = state.restore(models, optimiser, rng) if state else Progress()
    log = log or TensorBoardLog(None)
    # As if the steps before an interruption had been taken just now.
    begin = time.process_time() - so_far.seconds
    bar = tqdm(total=100, unit="%", disable=not progress, bar_format="{l_bar}{bar}|{postfix}")
    done = _share(config, so_far)
    while done < 1.0:
        for group in optimiser.param_groups:
            warm = min(1.0, (so_far.steps + 1) / 200)
            group["lr"] = config.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * done))
        batch = data.subset(rng.integers(len(data), size=config.batch))
        if config.mirror:
            batch = mirrored(batch, rng.random(config.batch) < 0.5)
        loss, value_loss = losses(model, method, metric, batch)
        optimiser.zero_grad(set_to_none=True)
        (loss + config.value_weight * value_loss).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        so_far.steps += 1
        decay = min(config.averaging, so_far.steps / (so_far.steps + 10))
        with torch.no_grad():
            for kept, new in zip(average.parameters(), model.parameters(), strict=True):
                kept.lerp_(new, 1 - decay)
        so_far.smooth += (loss.item() - so_far.smooth) / min(so_far.steps, 100)
        so_far.seconds = time.process_time() - begin
        if so_far.steps % 100 == 0:
            so_far.losses.append(so_far.smooth)
            bar.set_postfix_str(
                f"step {so_far.steps} loss {so_far.smooth:.4f} value {value_loss.item():.3f}"
            )
            log.scalars(
                so_far.steps,
                {"loss/generator": so_far.smooth, "loss/value": value_loss.item()},
            )
        if log.active and so_far.steps % 500 == 0:
            # The drift loss is flat; the distance to the data is not.
            figures = measure(average, method, metric, glimpse)
            log.held_out(so_far.steps, figures)
        if state and state.due:
            state.save(models, optimiser, rng, so_far)
        done = _share(config, so_far)
        bar.update(min(100, int(100 * done)) - bar.n)
    bar.close()
    report = TrainingReport(so_far.steps, so_far.seconds, len(data), so_far.losses)
    report.held_out = measure(average, method, metric, measured)
    log.held_out(so_far.steps, report.held_out)
    return average, report


def _share(config: TrainingConfig, so_far: Progress) -> float:
    """How much of training is done."""
    if config.steps:
        return so_far.steps / config.steps
    return so_far.seconds / config.seconds


def losses(
    model: NavigationModel, method: Method, metric: WindowMetric, batch: Windows
) -> tuple[Tensor, Tensor]:
    """Generator loss and value loss of a batch."""
    key = model.condition(batch.scan, batch.velocity, batch.goal)
    encoded = model.network.encode(key)
    noise = torch.randn(len(batch), method.samples, model.network.config.noise)
    if not method.stochastic:
        noise.zero_()
    samples = metric.flatten(model.generate(encoded, batch.velocity, noise))
    loss = method.loss(samples, metric.flatten(batch.window), key)
    way = model.distance(encoded, batch.goal, batch.query)
    return loss, torch.nn.functional.smooth_l1_loss(way, batch.query_distance, beta=0.3)


def mirrored(windows: Windows, rows: np.ndarray) -> Windows:
    """Mirror some windows left to right: a room has no handedness, nor should its planner."""
    flip = torch.from_numpy(rows)
    sign = torch.where(flip, -1.0, 1.0)
    rays = windows.scan.shape[1]
    order = torch.arange(rays)
    scan = torch.where(flip[:, None], windows.scan[:, (-order) % rays], windows.scan)
    lateral = torch.stack([torch.ones_like(sign), sign, torch.ones_like(sign)], dim=-1)
    return Windows(
        scan,
        windows.velocity * lateral,
        windows.goal * lateral,
        windows.window * lateral[:, None, None],
        windows.query * lateral[:, None, :2],
        windows.query_distance,
        windows.flight,
    )


@torch.no_grad()
def measure(
    model: NavigationModel, method: Method, metric: WindowMetric, windows: Windows
) -> dict[str, float]:
    """Held-out figures, by the same measures for every method."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(len(windows), 16, model.network.config.noise, generator=generator)
    if not method.stochastic:
        noise = torch.zeros_like(noise[:, :2])
    encoded = model.network.encode(model.condition(windows.scan, windows.velocity, windows.goal))
    samples = metric.flatten(model.generate(encoded, windows.velocity, noise))
    target = metric.flatten(windows.window)
    to_data = (samples - target[:, None]).norm(dim=-1)
    g = samples.shape[1]
    i, j = torch.triu_indices(g, g, offset=1)
    apart = (samples[:, i] - samples[:, j]).norm(dim=-1).mean()
    way = model.distance(encoded, windows.goal, windows.query)
    return {
        "energy_score": float(to_data.mean() - 0.5 * apart),
        "distance_of_mean": float((samples.mean(dim=1) - target).norm(dim=-1).mean()),
        "distance_of_nearest": float(to_data.min(dim=1).values.mean()),
        "spread": float(apart),
        "value_error_m": float((way - windows.query_distance).abs().mean()),
    }
