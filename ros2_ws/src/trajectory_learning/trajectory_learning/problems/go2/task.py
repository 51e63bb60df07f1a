"""The task: walk at a commanded velocity, upright. What counts, and what the walking policy sees.

**Source** of reward, cost and budget: MPDiffuser, Sec. 4.4.

Letters: ``n`` robots.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from trajectory_learning.problems.go2.gait import PERIOD_S as TROT_S
from trajectory_learning.problems.go2.gait import STANDING_RAD, trot
from trajectory_learning.problems.go2.walking import (
    PERIOD_S,
    STIFFNESS,
    Randomisation,
    WalkingRobots,
)

Array = NDArray[np.float64]

COMMAND_LOW: Final = np.array([0.0, -0.2, -0.4])
COMMAND_HIGH: Final = np.array([0.8, 0.2, 0.4])
"""(3,) [m/s, m/s, rad/s] of the commands."""
UPRIGHT: Final = -0.95
"""Gravity's third component in the trunk; above, a step costs one."""
BUDGET: Final = 10.0
"""Of an episode's cost."""
TRACKING: Final = 0.25
"""[m^2/s^2] or [rad^2/s^2] by which a squared error takes the reward to 1/e."""
RESIDUAL_RAD: Final = 0.25
OBSERVATION: Final = 50
ACTION: Final = 12


def draw_commands(n: int, rng: np.random.Generator) -> Array:
    """(n, 3) commands; a quarter of them is 0.5 m/s straight ahead."""
    commands = rng.uniform(COMMAND_LOW, COMMAND_HIGH, (n, 3))
    commands[rng.random(n) < 0.25] = 0.5, 0.0, 0.0
    return commands


def reward(state: Array, command: Array) -> Array:
    """(n,) reward of a step, at most 1.5, from states (n, 33) and commands (n, 3)."""
    missed = ((state[:, 30:32] - command[:, :2]) ** 2).sum(axis=1)
    turned = (state[:, 2] - command[:, 2]) ** 2
    return np.exp(-missed / TRACKING) + 0.5 * np.exp(-turned / TRACKING)


def cost(state: Array) -> Array:
    """(n,) 1 where the trunk is tilted by more than 18 degrees, of states (n, 33)."""
    return (state[:, 5] > UPRIGHT).astype(float)


class WalkingTask:
    """The environment of the walking policy, which corrects a trot.

    Args:
        n: Robots.
        rng: Of everything random.
        randomisation: How much they differ.
        episode_s: After which an episode ends.
        noisy: Whether the policy sees noise, as in training.

    Attributes:
        robots: The plant.
        command: (n, 3).
    """

    def __init__(
        self,
        n: int,
        rng: np.random.Generator,
        randomisation: Randomisation | None = None,
        episode_s: float = 10.0,
        noisy: bool = True,
    ) -> None:
        self.robots = WalkingRobots(n, rng, randomisation)
        self._rng, self._noisy = rng, noisy
        self._steps = round(episode_s / PERIOD_S)
        self.command = draw_commands(n, rng)
        self.phase = np.zeros(n)
        self._age = np.zeros(n, dtype=int)
        self._action = np.zeros((n, ACTION))
        self.reset()

    def reset(self, which: NDArray[np.bool_] | None = None) -> None:
        """Begin again.

        Args:
            which: (n,) robots; None for all, which then also are at different ages.
        """
        n = self.robots.n
        rows = np.ones(n, dtype=bool) if which is None else which
        self.robots.reset(rows)
        self.command[rows] = draw_commands(int(rows.sum()), self._rng)
        self.phase[rows], self._action[rows] = 0.0, 0.0
        self._age[rows] = 0
        if which is None:
            self._age = self._rng.integers(0, self._steps, n)

    def observe(self) -> Array:
        """(n, 50) what the policy sees."""
        state = self.robots.state()
        if self._noisy:
            spread = np.repeat([0.1, 0.03, 0.01, 0.3, 0.07], [3, 3, 12, 12, 3])
            state = state + self._rng.normal(0.0, 1.0, state.shape) * spread
        angle = 2 * np.pi * self.phase[:, None]
        posture = state[:, 6:18] - STANDING_RAD
        return np.concatenate(
            [
                state[:, :6], posture, state[:, 18:], self.command, self._action,
                np.sin(angle), np.cos(angle),
            ],
            axis=1,
        )  # fmt: skip

    def target(self, action: Array) -> Array:
        """(n, 12) [rad] joint targets of an action (n, 12)."""
        phase = (self.phase + PERIOD_S / TROT_S) % 1.0
        residual = RESIDUAL_RAD * np.clip(action, -3.0, 3.0)
        return trot(phase, self.command, STIFFNESS) + residual

    def step(self, action: Array) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
        """See `Environment.step`."""
        self.advance(action)
        state = self.robots.state()
        fallen = self.robots.fallen()
        value = self._shaped(state, action) - 5.0 * fallen
        self._action = action
        over = self._age >= self._steps
        if (ended := fallen | over).any():
            self.reset(ended)
        return value, fallen, over

    def advance(self, action: Array) -> None:
        """Act, and let a control period pass, whatever comes of it."""
        self.robots.step(self.target(action))
        self.phase = (self.phase + PERIOD_S / TROT_S) % 1.0
        self._age += 1
        self._previous, self._action = self._action, action

    def _shaped(self, state: Array, action: Array) -> Array:
        """(n,) what the policy is trained on: sharper tracking, and a calm body."""
        missed = ((state[:, 30:32] - self.command[:, :2]) ** 2).sum(axis=1)
        turned = (state[:, 2] - self.command[:, 2]) ** 2
        tracking = np.exp(-missed / 0.04) + np.exp(-missed / TRACKING)
        tracking += 0.5 * np.exp(-turned / TRACKING)
        tilt = (state[:, 3:5] ** 2).sum(axis=1)
        restless = 1.0 * state[:, 32] ** 2 + 0.05 * (state[:, :2] ** 2).sum(axis=1)
        jerky = 0.02 * ((action - self._previous) ** 2).sum(axis=1)
        large = 0.01 * (action**2).sum(axis=1)
        return 0.5 + tracking - 2.0 * tilt - restless - jerky - large
