"""Walks under a planner or a policy, and what they come to.

Letters: ``n`` robots, ``T`` steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from trajectory_learning.methods.ppo import Policy
from trajectory_learning.problems.go2.planners import CHUNK
from trajectory_learning.problems.go2.task import WalkingTask, cost, reward
from trajectory_learning.problems.go2.walking import DISTURBED, PERIOD_S, Randomisation

Array = NDArray[np.float64]

Planner = Callable[[Array, Array], Array]
"""From states (n, 33) and commands (n, 3) to (n, H, 12) [rad] joint targets."""


@dataclass(frozen=True, slots=True)
class Walks:
    """Walks from standing still.

    Attributes:
        returns: (n,) sum of the rewards until a fall.
        costs: (n,) sum of the costs.
        fell: (n,) whether a robot fell.
        command: (n, 3) what was asked for.
        velocity: (n, T, 3) [m/s, m/s, rad/s] what came of it; NaN after a fall.
    """

    returns: Array
    costs: Array
    fell: NDArray[np.bool_]
    command: Array
    velocity: Array

    def velocity_error(self, from_s: float = 1.0) -> Array:
        """(n,) [m/s] distance of the mean velocity from the command.

        The beginning does not count, unless there is nothing else.
        """
        begin = round(from_s / PERIOD_S)
        walked = (~np.isnan(self.velocity[..., 0])).sum(axis=1)
        mean = np.stack(
            [
                v[begin if n > begin else 0 : n, :2].mean(axis=0)
                for v, n in zip(self.velocity, walked, strict=True)
            ]
        )
        return np.linalg.norm(mean - self.command[:, :2], axis=1)

    def figures(self) -> dict[str, float]:
        """Means over the robots, and over those that were asked for 0.5 m/s straight ahead."""
        straight = (self.command == np.array([0.5, 0.0, 0.0])).all(axis=1)
        missed = self.velocity_error()
        return {
            "robots": len(self.returns),
            "return": float(self.returns.mean()),
            "cost": float(self.costs.mean()),
            "falls_percent": 100.0 * float(self.fell.mean()),
            "velocity_error_m_s": float(missed.mean()),
            "straight_velocity_error_m_s": float(missed[straight].mean()),
        }


def walk(planner: Planner, task: WalkingTask, steps: int) -> Walks:
    """Let robots walk by plans.

    Args:
        planner: Called every `CHUNK` steps.
        task: Robots at their beginning.
        steps: ``T``.
    """
    plans = np.zeros(0)

    def target(t: int) -> Array:
        nonlocal plans
        if t % CHUNK == 0:
            plans = planner(task.robots.state(), task.command)
        return plans[:, t % CHUNK]

    return _walk(task, steps, lambda t: task.robots.step(target(t)))


def walk_by_policy(policy: Policy, task: WalkingTask, steps: int) -> Walks:
    """Let robots walk by the policy."""
    return _walk(task, steps, lambda t: task.advance(policy.act(task.observe())))


def standing(n: int, seed: int, randomisation: Randomisation | None = None) -> WalkingTask:
    """Robots to be tested, the same for every method."""
    rng = np.random.default_rng([11, seed])
    return WalkingTask(n, rng, randomisation or DISTURBED, noisy=False)


def _walk(task: WalkingTask, steps: int, advance: Callable[[int], None]) -> Walks:
    n = task.robots.n
    up = np.ones(n, dtype=bool)
    returns, costs, velocity = np.zeros(n), np.zeros(n), np.full((n, steps, 3), np.nan)
    for t in range(steps):
        advance(t)
        state = task.robots.state()
        returns += np.where(up, reward(state, task.command), 0.0)
        costs += np.where(up, cost(state), 0.0)
        velocity[up, t] = state[up][:, [30, 31, 2]]
        up &= ~task.robots.fallen()
    return Walks(returns, costs, ~up, task.command.copy(), velocity)
