"""What a training run leaves behind while it goes on: a state to resume from, and TensorBoard logs.

The state is one safetensors file: weights, their average, the optimiser's moments and the random
generators. A run that is interrupted and resumed takes the very steps of one that was not.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch
from planner_core.errors import ConfigurationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass
class Progress:
    """How far training has come.

    Attributes:
        steps: Optimiser steps taken.
        seconds: Processor time [s].
        smooth: Smoothed loss.
        losses: Smoothed loss, one in a hundred steps.
    """

    steps: int = 0
    seconds: float = 0.0
    smooth: float = 0.0
    losses: list[float] = field(default_factory=list)


class TrainingState:
    """Saves and restores a run.

    Args:
        path: File.
        about: What the run depends on, as JSON; a state of another run is refused.
        every_s: Time between two saves [s].
    """

    def __init__(self, path: Path, about: Mapping[str, Any], every_s: float = 30.0) -> None:
        self.path, self._every_s = path, every_s
        # As a reader of the file will see it.
        self._about: dict[str, Any] = json.loads(json.dumps(about))
        self._saved = time.monotonic()

    @classmethod
    def beside(cls, out: Path, about: Mapping[str, Any], *, resume: bool) -> TrainingState:
        """The state of the run that will write ``out``; what there is of it stays if it resumes."""
        state = cls(out.with_name(f"{out.name}.state"), about)
        if not resume:
            state.discard()
        return state

    @property
    def due(self) -> bool:
        """Whether the last save is long ago."""
        return time.monotonic() - self._saved >= self._every_s

    def save(
        self,
        models: Mapping[str, nn.Module],
        optimiser: torch.optim.Optimizer,
        rng: np.random.Generator,
        progress: Progress,
    ) -> None:
        """Write the state; a reader never sees half of it."""
        tensors: dict[str, Tensor] = {"random": torch.get_rng_state()}
        for index, generator in enumerate(torch.cuda.get_rng_state_all()):
            tensors[f"random/{index}"] = generator
        for name, model in models.items():
            tensors |= {f"{name}/{key}": value for key, value in model.state_dict().items()}
        for index, moments in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{index}/{name}": moments[name] for name in _MOMENTS}
        content = {
            "about": self._about,
            "progress": vars(progress),
            "generator": rng.bit_generator.state,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f"{self.path.name}.part")
        # Averaged weights may be views of others; safetensors wants each tensor's own memory.
        copies = {name: value.detach().clone().contiguous() for name, value in tensors.items()}
        save_file(copies, part, metadata={"state": json.dumps(content)})
        os.replace(part, self.path)
        self._saved = time.monotonic()

    def restore(
        self,
        models: Mapping[str, nn.Module],
        optimiser: torch.optim.Optimizer,
        rng: np.random.Generator,
    ) -> Progress:
        """Go on from the file; from the beginning where there is none.

        Raises:
            ConfigurationError: The file is none, or belongs to another run.
        """
        if not self.path.exists():
            return Progress()
        try:
            with safe_open(self.path, framework="pt") as file:
                content = json.loads(file.metadata()["state"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(f"state of a training run {self.path}", got=error) from error
        for name, value in self._about.items():
            if content["about"].get(name) != value:
                raise ConfigurationError(
                    f"{self.path} belongs to another run: {name}",
                    got=content["about"].get(name), expected=value,
                    remedy="Give the options of that run, or delete the file.",
                )  # fmt: skip
        for name, model in models.items():
            model.load_state_dict(_below(tensors, f"{name}/"))
        groups = optimiser.state_dict()["param_groups"]
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in _below(tensors, "optimiser/").items():
            index, _, name = key.partition("/")
            moments.setdefault(int(index), {})[name] = value
        optimiser.load_state_dict({"state": moments, "param_groups": groups})
        torch.set_rng_state(tensors["random"])
        torch.cuda.set_rng_state_all(list(_below(tensors, "random/").values()))
        rng.bit_generator.state = content["generator"]
        return Progress(**content["progress"])

    def discard(self) -> None:
        """Delete the file: the run is finished."""
        self.path.unlink(missing_ok=True)


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


class TensorBoardLog:
    """Scalars over steps for TensorBoard; without a folder it does nothing.

    Args:
        folder: Of the event files, or None.

    Raises:
        ConfigurationError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path | None) -> None:
        self._writer = None
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ConfigurationError(
                "--tensorboard needs TensorBoard", got=error,
                remedy="pip install -r requirements/training.txt, or leave the option out.",
            ) from error  # fmt: skip
        self._writer = SummaryWriter(str(folder))

    @property
    def active(self) -> bool:
        """Whether anything is written."""
        return self._writer is not None

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Write values at a step, by name."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def held_out(self, step: int, figures: Mapping[str, float]) -> None:
        """Write figures of held-out data, which TensorBoard shows together."""
        self.scalars(step, {f"held_out/{name}": value for name, value in figures.items()})

    def __enter__(self) -> TensorBoardLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()
