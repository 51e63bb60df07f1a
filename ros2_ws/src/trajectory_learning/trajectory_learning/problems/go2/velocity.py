"""How fast the trunk moves, from joints and inertial sensor over a short history.

A foot that stands does not move, so the trunk moves against it as its leg does; which feet stand,
and how much each says, a small network makes out.

**Source**: MPDiffuser, Sec. 4.4: "a small MLP is trained to estimate velocity from joint states".

Letters: ``n`` histories, ``F`` frames of each, ``n_s`` numbers of a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from planner_core.dataset_file import StoredEpisode
from torch import Tensor, nn
from trajectory_learning.methods.diffusion_family import Scaling
from trajectory_learning.methods.diffusion_training import FitConfig, fit

Array = NDArray[np.float64]

SENSED: Final = 30
"""``n_s``: the first numbers of a state, all but the velocity."""
FRAMES: Final = 5
NOISE: Final = np.repeat([0.05, 0.01, 0.005, 0.1], [3, 3, 12, 12])
"""(30,) of what is sensed, in training: no estimate may hang on the last digit of an encoder."""


class VelocityNetwork(nn.Module):
    """From a history to the velocity now.

    Args:
        mean: (30,) of what is sensed.
        std: (30,) of it.
        width: Features.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor, width: int = 96) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.layers = nn.Sequential(
            nn.Linear(FRAMES * SENSED, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(),
            nn.Linear(width, 3),
        )  # fmt: skip

    def forward(self, history: Tensor) -> Tensor:
        """(n, F, 30) the newest last -> (n, 3) [m/s] in the trunk's frame."""
        return self.layers(((history - self.mean) / self.std).flatten(1))


def histories(episodes: Sequence[StoredEpisode], stride: int) -> tuple[Tensor, Tensor]:
    """(n, F, 30) histories and (n, 3) [m/s] velocities at their ends.

    Before its beginning a robot has stood as it stands then.
    """
    seen, velocity = [], []
    for episode in episodes:
        states = episode.arrays["observations"]
        padded = np.concatenate([np.repeat(states[:1], FRAMES - 1, axis=0), states])
        ends = np.arange(0, len(states), stride)
        seen.append(padded[ends[:, None] + np.arange(FRAMES), :SENSED])
        velocity.append(states[ends, SENSED:])
    return torch.from_numpy(np.concatenate(seen)), torch.from_numpy(np.concatenate(velocity))


def train_velocity(
    episodes: Sequence[StoredEpisode], config: FitConfig, stride: int = 3
) -> VelocityNetwork:
    """Train the estimator."""
    history, velocity = histories(episodes, stride)
    scaling = Scaling(history)
    network = VelocityNetwork(scaling.mean, scaling.std)
    noise = torch.from_numpy(NOISE).float()

    def loss(network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        sensed, moved = batch
        sensed = sensed + noise * torch.randn_like(sensed)
        return (network(sensed) - moved).square().sum(dim=-1).mean()

    trained, _ = fit(network, loss, (history, velocity), config)
    assert isinstance(trained, VelocityNetwork)
    return trained


@torch.no_grad()
def errors(network: VelocityNetwork, episodes: Sequence[StoredEpisode]) -> dict[str, float]:
    """Bias and root-mean-square error along x and y over episodes [m/s]."""
    history, velocity = histories(episodes, 1)
    missed = (network(history) - velocity).double().numpy()
    return {
        "bias_x_m_s": float(missed[:, 0].mean()),
        "bias_y_m_s": float(missed[:, 1].mean()),
        "rms_x_m_s": float(np.sqrt((missed[:, 0] ** 2).mean())),
        "rms_y_m_s": float(np.sqrt((missed[:, 1] ** 2).mean())),
    }
