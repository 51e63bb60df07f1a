"""Every denoiser keeps the one interface."""

from __future__ import annotations

import pytest
import torch
from planner_core.errors import InvalidParameterError
from trajectory_learning.networks.denoisers import MlpDenoiser
from trajectory_learning.networks.temporal_unet import TemporalUnet
from trajectory_learning.networks.transformer import Transformer

H, D, C, STATES = 9, 5, 6, 3


def mlp(**options):
    return MlpDenoiser(H, D, C, width=32, **options)


def unet(**options):
    return TemporalUnet(D, C, width=8, **options)


def transformer(**options):
    return Transformer(H, D, C, width=16, blocks=2, heads=2, **options)


NETWORKS = pytest.mark.parametrize("make", [mlp, unet, transformer])


def awake(network):
    """A network as training leaves it: at first no condition reaches the blocks."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    return network.eval()


@NETWORKS
@pytest.mark.parametrize("outputs", [None, STATES])
def test_shapes_at_an_odd_length(make, outputs):
    torch.manual_seed(0)
    network = make(outputs=outputs)
    out = network(torch.randn(4, H, D), torch.tensor([3.0]), torch.randn(4, C))
    assert out.shape == (4, H, outputs or D)


@NETWORKS
def test_one_level_for_all_is_that_level_for_each(make):
    torch.manual_seed(0)
    network = awake(make())
    x, condition = torch.randn(4, H, D), torch.randn(4, C)
    one = network(x, torch.tensor([3.0]), condition)
    torch.testing.assert_close(one, network(x, torch.full((4,), 3.0), condition))
    assert not torch.allclose(one, network(x, torch.tensor([4.0]), condition), atol=1e-4)


@NETWORKS
def test_a_withheld_task_makes_no_difference_and_the_state_still_does(make):
    torch.manual_seed(0)
    network = awake(make(always=STATES))
    x, k, condition = torch.randn(1, H, D), torch.tensor([3.0]), torch.randn(1, C)
    other_task, other_state = condition.clone(), condition.clone()
    other_task[:, STATES:] += 1
    other_state[:, :STATES] += 1
    without = torch.zeros(1, 1)
    withheld = network(x, k, condition, without)
    torch.testing.assert_close(withheld, network(x, k, other_task, without))
    assert not torch.allclose(withheld, network(x, k, other_state, without), atol=1e-4)
    assert not torch.allclose(network(x, k, condition), network(x, k, other_task), atol=1e-4)


def test_several_conditions_over_the_same_windows_are_one_pass():
    torch.manual_seed(0)
    network = awake(mlp(always=STATES))
    x, k, condition = torch.randn(4, H, D), torch.tensor([3.0]), torch.randn(1, C)
    keep = torch.tensor([1.0, 0.0])[:, None, None]
    both = network(x, k, condition[None], keep)
    for predicted, kept in zip(both, keep, strict=True):
        torch.testing.assert_close(predicted, network(x, k, condition, kept))


@NETWORKS
def test_without_any_condition_it_is_withheld_from_all(make):
    torch.manual_seed(0)
    network = awake(make())
    x, k = torch.randn(2, H, D), torch.tensor([3.0])
    withheld = network(x, k, torch.randn(2, C), torch.zeros(2, 1))
    torch.testing.assert_close(network(x, k), withheld)


@NETWORKS
def test_the_state_cannot_be_withheld(make):
    network = make(always=STATES)
    with pytest.raises(InvalidParameterError, match="always knows"):
        network(torch.randn(2, H, D), torch.tensor([3.0]))


@NETWORKS
def test_every_parameter_learns(make):
    torch.manual_seed(0)
    network = awake(make(always=STATES)).train()
    keep = torch.tensor([[1.0], [0.0]])
    out = network(torch.randn(2, H, D), torch.tensor([3.0, 5.0]), torch.randn(2, C), keep)
    out.square().sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None] == []
