"""The executed path, thinned and bounded."""

from __future__ import annotations

from collections import deque

import numpy as np

from robot_view.flight import Array

JUMP_M = 1.0
"""No robot moves so far between two points: it was carried, or the simulation began again."""


class Trail:
    """The points at which a robot was.

    Args:
        size: Points kept; the oldest go first.
        spacing_m: Points closer than this to the last one look the same.
    """

    def __init__(self, size: int, spacing_m: float = 0.03) -> None:
        self._spacing_m = spacing_m
        self._points: deque[Array] = deque(maxlen=size)

    @property
    def points(self) -> Array:
        """(N, 3) [m], oldest first."""
        return np.array(self._points, dtype=np.float64).reshape(-1, 3)

    def add(self, position: Array) -> bool:
        """Take a position in, (3,) [m].

        Returns:
            Whether the trail changed.
        """
        if self._points:
            step = float(np.linalg.norm(position - self._points[-1]))
            if step > JUMP_M:
                self._points.clear()
            elif step < self._spacing_m:
                return False
        self._points.append(position)
        return True
