"""Losses against values computed by hand, and what they converge to."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn
from trajectory_learning.methods import (
    METHODS,
    BehaviourCloning,
    EnergyScore,
    GroupedDrift,
    KeyedDrift,
)

KEY = torch.zeros(1, 2)


def test_energy_score_by_hand():
    samples = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]])
    target = torch.tensor([[0.0, 0.0]])
    attraction = (0 + 5 + 1) / 3
    apart = (5 + 1 + (9 + 9) ** 0.5) / 3
    loss = EnergyScore(3).loss(samples, target, KEY)
    assert loss.item() == pytest.approx(attraction - apart / 2, abs=1e-4)


def test_energy_score_has_a_gradient_where_samples_agree():
    samples = torch.zeros(1, 2, 3, requires_grad=True)
    EnergyScore(2).loss(samples, torch.zeros(1, 3), KEY).backward()
    assert torch.isfinite(samples.grad).all()


def test_behaviour_cloning_by_hand():
    loss = BehaviourCloning().loss(torch.tensor([[[1.0, 2.0]]]), torch.tensor([[0.0, 0.0]]), KEY)
    assert loss.item() == pytest.approx(5.0)


def test_keyed_drift_by_hand():
    # Three conditions on a line: nearest neighbours 1, 1 and 2 apart, so the unit is 1.
    key = torch.tensor([[0.0], [1.0], [3.0]])
    x = torch.tensor([[1.0], [2.0], [3.0]])
    y = torch.tensor([[10.0], [20.0], [30.0]])
    drift = KeyedDrift(temperatures=(1.0,)).drift(x, y, key)
    e = torch.exp(-torch.tensor([0.0, 1.0, 3.0]))
    attract = (e * torch.tensor([10.0, 20.0, 30.0])).sum() / e.sum()
    repel = (e[1] * 2.0 + e[2] * 3.0) / (e[1] + e[2])
    assert drift[0].item() == pytest.approx((attract - repel).item(), rel=1e-5)


def test_keyed_drift_regresses_on_a_target_that_carries_no_gradient():
    samples = torch.randn(4, 1, 3, requires_grad=True)
    key, target = torch.randn(4, 2), torch.randn(4, 3)
    KeyedDrift().loss(samples, target, key).backward()
    drift = KeyedDrift().drift(samples[:, 0].detach(), target, key)
    drift = drift / drift.norm(dim=-1, keepdim=True)
    torch.testing.assert_close(samples.grad[:, 0], -2 * drift / 4, rtol=1e-3, atol=1e-4)


def drifted(samples: torch.Tensor, method: KeyedDrift) -> torch.Tensor:
    """How far the loss moves each sample: half its gradient, of either sign."""
    torch.manual_seed(0)
    x = samples[:, None].clone().requires_grad_()
    key, target = torch.randn(len(x), 2), torch.randn(len(x), samples.shape[1])
    method.loss(x, target, key).backward()
    assert x.grad is not None
    return x.grad[:, 0] * len(x) / 2


def test_keyed_drift_leaves_clamped_entries_alone():
    free = torch.tensor([False, True, True])
    moved = drifted(torch.randn(5, 3), KeyedDrift(free=free))
    assert (moved[:, 0] == 0).all()
    assert (moved[:, 1:] != 0).all()


def test_keyed_drift_normalises_only_where_asked():
    torch.manual_seed(1)
    x = torch.randn(5, 3)
    torch.testing.assert_close(drifted(x, KeyedDrift()).norm(dim=-1), torch.ones(5))
    raw = drifted(x, KeyedDrift(normalise=False)).norm(dim=-1)
    assert raw.std() > 0.05


def test_keyed_drift_weights_errors_by_entry():
    x = torch.randn(5, 3)
    weight = torch.tensor([0.5, 1.0, 4.0])
    torch.testing.assert_close(
        drifted(x, KeyedDrift(weight=weight)), weight * drifted(x, KeyedDrift())
    )


def test_included_self_negatives_cancel_the_repulsion_at_a_small_temperature():
    key = torch.tensor([[0.0], [1.0], [3.0]])
    x, y = torch.randn(3, 2), torch.randn(3, 2)
    included = KeyedDrift(temperatures=(0.01,), mask_self=False).drift(x, y, key)
    torch.testing.assert_close(included, y - x)
    masked = KeyedDrift(temperatures=(0.01,)).drift(x, y, key)
    torch.testing.assert_close(masked[0], y[0] - x[1])


def test_keyed_drift_without_repulsion_ignores_the_samples():
    key, y = torch.randn(4, 2), torch.randn(4, 3)
    method = KeyedDrift(repulsion=False)
    torch.testing.assert_close(
        method.drift(torch.randn(4, 3), y, key), method.drift(torch.zeros(4, 3), y, key)
    )


def test_keyed_drift_without_keys_compares_windows():
    x = torch.tensor([[0.0, 0.0], [5.0, 5.0]])
    y = torch.tensor([[5.1, 5.1], [0.1, 0.1]])
    method = KeyedDrift(temperatures=(0.1,), keyed=False, repulsion=False)
    # Each sample finds the window near to it, whichever condition that belongs to.
    torch.testing.assert_close(method.drift(x, y, torch.zeros(2, 1)), y.flip(0))


def test_grouped_drift_vanishes_between_equal_distributions():
    torch.manual_seed(0)
    group = torch.randn(1, 150, 2)
    method = GroupedDrift(samples=150, temperatures=(1.0,))
    # All data windows share one key, so their distribution is what the group is compared with.
    key = torch.zeros(150, 1)
    drift = torch.stack(
        [_drift_of_one(method, group[0], torch.randn(150, 2), key), _drift_of_one(
            method, group[0], torch.randn(150, 2) + 2.0, key)]
    )  # fmt: skip
    assert drift[0].mean(dim=0).norm() < 0.2
    assert (drift[1].mean(dim=0) > 0.5).all()


def _drift_of_one(method, samples, target, key):
    x = samples.expand(len(target), -1, -1)[: len(target)]
    return method.drift(x, target, key)[0]


class Toy(nn.Module):
    """A generator of numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(5, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1)
        )

    def forward(self, key, noise):
        group = key[:, None].expand(-1, noise.shape[1], -1)
        return self.layers(torch.cat([group, noise], dim=-1))


