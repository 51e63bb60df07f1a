"""The planners of the diffusion family, with denoisers whose answers are known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from planner_core.errors import InvalidParameterError
from trajectory_learning.methods import diffusion_family
from trajectory_learning.methods.decision_diffuser import DecisionDiffuser, InverseDynamics
from trajectory_learning.methods.diffuser import Diffuser, first_state
from trajectory_learning.methods.diffusion import Diffusion, Schedule
from trajectory_learning.methods.diffusion_family import (
    PARTS,
    Family,
    FamilyConfig,
    Sampling,
    Scaling,
    Windows,
)
from trajectory_learning.methods.diffusion_training import FitConfig, fit
from trajectory_learning.methods.mpdiffuser import COUPLINGS, MPDiffuser
from trajectory_learning.methods.post_hoc_filter import PostHocFilter, given_actions
from trajectory_learning.methods.safe_diffuser import BarrierProjection

B, H, STATES, ACTIONS = 3, 4, 2, 1
DIFFUSION = Diffusion(Schedule(6), "x0")
NOISE = torch.randn(B, H, STATES + ACTIONS, generator=torch.Generator().manual_seed(0))
CONDITION = torch.zeros(B, 5)


class Constant:
    """Sees the same clean window in everything, and remembers what it was shown."""

    def __init__(self, value: float, channels: int) -> None:
        self.value, self.channels = value, channels
        self.seen: list[tuple[torch.Tensor, float]] = []

    def __call__(self, x, k, condition=None, keep=None):
        self.seen.append((x, k.item()))
        return torch.full((*x.shape[:2], self.channels), self.value)


def networks():
    return Constant(1.0, STATES + ACTIONS), Constant(2.0, STATES)


def test_a_joint_step_takes_states_of_one_and_actions_of_the_other():
    planner, dynamics = networks()
    plans = MPDiffuser(DIFFUSION, planner, dynamics).sample(NOISE, CONDITION, steps=3)
    assert (plans[..., :STATES] == 2.0).all()
    assert (plans[..., STATES:] == 1.0).all()
    for (a, k), (b, level) in zip(planner.seen, dynamics.seen, strict=True):
        assert torch.equal(a, b)
        assert k == level


def test_a_share_mixes_both_opinions_of_the_states():
    planner, dynamics = networks()
    mixed = MPDiffuser(DIFFUSION, planner, dynamics, dynamics_share=0.25)
    assert (mixed.sample(NOISE, CONDITION, steps=3)[..., :STATES] == 1.25).all()


def test_alternation_denoises_states_twice_under_one_label():
    planner, dynamics = networks()
    sampler = MPDiffuser(DIFFUSION, planner, dynamics, "alternating")
    plans = sampler.sample(NOISE, CONDITION, steps=3)
    # The planner has the last word.
    assert (plans == 1.0).all()
    (shown, k), (planner_shown, label) = dynamics.seen[0], planner.seen[0]
    assert k == label == 6
    once = DIFFUSION.ddim_step(shown[..., :STATES], torch.full((B, H, STATES), 2.0), 6, 4)
    torch.testing.assert_close(planner_shown[..., :STATES], once)
    assert torch.equal(planner_shown[..., STATES:], shown[..., STATES:])


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_every_coupling_starts_warm_and_repeats_itself(coupling):
    planner, dynamics = networks()
    sampler = MPDiffuser(DIFFUSION, planner, dynamics, coupling)
    drawn = torch.randn(2, *NOISE.shape, generator=torch.Generator().manual_seed(1))
    options = {"steps": 2, "start": torch.ones_like(NOISE), "step_noise": drawn}
    first = sampler.sample(NOISE, CONDITION, **options)
    assert planner.seen[0][1] == 2
    assert torch.equal(first, sampler.sample(NOISE, CONDITION, **options))


def test_what_a_coupling_needs_is_asked_for():
    planner, dynamics = networks()
    with pytest.raises(InvalidParameterError, match="planner, alternating, joint"):
        MPDiffuser(DIFFUSION, planner, dynamics, "spliced")
    with pytest.raises(InvalidParameterError, match="needs a dynamics model"):
        MPDiffuser(DIFFUSION, planner)


def test_diffuser_paints_the_state_into_the_first_row():
    network = Constant(1.0, STATES + ACTIONS)
    state = torch.tensor([[5.0, 6.0]]).expand(B, -1)
    plans = Diffuser(DIFFUSION, network, STATES).sample(NOISE, state, steps=3)
    assert torch.equal(plans[:, 0, :STATES], state)
    for x, _ in network.seen:
        assert torch.equal(x[:, 0, :STATES], state)
    assert (plans[:, 1:] == 1.0).all()
    assert first_state(H, STATES, ACTIONS).sum() == STATES


def test_decision_diffuser_reads_actions_off_neighbouring_states():
    network = Constant(3.0, STATES)

    class Difference(InverseDynamics):
        def forward(self, state, following):
            return (following - state).sum(dim=-1, keepdim=True)

    sampler = DecisionDiffuser(DIFFUSION, network, Difference(STATES, ACTIONS), STATES)
    condition = torch.full((B, 5), 1.0)
    plans = sampler.sample(NOISE[..., :STATES], condition, steps=3)
    assert (plans[:, 0, STATES] == 4.0).all()
    assert (plans[:, 1:, STATES] == 0.0).all()


def test_the_filter_imagines_states_and_leaves_actions_alone():
    network = Constant(2.0, STATES)
    actions = torch.randn(B, H, ACTIONS, generator=torch.Generator().manual_seed(2))
    judge = PostHocFilter(DIFFUSION, network)
    plans = judge.imagine(actions, NOISE[..., :STATES], CONDITION, steps=3)
    assert (plans[..., :STATES] == 2.0).all()
    assert torch.equal(plans[..., STATES:], actions)
    assert all(torch.equal(x[..., STATES:], actions) for x, _ in network.seen)
    assert given_actions(H, STATES, ACTIONS).sum() == H * ACTIONS


def test_a_barrier_holds_where_it_is_kept_and_draws_back_where_it_is_not():
    inf = torch.inf
    barrier = BarrierProjection(torch.tensor([-1.0, -inf]), torch.tensor([1.0, inf]), rate=0.5)
    before = torch.tensor([[[0.0, 50.0], [3.0, -50.0], [-2.0, 0.0]]])
    after = torch.tensor([[[1.5, 60.0], [3.5, -60.0], [-2.5, 0.0]]])
    halfway = barrier(before, after, level=4)
    assert torch.equal(halfway[0, :, 0], torch.tensor([1.0, 2.0, -1.5]))
    assert torch.equal(halfway[..., 1], after[..., 1])
    last = barrier(before, after, level=0)
    assert torch.equal(last[0, :, 0], torch.tensor([1.0, 1.0, -1.0]))


def test_a_projected_sample_keeps_its_limits():
    high = torch.full((STATES + ACTIONS,), 0.5)
    barrier = BarrierProjection(torch.full((STATES + ACTIONS,), -torch.inf), high)
    sampler = MPDiffuser(DIFFUSION, networks()[0], coupling="planner")
    assert (sampler.sample(NOISE, CONDITION, steps=4, hook=barrier) <= 0.5).all()


def windows(n: int = 60) -> Windows:
    generator = torch.Generator().manual_seed(0)
    state, task = torch.randn(n, STATES, generator=generator), torch.zeros(n, 3)
    actions = torch.randn(n, H, ACTIONS, generator=generator)
    return Windows(state, task, state[:, None] + actions.cumsum(dim=1), actions)


@pytest.mark.parametrize("network", ["mlp", "unet", "transformer"])
def test_every_member_of_the_family_trains_and_plans(network):
    config = FamilyConfig(network, 16, 1, levels=5, fit=FitConfig(steps=3, batch=8))
    family = Family(windows(), config)
    states, tasks = torch.zeros(7, STATES), torch.zeros(7, 3)
    for method in PARTS:
        family.train(method)
        sampling = Sampling(steps=2, guidance_scale=1.2, ancestral=True)
        plans = [
            family.plan(method, states, tasks, torch.Generator().manual_seed(0), sampling)
            for _ in range(2)
        ]
        assert plans[0][0].shape == (7, H, STATES)
        assert plans[0][1].shape == (7, H, ACTIONS)
        assert all(torch.equal(a, b) for a, b in zip(*plans, strict=True))
        assert torch.isfinite(plans[0][0]).all()


def test_networks_are_shared_and_trained_once():
    family = Family(windows(), FamilyConfig(width=16, blocks=1, fit=FitConfig(steps=2, batch=8)))
    family.train("planner")
    spent = dict(family.train_cpu_s)
    assert family.train("joint") > spent["planner"]
    assert family.train_cpu_s["planner"] == spent["planner"]


def test_a_planner_with_the_time_of_two_takes_it(monkeypatch):
    taken = {}

    def counted(network, loss, data, config, progress):
        trained, report = fit(network, loss, data, config, progress)
        taken[len(taken)] = report.steps
        return trained, report

    monkeypatch.setattr(diffusion_family, "fit", counted)
    config = FamilyConfig(width=16, blocks=1, fit=FitConfig(steps=4, batch=8))
    family = Family(windows(), config)
    for method in ("planner", "longer_planner"):
        family.train(method)
    assert taken == {0: 4, 1: 8}
    state, task, sampling = torch.zeros(2, STATES), torch.zeros(2, 3), Sampling(2)
    plans = [
        family.plan(method, state, task, torch.Generator().manual_seed(0), sampling)[0]
        for method in ("planner", "longer_planner")
    ]
    assert not torch.equal(*plans)


def test_tracked_plans_are_those_of_the_planner_made_consistent():
    fit = FitConfig(steps=100, batch=32, learning_rate=1e-2, averaging=0.9)
    family = Family(windows(), FamilyConfig(width=16, blocks=1, levels=5, fit=fit))
    family.train("tracked")
    state, task = torch.zeros(4, STATES), torch.zeros(4, 3)

    def gap(method):
        plans = family.plan(method, state, task, torch.Generator().manual_seed(0), Sampling(2))
        return (plans[0] - plans[1].cumsum(dim=1)).abs().mean()

    assert gap("tracked") < 0.2 * gap("planner")


def test_fine_tuning_changes_the_parts_it_names_and_only_in_the_new_family():
    fitting = FitConfig(steps=40, batch=16, averaging=0.5, learning_rate=1e-2)
    family = Family(windows(), FamilyConfig(width=16, blocks=1, levels=5, fit=fitting))
    family.train("joint")
    family.train("tracked")
    weak = windows()
    weak = replace(weak, states=weak.state[:, None] + 0.5 * weak.actions.cumsum(dim=1))

    def planned(of, method):
        state, task = torch.zeros(4, STATES), torch.zeros(4, 3)
        return of.plan(method, state, task, torch.Generator().manual_seed(0), Sampling(2))

    before = {m: planned(family, m) for m in ("planner", "joint", "tracked")}
    tuned = family.fine_tuned(("dynamics", "forward"), weak, fitting)
    for method, (states, actions) in before.items():
        again, changed = planned(family, method), planned(tuned, method)
        assert torch.equal(again[0], states)
        assert torch.equal(again[1], actions)
        assert torch.equal(changed[0], states) is (method == "planner")

    def gap(plans, gain):
        return (plans[0] - gain * plans[1].cumsum(dim=1)).abs().mean()

    # What is tracked now is a robot of half the gain.
    states, actions = planned(tuned, "tracked")
    assert gap((states, actions), 0.5) < 0.5 * gap((states, actions), 1.0)


def test_unknown_members_are_refused_with_those_that_exist():
    with pytest.raises(InvalidParameterError, match="mlp, unet, transformer"):
        FamilyConfig("mixer")
    with pytest.raises(InvalidParameterError, match="behaviour_cloning"):
        Family(windows(), FamilyConfig()).train("oracle")


def test_scaling_comes_back_and_leaves_a_constant_channel():
    values = torch.stack([torch.arange(5.0), torch.full((5,), 3.0)], dim=-1)
    scaling = Scaling(values)
    torch.testing.assert_close(scaling.back(scaling(values)), values)
    assert scaling(values)[:, 1].abs().max() == 0
    assert scaling(values)[:, 0].std() == pytest.approx(1.0)
