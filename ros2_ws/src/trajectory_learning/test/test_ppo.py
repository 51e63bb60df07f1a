"""Proximal policy optimisation on a problem whose answer is known."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from trajectory_learning.methods.ppo import Policy, PPOConfig, Progress, train

Array = NDArray[np.float64]


class Points:
    """Points on a line: an action moves them, and they are rewarded for being near 0."""

    def __init__(self, n: int = 64) -> None:
        self._rng = np.random.default_rng(0)
        self._place = self._rng.uniform(-1.0, 1.0, n)
        self._age = self._rng.integers(0, 10, n)

    def observe(self) -> Array:
        return self._place[:, None].copy()

    def step(self, action: Array) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
        self._place = self._place + 0.5 * action[:, 0]
        self._age += 1
        reward = -np.abs(self._place)
        failed, over = np.abs(self._place) > 3.0, self._age >= 10
        ended = failed | over
        self._place = np.where(ended, self._rng.uniform(-1.0, 1.0, len(ended)), self._place)
        self._age[ended] = 0
        return reward, failed, over


def test_a_policy_learns_to_go_where_the_reward_is() -> None:
    torch.manual_seed(0)
    policy = Policy(1, 1, width=32, noise=0.5)
    history: list[Progress] = []
    train(Points(), policy, PPOConfig(iterations=40, steps=20, width=32), history.append)
    assert len(history) == 40
    # Rewards are those of actions with noise; what was learned shows without it.
    place = np.linspace(-1.0, 1.0, 21)[:, None]
    for _ in range(5):
        place = place + 0.5 * policy.act(place)
    assert np.abs(place).max() < 0.1


def test_normalisation_follows_what_is_observed() -> None:
    policy = Policy(2, 1, width=8, noise=0.5)
    rng = torch.Generator().manual_seed(0)
    batches = [3.0 + 2.0 * torch.randn((500, 2), generator=rng) for _ in range(4)]
    for batch in batches:
        policy.follow(batch)
    whole = torch.cat(batches)
    torch.testing.assert_close(policy.mean, whole.mean(dim=0), rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(
        policy.variance, whole.var(dim=0, unbiased=False), rtol=2e-2, atol=2e-2
    )
