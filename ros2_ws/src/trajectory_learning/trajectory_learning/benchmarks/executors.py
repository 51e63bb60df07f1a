"""Where the jobs of a benchmark run: in processes of this machine, or on a Ray cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from planner_core.errors import DriftpilotError
from trajectory_learning.benchmarks import load_problem, results
from trajectory_learning.benchmarks.interface import Trial
from trajectory_learning.parallel import connect

Content = dict[str, Any]
"""A finished row, as JSON."""


@dataclass(frozen=True)
class Job:
    """Rows that one process runs together.

    Attributes:
        methods: Their names.
        trial: Setting and seeds.
        files: Where each row is kept when it is finished.
    """

    methods: tuple[str, ...]
    trial: Trial
    files: tuple[Path, ...]

    @property
    def finished(self) -> bool:
        """Whether all its rows are kept."""
        return all(file.exists() for file in self.files)


class Executor(Protocol):
    """Runs jobs."""

    jobs: int
    """Jobs that it runs at a time; at 1 it is called by the thread that asked for the benchmark."""

    def run(self, problem: str, job: Job) -> None:
        """Run a job and keep its rows; called by ``jobs`` threads at once.

        Raises:
            DriftpilotError: It failed.
        """
        ...


@dataclass(frozen=True)
class LocalExecutor:
    """A process of its own for each job, or this very one where one job runs at a time.

    Attributes:
        jobs: See `Executor`.
    """

    jobs: int = 1

    def run(self, problem: str, job: Job) -> None:
        """See `Executor.run`."""
        if self.jobs == 1:
            run_job(problem, job)
            return
        content = {
            "problem": problem,
            "methods": job.methods,
            "trial": asdict(job.trial),
            "files": [str(file) for file in job.files],
        }
        ended = subprocess.run(
            [sys.executable, "-m", "trajectory_learning.benchmarks.worker"],
            input=json.dumps(content), text=True, check=False,
            # Bars of several processes would overwrite one another.
            env={**os.environ, "TQDM_DISABLE": "1"},
        )  # fmt: skip
        if ended.returncode != 0:
            raise failed(problem, job, f"exit code {ended.returncode}")


class RayExecutor:
    """A task of a Ray cluster for each job, on one processor core of any of its machines.

    They need the same environment as this one; rows come back to the folder of this machine.

    Args:
        address: See `connect`.

    Raises:
        ConfigurationError: See `connect`.
    """

    def __init__(self, address: str) -> None:
        ray = connect(address)
        self._ray = ray
        self._task = ray.remote(num_cpus=1)(rows_of)
        self.jobs = max(1, int(ray.cluster_resources().get("CPU", 1)))

    def run(self, problem: str, job: Job) -> None:
        """See `Executor.run`."""
        running = self._task.remote(problem, job.methods, job.trial)
        try:
            rows = self._ray.get(running)
        except self._ray.exceptions.RayError as error:
            raise failed(problem, job, error) from error
        keep(job, rows)


def run_job(problem: str, job: Job) -> None:
    """Run a job in this process and keep its rows; nothing if another command has just done so."""
    if not job.finished:
        keep(job, rows_of(problem, job.methods, job.trial))


def rows_of(problem: str, methods: Sequence[str], trial: Trial) -> list[Content]:
    """Run rows in this process, on one thread."""
    torch.set_num_threads(1)
    scores = load_problem(problem).run(methods, trial)
    return [
        {
            "method": method,
            "trial": asdict(trial),
            "score": results.score_as_json(scores[method]),
        }
        for method in methods
    ]


def keep(job: Job, rows: Sequence[Content]) -> None:
    """Write finished rows; a reader never sees half a file."""
    for row, file in zip(rows, job.files, strict=True):
        part = file.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(row), encoding="utf-8")
        part.replace(file)


def failed(problem: str, job: Job, why: object) -> DriftpilotError:
    """The error of a job that did not come to its end."""
    return DriftpilotError(
        f"a row of benchmark {problem} failed",
        got=f"{', '.join(job.methods)} ({job.trial.setting}), {why}",
        remedy="Its error is printed above; finished rows are kept.",
    )
