"""Shortest planar path through a world, by Dijkstra's algorithm on an eight-connected grid.

**Source**: E. W. Dijkstra, "A note on two problems in connexion with graphs", 1959; the search is
scipy's ``scipy.sparse.csgraph.dijkstra``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

if TYPE_CHECKING:
    from planner_core.world import World

Array = NDArray[np.float64]


def shortest_path(
    world: World, start: ArrayLike, goal_xy: ArrayLike, *, inflation_m: float, cell_m: float = 0.1
) -> Array | None:
    """Shortest path at constant height that keeps a distance from every surface.

    Args:
        world: Where to search.
        start: (3,) [m] where the path begins; its height is the height of the path.
        goal_xy: (2,) [m] where it ends.
        inflation_m: Distance to keep from obstacles and walls.
        cell_m: Width of a grid cell.

    Returns:
        (n, 2) [m] cell centres from start to goal, or None where no path exists.
    """
    start = np.asarray(start, dtype=np.float64)
    goal_xy = np.asarray(goal_xy, dtype=np.float64)
    shape = tuple(int(n) for n in np.ceil((world.upper[:2] - world.lower[:2]) / cell_m))
    x, y = (world.lower[i] + (np.arange(shape[i]) + 0.5) * cell_m for i in (0, 1))
    points = np.stack(np.broadcast_arrays(x[:, None], y[None, :], start[2]), axis=-1)
    walls = np.minimum(points - world.lower, world.upper - points)[..., :2].min(axis=-1)
    free = np.minimum(walls, world.obstacle_distance(points)) >= inflation_m

    def cell(position: Array) -> int:
        ij = np.floor((position[:2] - world.lower[:2]) / cell_m).astype(int)
        ij = np.clip(ij, 0, np.array(shape) - 1)
        return int(ij[0] * shape[1] + ij[1])

    source, target = cell(start), cell(goal_xy)
    # The ends are given, not chosen: a robot that starts close to a wall still has to leave it.
    free.ravel()[[source, target]] = True
    index = np.arange(free.size).reshape(shape)
    rows, columns, weights = [], [], []
    for di, dj in ((1, 0), (0, 1), (1, 1), (1, -1)):
        a = index[: shape[0] - di, max(0, -dj) : shape[1] - max(0, dj)]
        b = index[di:, max(0, dj) : shape[1] + min(0, dj)]
        open_pair = free.ravel()[a] & free.ravel()[b]
        rows.append(a[open_pair])
        columns.append(b[open_pair])
        weights.append(np.full(open_pair.sum(), cell_m * np.hypot(di, dj)))
    graph = coo_matrix(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))),
        shape=(free.size, free.size),
    ).tocsr()
    distance, previous = dijkstra(graph, directed=False, indices=source, return_predecessors=True)
    if not np.isfinite(distance[target]):
        return None
    cells = [target]
    while cells[-1] != source:
        cells.append(int(previous[cells[-1]]))
    return points.reshape(-1, 3)[cells[::-1], :2]
