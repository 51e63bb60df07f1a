"""Resuming a training run, and its logs."""

from __future__ import annotations

import functools
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from planner_core.errors import ConfigurationError
from trajectory_learning import training
from trajectory_learning.diffusion_training import train_diffusion
from trajectory_learning.methods import diffusion_training as diffusion_fitting
from trajectory_learning.networks.late_branch import LateBranchConfig
from trajectory_learning.problems import navigation_data
from trajectory_learning.problems.navigation import NavigationModel, Windows, cut_windows
from trajectory_learning.problems.navigation_data import DataConfig
from trajectory_learning.problems.navigation_diffusion import METHODS as DIFFUSION_METHODS
from trajectory_learning.problems.navigation_diffusion import DiffusionConfig, NavigationDiffusion
from trajectory_learning.training import TrainingConfig, train
from trajectory_learning.training_record import TensorBoardLog, TrainingState

NETWORK = LateBranchConfig(trunk_width=16, branch_width=16, trunk_blocks=1)
CONFIG = TrainingConfig(steps=8, batch=8)


@functools.cache
def windows(horizon: int = 16) -> Windows:
    flown = DataConfig(worlds=1, flights_per_world=3)
    return cut_windows(navigation_data.fly(flown, progress=False), flown, horizon)


class EveryStep(TrainingState):
    """Saves after every step, and breaks off after some."""

    def __init__(self, path: Path, last: int | None = None) -> None:
        super().__init__(path, {"seed": CONFIG.seed}, every_s=0.0)
        self._left = last

    def save(self, models, optimiser, rng, progress) -> None:
        super().save(models, optimiser, rng, progress)
        if progress.steps == self._left:
            raise KeyboardInterrupt


def run(state: TrainingState | None = None, log: TensorBoardLog | None = None) -> NavigationModel:
    return train(windows(), 0.1, CONFIG, NETWORK, progress=False, state=state, log=log)[0]


def test_a_resumed_run_is_the_run_that_was_not_interrupted(tmp_path: Path):
    whole = run()
    path = tmp_path / "run.state"
    with pytest.raises(KeyboardInterrupt):
        run(EveryStep(path, last=3))
    resumed = run(EveryStep(path))
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, atol=1e-6, rtol=1e-5)
    fresh = train(windows(), 0.1, replace(CONFIG, steps=3), NETWORK, progress=False)[0]
    differs = [
        not torch.allclose(fresh.state_dict()[name], value, atol=1e-6)
        for name, value in whole.state_dict().items()
    ]
    assert any(differs)


SMALL = DiffusionConfig(levels=4, unet_width=8, mlp_width=16, mlp_blocks=1)


def run_diffusion(
    method: str, state: TrainingState | None = None, log: TensorBoardLog | None = None
) -> NavigationDiffusion:
    config = replace(CONFIG, method=method)
    return train_diffusion(windows(32), config, SMALL, progress=False, state=state, log=log)[0]


@pytest.mark.parametrize("method", DIFFUSION_METHODS)
def test_a_resumed_diffusion_planner_is_the_one_that_was_not_interrupted(
    method: str, tmp_path: Path
):
    whole = run_diffusion(method).state_dict()
    path = tmp_path / "run.state"
    with pytest.raises(KeyboardInterrupt):
        run_diffusion(method, EveryStep(path, last=3))
    resumed = run_diffusion(method, EveryStep(path)).state_dict()
    path.unlink()
    restarted = run_diffusion(method, EveryStep(path)).state_dict()
    for name, value in whole.items():
        torch.testing.assert_close(resumed[name], value, atol=0, rtol=0)
        torch.testing.assert_close(restarted[name], value, atol=0, rtol=0)


def test_the_state_of_another_run_is_refused(tmp_path: Path):
    path = tmp_path / "run.state"
    with pytest.raises(KeyboardInterrupt):
        run(EveryStep(path, last=2))
    with pytest.raises(ConfigurationError, match="seed"):
        run(TrainingState(path, {"seed": CONFIG.seed + 1}))
    path.write_bytes(b"no state")
    with pytest.raises(ConfigurationError, match="state of a training run"):
        run(EveryStep(path))


def test_logs_hold_the_distance_to_held_out_data(tmp_path: Path):
    with TensorBoardLog(tmp_path) as log:
        run(log=log)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path)).Reload()
    (value,) = events.Scalars("held_out/distance_of_nearest")
    assert value.step == CONFIG.steps
    assert value.value > 0.0


def test_logs_of_a_diffusion_planner_do_not_change_its_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    silent = run_diffusion("mpdiffuser").state_dict()
    monkeypatch.setattr(diffusion_fitting, "MEASURE_STEPS", 2)
    with TensorBoardLog(tmp_path) as log:
        logged = run_diffusion("mpdiffuser", log=log).state_dict()
    assert all(torch.equal(logged[name], value) for name, value in silent.items())
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path)).Reload()
    steps = [value.step for value in events.Scalars("held_out/denoising_loss")]
    assert steps == [2, 4, 6, 8, 8]


def test_logs_without_tensorboard_are_a_clear_error(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigurationError, match="needs TensorBoard"):
        TensorBoardLog(tmp_path)
    TensorBoardLog(None).scalars(1, {"loss": 1.0})


def test_the_share_done_counts_steps_or_seconds():
    so_far = training.Progress(steps=3, seconds=2.0)
    assert training._share(TrainingConfig(steps=6), so_far) == pytest.approx(0.5)
    assert training._share(TrainingConfig(seconds=8.0), so_far) == pytest.approx(0.25)
