"""Ranked candidates, of which only the winner has been decoded.

Letters: ``H`` samples of a plan, ``K`` candidates, ``n`` columns of a window, ``n_q`` degrees of
freedom.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from planner_core.plan import Array, Plan, PlanBatch

RANKING: Final = ("window", "value", "feasible", "cost", "acceleration")
"""Outputs of a graph that ranks: the winner's window (3, H, n), value (K,), feasible (K,), cost
(K,), and the accelerations (K, n, H) that every candidate follows from."""

Decode = Callable[[NDArray[Any]], tuple[Array, Array, Array]]
"""(3, K, H, n) windows to positions, velocities and accelerations, each (K, H, n_q)."""
Integrate = Callable[[NDArray[Any]], Array]
"""(K, n, H) accelerations to (3, K, H, n) windows."""


class RankedBatch(PlanBatch):
    """The outputs of a graph that ranks.

    The other candidates are integrated from their accelerations when somebody asks for them: a
    display does, a control loop does not.

    Args:
        start_ns: ROS time of the first sample of each [ns].
        dt_s: Spacing of the samples [s].
        outputs: Of the graph, in the order of `RANKING`.
        decode: From the columns of the network to the degrees of freedom of the robot.
        integrate: From accelerations to windows.
    """

    _window: NDArray[Any]
    _acceleration: NDArray[Any]
    _decode: Decode
    _integrate: Integrate
    _winner: int

    def __init__(
        self, start_ns: int, dt_s: float, outputs: list[Any], decode: Decode, integrate: Integrate
    ) -> None:
        window, value, feasible, cost, acceleration = outputs
        contents = {
            "start_ns": start_ns,
            "dt_s": dt_s,
            "value": value.astype(np.float64),
            "feasible": feasible.astype(np.bool_),
            "cost": cost.astype(np.float64),
            "_window": window,
            "_acceleration": acceleration,
            "_decode": decode,
            "_integrate": integrate,
        }
        for name, content in contents.items():
            object.__setattr__(self, name, content)
        object.__setattr__(self, "_winner", self.best)

    @property
    def position(self) -> Array:  # type: ignore[override]
        """(K, H, n_q) positions."""
        return self._candidates[0]

    @property
    def velocity(self) -> Array:  # type: ignore[override]
        """(K, H, n_q) velocities."""
        return self._candidates[1]

    @property
    def acceleration(self) -> Array:  # type: ignore[override]
        """(K, H, n_q) accelerations."""
        return self._candidates[2]

    def plan(self, index: int) -> Plan:
        """One candidate as a plan."""
        if index != self._winner:
            return super().plan(index)
        position, velocity, acceleration = self._decode(self._window[:, None])
        return Plan(
            self.start_ns, self.dt_s, position[0], velocity[0], acceleration[0],
            float(self.value[index]),
        )  # fmt: skip

    @cached_property
    def _candidates(self) -> tuple[Array, Array, Array]:
        return self._decode(self._integrate(self._acceleration))
