"""Schedules, the loss and the samplers, against distributions whose optimal denoiser is known."""

from __future__ import annotations

import math

import numpy as np
import onnxruntime
import pytest
import torch
from planner_core.errors import InvalidParameterError
from torch import nn
from trajectory_learning.methods import diffusion_training
from trajectory_learning.methods.diffusion import (
    PREDICTIONS,
    SCHEDULES,
    Diffusion,
    Inpainting,
    Schedule,
)
from trajectory_learning.methods.diffusion_training import Average, FitConfig, fit
from trajectory_learning.networks.denoisers import MlpDenoiser

MEAN, STD = 0.7, 0.5


class Optimal:
    """The best denoiser of windows whose entries are independent Gaussians."""

    def __init__(self, diffusion: Diffusion) -> None:
        self.diffusion = diffusion

    def __call__(self, x, k, condition=None, keep=None):
        level = k.round().long()
        signal = self.diffusion.signal[level][:, None, None]
        noise = self.diffusion.noise[level][:, None, None]
        variance = STD**2 * signal**2 + noise**2
        clean = MEAN + STD**2 * signal / variance * (x - signal * MEAN)
        epsilon = (x - signal * clean) / noise
        v = signal * epsilon - noise * clean
        return {"x0": clean, "epsilon": epsilon, "v": v}[self.diffusion.prediction]


@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize("steps", [2, 10, 100])
def test_a_schedule_falls_from_signal_to_noise(kind, steps):
    alpha_bar = Schedule(steps, kind).alpha_bar()
    assert len(alpha_bar) == steps + 1
    assert alpha_bar[0] == 1
    assert (alpha_bar.diff() < 0).all()
    assert 0 < alpha_bar[-1] < 0.01


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("ancestral", [False, True])
def test_samples_have_the_mean_and_spread_of_the_data(prediction, ancestral):
    diffusion = Diffusion(Schedule(50), prediction)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(2000, 4, 2, generator=generator)
    drawn = torch.randn(50, 2000, 4, 2, generator=generator) if ancestral else None
    x = diffusion.sample(Optimal(diffusion), noise, steps=50, step_noise=drawn)
    assert x.mean() == pytest.approx(MEAN, abs=0.03)
    assert x.std() == pytest.approx(STD, abs=0.04)


def test_the_optimal_denoiser_has_the_lowest_loss():
    diffusion = Diffusion(Schedule(20), "v")
    torch.manual_seed(0)
    clean = MEAN + STD * torch.randn(4000, 2, 2)
    best = Optimal(diffusion)
    losses = []
    for shift in (0.0, 0.2, -0.2):
        torch.manual_seed(1)
        losses.append(diffusion.loss(lambda *a, s=shift: best(*a) + s, clean).item())
    assert losses[0] < min(losses[1:])


def test_known_entries_are_seen_clean_and_are_not_scored():
    diffusion = Diffusion(Schedule(10), "x0")
    known = torch.tensor([[True, False], [False, False]])
    clean = torch.randn(8, 2, 2)
    seen = []

    def denoiser(x, k, condition, keep):
        seen.append(x)
        # Wrong where it is given, right elsewhere.
        return torch.where(known, clean + 100, clean)

    assert diffusion.loss(denoiser, clean, known=known).item() == 0
    assert torch.equal(seen[0][:, 0, 0], clean[:, 0, 0])
    assert not torch.equal(seen[0][:, 1], clean[:, 1])


