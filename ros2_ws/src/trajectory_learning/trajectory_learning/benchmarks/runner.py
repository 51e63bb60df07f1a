"""Runs the rows of a benchmark, in parallel where asked, and keeps each one that is finished."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from planner_core.errors import ConfigurationError
from tqdm import tqdm
from trajectory_learning.benchmarks import load_problem, results
from trajectory_learning.benchmarks.interface import Problem, Row, Score, Trial
from trajectory_learning.parallel import each

Content = dict[str, Any]
"""A finished row, as JSON."""


@dataclass(frozen=True)
class Request:
    """What is asked of a benchmark.

    Attributes:
        problem: Its name.
        out: Folder of finished rows, table and figure.
        rows: Methods to run; empty for all.
        settings: Settings to run; empty for all.
        seeds: Seeds of the rows on which a claim hangs; the others have one.
        episode_seed: See `Trial`.
        quick: See `Trial`.
        jobs: Processes of this machine.
        ray: Address of a Ray cluster to run on instead; empty for this machine.
    """

    problem: str
    out: Path
    rows: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    seeds: int = 3
    episode_seed: int | None = None
    quick: bool = False
    jobs: int = 1
    ray: str = ""


@dataclass(frozen=True)
class Job:
    """Rows that run together, on one thread.

    Attributes:
        problem: Name of the benchmark.
        methods: Names of the rows.
        trial: Setting and seeds.
        files: Where each row is kept when it is finished.
    """

    problem: str
    methods: tuple[str, ...]
    trial: Trial
    files: tuple[Path, ...]

    def __str__(self) -> str:
        """How it is named to a person."""
        return f"{self.problem}, {', '.join(self.methods)} ({self.trial.setting})"

    @property
    def finished(self) -> bool:
        """Whether all its rows are kept."""
        return all(file.exists() for file in self.files)

    def rows(self) -> list[Content]:
        """Run it, unless another command has just done so."""
        if self.finished:
            return [_content(file) for file in self.files]
        scores = load_problem(self.problem).run(self.methods, self.trial)
        return [
            {
                "method": method,
                "trial": asdict(self.trial),
                "score": results.score_as_json(scores[method]),
            }
            for method in self.methods
        ]

    def keep(self, rows: Sequence[Content]) -> None:
        """Write its finished rows; a reader never sees half a file."""
        for row, file in zip(rows, self.files, strict=True):
            part = file.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps(row), encoding="utf-8")
            part.replace(file)


def run(request: Request) -> list[results.Line]:
    """Run a benchmark, or what is left of it; write table and figure into its folder.

    Returns:
        The lines of the JSON file.

    Raises:
        ConfigurationError: A row or setting of that name does not exist.
        UnknownPluginError: The problem does not exist.
    """
    problem = load_problem(request.problem)
    chosen = chosen_rows(problem, request)
    pending = jobs(problem, chosen, request)
    if pending:
        finish(pending, request)
    lines, drawn = [], {}
    for setting, row in chosen:
        files = [
            _file(problem, row.method, trial, request) for trial in _trials(setting, row, request)
        ]
        scores = [_read(file) for file in files]
        lines += results.lines_of(row, setting, scores)
        if scores[0].paths is not None:
            drawn[f"{row.method} ({setting})"] = scores[0].paths
    (request.out / "table.md").write_text(results.markdown(problem, lines), encoding="utf-8")
    results.draw(problem, lines, request.out / "figure.png")
    if drawn:
        results.draw_paths(drawn, request.out / "paths.png")
    return lines


def settings_of(request: Request) -> dict[str, Any]:
    """What the JSON file says of how it came about."""
    problem = load_problem(request.problem)
    return {
        **problem.configuration(request.quick),
        "seeds": request.seeds,
        "episode_seed": request.episode_seed,
        "quick": request.quick,
    }


def chosen_rows(problem: Problem, request: Request) -> list[tuple[str, Row]]:
    """The settings and rows asked for.

    Raises:
        ConfigurationError: A name is unknown.
    """
    known = {row.method: None for setting in problem.settings() for row in problem.rows(setting)}
    for kind, asked, existing in (
        ("setting", request.settings, list(problem.settings())),
        ("row", request.rows, list(known)),
    ):
        unknown = [name for name in asked if name not in existing]
        if unknown:
            raise ConfigurationError(
                f"unknown {kind} of benchmark {problem.name}",
                got=", ".join(unknown), expected=f"of {'; '.join(existing)}",
            )  # fmt: skip
    return [
        (setting, row)
        for setting in problem.settings()
        if not request.settings or setting in request.settings
        for row in problem.rows(setting)
        if not request.rows or row.method in request.rows
    ]


def jobs(problem: Problem, chosen: Sequence[tuple[str, Row]], request: Request) -> list[Job]:
    """The calls of `Problem.run` that are left: rows of one model, setting and seed together."""
    groups: dict[tuple[str, Trial], list[str]] = {}
    for setting, row in chosen:
        for trial in _trials(setting, row, request):
            if not _file(problem, row.method, trial, request).exists():
                groups.setdefault((row.model or row.method, trial), []).append(row.method)
    return [
        Job(
            problem.name, tuple(names), trial,
            tuple(_file(problem, name, trial, request) for name in names),
        )
        for (_, trial), names in groups.items()
    ]  # fmt: skip


def finish(pending: Sequence[Job], request: Request) -> None:
    """Run jobs; what is finished is on the disk even if a later one fails."""
    (request.out / "rows").mkdir(parents=True, exist_ok=True)
    with tqdm(total=len(pending), unit="job", desc=request.problem) as bar:

        def keep(job: Job, rows: Sequence[Content]) -> None:
            job.keep(rows)
            bar.update()

        each(Job.rows, pending, keep, request.jobs, request.ray, fresh=True)


def in_background(arguments: Sequence[str], out: Path) -> tuple[int, Path]:
    """Run the same command in a process that outlives this one.

    Args:
        arguments: Arguments of ``python -m trajectory_learning``, without ``--background``.
        out: Folder of its log.

    Returns:
        Its process id and the log file.
    """
    out.mkdir(parents=True, exist_ok=True)
    log = out / "log.txt"
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "trajectory_learning", *arguments],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    return process.pid, log


def _trials(setting: str, row: Row, request: Request) -> list[Trial]:
    seeds = request.seeds if row.seeded else 1
    return [Trial(setting, seed, request.episode_seed, request.quick) for seed in range(seeds)]


def _file(problem: Problem, method: str, trial: Trial, request: Request) -> Path:
    about = [problem.name, method, asdict(trial), problem.configuration(trial.quick)]
    text = json.dumps(about, sort_keys=True, default=str)
    return request.out / "rows" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


def _content(file: Path) -> Content:
    content: Content = json.loads(file.read_text(encoding="utf-8"))
    return content


def _read(file: Path) -> Score:
    return results.score_from_json(_content(file)["score"])
