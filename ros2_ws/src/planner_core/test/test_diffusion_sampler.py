"""The sampler, on models whose answer is known in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from planner_core.diffusion_sampler import DiffusionSampler, Network, configured
from planner_core.errors import InvalidParameterError
from planner_core.manifest import SamplerSpec
from planner_core.planners import SamplerSettings

T, H, D, STATES = 20, 6, 3, 2
ANGLE = np.linspace(0.0, 1.5, T + 1)
ALPHA_BAR = np.cos(ANGLE) ** 2
SPEC = SamplerSpec(
    tuple(ALPHA_BAR.tolist()), "x0", "planner", T, 5, 1.0, False, 0, (-9.0,) * D, (9.0,) * D
)
NOTHING = np.zeros(0, dtype=np.float32)
TARGET = np.linspace(-1, 1, H * D, dtype=np.float32).reshape(H, D)


def knows(target: np.ndarray, prediction: str = "x0") -> Network:
    """A network that is certain of the clean window."""

    def network(role: str, x: np.ndarray, k: int):
        a, b = np.sqrt(ALPHA_BAR[k]), np.sqrt(1 - ALPHA_BAR[k])
        clean = np.broadcast_to(target, x.shape)
        epsilon = (x - a * clean) / b
        said = {"x0": clean, "epsilon": epsilon, "v": a * epsilon - b * clean}[prediction]
        return said.astype(np.float32), None

    return network


def gaussian(mean: float, std: float) -> Network:
    """The exact network for independent normal numbers."""

    def network(role: str, x: np.ndarray, k: int):
        a, noise = np.sqrt(ALPHA_BAR[k]), 1 - ALPHA_BAR[k]
        gain = a * std**2 / (a**2 * std**2 + noise)
        return (mean + gain * (x - a * mean)).astype(np.float32), None

    return network


def draw(spec: SamplerSpec, network: Network, count: int = 4, **arguments: object) -> np.ndarray:
    sampler = DiffusionSampler(spec, (count, H, D))
    return sampler.sample(network, np.random.default_rng(0), NOTHING, **arguments)


@pytest.mark.parametrize("prediction", ["x0", "v", "epsilon"])
@pytest.mark.parametrize("steps", [1, 7, T])
@pytest.mark.parametrize("ancestral", [False, True])
def test_a_certain_network_is_followed(prediction: str, steps: int, ancestral: bool) -> None:
    spec = replace(SPEC, prediction=prediction, steps=steps, ancestral=ancestral)
    drawn = draw(spec, knows(TARGET, prediction))
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn, np.broadcast_to(TARGET, (4, H, D)), atol=2e-3)


@pytest.mark.parametrize("ancestral", [False, True])
def test_samples_have_the_distribution_of_the_data(ancestral: bool) -> None:
    # A fine schedule that ends in almost pure noise: what is left is the error of the steps.
    drawn = draw(replace(SPEC, ancestral=ancestral), gaussian(0.5, 0.8), count=3000)
    assert drawn.mean() == pytest.approx(0.5, abs=0.03)
    assert drawn.std() == pytest.approx(0.8, abs=0.08)


def test_a_warm_start_stays_near_the_previous_plan() -> None:
    levels: list[int] = []

    def unsure(role: str, x: np.ndarray, k: int):
        levels.append(k)
        return gaussian(0.0, 1.0)(role, x, k)

    start = np.full((H, D), 1.5, dtype=np.float32)
    near = draw(SPEC, unsure, count=500, start=start)
    assert levels == [5, 4, 3, 2, 1]
    far = draw(replace(SPEC, warm_start_steps=0), unsure, count=500, start=start)
    assert len(levels) == 5 + T
    # Of data with unit spread, deterministic steps keep what the noise of level 5 has left.
    assert near.mean() == pytest.approx(1.5 * np.sqrt(ALPHA_BAR[5]), abs=0.05)
    assert far.mean() == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("ancestral", [False, True])
def test_the_temperature_is_the_variance_of_all_noise(ancestral: bool) -> None:
    spec = replace(SPEC, ancestral=ancestral)
    drawn = draw(replace(spec, temperature=0.25), gaussian(0.5, 0.8), count=3000)
    assert drawn.mean() == pytest.approx(0.5, abs=0.03)
    assert drawn.std() == pytest.approx(0.4, abs=0.04)
    certain = draw(replace(spec, temperature=0.0), gaussian(0.5, 0.8))
    np.testing.assert_array_equal(certain, certain[0, 0, 0])
    assert certain[0, 0, 0] == pytest.approx(0.5, abs=0.03)


def test_fewer_steps_are_spread_over_all_levels() -> None:
    levels: list[int] = []

    def network(role: str, x: np.ndarray, k: int):
        levels.append(k)
        return x, None

    draw(replace(SPEC, steps=4), network)
    assert levels == [20, 15, 10, 5]
    draw(replace(SPEC, steps=4, warm_start_steps=2), network, start=TARGET)
    assert levels[4:] == [10, 5]


def test_guidance_goes_from_the_unconditional_beyond_the_conditional() -> None:
    def network(role: str, x: np.ndarray, k: int):
        return np.ones_like(x), np.zeros_like(x)

    for scale in (0.0, 0.5, 2.0):
        drawn = draw(replace(SPEC, guidance_scale=scale), network)
        np.testing.assert_allclose(drawn, scale, atol=1e-5)
    assert DiffusionSampler(replace(SPEC, guidance_scale=2.0), (1, H, D)).guided
    assert not DiffusionSampler(SPEC, (1, H, D)).guided


def test_the_present_state_is_painted_in() -> None:
    present = np.array([3.0, -2.0], dtype=np.float32)
    seen: list[np.ndarray] = []

    def network(role: str, x: np.ndarray, k: int):
        seen.append(x[:, 0, :2].copy())
        return np.zeros_like(x), None

    sampler = DiffusionSampler(replace(SPEC, inpaint=2), (4, H, D))
    drawn = sampler.sample(network, np.random.default_rng(0), present)
    np.testing.assert_array_equal(np.array(seen), np.broadcast_to(present, (T, 4, 2)))
    np.testing.assert_array_equal(drawn[:, 0, :2], np.broadcast_to(present, (4, 2)))
    assert not drawn[:, 1:].any()


def test_predictions_stay_within_the_range_of_the_data() -> None:
    spec = replace(SPEC, low=(-0.5,) * D, high=(0.25,) * D)
    drawn = draw(spec, knows(TARGET))
    np.testing.assert_allclose(drawn[0], np.clip(TARGET, -0.5, 0.25), atol=1e-5)


def two_models(calls: list[tuple[str, int]]) -> Network:
    """The planner wants 1 everywhere, the dynamics model -1 for the states."""

    def network(role: str, x: np.ndarray, k: int):
        calls.append((role, k))
        if role == "planner":
            return np.ones_like(x), None
        return -np.ones_like(x[..., :STATES]), None

    return network


def test_a_joint_step_takes_states_from_the_dynamics_and_actions_from_the_planner() -> None:
    calls: list[tuple[str, int]] = []
    drawn = draw(replace(SPEC, coupling="joint", steps=2), two_models(calls))
    assert calls == [("planner", 20), ("dynamics", 20), ("planner", 10), ("dynamics", 10)]
    np.testing.assert_allclose(drawn[..., :STATES], -1.0, atol=1e-5)
    np.testing.assert_allclose(drawn[..., STATES:], 1.0, atol=1e-5)


def test_alternation_is_algorithm_1_as_printed() -> None:
    calls: list[tuple[str, int]] = []
    drawn = draw(replace(SPEC, coupling="alternating", steps=2), two_models(calls))
    assert calls == [("dynamics", 20), ("planner", 20), ("dynamics", 10), ("planner", 10)]
    # The planner has the last word on all channels.
    np.testing.assert_allclose(drawn, 1.0, atol=1e-5)


def test_settings_replace_those_of_the_bundle() -> None:
    chosen = configured(SPEC, SamplerSettings(steps=4, warm_start_steps=2, guidance_scale=1.5))
    assert (chosen.steps, chosen.warm_start_steps, chosen.guidance_scale) == (4, 2, 1.5)
    assert configured(SPEC, SamplerSettings()) == SPEC
    assert configured(SPEC, SamplerSettings(temperature=0.0)).temperature == 0.0
    assert configured(SPEC, SamplerSettings(steps=3)).warm_start_steps == 3


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (SamplerSettings(steps=0), "steps"),
        (SamplerSettings(steps=T + 1), "steps"),
        (SamplerSettings(steps=4, warm_start_steps=5), "warm_start_steps"),
        (SamplerSettings(warm_start_steps=-1), "warm_start_steps"),
        (SamplerSettings(guidance_scale=-0.5), "guidance_scale"),
        (SamplerSettings(guidance_scale=float("nan")), "guidance_scale"),
        (SamplerSettings(temperature=1.5), "temperature"),
        (SamplerSettings(temperature=float("nan")), "temperature"),
    ],
)
def test_impossible_settings_are_refused(settings: SamplerSettings, named: str) -> None:
    with pytest.raises(InvalidParameterError, match=named):
        configured(SPEC, settings)


def test_the_same_seed_draws_the_same() -> None:
    make: Callable[[], np.ndarray] = lambda: draw(SPEC, gaussian(0.0, 1.0))  # noqa: E731
    np.testing.assert_array_equal(make(), make())
