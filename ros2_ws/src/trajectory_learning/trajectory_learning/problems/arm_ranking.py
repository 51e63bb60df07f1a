"""The arm's graph: observation and noise in, ranked candidates out.

Letters: ``K`` candidates, ``H`` samples of a window, ``I`` of them by which candidates are
compared.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from planner_core.arm_kinematics import SHOULDER_M
from planner_core.robots import so100
from torch import Tensor, nn
from trajectory_learning.problems.arm_geometry import JOINTS, LINK_M, Affine, slopes
from trajectory_learning.problems.arm_observation import observed
from trajectory_learning.problems.manipulation import ManipulationModel


class Ranking(NamedTuple):
    """Candidates, compared.

    Attributes:
        window: (3, H, 6) position, velocity and acceleration of the winner.
        value: (K,) larger is better.
        feasible: (K,) bool.
        cost: (K,) [s] always 0: nothing limits it.
        acceleration: (K, 6, H) [rad/s^2], from which every candidate follows.
    """

    window: Tensor
    value: Tensor
    feasible: Tensor
    cost: Tensor
    acceleration: Tensor


INSTANTS: Final = slice(3, None, 4)
"""Samples of a window by which candidates are compared: ``I`` of them."""


class ManipulationPlanner(nn.Module):
    """The graph that is exported: observation and noise in, ranked candidates out.

    What is done next is seldom a matter of more or less: the gripper shuts, or it does not. Of the
    candidates that keep the limits the one wins that is nearest to all others: of the likeliest
    kind, and no mean of two kinds.

    Args:
        model: The generator.
        scale: (3, H - 1, 6) spread of windows.
        floor_m: The tool of a feasible candidate stays above.
    """

    def __init__(self, model: ManipulationModel, scale: Tensor, floor_m: float = 0.004) -> None:
        super().__init__()
        self.model, self.floor_m, self.horizon = model, floor_m, model.network.horizon
        robot = so100()
        self._constant("lower", torch.tensor(robot.lower).float())
        self._constant("upper", torch.tensor(robot.upper).float())
        self._constant("speed", torch.tensor(robot.velocity).float())
        self._constant("weight", (1 / scale[0, 2::4]).T)
        lengths = [self.horizon * JOINTS, 2 * JOINTS]
        compared = Affine.of(self._compared, sum(lengths))
        # What acceleration adds, and what all candidates have in common.
        of_acceleration, of_state = compared.matrix.split(lengths)
        self._constant("of_acceleration", of_acceleration)
        self._constant("of_state", of_state)
        self._constant("at_zero", compared.offset)
        instants = self.weight.shape[1]
        self.widths = [JOINTS * instants + JOINTS, len(LINK_M) * instants, JOINTS * instants]
        self._constant("drop_m", torch.kron(torch.eye(instants), LINK_M[:, None]))
        self._constant("to_window", Affine.of(self._moved, self.horizon + 2).matrix)
        positions = torch.arange(3 * self.horizon) < self.horizon
        self._constant("lowest", torch.where(positions, self.lower[:, None], -torch.inf))
        self._constant("highest", torch.where(positions, self.upper[:, None], torch.inf))

    def _constant(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)

    def _moved(self, motion: Tensor) -> Tensor:
        """How a joint moves: linear.

        Args:
            motion: (..., H + 2) [rad/s^2, rad, rad/s] its acceleration, position and velocity.

        Returns:
            (..., 3 H) [rad, rad/s, rad/s^2] positions, velocities, accelerations.
        """
        acceleration, position, velocity = motion.split([self.horizon, 1, 1], -1)
        network = self.model.network
        on = position + velocity * network.time_s[:, 0]
        return torch.cat([
            on + acceleration @ network.to_position.to(motion).T,
            velocity + acceleration @ network.to_velocity.to(motion).T,
            acceleration,
        ], -1)  # fmt: skip

    def _compared(self, motion: Tensor) -> Tensor:
        """What candidates are compared by: affine.

        Args:
            motion: (n, 6 H + 12) [rad/s^2, rad, rad/s] acceleration, position and velocity.

        Returns:
            (n, 6 I + 6) positions and last velocity, within -1 and 1 if they keep the limits,
            (n, 5 I) [rad] slopes of the links, and (n, 6 I) what acceleration adds to positions, in
            units of their spread: all in one.
        """
        acceleration, state = motion.split([self.horizon * JOINTS, 2 * JOINTS], -1)
        acceleration = acceleration.unflatten(-1, (JOINTS, -1))
        state = state.unflatten(-1, (2, JOINTS)).mT
        moved, added = (
            self._moved(torch.cat([acceleration, start], -1)).unflatten(-1, (3, -1))
            for start in (state, torch.zeros_like(state))
        )
        joints = moved[:, :, 0, INSTANTS].mT
        middle, span = (self.lower + self.upper) / 2, (self.upper - self.lower) / 2
        within, fast = (joints - middle) / span, moved[:, :, 1, -1] / self.speed
        return torch.cat([
            within.flatten(1), fast, slopes(joints).flatten(1),
            (added[:, :, 0, INSTANTS] * self.weight).flatten(1),
        ], -1)  # fmt: skip

    def forward(
        self, position: Tensor, velocity: Tensor, thing: Tensor, goal: Tensor, noise: Tensor
    ) -> Ranking:
        """Generate and rank.

        Args:
            position: (6,) [rad].
            velocity: (6,) [rad/s].
            thing: (4,) [m, rad].
            goal: (3,) [m].
            noise: (K, n_z).
        """
        network = self.model.network
        # An arm at rest lies on its stops, and is measured a little beyond them.
        position = position.clamp(self.lower, self.upper)
        told = torch.cat([position, velocity, thing, goal])[None]
        seen, ways = observed(told)
        encoded = network.trunk(self.model.normalised(seen))
        acceleration = network.along_ways(encoded, ways, noise)
        common = torch.addmm(self.at_zero, told[:, : 2 * JOINTS], self.of_state)
        compared = torch.addmm(common, acceleration.flatten(1), self.of_acceleration)
        within, links, added = compared.split(self.widths, -1)
        drop_m = (links.sin() @ self.drop_m).amax(-1)
        feasible = (within.abs().amax(-1) <= 1) & (drop_m < SHOULDER_M[1] - self.floor_m)
        pool = feasible.to(added.dtype)
        # All of them, if none is feasible.
        pool = pool + (1 - pool.amax(0))
        value = (pool @ _apart(added)) / -pool.sum()
        best = torch.where(pool > 0, value, -torch.inf).argmax(dim=0, keepdim=True)
        winner = acceleration.index_select(0, best)[0]
        window = torch.cat([winner, position[:, None], velocity[:, None]], -1) @ self.to_window
        window = window.clamp(self.lowest, self.highest)
        window = window.unflatten(-1, (3, -1)).permute(1, 2, 0)
        return Ranking(window, value, feasible, 0 * pool, acceleration)


def _apart(points: Tensor) -> Tensor:
    """(K, n) points to their distances from each other, (K, K)."""
    square = points.square().sum(-1, keepdim=True)
    return (torch.addmm(square, points, points.T, alpha=-2) + square.T).clamp_min(1e-9).sqrt()
