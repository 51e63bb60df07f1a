"""Tracking of plans in a forward model, against optima that are known."""

from __future__ import annotations

import torch
from trajectory_learning.methods.diffusion_training import FitConfig, fit
from trajectory_learning.methods.plan_tracking import PlanTracking
from trajectory_learning.networks.forward_model import ForwardModel

B, H, STATES, ACTIONS = 3, 6, 2, 1
FREE = (torch.full((ACTIONS,), -torch.inf), torch.full((ACTIONS,), torch.inf))


def double_integrator() -> ForwardModel:
    """x' = x + 0.1 v, v' = v + 0.1 u."""
    model = ForwardModel(STATES, ACTIONS, torch.ones(STATES))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.straight.weight.copy_(torch.tensor([[0.0, 0.1, 0.0], [0.0, 0.0, 0.1]]))
    return model


def rolled_out(model: ForwardModel, present: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    states = []
    for action in actions.unbind(dim=1):
        present = model(present, action)
        states.append(present)
    return torch.stack(states, dim=1)


def draw() -> tuple[torch.Tensor, torch.Tensor]:
    """Present states and plans that do not agree with themselves."""
    generator = torch.Generator().manual_seed(0)
    present = torch.randn(B, STATES, generator=generator)
    return present, torch.randn(B, H, STATES + ACTIONS, generator=generator)


def tracking(model: ForwardModel, state: float = 0.1, clip=FREE, doubt=None) -> PlanTracking:
    # Variances that differ between instants, so that none can take another's place.
    growing = torch.linspace(1.0, 2.0, H)[:, None]
    return PlanTracking(
        model, state * growing.expand(-1, STATES), growing.expand(-1, ACTIONS), clip, doubt
    )


@torch.no_grad()
def test_a_consistent_plan_stays_as_it_is():
    model, (present, plans) = double_integrator(), draw()
    actions = plans[..., STATES:]
    plans = torch.cat([rolled_out(model, present, actions), actions], dim=-1)
    torch.testing.assert_close(tracking(model).follow(present, plans), plans)


@torch.no_grad()
def test_states_follow_from_actions_and_no_other_such_plan_is_nearer():
    model, (present, plans) = double_integrator(), draw()
    tracker = tracking(model)
    found = tracker.follow(present, plans)
    followed = rolled_out(model, present, found[..., STATES:])
    torch.testing.assert_close(found[..., :STATES], followed)

    def distance(actions):
        """(B,) from the plans, in units of their variance."""
        states = (rolled_out(model, present, actions) - plans[..., :STATES]).square()
        changed = (actions - plans[..., STATES:]).square()
        return (states / tracker.state_variance).sum(dim=(1, 2)) + (
            changed / tracker.action_variance
        ).sum(dim=(1, 2))

    best = distance(found[..., STATES:])
    for t in range(H):
        for change in (-0.05, 0.05):
            actions = found[..., STATES:].clone()
            actions[:, t] += change
            assert (distance(actions) > best).all()


@torch.no_grad()
def test_trust_in_the_actions_leaves_them():
    model, (present, plans) = double_integrator(), draw()
    found = tracking(model, state=1e6).follow(present, plans)
    torch.testing.assert_close(found[..., STATES:], plans[..., STATES:], atol=1e-4, rtol=0.0)


@torch.no_grad()
def test_actions_keep_their_range():
    model, (present, plans) = double_integrator(), draw()
    clip = torch.tensor([-0.2]), torch.tensor([0.3])
    found = tracking(model, state=1e-4, clip=clip).follow(present, plans)[..., STATES:]
    assert found.min() >= -0.2
    assert found.max() <= 0.3


@torch.no_grad()
def test_in_doubt_nothing_is_nearer_to_both_plan_and_model():
    model, (present, plans) = double_integrator(), draw()
    doubt = torch.tensor([0.02, 0.05])
    tracker = tracking(model, doubt=doubt)
    found = tracker.follow(present, plans)

    def distance(rows):
        """(B,) from the plans and from what the model says, in units of their variances."""
        states, actions = rows[..., :STATES], rows[..., STATES:]
        before = torch.cat([present[:, None], states[:, :-1]], dim=1)
        terms = (
            (states - plans[..., :STATES]).square() / tracker.state_variance,
            (actions - plans[..., STATES:]).square() / tracker.action_variance,
            (model(before, actions) - states).square() / doubt,
        )
        return sum(term.sum(dim=(1, 2)) for term in terms)

    best = distance(found)
    for t in range(H):
        for channel in range(STATES + ACTIONS):
            for change in (-0.05, 0.05):
                other = found.clone()
                other[:, t, channel] += change
                assert (distance(other) > best).all()


@torch.no_grad()
def test_a_model_without_trust_leaves_the_plan():
    model, (present, plans) = double_integrator(), draw()
    found = tracking(model, doubt=torch.full((STATES,), 1e6)).follow(present, plans)
    torch.testing.assert_close(found, plans, atol=1e-3, rtol=0.0)


def test_a_forward_model_learns_a_linear_system():
    torch.manual_seed(0)
    state, action = torch.randn(2000, STATES), torch.randn(2000, ACTIONS)
    following = state + 0.1 * state.flip(1) + 0.2 * action
    model = ForwardModel(STATES, ACTIONS, (following - state).std(dim=0), width=16)
    trained, _ = fit(
        model, lambda n, batch: n.loss(*batch), (state, action, following),
        FitConfig(steps=200, batch=128, learning_rate=1e-2, averaging=0.95),
    )  # fmt: skip
    with torch.no_grad():
        assert (trained(state, action) - following).abs().mean() < 0.02
