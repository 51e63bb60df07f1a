"""Checkpoints: weights as safetensors, everything else as JSON in the file's own metadata."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from trajectory_learning.errors import CheckpointError
from trajectory_learning.networks.late_branch import LateBranchConfig
from trajectory_learning.problems.navigation import NavigationModel
from trajectory_learning.problems.navigation_diffusion import DiffusionConfig, NavigationDiffusion
from trajectory_learning.training import TrainingConfig

LARGEST = 1000
"""Blocks, noise levels, samples of a window; nobody trains more."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained model and its history.

    Attributes:
        model: The model.
        network: Its sizes.
        training: How it was trained.
        horizon: Samples of a window.
        dt_s: Spacing of the samples [s].
        rays: Rays of the scan.
        max_range_m: Range of the scan [m].
        provenance: Commands, versions and hashes by name.
        quality: Held-out figures by name.
    """

    model: NavigationModel
    network: LateBranchConfig
    training: TrainingConfig
    horizon: int
    dt_s: float
    rays: int
    max_range_m: float
    provenance: dict[str, str]
    quality: dict[str, float]

    def save(self, path: Path) -> None:
        """Write the checkpoint."""
        about = {
            "network": asdict(self.network),
            "training": asdict(self.training),
            "horizon": self.horizon,
            "dt_s": self.dt_s,
            "rays": self.rays,
            "max_range_m": self.max_range_m,
            "provenance": self.provenance,
            "quality": self.quality,
        }
        _save(self.model, path, "navigation", about)


@dataclass(frozen=True)
class DiffusionCheckpoint:
    """A trained diffusion planner and its history.

    Attributes:
        model: The model.
        diffusion: Its sizes and levels.
        training: How it was trained.
        horizon: Samples of a window.
        rays: Rays of the scan.
        provenance: Commands, versions and hashes by name.
        quality: Held-out figures by name.
    """

    model: NavigationDiffusion
    diffusion: DiffusionConfig
    training: TrainingConfig
    horizon: int
    rays: int
    provenance: dict[str, str]
    quality: dict[str, float]

    def save(self, path: Path) -> None:
        """Write the checkpoint."""
        about = {
            "diffusion": asdict(self.diffusion),
            "training": asdict(self.training),
            "horizon": self.horizon,
            "rays": self.rays,
            "provenance": self.provenance,
            "quality": self.quality,
        }
        _save(self.model, path, "navigation_diffusion", about)


def load_diffusion_checkpoint(path: Path) -> DiffusionCheckpoint:
    """Read the checkpoint of a diffusion planner.

    Raises:
        CheckpointError: The file is not one.
    """
    with _reading(path):
        about, tensors = _load(path, "navigation_diffusion")
        diffusion = DiffusionConfig(**about.pop("diffusion"))
        training = TrainingConfig(**about.pop("training"))
        _check_counts(about["horizon"], diffusion.levels, diffusion.mlp_blocks)
        model = _filled(
            lambda: NavigationDiffusion(
                training.method, about["rays"], about["horizon"], diffusion
            ),
            tensors,
        )
        return DiffusionCheckpoint(model.eval(), diffusion, training, **about)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: The file is not a checkpoint of this problem.
    """
    with _reading(path):
        about, tensors = _load(path, "navigation")
        network = LateBranchConfig(**about.pop("network"))
        training = TrainingConfig(**about.pop("training"))
        _check_counts(about["horizon"], network.trunk_blocks, network.branch_blocks)
        model = _filled(
            lambda: NavigationModel(about["rays"], about["horizon"], about["dt_s"], network),
            tensors,
        )
        return Checkpoint(model.eval(), network, training, **about)


def is_diffusion(path: Path) -> bool:
    """Whether a file is the checkpoint of a diffusion planner.

    Raises:
        CheckpointError: The file is no checkpoint at all.
    """
    with _reading(path), safe_open(path, framework="pt") as file:
        return "navigation_diffusion" in (file.metadata() or {})


def _save(model: nn.Module, path: Path, kind: str, about: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(tensors, path, metadata={kind: json.dumps(about)})


def _check_counts(*counts: int) -> None:
    """Refuse what is built one by one, or as a matrix, whatever tensors the file has.

    Raises:
        ValueError: A damaged digit would take forever, or all memory.
    """
    if greatest := [count for count in counts if not 0 <= count <= LARGEST]:
        raise ValueError(f"sizes of {greatest}; at most {LARGEST}")


Model = TypeVar("Model", bound=nn.Module)


def _filled(build: Callable[[], Model], tensors: dict[str, Tensor]) -> Model:
    """A model with the tensors of a file.

    Its sizes are the file's too: they are compared without memory first, or a damaged digit would
    ask for all there is.
    """
    with torch.device("meta"):
        build().load_state_dict(tensors, assign=True)
    model = build()
    model.load_state_dict(tensors)
    return model


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say of whatever a damaged file provokes that the file is at fault.

    Raises:
        CheckpointError: Instead of it.
    """
    try:
        yield
    except (SafetensorError, OSError, ValueError, TypeError, LookupError, AttributeError,
            ArithmeticError, RuntimeError) as error:  # fmt: skip
        reason = str(error).splitlines() or [type(error).__name__]
        raise CheckpointError(
            f"{path} is not a checkpoint of this kind", got=reason[0][:200],
            expected="a file that `trajectory_learning train` wrote",
        ) from error  # fmt: skip


def _load(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    with safe_open(path, framework="pt") as file:
        metadata: dict[str, str] = file.metadata() or {}
        if kind not in metadata:
            raise ValueError(f"not a {kind} checkpoint")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return json.loads(metadata[kind]), tensors
