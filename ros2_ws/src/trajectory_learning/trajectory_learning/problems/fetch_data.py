"""FetchPickAndPlace: many arms in gymnasium-robotics' own simulation, a script, and data.

**Source**: M. Plappert et al., "Multi-goal reinforcement learning: challenging robotics
environments and request for research", 2018; the environment is FetchPickAndPlace-v4.

Letters: ``N`` arms, ``n`` trajectories, ``T`` steps of each, ``H`` samples of a window.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
import torch
from numpy.typing import NDArray
from planner_core.errors import DriftpilotError
from trajectory_learning.methods.diffusion_family import Windows

Array = NDArray[np.float64]

EPISODE_STEPS = 50
"""Of 40 ms each, as registered."""
SUCCESS_M = 0.05

OBSERVED = np.r_[0:11, 14:17, 20:25]
"""Of the 25 numbers observed, all but how the block is turned and turns."""
GRIPPER, BLOCK, APART, FINGERS = slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 11)
"""Where a state has the gripper, the block, the way from one to the other, and the fingers [m]."""
STATES, ACTIONS, TASK = len(OBSERVED), 4, 3

ABOVE_M, NEAR_M, HELD_M = 0.06, 0.02, 0.06
"""Of the script: height to approach from, when it is over or at the block, fingers' opening when
they hold it."""
GAIN = 12.0
"""Of the script [1/m]; an action of 1 moves the gripper's target by 5 cm."""

Policy = Callable[[Array, Array, int], Array]
"""From states (N, 19), goals (N, 3) [m] and the number of the step to actions (N, 4)."""


class Arms:
    """Many arms, each alone with its block, in one model.

    Attributes:
        goal: (N, 3) [m] where each block is to be.
        state: (N, 19) what is observed now.

    Args:
        seeds: Of the blocks' places and the goals, one an arm.
    """

    def __init__(self, seeds: Any) -> None:
        environment = _environment()
        self._data, goals, states = [], [], []
        for seed in seeds:
            environment.data = mujoco.MjData(environment.model)
            observed, _ = environment.reset(seed=int(seed))
            self._data.append(environment.data)
            goals.append(environment.goal)
            states.append(observed["observation"][OBSERVED])
        self.goal, self.state = np.array(goals), np.array(states)

    def step(self, actions: Array) -> Array:
        """Take a step of 40 ms with actions (N, 4); returns the states (N, 19) after it."""
        environment = _environment()
        states = []
        for data, action in zip(self._data, actions, strict=True):
            environment.data = data
            states.append(environment.step(action)[0]["observation"][OBSERVED])
        self.state = np.array(states)
        return self.state


@functools.cache
def _environment() -> Any:
    """One environment, whose data are exchanged for those of the arm that moves.

    Raises:
        DriftpilotError: gymnasium-robotics is not installed.
    """
    try:
        from gymnasium_robotics.envs.fetch.pick_and_place import MujocoFetchPickAndPlaceEnv
        from gymnasium_robotics.utils import mujoco_utils
    except ImportError as error:
        raise DriftpilotError(
            "FetchPickAndPlace needs gymnasium-robotics",
            got=error, remedy="pip install -r requirements/training.txt",
        ) from error  # fmt: skip
    # Those of gymnasium-robotics 1.4.2 look for a joint's type, a number, in a tuple of
    # enumerators; since MuJoCo 4 it is never found there.
    mujoco_utils.get_joint_qpos = lambda model, data, name: data.joint(name).qpos.copy()
    mujoco_utils.get_joint_qvel = lambda model, data, name: data.joint(name).qvel.copy()
    mujoco_utils.set_joint_qpos = _set_joint_qpos
    return MujocoFetchPickAndPlaceEnv()


def _set_joint_qpos(model: mujoco.MjModel, data: mujoco.MjData, name: str, value: Array) -> None:
    data.joint(name).qpos[:] = value


