"""Training of the diffusion planners for navigation."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from trajectory_learning.methods.diffusion_training import FitConfig, Record, fit
from trajectory_learning.problems.navigation import Windows
from trajectory_learning.problems.navigation_diffusion import DiffusionConfig, NavigationDiffusion
from trajectory_learning.training import TrainingConfig, TrainingReport, mirrored
from trajectory_learning.training_record import TensorBoardLog, TrainingState


def train_diffusion(
    windows: Windows,
    config: TrainingConfig,
    diffusion: DiffusionConfig,
    progress: bool = True,
    state: TrainingState | None = None,
    log: TensorBoardLog | None = None,
) -> tuple[NavigationDiffusion, TrainingReport]:
    """Train a Diffuser or an MPDiffuser.

    Args:
        windows: Data.
        config: How; its value head belongs to one-step generators and is not trained here.
        diffusion: Networks and noise levels.
        progress: Show a progress bar.
        state: Where the run is saved, and resumed from.
        log: Loss, and loss on held-out data, as training goes on.

    Returns:
        The averaged model and the report.
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    flights = np.unique(windows.flight)
    is_held = np.isin(windows.flight, flights[rng.random(len(flights)) < config.held_out])
    data = windows.subset(np.flatnonzero(~is_held))
    model = NavigationDiffusion(
        config.method, windows.scan.shape[1], windows.window.shape[2], diffusion
    )
    model.set_statistics(data)

    def loss(network: nn.Module, rows: tuple[Tensor, ...]) -> Tensor:
        assert isinstance(network, NavigationDiffusion)
        batch = data.subset(rows[0].numpy())
        if config.mirror:
            batch = mirrored(batch, rng.random(len(batch)) < 0.5)
        return network.losses(batch)

    fitting = FitConfig(
        config.seconds, config.steps, config.batch, config.learning_rate, config.weight_decay,
        config.averaging, bf16=config.method == "mpdiffuser", seed=config.seed,
    )  # fmt: skip
    measured = windows.subset(np.flatnonzero(is_held)[:4000]) if is_held.any() else data
    glimpse = measured.subset(np.arange(min(len(measured), 500)))
    log = log or TensorBoardLog(None)
    record = Record(state, log, rng, lambda network: _held_out(network, glimpse))
    # Batches are cut from the windows by row, because mirroring needs them whole.
    kept, fitted = fit(model, loss, (torch.arange(len(data)),), fitting, progress, record)
    assert isinstance(kept, NavigationDiffusion)
    report = TrainingReport(fitted.steps, fitted.cpu_s, len(data), [fitted.loss])
    report.held_out = _held_out(kept, measured)
    log.held_out(fitted.steps, report.held_out)
    return kept, report


@torch.no_grad()
def _held_out(model: nn.Module, windows: Windows) -> dict[str, float]:
    """Mean denoising loss over levels, with noise that is the same for every model."""
    assert isinstance(model, NavigationDiffusion)
    # A glance in the middle of training must not change the training.
    with torch.random.fork_rng():
        torch.manual_seed(0)
        losses = [float(model.losses(windows)) for _ in range(4)]
    return {"denoising_loss": float(np.mean(losses))}
