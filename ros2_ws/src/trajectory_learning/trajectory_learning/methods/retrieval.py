"""Windows of the data near a state, and what they would have cost under other weights.

Letters: ``N`` windows of the library, ``B`` queries, ``K`` neighbours of each, ``D`` numbers of a
window, ``P`` weights of the cost.

**Source**: "Receding-Horizon Control via Drifting Models", Eq. 13 (empirical prior of the nearest
windows) and the cost relabelling of Sec. IV-B.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Retrieved:
    """Neighbours of a batch of queries.

    Attributes:
        index: (B, K) of the windows.
        cost: (B, K) under each query's weights.
    """

    index: Indices
    cost: Array

    def cheapest(self, count: int, cost: Array | None = None) -> Indices:
        """(B, count) indices of the cheapest neighbours, by another cost (B, K) if given."""
        by = self.cost if cost is None else cost
        if count >= by.shape[1]:
            return self.index
        order = np.argpartition(by, count, axis=1)[:, :count]
        return np.take_along_axis(self.index, order, axis=1)


class Library:
    """Windows found by their first state, with a cost that is quadratic and diagonal.

    Args:
        starts: (N, n_x) first states.
        windows: (N, D) flat windows, in units in which the cost counts them.
        group: (D,) which of the weights counts each number of a window.
    """

    def __init__(self, starts: Array, windows: Array, group: Indices) -> None:
        self.starts = starts
        self.windows = windows.astype(np.float32)
        self.group = group
        count = int(group.max()) + 1
        # Per window and weight, once: relabelling is then a product of P numbers.
        self.sums = np.stack(
            [np.square(windows[:, group == p]).sum(axis=1) for p in range(count)], axis=-1
        )
        self._tree = cKDTree(starts)

    def __len__(self) -> int:
        return len(self.starts)

    def subset(self, rows: slice) -> Library:
        """A library of some of the windows."""
        return Library(self.starts[rows], self.windows[rows].astype(np.float64), self.group)

    def cost(self, windows: Array, omega: Array) -> Array:
        """(B,) cost of windows (B, D) under weights (B, P)."""
        return np.asarray((np.square(windows) * omega[:, self.group]).sum(axis=-1))

    def nearest(self, x: Array, omega: Array, count: int) -> Retrieved:
        """The nearest windows.

        Args:
            x: (B, n_x) states.
            omega: (B, P) weights of the cost.
            count: ``K``.
        """
        _, index = self._tree.query(x, count)
        index = np.asarray(index, dtype=np.int64).reshape(len(x), count)
        return self.relabelled(index, omega)

    def relabelled(self, index: Indices, omega: Array) -> Retrieved:
        """Windows (B, K) with their costs under weights (B, P)."""
        return Retrieved(index, np.einsum("bkp,bp->bk", self.sums[index], omega))

    def start_corrected(self, found: Retrieved, x: Array) -> Array:
        """(B, K) costs without what the windows owe to the state that they begin in.

        A pool of neighbours holds windows that are cheap because they begin closer to rest than
        the query. The cost's linear dependence on the first state, fitted over the pool, is taken
        out.

        Args:
            found: Neighbours of the queries.
            x: (B, n_x) the queries' states.
        """
        offset = self.starts[found.index] - x[:, None]
        offset = offset - offset.mean(axis=1, keepdims=True)
        centred = found.cost - found.cost.mean(axis=1, keepdims=True)
        scatter = offset.transpose(0, 2, 1) @ offset
        scatter += 1e-9 * np.eye(offset.shape[-1])
        slope = np.linalg.solve(scatter, offset.transpose(0, 2, 1) @ centred[..., None])
        return found.cost - (offset @ slope)[..., 0]
