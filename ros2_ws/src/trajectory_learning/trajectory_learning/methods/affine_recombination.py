"""Affine recombination: the cheapest weighted sum of retrieved windows that starts at the state.

Sums of windows with weights that add to one are again windows of an affine system, whatever its
matrices. So no dynamics model is fitted: among the ``K`` retrieved windows ``tau_i`` with first
states ``x_i`` solve

    min_a J(sum a_i tau_i) + lambda tr(G) / K |a|^2   with  sum a_i = 1,  sum a_i x_i = x,

where ``J`` is quadratic and ``G`` its matrix over the weights. The solution is closed: one linear
system a query. It is unimodal: where obstacles split the windows into classes, their mean is none.

The ridge is what noise and curvature of the plant ask for. A small lambda finds weights that cancel
the noise of the data in the predicted cost, and only there. `choose_ridge` therefore lets other
windows judge the plan. Where the state lies outside the retrieved ones, the weights must
extrapolate; `Recombination.leverage_limit` guards against that.

**Source**: our own; the predictor by weights is the one of J. C. Willems et al., "A note on
persistency of excitation", 2005, here local and over whole windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from trajectory_learning.methods.retrieval import Array, Indices, Library

RIDGES = (1e-3, 1e-2, 0.1, 0.3, 1.0, 3.0)


@dataclass(frozen=True)
class Recombination:
    """How windows are recombined.

    Attributes:
        ridge: ``lambda``, see the module.
        pool: Windows retrieved.
        kept: ``K``, the cheapest of them, which are recombined.
        leverage_limit: Largest |a|^2 that the constraints alone may ask for. It is 1/K in the
            middle of the retrieved states and grows with the square of the distance; beyond the
            limit the state is drawn towards their middle until it keeps to it.
    """

    ridge: float = 1e-3
    pool: int = 256
    kept: int = 64
    leverage_limit: float = 10.0


def recombine(library: Library, x: Array, omega: Array, how: Recombination) -> Array:
    """The recombined window of each query.

    Args:
        library: Windows.
        x: (B, n_x) states.
        omega: (B, P) weights of the cost.
        how: Sizes and ridge.

    Returns:
        (B, D) windows.
    """
    chosen = select(library, x, omega, how)
    return combine(library, chosen, x, omega, how)


def select(library: Library, x: Array, omega: Array, how: Recombination) -> Indices:
    """(B, K) the cheapest of the nearest windows, cost corrected for where they start."""
    found = library.nearest(x, omega, how.pool)
    return found.cheapest(how.kept, library.start_corrected(found, x))


def combine(library: Library, chosen: Indices, x: Array, omega: Array, how: Recombination) -> Array:
    """(B, D) the cheapest affine sum of the chosen windows (B, K); see `recombine`."""
    windows = library.windows[chosen]
    scaled = windows * np.sqrt(omega[:, library.group])[:, None].astype(np.float32)
    gram = (scaled @ scaled.transpose(0, 2, 1)).astype(np.float64)
    starts = library.starts[chosen]
    weights = _solve(gram, starts, supported(starts, x, how.leverage_limit), how.ridge)
    return (weights[:, None].astype(np.float32) @ windows)[:, 0].astype(np.float64)


def _solve(gram: Array, starts: Array, x: Array, ridge: float) -> Array:
    """(B, K) weights: minimum of a' gram a + ridge with the two constraints (Lagrange)."""
    count = gram.shape[-1]
    scale = np.trace(gram, axis1=1, axis2=2)[:, None, None] / count
    gram = gram + ridge * scale * np.eye(count)
    ones = np.ones((*starts.shape[:2], 1))
    constraints = np.concatenate([ones, starts], axis=-1)
    value = np.concatenate([ones[:, 0], x], axis=-1)
    towards = np.linalg.solve(gram, constraints)
    multipliers = np.linalg.solve(constraints.transpose(0, 2, 1) @ towards, value[..., None])
    return np.asarray((towards @ multipliers)[..., 0])


