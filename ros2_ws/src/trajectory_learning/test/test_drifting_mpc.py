"""The tilted drift against values computed by hand."""

from __future__ import annotations

import pytest
import torch
from trajectory_learning.methods.drifting_mpc import DriftingMpc, z_scored


def test_drift_by_hand() -> None:
    x = torch.tensor([[[0.0], [1.0]]])
    positives = torch.tensor([[[2.0], [-1.0]]])
    cost = torch.tensor([[3.0, 5.0]])
    drift = DriftingMpc(beta=2.0, ramp=0.5, temperatures=(4.0,)).drift(x, positives, cost, 1.0)
    tilt = -2.0 * torch.tensor([-1.0, 1.0]) / 2**0.5
    for i, other in ((0, 1), (1, 0)):
        near = -(x[0, i] - positives[0, :, 0]).square() / 4.0
        attract = torch.softmax(tilt + near, dim=0) @ positives[0, :, 0]
        # Two samples: the only negative of one is the other.
        assert drift[0, i, 0].item() == pytest.approx((attract - x[0, other, 0]).item(), abs=1e-5)


def test_beta_rises_linearly_and_stays() -> None:
    method = DriftingMpc(beta=8.0, ramp=0.4)
    assert [method.tilt_strength(p) for p in (0.0, 0.2, 0.4, 1.0)] == pytest.approx([0, 4, 8, 8])


def test_the_prior_does_not_ask_for_the_cost() -> None:
    torch.manual_seed(0)
    x, positives = torch.randn(2, 4, 3), torch.randn(2, 9, 3)
    prior = DriftingMpc(beta=0.0)
    drifts = [prior.drift(x, positives, torch.rand(2, 9), 1.0) for _ in range(2)]
    torch.testing.assert_close(*drifts)


def test_a_strong_tilt_draws_to_the_cheapest_positive() -> None:
    torch.manual_seed(0)
    positives = torch.randn(1, 30, 2)
    cost = torch.rand(1, 30)
    cost[0, 7] = -1.0
    method = DriftingMpc(beta=100.0, temperatures=(10.0,), relative=True)
    x = torch.zeros(1, 2, 2)
    target = method.drift(x, positives, cost, 1.0)[0]
    torch.testing.assert_close(target, positives[0, [7, 7]], atol=1e-2, rtol=0)


def test_relative_temperatures_do_not_depend_on_the_unit_of_windows() -> None:
    torch.manual_seed(0)
    method = DriftingMpc(temperatures=(0.5,), relative=True)
    x, positives, cost = torch.randn(2, 4, 3), torch.randn(2, 9, 3), torch.rand(2, 9)
    drift = method.drift(x, positives, cost, 1.0)
    scaled = method.drift(7 * x, 7 * positives, cost, 1.0)
    torch.testing.assert_close(scaled, 7 * drift, rtol=1e-4, atol=1e-4)


def test_cost_is_z_scored_and_clipped() -> None:
    cost = torch.cat([torch.zeros(1, 99), torch.full((1, 1), 1e6)], dim=1)
    scored = z_scored(cost)
    assert scored.max() == 5.0
    assert scored[0, 0].item() == pytest.approx(-0.1, abs=0.01)


def test_loss_regresses_on_a_target_that_carries_no_gradient() -> None:
    samples = torch.randn(2, 4, 3, requires_grad=True)
    positives, cost = torch.randn(2, 9, 3), torch.rand(2, 9)
    method = DriftingMpc()
    method.loss(samples, positives, cost, 1.0).backward()
    drift = method.drift(samples.detach(), positives, cost, 1.0)
    torch.testing.assert_close(samples.grad, -2 * drift / 8, rtol=1e-4, atol=1e-5)
