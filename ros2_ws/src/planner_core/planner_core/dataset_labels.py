"""Rewards and costs of recorded motion, computed anew for every purpose.

Letters: ``T`` steps of an episode, which has ``T + 1`` samples; ``n_q`` degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from planner_core.errors import InvalidParameterError
from planner_core.plan import Array

Reward = Callable[[Array, bool], Array]
"""From the distances (T + 1,) to the goal and whether the episode succeeded to rewards (T,)."""


def progress(distance: Array, success: bool) -> Array:
    """How much closer to the goal each step came."""
    return -np.diff(distance)


def sparse(distance: Array, success: bool) -> Array:
    """One for the last step of a success, nothing else."""
    reward = np.zeros(len(distance) - 1)
    if success and len(reward):
        reward[-1] = 1.0
    return reward


def time(distance: Array, success: bool) -> Array:
    """Minus one for each step, nothing for the last one of a success."""
    return -1.0 + sparse(distance, success)


REWARDS: Mapping[str, Reward] = {"progress": progress, "sparse": sparse, "time": time}


def rewards(name: str, position: Array, goal: Array, success: bool) -> Array:
    """The rewards of an episode.

    Args:
        name: Of the reward.
        position: (T + 1, n_q).
        goal: (T + 1, n_q).
        success: Whether the goal was reached and held.

    Returns:
        (T,) rewards.

    Raises:
        InvalidParameterError: There is no such reward.
    """
    if name not in REWARDS:
        raise InvalidParameterError("reward", got=repr(name), expected=f"one of {sorted(REWARDS)}")
    return REWARDS[name](np.linalg.norm(position - goal, axis=-1), success)


def proximity_costs(scan: Array, clearance_m: float) -> Array:
    """One for each step that ends closer to something than a clearance.

    Args:
        scan: (T + 1, N) [m] ranges.
        clearance_m: Clearance.

    Returns:
        (T,) costs.
    """
    return np.where(scan[1:].min(axis=-1) < clearance_m, 1.0, 0.0)