def leverage(starts: Array, x: Array) -> Array:
    """(B,) least |a|^2 with sum a_i = 1 and sum a_i x_i = x, over starts (B, K, n_x)."""
    middle = starts.mean(axis=1)
    offset = starts - middle[:, None]
    scatter = offset.transpose(0, 2, 1) @ offset + 1e-12 * np.eye(starts.shape[-1])
    away = (x - middle)[..., None]
    distance = (away.transpose(0, 2, 1) @ np.linalg.solve(scatter, away))[:, 0, 0]
    return 1 / starts.shape[1] + distance


def supported(starts: Array, x: Array, limit: float) -> Array:
    """(B, n_x) the states, drawn towards the middle of the starts where leverage passes a limit."""
    least = 1 / starts.shape[1]
    beyond = leverage(starts, x) - least
    factor = np.sqrt(np.clip((limit - least) / np.maximum(beyond, 1e-12), 0.0, 1.0))
    middle = starts.mean(axis=1)
    return np.asarray(middle + factor[:, None] * (x - middle))


def choose_ridge(
    library: Library,
    x: Array,
    omega: Array,
    how: Recombination,
    inputs: Indices,
    ridges: tuple[float, ...] = RIDGES,
) -> tuple[float, dict[float, float]]:
    """The ridge whose plans cost least by the judgement of windows that had no part in them.

    Half of the library makes the plans. The other half expresses each plan's inputs as a sum of
    its own windows, and the same sum of their states is what would have happened.

    Args:
        library: Windows.
        x: (B, n_x) states at which plans are made.
        omega: (B, P) weights of the cost.
        how: Everything but the ridge.
        inputs: Positions of the inputs in a window.
        ridges: Choices.

    Returns:
        The ridge, and the mean judged cost by ridge.
    """
    half = len(library) // 2
    maker, judge = library.subset(slice(0, half)), library.subset(slice(half, None))
    chosen = select(maker, x, omega, how)
    express = _Judge(judge, x, inputs)
    judged = {}
    for ridge in ridges:
        one = Recombination(ridge, how.pool, how.kept, how.leverage_limit)
        plan = combine(maker, chosen, x, omega, one)
        judged[ridge] = float(judge.cost(express(plan), omega).mean())
    return min(judged, key=lambda ridge: judged[ridge]), judged


class _Judge:
    """What windows of another half say of plans from the same states."""

    COUNT = 512
    RIDGE = 1e-3
    START_WEIGHT = 10.0
    """How much more an error of the start counts than one of an input."""

    def __init__(self, library: Library, x: Array, inputs: Indices) -> None:
        found = library.nearest(x, np.ones((len(x), library.sums.shape[1])), self.COUNT)
        self.windows = library.windows[found.index].astype(np.float64)
        self.inputs = inputs
        ones = np.ones((*found.index.shape, 1))
        ends = np.concatenate([library.starts[found.index], ones], axis=-1) * self.START_WEIGHT
        self.basis = np.concatenate([self.windows[..., inputs], ends], axis=-1)
        self.end = np.concatenate([x, ones[:, 0]], axis=-1) * self.START_WEIGHT
        gram = self.basis @ self.basis.transpose(0, 2, 1)
        scale = np.trace(gram, axis1=1, axis2=2)[:, None, None] / self.COUNT
        self.gram = gram + self.RIDGE * scale * np.eye(gram.shape[-1])

    def __call__(self, plan: Array) -> Array:
        """(B, D) the plan's inputs with the states that other windows give them."""
        target = np.concatenate([plan[:, self.inputs], self.end], axis=-1)
        weights = np.linalg.solve(self.gram, self.basis @ target[..., None])
        judged = (weights.transpose(0, 2, 1) @ self.windows)[:, 0]
        judged[:, self.inputs] = plan[:, self.inputs]
        return judged
