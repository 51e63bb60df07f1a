"""MPDiffuser by tracking: the nearest plan that a forward model can follow.

A planner denoises states and actions together, and short of endless training they do not agree:
states are smooth and easy to predict, actions are not, and what is executed is the actions. Here
the sampled plan is a reference, and a linear-quadratic tracker in a learned forward model finds the
actions that keep near both, each in units of the planner's own error, together with the states that
follow from them. The composition is that of MPDiffuser, planner, dynamics model, ranker; the
coupling differs. Its two denoisers see the same noisy window and regress the same conditional mean,
so that a dynamics model trained on the planner's data adds nothing but capacity; a forward model
adds a constraint.

With p_planner Gaussian about the sampled plan, this is the mode of the target
p_planner p_dynamics^lambda of MPDiffuser (Sec. 3.4), by one Gauss-Newton step: for lambda to
infinity where the model is taken to be exact, and for lambda = 1 where it is doubted as much as its
own errors ask for. Doubt keeps a model that has learned from noise from leading plans away; where
the errors are pushes that nothing could foresee, it costs much of what tracking gains. To apply it
after every denoising step, and not after the last alone, cost ten times as much in the linear
system and gained little.

**Source**: tracker: B. Anderson and J. Moore, "Optimal control: linear quadratic methods", 1990,
Ch. 4, the linearised Riccati recursion, whose gains are then applied to the nonlinear model, as in
the forward pass of Li and Todorov's iterative LQR.

Letters: ``B`` windows, ``H`` samples of each, ``n_x`` states, ``n_u`` actions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import jacrev, vmap
from trajectory_learning.networks.forward_model import ForwardModel


@dataclass(frozen=True)
class PlanTracking:
    """Makes plans consistent with a forward model; normalised units throughout.

    Attributes:
        forward_model: Dynamics.
        state_variance: (H, n_x) expected squared error of a plan's states.
        action_variance: (H, n_u) expected squared error of its actions.
        clip: (n_u,) lowest and highest action.
        doubt: (n_x,) expected squared error of a step of the forward model; None takes it to be
            exact.
    """

    forward_model: ForwardModel
    state_variance: Tensor
    action_variance: Tensor
    clip: tuple[Tensor, Tensor]
    doubt: Tensor | None = None

    def follow(self, present: Tensor, plans: Tensor) -> Tensor:
        """The consistent plans nearest to given ones; in doubt, nearest to plans and model.

        Args:
            present: (B, n_x) present state.
            plans: (B, H, n_x + n_u) rows (x_{t+1}, u_t).

        Returns:
            (B, H, n_x + n_u) whose states follow from its actions; in doubt, but for errors of the
            model.
        """
        n_x = present.shape[1]
        states, actions = plans[..., :n_x], plans[..., n_x:]
        n_u = actions.shape[2]
        gains, feeds = self._gains(present, states, actions)
        x, off = present, torch.zeros_like(present)
        rows = []
        for t in range(plans.shape[1]):
            change = _times(gains[t], off) + feeds[t]
            u = torch.clamp(actions[:, t] + change[:, :n_u], *self.clip)
            x = self.forward_model(x, u)
            if self.doubt is not None:
                x = x + self.doubt.sqrt() * change[:, n_u:]
            off = x - states[:, t]
            rows.append(torch.cat([x, u], dim=-1))
        return torch.stack(rows, dim=1)

    def _gains(
        self, present: Tensor, states: Tensor, actions: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        """At each instant (B, n_u, n_x) feedback of the deviation and (B, n_u) change of action.

        In doubt, (B, n_u + n_x, n_x) and (B, n_u + n_x): the model's own errors come last.
        """
        before = torch.cat([present[:, None], states[:, :-1]], dim=1)
        # By what the plan misses its own next state.
        gap = self.forward_model(before, actions) - states
        A, B = _jacobians(self.forward_model, before, actions)
        price = 1.0 / self.action_variance
        if self.doubt is not None:
            # What the model does not know acts like further actions, of unit variance.
            B = torch.cat([B, torch.diag(self.doubt.sqrt()).expand(*B.shape[:2], -1, -1)], dim=-1)
            price = torch.cat([price, torch.ones_like(self.state_variance)], dim=-1)
        weight = 1.0 / self.state_variance
        value = torch.diag(weight[-1]).expand(len(states), -1, -1)
        slope = torch.zeros_like(present)
        gains, feeds = [], []
        for t in reversed(range(states.shape[1])):
            ahead = _times(value, gap[:, t]) + slope
            through = B[:, t].mT @ value
            of_action = torch.diag(price[t]) + through @ B[:, t]
            both = through @ A[:, t]
            pull = _times(B[:, t].mT, ahead)
            solved = -torch.linalg.solve(of_action, torch.cat([both, pull[..., None]], dim=-1))
            gain, feed = solved[..., :-1], solved[..., -1]
            value = A[:, t].mT @ value @ A[:, t] + both.mT @ gain
            # The present state is what it is: nothing weighs it.
            value = (value + value.mT) / 2 + (torch.diag(weight[t - 1]) if t else 0.0)
            slope = _times(A[:, t].mT, ahead) + _times(both.mT, feed)
            gains.append(gain)
            feeds.append(feed)
        return gains[::-1], feeds[::-1]


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    return (matrix @ vector[..., None])[..., 0]


def _jacobians(model: ForwardModel, states: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
    """(B, H, n_x, n_x) and (B, H, n_x, n_u) derivatives of the next state."""
    of_one = jacrev(lambda x, u: model(x, u), argnums=(0, 1))
    A, B = vmap(of_one)(states.flatten(0, 1), actions.flatten(0, 1))
    return A.unflatten(0, states.shape[:2]), B.unflatten(0, states.shape[:2])