def teach(name: str, steps: int) -> torch.Tensor:
    """Train on +1 (70 %) and -1 (30 %), whatever the key; return samples."""
    torch.manual_seed(0)
    method, toy = METHODS[name](), Toy()
    optimiser = torch.optim.Adam(toy.parameters(), lr=3e-3)
    for _ in range(steps):
        key = torch.randn(128, 1)
        side = torch.where(torch.rand(128, 1) < 0.7, 1.0, -1.0)
        noise = torch.randn(128, method.samples, 4) * float(method.stochastic)
        loss = method.loss(toy(key, noise), side + 0.05 * torch.randn(128, 1), key)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        noise = torch.randn(200, 20, 4) * float(method.stochastic)
        return toy(torch.randn(200, 1), noise).flatten()


def test_energy_score_learns_both_modes_and_their_weights():
    samples = teach("energy", 800)
    near = [(samples - mode).abs() < 0.4 for mode in (1.0, -1.0)]
    assert near[0].float().mean() == pytest.approx(0.7, abs=0.15)
    assert near[1].float().mean() > 0.12
    assert samples.std() == pytest.approx(0.92, abs=0.12)


def test_behaviour_cloning_learns_the_mean_of_both_modes():
    samples = teach("behaviour_cloning", 400)
    assert samples.mean() == pytest.approx(0.4, abs=0.15)
    assert samples.std() < 0.2


@pytest.mark.parametrize("name", METHODS)
def test_every_method_gives_a_finite_loss_with_a_gradient(name: str):
    torch.manual_seed(0)
    method = METHODS[name]()
    samples = torch.randn(6, method.samples, 10, requires_grad=True)
    method.loss(samples, torch.randn(6, 10), torch.randn(6, 4)).backward()
    assert torch.isfinite(samples.grad).all()
    assert samples.grad.abs().sum() > 0


def test_methods_are_named_in_one_table():
    assert set(METHODS) == {"energy", "grouped_drift", "keyed_drift", "behaviour_cloning"}
    for a, b in itertools.combinations(METHODS.values(), 2):
        assert a is not b