def test_conditions_are_dropped_as_often_as_asked():
    diffusion = Diffusion(Schedule(10), "x0")
    kept = []

    def denoiser(x, k, condition, keep):
        kept.append(keep)
        return x

    torch.manual_seed(0)
    diffusion.loss(denoiser, torch.zeros(4000, 1, 1), torch.zeros(4000, 3), drop=0.25)
    assert kept[0].shape == (4000, 1)
    assert kept[0].mean() == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_guidance_is_that_of_epsilon_whatever_is_predicted(prediction):
    diffusion = Diffusion(Schedule(10), prediction)
    torch.manual_seed(0)
    x, condition = torch.randn(3, 2, 1), torch.ones(3, 1)

    def denoiser(x, k, condition, keep):
        share = torch.ones(len(x), 1) if keep is None else keep
        return x * 0.3 + share[:, None]

    here = {"guidance_scale": 1.0}
    with_condition = diffusion.predict_clean(denoiser, x, 5, condition, **here)
    without = diffusion.predict_clean(
        lambda x, k, c, keep: denoiser(x, k, c, torch.zeros(len(x), 1)), x, 5, condition, **here
    )
    guided = diffusion.predict_clean(denoiser, x, 5, condition, guidance_scale=1.7)
    signal, noise = diffusion.signal[5], diffusion.noise[5]
    e, e0 = ((x - signal * clean) / noise for clean in (with_condition, without))
    expected = (x - noise * (e0 + 1.7 * (e - e0))) / signal
    torch.testing.assert_close(guided, expected)


def test_a_warm_start_stays_near_the_previous_plan():
    diffusion = Diffusion(Schedule(50), "x0")
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(500, 4, 1, generator=generator)
    start = torch.full_like(noise, MEAN + 2 * STD)
    options = {"steps": 5, "start": start}
    near = diffusion.sample(Optimal(diffusion), noise, start_level=5, **options)
    far = diffusion.sample(Optimal(diffusion), noise, start_level=45, **options)
    assert (near - start).abs().mean() < 0.5 * (far - start).abs().mean()


def test_inpainted_entries_come_out_as_given():
    diffusion = Diffusion(Schedule(10), "v")
    known = torch.zeros(3, 2, dtype=torch.bool)
    known[0, 0] = True
    value = torch.full((5, 3, 2), 9.0)
    x = diffusion.sample(
        Optimal(diffusion), torch.zeros(5, 3, 2), steps=10, inpaint=Inpainting(known, value)
    )
    assert (x[:, 0, 0] == 9.0).all()
    assert (x[:, 1:] < 5.0).all()


def test_clean_windows_keep_to_the_range_of_the_data():
    diffusion = Diffusion(Schedule(10), "epsilon")
    low, high = torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 0.5])
    noise = 5 * torch.randn(4, 3, 2, generator=torch.Generator().manual_seed(0))
    x = diffusion.sample(Optimal(diffusion), noise, steps=3, clip=(low, high))
    assert (x >= low - 1e-6).all()
    assert (x <= high + 1e-6).all()


def test_levels_run_from_the_beginning_to_zero():
    diffusion = Diffusion(Schedule(10))
    assert diffusion.levels(3) == [(10, 7), (7, 3), (3, 0)]
    assert diffusion.levels(2, begin=2) == [(2, 1), (1, 0)]


@pytest.mark.parametrize(("steps", "begin"), [(11, None), (0, None), (5, 4), (5, 11)])
def test_steps_that_do_not_fit_are_refused(steps, begin):
    with pytest.raises(InvalidParameterError, match="do not fit"):
        Diffusion(Schedule(10)).levels(steps, begin)


def test_unknown_names_are_refused_with_those_that_exist():
    with pytest.raises(InvalidParameterError, match="cosine, linear"):
        Schedule(10, "square")
    with pytest.raises(InvalidParameterError, match="x0, v, epsilon"):
        Diffusion(Schedule(10), "score")
    with pytest.raises(InvalidParameterError, match="at least 2"):
        Schedule(1)


def test_ddim_and_ancestral_steps_by_hand():
    diffusion = Diffusion(Schedule(10), "x0")
    alpha_bar = Schedule(10).alpha_bar()
    x, clean, drawn = (torch.full((1, 1, 1), v) for v in (0.4, 0.1, 1.5))
    here, there = float(alpha_bar[6]), float(alpha_bar[5])
    epsilon = (0.4 - math.sqrt(here) * 0.1) / math.sqrt(1 - here)
    ddim = math.sqrt(there) * 0.1 + math.sqrt(1 - there) * epsilon
    assert diffusion.ddim_step(x, clean, 6, 5).item() == pytest.approx(ddim, abs=1e-6)
    # The posterior of DDPM, Eqs. 6 and 7 of J. Ho et al.
    beta = 1 - here / there
    mean = (
        math.sqrt(there) * beta / (1 - here) * 0.1
        + math.sqrt(1 - beta) * (1 - there) / (1 - here) * 0.4
    )
    std = math.sqrt((1 - there) / (1 - here) * beta)
    ancestral = diffusion.ddim_step(x, clean, 6, 5, drawn).item()
    assert ancestral == pytest.approx(mean + std * 1.5, abs=1e-5)


