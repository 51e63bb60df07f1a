"""Training of denoisers, and of any network with a loss over batches.

The budget is processor time, so that methods are compared at equal cost on a busy machine; the
weights that are kept are an exponential average, which is what makes short trainings of diffusion
models useful.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm
from trajectory_learning.training_record import Progress, TensorBoardLog, TrainingState

MEASURE_STEPS = 500
"""Steps between two measures of held-out data, which take longer than a step."""


@dataclass(frozen=True)
class FitConfig:
    """How a network is trained.

    Attributes:
        seconds: Processor time [s].
        steps: Optimiser steps instead of ``seconds``, for a result that can be reproduced to the
            last bit; 0 leaves it to ``seconds``.
        batch: Windows of a step.
        learning_rate: Peak learning rate; it falls to zero along a cosine.
        weight_decay: AdamW weight decay.
        averaging: Decay of the average of the weights.
        bf16: Compute in bfloat16 where that is safe, on processors that have it; faster for wide
            networks. See `has_bfloat16`.
        seed: Seed of batches and noise.
    """

    seconds: float = 60.0
    steps: int = 0
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    averaging: float = 0.998
    bf16: bool = False
    seed: int = 0


@dataclass(frozen=True)
class FitReport:
    """What a training came to.

    Attributes:
        steps: Optimiser steps.
        cpu_s: Processor time [s].
        loss: Smoothed loss at the end.
    """

    steps: int
    cpu_s: float
    loss: float


@dataclass(frozen=True)
class Record:
    """What a training leaves behind while it goes on; by default nothing.

    Attributes:
        state: Where the run is saved, and resumed from.
        log: Losses and figures over steps.
        rng: What the loss draws from beside torch's generator, so that it is resumed too.
        measure: From the averaged network to figures of held-out data, for the log.
    """

    state: TrainingState | None = None
    log: TensorBoardLog = field(default_factory=lambda: TensorBoardLog(None))
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    measure: Callable[[nn.Module], Mapping[str, float]] | None = None


class Average:
    """Exponential average of a network's weights.

    Args:
        network: Network to follow.
        decay: Share of the average that is kept at a step; smaller during the first steps, so that
            the random beginning is forgotten.

    Attributes:
        network: The average.
        updates: Steps that it has followed.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self._decay, self.updates = decay, 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Follow the network by one step."""
        self.updates += 1
        decay = min(self._decay, self.updates / (self.updates + 10))
        # One call for all tensors: small networks would else spend their time in this loop.
        torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), 1 - decay)


def device() -> torch.device:
    """The accelerator where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bfloat16(place: torch.device) -> bool:
    """Whether a device has instructions for bfloat16.

    A processor without them emulates it: a step of the linear system's planner took ten times as
    long as in single precision.
    """
    if place.type != "cpu":
        return True
    return any(has for name, has in torch.cpu.get_capabilities().items() if name.endswith("bf16"))


def fit(
    network: nn.Module,
    loss: Callable[[nn.Module, tuple[Tensor, ...]], Tensor],
    data: Sequence[Tensor],
    config: FitConfig,
    progress: bool = False,
    record: Record | None = None,
) -> tuple[nn.Module, FitReport]:
    """Train a network.

    Args:
        network: Network; changed in place.
        loss: From the network and a batch to its loss ().
        data: Tensors of the same first length; batches are drawn from them together.
        config: How.
        progress: Show a progress bar.
        record: State to resume from, and logs.

    Returns:
        The averaged network, on the CPU and in evaluation mode, and the report.
    """
    torch.manual_seed(config.seed)
    place = device()
    network.to(place).train()
    tensors = tuple(t.to(place) for t in data)
    average = Average(network, config.averaging)
    bf16 = config.bf16 and has_bfloat16(place)
    optimiser = torch.optim.AdamW(
        network.parameters(),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        fused=True,
    )
    record = record or Record()
    models = {"network": network, "average": average.network}
    so_far = record.state.restore(models, optimiser, record.rng) if record.state else Progress()
    average.updates = so_far.steps
    bar = tqdm(total=100, unit="%", disable=not progress, bar_format="{l_bar}{bar}|{postfix}")
    # As if the steps before an interruption had been taken just now.
    begin = time.process_time() - so_far.seconds
    done = _share(config, so_far)
    while done < 1.0:
        warm = min(1.0, (so_far.steps + 1) / 100)
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * done))
        rows = torch.randint(len(tensors[0]), (config.batch,), device=place)
        with torch.autocast(place.type, torch.bfloat16, enabled=bf16):
            value = loss(network, tuple(t[rows] for t in tensors))
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        average.update(network)
        so_far.steps += 1
        so_far.smooth += (value.item() - so_far.smooth) / min(so_far.steps, 100)
        so_far.seconds = time.process_time() - begin
        done = _share(config, so_far)
        if so_far.steps % 20 == 0:
            bar.set_postfix_str(f"step {so_far.steps} loss {so_far.smooth:.4f}")
            bar.update(min(100, int(100 * done)) - bar.n)
        if so_far.steps % 100 == 0:
            so_far.losses.append(so_far.smooth)
            record.log.scalars(so_far.steps, {"loss/network": so_far.smooth})
        if record.log.active and record.measure and so_far.steps % MEASURE_STEPS == 0:
            record.log.held_out(so_far.steps, record.measure(average.network))
        if record.state and record.state.due:
            record.state.save(models, optimiser, record.rng, so_far)
    bar.close()
    return average.network.cpu(), FitReport(so_far.steps, so_far.seconds, so_far.smooth)


def _share(config: FitConfig, so_far: Progress) -> float:
    """How much of training is done."""
    return so_far.steps / config.steps if config.steps else so_far.seconds / config.seconds
