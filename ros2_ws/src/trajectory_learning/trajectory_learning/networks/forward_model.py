"""One step of the dynamics: the state that follows from a state and an action.

Letters: ``B`` samples, ``n_x`` states, ``n_u`` actions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ForwardModel(nn.Module):
    """A linear model with a network for what is not linear.

    Args:
        states: ``n_x``.
        actions: ``n_u``.
        change: (n_x,) deviation of a state's change in one step, which scales the network's answer.
        width: Features.
    """

    change: Tensor

    def __init__(self, states: int, actions: int, change: Tensor, width: int = 64) -> None:
        super().__init__()
        self.register_buffer("change", change)
        self.straight = nn.Linear(states + actions, states)
        self.bent = nn.Sequential(
            nn.Linear(states + actions, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, states),
        )

    def forward(self, state: Tensor, action: Tensor) -> Tensor:
        """(..., n_x), (..., n_u) -> (..., n_x) the next state."""
        both = torch.cat([state, action], dim=-1)
        return state + self.change * (self.straight(both) + self.bent(both))

    def loss(self, state: Tensor, action: Tensor, following: Tensor) -> Tensor:
        """() mean squared error in units of the change."""
        return ((self(state, action) - following) / self.change).square().mean()
