"""Training for a span of processor time, the same loop for every row of a problem."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from tqdm import tqdm
from trajectory_learning.methods.diffusion_training import Average

WARM_UP_STEPS = 50


@dataclass(frozen=True)
class Budget:
    """How long and how fast a model is trained.

    Attributes:
        seconds: Processor time [s], which a busy machine does not shorten.
        steps: Optimiser steps instead, for a result that can be repeated to the last bit; 0 leaves
            it to ``seconds``.
        learning_rate: Peak rate; it falls to zero along a cosine.
        weight_decay: Of AdamW.
        averaging: Decay of the exponential average of the weights, which is what is kept.
    """

    seconds: float = 20.0
    steps: int = 0
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    averaging: float = 0.995


def fit(
    model: nn.Module, loss_at: Callable[[float], Tensor], budget: Budget, name: str = ""
) -> tuple[nn.Module, float]:
    """Minimise a loss.

    Args:
        model: Model, trained in place.
        loss_at: Loss of a fresh batch, given the share of training done.
        budget: How long.
        name: Shown by the progress bar.

    Returns:
        The averaged model, in evaluation mode, and the processor time [s].
    """
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=budget.learning_rate, weight_decay=budget.weight_decay
    )
    average = Average(model, budget.averaging)
    begin = time.process_time()
    step, done = 0, 0.0
    with tqdm(total=100, unit="%", desc=name, leave=False) as bar:
        while done < 1.0:
            warm = min(1.0, (step + 1) / WARM_UP_STEPS)
            for group in optimiser.param_groups:
                group["lr"] = budget.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * done))
            loss = loss_at(done)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            step += 1
            average.update(model)
            elapsed = time.process_time() - begin
            done = step / budget.steps if budget.steps else elapsed / budget.seconds
            bar.update(min(100, int(100 * done)) - bar.n)
    return average.network, time.process_time() - begin