def test_a_network_learns_two_modes():
    torch.manual_seed(0)
    side = torch.where(torch.rand(4000, 1, 1) < 0.7, 1.0, -1.0)
    data = side + 0.05 * torch.randn(4000, 2, 1)
    diffusion = Diffusion(Schedule(20), "v")
    network = MlpDenoiser(2, 1, width=48, blocks=2)
    trained, report = fit(
        network, lambda n, batch: diffusion.loss(n, batch[0]), (data,),
        FitConfig(steps=300, batch=256, learning_rate=5e-3, averaging=0.97),
    )  # fmt: skip
    noise = torch.randn(1000, 2, 1, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        x = diffusion.sample(trained, noise, steps=20)
    near = [(x.mean(dim=1) - mode).abs() < 0.3 for mode in (1.0, -1.0)]
    assert report.steps == 300
    assert near[0].float().mean() == pytest.approx(0.7, abs=0.12)
    assert near[1].float().mean() == pytest.approx(0.3, abs=0.12)


def test_equal_seeds_train_equal_networks_in_bfloat16_too():
    def trained(seed):
        torch.manual_seed(7)
        diffusion = Diffusion(Schedule(5))
        data = torch.randn(64, 2, 2)
        network = MlpDenoiser(2, 2, width=16, blocks=1)
        return fit(
            network, lambda n, batch: diffusion.loss(n, batch[0]), (data,),
            FitConfig(steps=5, batch=16, bf16=True, seed=seed),
        )[0].state_dict()  # fmt: skip

    first, second, other = trained(0), trained(0), trained(1)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("has", [True, False])
def test_bfloat16_is_used_where_the_processor_has_it(monkeypatch, has):
    monkeypatch.setattr(diffusion_training, "device", lambda: torch.device("cpu"))
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": has, "avx2": True})
    seen = []

    def loss(network, batch):
        out = network(batch[0])
        seen.append(out.dtype)
        return out.float().square().mean()

    options = FitConfig(steps=1, batch=4, bf16=True)
    fit(nn.Linear(2, 2), loss, (torch.randn(8, 2),), options)
    assert seen == [torch.bfloat16 if has else torch.float32]


def test_an_average_forgets_the_random_beginning():
    network = nn.Linear(1, 1)
    average = Average(network, 0.99)
    with torch.no_grad():
        network.weight.fill_(3.0)
    for _ in range(100):
        average.update(network)
    assert average.network.weight.item() == pytest.approx(3.0, abs=1e-3)


def test_an_unrolled_sampler_is_the_same_function_in_onnxruntime(tmp_path):
    torch.manual_seed(0)
    diffusion = Diffusion(Schedule(10))
    network = MlpDenoiser(8, 3, 4, always=2, width=32, blocks=2)
    with torch.no_grad():
        # FiLM begins at zero, where a lost condition would go unseen.
        for parameter in network.film.parameters():
            parameter.normal_(std=0.1)

    class Sampler(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, noise, start, condition):
            return diffusion.sample(
                self.network, noise, condition, steps=4, start=start, guidance_scale=1.5
            )

    inputs = (torch.randn(2, 8, 3), torch.randn(2, 8, 3), torch.randn(2, 4))
    path = tmp_path / "sampler.onnx"
    names = ["noise", "start", "condition"]
    torch.onnx.export(
        Sampler().eval(), inputs, path, dynamo=True, external_data=False, input_names=names,
        verbose=False,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        inputs = [torch.randn(i.shape, generator=generator) for i in inputs]
        with torch.no_grad():
            expected = Sampler()(*inputs).numpy()
        feed = {name: i.numpy() for name, i in zip(names, inputs, strict=True)}
        np.testing.assert_allclose(session.run(None, feed)[0], expected, atol=1e-4)
