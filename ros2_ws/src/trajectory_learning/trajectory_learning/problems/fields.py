"""Distance fields of worlds: how far the goal is along free space, and how near the surfaces are.

The pilots that make the training data look these up; the planner on the robot never sees them.

**Source**: E. W. Dijkstra, "A note on two problems in connexion with graphs", 1959; the search is
scipy's ``scipy.sparse.csgraph.dijkstra``.

Letters: ``n_x``, ``n_y`` cells of a field.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from planner_core.world import World
from scipy.ndimage import distance_transform_edt
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra

Array = NDArray[np.float64]

CELL_M = 0.1

# Sixteen directions (half of them: the graph is undirected) keep the length of a grid path within
# 3 % of the true one; with eight directions it is 8 %, and pilots then prefer diagonals.
_STEPS = ((1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (1, 2), (2, -1), (1, -2))


def cell_centres(world: World, height_m: float) -> Array:
    """(n_x, n_y, 3) [m] centres of the cells of a world's fields."""
    shape = np.ceil((world.upper[:2] - world.lower[:2]) / CELL_M - 1e-9).astype(int)
    x, y = (world.lower[i] + (np.arange(shape[i]) + 0.5) * CELL_M for i in (0, 1))
    return np.stack(np.broadcast_arrays(x[:, None], y[None, :], height_m), axis=-1)


def clearance_field(world: World, height_m: float) -> Array:
    """(n_x, n_y) [m] distance to obstacles and walls at one height; floor and ceiling left out."""
    points = cell_centres(world, height_m)
    walls = np.minimum(points - world.lower, world.upper - points)[..., :2].min(axis=-1)
    return np.minimum(walls, world.obstacle_distance(points))


def free_space_graph(clearance: Array, blocked_m: float) -> csr_matrix:
    """Neighbouring free cells and the cost of moving between them.

    Args:
        clearance: (n_x, n_y) [m].
        blocked_m: Cells closer than this to a surface are not crossed.
    """
    shape = clearance.shape
    index = np.arange(clearance.size).reshape(shape)
    free = clearance >= blocked_m
    # A metre close to a surface costs up to three: pilots keep their distance where there is room.
    cost = 1.0 + 2.0 * np.clip((0.4 - clearance) / (0.4 - blocked_m), 0.0, 1.0)
    rows, columns, weights = [], [], []
    for di, dj in _STEPS:
        a = (slice(0, shape[0] - di), slice(max(0, -dj), shape[1] - max(0, dj)))
        b = (slice(di, None), slice(max(0, dj), shape[1] + min(0, dj)))
        both = free[a] & free[b]
        rows.append(index[a][both])
        columns.append(index[b][both])
        weights.append(CELL_M * np.hypot(di, dj) * (cost[a][both] + cost[b][both]) / 2)
    return coo_matrix(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))),
        shape=(clearance.size, clearance.size),
    ).tocsr()


def distance_field(
    graph: csr_matrix, shape: tuple[int, int], lower_xy: Array, goal_xy: ArrayLike
) -> Array:
    """Cost of the cheapest path from every cell to a goal.

    Args:
        graph: `free_space_graph`.
        shape: (n_x, n_y).
        lower_xy: (2,) [m] corner of the field.
        goal_xy: (2,) [m].

    Returns:
        (n_x, n_y) [m]. A cell from which no path leads has the value of the nearest one that has
        one plus twice the way to it, so that lookups near surfaces stay finite.
    """
    cell = np.floor((np.asarray(goal_xy) - lower_xy) / CELL_M).astype(int)
    cell = np.clip(cell, 0, np.array(shape) - 1)
    distance = dijkstra(graph, directed=False, indices=int(cell[0] * shape[1] + cell[1]))
    distance = distance.reshape(shape)
    gap, nearest = distance_transform_edt(~np.isfinite(distance), return_indices=True)
    return distance[tuple(nearest)] + 2 * CELL_M * gap


def lookup(fields: Array, which: NDArray[np.intp], lower_xy: Array, points: Array) -> Array:
    """Bilinear lookup in a stack of fields.

    Args:
        fields: (n, n_x, n_y) values at the cell centres.
        which: (B,) field of each row of points.
        lower_xy: (2,) [m] corner of the fields.
        points: (B, ..., 2) [m]; outside the field, the border counts.

    Returns:
        (B, ...) values.
    """
    n_x, n_y = fields.shape[1:]
    u = np.clip((points[..., 0] - lower_xy[0]) / CELL_M - 0.5, 0.0, n_x - 1.001)
    v = np.clip((points[..., 1] - lower_xy[1]) / CELL_M - 0.5, 0.0, n_y - 1.001)
    i, j = u.astype(np.intp), v.astype(np.intp)
    u, v = u - i, v - j
    base = which.reshape(-1, *(1,) * (points.ndim - 2)) * (n_x * n_y) + i * n_y + j
    flat = fields.reshape(-1)
    near = (1 - v) * flat[base] + v * flat[base + 1]
    far = (1 - v) * flat[base + n_y] + v * flat[base + n_y + 1]
    return (1 - u) * near + u * far
