"""How each learned row of the mass-spring-damper is trained, on equal data, time and network.

Letters: ``B`` queries of a batch, ``M`` samples of each, ``K`` positives of each, ``W`` numbers of
a relative window.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from trajectory_learning.benchmarks.training import Budget, fit
from trajectory_learning.methods.affine_recombination import (
    Recombination,
    choose_ridge,
    combine,
    recombine,
    select,
)
from trajectory_learning.methods.behaviour_cloning import BehaviourCloning
from trajectory_learning.methods.drifting_mpc import DriftingMpc
from trajectory_learning.methods.retrieval import Array, Library
from trajectory_learning.problems.mass_spring_data import draw_omega
from trajectory_learning.problems.mass_spring_generator import (
    NOISE,
    Generator,
    force_indices,
    relative,
)


@dataclass(frozen=True)
class Sizes:
    """Sizes of a training, equal for all rows.

    Attributes:
        budget: Processor time and rates of the network's training.
        width: Features of the network.
        blocks: Its residual blocks.
        batch: Queries of a step of methods with several samples a query.
        samples: ``M``, negatives.
        positives: ``K`` of Drifting MPC.
        anchors: Queries whose positives are prepared before training.
        targets: Queries whose recombined window is prepared before training.
        subsets: Recombined positives of a query.
        subset: Windows in each.
    """

    budget: Budget = field(default_factory=lambda: Budget(seconds=12.0))
    width: int = 128
    blocks: int = 3
    batch: int = 48
    samples: int = 8
    positives: int = 256
    anchors: int = 4096
    targets: int = 12_288
    subsets: int = 12
    subset: int = 32


class Trainer:
    """Trains the rows of one setting.

    Args:
        library: Windows of the data.
        sizes: Sizes.
        seed: Seed of weights, queries and noise.
    """

    def __init__(self, library: Library, sizes: Sizes, seed: int) -> None:
        self.library, self.sizes, self.seed = library, sizes, seed
        self.horizon = (library.windows.shape[1] - 2) // 3
        self.rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        rows = slice(0, 5000)
        sample = relative(library.windows[rows], library.starts[rows])
        self.mean, self.spread = sample.mean(axis=0), sample.std(axis=0)

    def longer(self, times: int) -> Trainer:
        """A trainer with so many times the training, for what equal time does not show."""
        budget = self.sizes.budget
        budget = replace(budget, seconds=times * budget.seconds, steps=times * budget.steps)
        return Trainer(self.library, replace(self.sizes, budget=budget), self.seed)

    def drifting(self, method: DriftingMpc) -> tuple[Generator, float]:
        """Drifting MPC on retrieved windows (Algorithm 1); beta = 0 is the Drifting Prior."""
        begin = time.process_time()
        chosen = self.rng.choice(len(self.library), self.sizes.anchors, replace=False)
        x = self.library.starts[chosen]
        near = self.library.nearest(x, np.ones((len(x), 3)), self.sizes.positives)
        prior = self.normalised(self.library.windows, self.library.starts)
        network = self.network()

        # As many samples a step for every row, however many a query has.
        queries = max(1, self.sizes.batch * self.sizes.samples // method.samples)

        def loss(progress: float) -> Tensor:
            rows = self.rng.integers(len(x), size=queries)
            omega = draw_omega(self.rng, len(rows))
            pool = self.library.relabelled(near.index[rows], omega)
            positives = prior[torch.from_numpy(pool.index)]
            noise = torch.randn(queries, method.samples, NOISE)
            samples = network(_tensor(x[rows]), _tensor(omega), noise)
            return method.loss(samples, positives, _tensor(pool.cost), progress)

        return self._fitted(network, loss, time.process_time() - begin)

    def recombined_drifting(self, method: DriftingMpc) -> tuple[Generator, float]:
        """Drifting MPC whose positives are recombinations of random subsets of the pool.

        Retrieved windows begin near the query and were flown for other weights, and no tilt
        undoes that. Recombinations begin at the query and are cheap under its weights; what
        differs between subsets is the spread that the generator keeps.
        """
        begin = time.process_time()
        x, omega = self._queries(self.sizes.anchors)
        bank, cost = self._recombined_positives(x, omega)
        network = self.network()

        def loss(progress: float) -> Tensor:
            rows = self.rng.integers(len(x), size=self.sizes.batch)
            samples = network(_tensor(x[rows]), _tensor(omega[rows]), self._noise(len(rows)))
            return method.loss(samples, bank[rows], cost[rows], progress)

        return self._fitted(network, loss, time.process_time() - begin)

    def amortised_recombination(self) -> tuple[Generator, float]:
        """Regression on recombined windows: the training-free planner in one network."""
        begin = time.process_time()
        x, omega = self._queries(self.sizes.targets)
        how = self.recombination()
        windows = [
            recombine(self.library, x[rows], omega[rows], how) for rows in _chunks(len(x), 512)
        ]
        target = self.normalised(np.concatenate(windows), x)
        return self._regression(x, omega, target, time.process_time() - begin)

    def behaviour_cloning(self) -> tuple[Generator, float]:
        """Regression on the data's windows, whatever the weights."""
        x = self.library.starts
        target = self.normalised(self.library.windows, x)
        return self._regression(x, draw_omega(self.rng, len(x)), target, 0.0)

    def recombination(self, queries: int = 64) -> Recombination:
        """Recombination with the ridge that held-out windows choose."""
        x, omega = self._queries(queries)
        how = Recombination()
        ridge, _ = choose_ridge(self.library, x, omega, how, force_indices(self.horizon))
        return Recombination(ridge, how.pool, how.kept, how.leverage_limit)

    def _recombined_positives(self, x: Array, omega: Array) -> tuple[Tensor, Tensor]:
        """(A, K, W) recombined windows and (A, K) their costs."""
        full = self.recombination()
        # The ridge counts relative to the number of windows: as many in a subset, as strong.
        how = Recombination(full.ridge, full.pool, self.sizes.subset, full.leverage_limit)
        bank, costs = [], []
        for rows in _chunks(len(x), 512):
            pool = select(self.library, x[rows], omega[rows], full)
            for _ in range(self.sizes.subsets):
                order = self.rng.permuted(
                    np.broadcast_to(np.arange(pool.shape[1]), pool.shape), axis=1
                )
                part = np.take_along_axis(pool, order[:, : self.sizes.subset], axis=1)
                window = combine(self.library, part, x[rows], omega[rows], how)
                bank.append(self.normalised(window, x[rows]))
                costs.append(_tensor(self.library.cost(window, omega[rows])))
        return _stacked(bank, self.sizes.subsets), _stacked(costs, self.sizes.subsets)

    def _regression(
        self, x: Array, omega: Array, target: Tensor, spent: float
    ) -> tuple[Generator, float]:
        network = self.network()
        method = BehaviourCloning()
        batch = self.sizes.batch * self.sizes.samples

        def loss(progress: float) -> Tensor:
            rows = self.rng.integers(len(x), size=batch)
            silent = torch.zeros(batch, 1, NOISE)
            samples = network(_tensor(x[rows]), _tensor(omega[rows]), silent)
            return method.loss(samples, target[rows], _tensor(x[rows]))

        return self._fitted(network, loss, spent)

    def _fitted(
        self, network: Generator, loss: Callable[[float], Tensor], spent: float
    ) -> tuple[Generator, float]:
        trained, seconds = fit(network, loss, self.sizes.budget)
        assert isinstance(trained, Generator)
        return trained, seconds + spent

    def network(self) -> Generator:
        """The untrained network."""
        return Generator(self.horizon, self.mean, self.spread, self.sizes.width, self.sizes.blocks)

    def _noise(self, queries: int) -> Tensor:
        return torch.randn(queries, self.sizes.samples, NOISE)

    def _queries(self, count: int) -> tuple[Array, Array]:
        """States from the data, and weights."""
        rows = self.rng.choice(len(self.library), count, replace=count > len(self.library))
        return self.library.starts[rows], draw_omega(self.rng, count)

    def normalised(self, windows: NDArray, x: Array) -> Tensor:
        """(..., W) z-scored relative windows."""
        return _tensor((relative(windows, x) - self.mean) / self.spread)


def _tensor(array: NDArray) -> Tensor:
    return torch.from_numpy(np.asarray(array, dtype=np.float32))


def _chunks(count: int, size: int) -> list[slice]:
    return [slice(i, min(i + size, count)) for i in range(0, count, size)]


def _stacked(parts: list[Tensor], inner: int) -> Tensor:
    """(A, inner, ...) from a list that runs over chunks of A first, then over ``inner``."""
    chunks = [torch.stack(parts[i : i + inner], dim=1) for i in range(0, len(parts), inner)]
    return torch.cat(chunks)
