"""What a benchmark problem is: settings, the rows that belong to them, and how rows are run.

A problem is an object ``PROBLEM`` in a module of `trajectory_learning.problems`, named in
`trajectory_learning.benchmarks.PROBLEMS`. It decides what equal means (data, training time,
network); the framework decides where rows run, keeps what is finished, and draws the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Attributes:
        method: Name of the method, unique in its setting.
        model: Rows of equal ``model`` are run by one call, because they share what is trained
            (a sampler with and without guidance, one and 64 candidates). Empty: runs alone.
        paper: The paper's figure by metric, where it has one.
        seeded: Run with every seed. False where no claim hangs on the row: one seed.
    """

    method: str
    model: str = ""
    paper: Mapping[str, float] = field(default_factory=dict)
    seeded: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """What a call of `Problem.run` is asked for.

    Attributes:
        setting: One of `Problem.settings`.
        seed: Seed of weights, batches and noise.
        episode_seed: Seed of the test episodes; None for those of the paper, or the problem's own.
        quick: Run small: a check that everything works, in seconds, whose figures mean nothing.
    """

    setting: str
    seed: int = 0
    episode_seed: int | None = None
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric over the test episodes.

    Attributes:
        values: (E,) value of each episode, in the problem's unit.
        reference: (E,) value of the oracle in the same episodes. The figure is then the ratio of
            the means, not the mean of the ratios: the paper's tables print means.
    """

    values: np.ndarray
    reference: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Paths:
    """What the picture of a row shows, from above.

    Attributes:
        data: (N, T, 2) [m] where the data went, or their controller in the same episodes.
        driven: (N, T, 2) [m] where the row went.
    """

    data: np.ndarray
    driven: np.ndarray

    @classmethod
    def thinned(
        cls, data: np.ndarray, driven: np.ndarray, paths: int = 20, points: int = 60
    ) -> Paths:
        """Some of many paths, and some points of each: enough to look at."""

        def some(array: np.ndarray) -> np.ndarray:
            rows, columns = (
                np.linspace(0, size - 1, min(size, most)).round().astype(int)
                for size, most in zip(array.shape[:2], (paths, points), strict=True)
            )
            return array[np.ix_(rows, columns)]

        return cls(some(data), some(driven))


@dataclass(frozen=True, slots=True)
class Score:
    """What a row came to.

    Attributes:
        measures: By metric; the first is the headline.
        train_cpu_s: Processor time of training [s]; 0 where nothing is trained.
        step_ms_p50: Median time of one planning step, one thread [ms]; None if not measured.
        paths: For the picture; None where there is nothing to see from above.
    """

    measures: Mapping[str, Measure]
    train_cpu_s: float = 0.0
    step_ms_p50: float | None = None
    paths: Paths | None = None


class Problem(Protocol):
    """A problem with its data, its oracle and the methods that belong to it."""

    name: str
    """What follows ``benchmark`` on the command line."""

    title: str
    """Heading of the table, with the paper's table that it corresponds to."""

    def settings(self) -> Sequence[str]:
        """Names of the settings, in the order of the table."""
        ...

    def rows(self, setting: str) -> Sequence[Row]:
        """The rows of a setting, in the order of the table; behaviour cloning among them."""
        ...

    def configuration(self, quick: bool) -> Mapping[str, Any]:
        """Everything that results depend on, as JSON: sizes, training time, data.

        A finished row is kept under the hash of this, of its name and of its trial.
        """
        ...

    def run(self, methods: Sequence[str], trial: Trial) -> Mapping[str, Score]:
        """Train and test rows that share a ``model``.

        Called in a process of its own with one thread. Everything random comes from the trial's
        seeds. Data sets and test episodes do not depend on ``methods`` or on ``trial.seed``.

        Args:
            methods: The rows asked for, all of one ``model``.
            trial: Where and with which seeds.

        Returns:
            The score of each row asked for.
        """
        ...