def script(state: Array, goal: Array) -> Array:
    """What the script does: over the block, down, close, and to the goal.

    It remembers nothing, so that it also picks up a block that it has lost.

    Args:
        state: (N, 19).
        goal: (N, 3) [m].

    Returns:
        (N, 4).
    """
    apart = state[:, APART]
    over = np.linalg.norm(apart[:, :2], axis=1) < NEAR_M
    at = over & (np.abs(apart[:, 2]) < NEAR_M)
    held = at & (state[:, FINGERS].sum(axis=1) < HELD_M)
    above = np.array([0.0, 0.0, ABOVE_M])
    way = np.where(over[:, None], apart, apart + above)
    way = np.where(at[:, None], 0.0, way)
    way = np.where(held[:, None], goal - state[:, BLOCK], way)
    close = np.where(at, -1.0, 1.0)
    return np.concatenate([np.clip(GAIN * way, -1.0, 1.0), close[:, None]], axis=1)


@dataclass(frozen=True, eq=False)
class Trajectories:
    """What arms did.

    Attributes:
        states: (n, T + 1, 19).
        actions: (n, T, 4).
        goals: (n, 3) [m] what each was asked for.
    """

    states: Array
    actions: Array
    goals: Array


def run(policy: Policy, seeds: Any, steps: int = EPISODE_STEPS) -> Trajectories:
    """Arms under a policy, which sees them all at once."""
    arms = Arms(seeds)
    states, actions = [arms.state], []
    for step in range(steps):
        actions.append(np.clip(policy(arms.state, arms.goal, step), -1.0, 1.0))
        states.append(arms.step(actions[-1]))
    return Trajectories(np.stack(states, axis=1), np.stack(actions, axis=1), arms.goal)


def demonstrations(count: int, noise: float, seed: int) -> Trajectories:
    """Trajectories of the script that succeed, under noise in its movements.

    Args:
        count: ``n``.
        noise: Its deviation, in units of an action.
        seed: Of tasks and noise.
    """
    rng = np.random.default_rng(seed)

    def noisy(state: Array, goal: Array, step: int) -> Array:
        actions = script(state, goal)
        actions[:, :3] += noise * rng.standard_normal((len(state), 3))
        return actions

    return _collect(noisy, count, rng, successful=True)


def random_trajectories(count: int, seed: int) -> Trajectories:
    """Trajectories of random actions, each held for four steps, so that arms get somewhere."""
    rng = np.random.default_rng(seed)
    held = np.empty(0)

    def random(state: Array, goal: Array, step: int) -> Array:
        nonlocal held
        if step % 4 == 0:
            held = rng.uniform(-1.0, 1.0, (len(state), ACTIONS))
        return held

    return _collect(random, count, rng, successful=False)


def _collect(
    policy: Policy, count: int, rng: np.random.Generator, *, successful: bool
) -> Trajectories:
    """So many trajectories, a hundred arms at a time; only those that succeed, where asked."""
    parts: list[Trajectories] = []
    while (missing := count - sum(len(part.goals) for part in parts)) > 0:
        made = run(policy, rng.integers(2**31, size=min(missing + 5, 100)))
        kept = success(made.states, made.goals) | (not successful)
        kept[np.flatnonzero(kept)[missing:]] = False
        parts.append(Trajectories(made.states[kept], made.actions[kept], made.goals[kept]))
    return joined(parts)


def joined(parts: Sequence[Trajectories]) -> Trajectories:
    """All of them in one."""
    columns = ((part.states, part.actions, part.goals) for part in parts)
    return Trajectories(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def cut_windows(trajectories: Trajectories, horizon: int) -> Windows:
    """Every window of ``horizon`` samples; its task is what the trajectory was asked for."""
    states, actions = trajectories.states, trajectories.actions
    begins = range(actions.shape[1] - horizon + 1)
    parts = (
        np.concatenate([states[:, b] for b in begins]),
        np.concatenate([trajectories.goals for _ in begins]),
        np.concatenate([states[:, b + 1 : b + horizon + 1] for b in begins]),
        np.concatenate([actions[:, b : b + horizon] for b in begins]),
    )
    return Windows(*(torch.from_numpy(part).float() for part in parts))


def success(states: Array, goals: Array) -> NDArray[np.bool_]:
    """(n, T + 1, 19), (n, 3) -> (n,) whether the block ends within 5 cm of the goal."""
    return np.linalg.norm(states[:, -1, BLOCK] - goals, axis=1) < SUCCESS_M
