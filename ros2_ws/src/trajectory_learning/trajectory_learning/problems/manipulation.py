"""Placing an object with an arm: the network's inputs, the one-step generator, and its ranking.

The graph is told joints, object and goal as the planner server has them. What it makes of them
first is geometry: where the tool is, how far it is from the object and the object from its goal,
and which joint angles would put the tool there.

Letters: ``B`` conditions, ``G`` candidates of each, ``K`` candidates of one, ``H`` samples of a
window, ``n_q`` joints, ``D`` numbers of a window in a loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import torch
from planner_core.arm_kinematics import HAND_M, LOWER, PAN_X_M, SHOULDER_M, TOOL_ASIDE_M, UPPER
from planner_core.navigation import integration_matrices
from planner_core.robots import so100
from torch import Tensor, nn
from trajectory_learning.networks.late_branch import LateBranch, LateBranchConfig

JOINTS: Final = 6
NEAR_M: Final = 0.008
"""Distances of this size decide what is to be done next; the network sees them enlarged."""
HIGH_M: Final = 0.075
OPEN_M: Final = torch.tensor([0.006, 0.006, 0.0, 0.0, 0.0])
"""Room beside the fixed finger over the object and around it; none once it is gripped."""


@dataclass
class Windows:
    """What the script does from many states.

    Attributes:
        position: (n, 6) [rad] joints at the first sample.
        velocity: (n, 6) [rad/s].
        thing: (n, 4) [m, rad] centre of the object, and how it is turned.
        goal: (n, 3) [m] where the object is to be.
        window: (n, 3, H, 6) position, velocity, acceleration.
        episode: (n,) episode that each was cut from.
    """

    position: Tensor
    velocity: Tensor
    thing: Tensor
    goal: Tensor
    window: Tensor
    episode: Tensor

    def __len__(self) -> int:
        return len(self.position)

    def subset(self, rows: Tensor) -> Windows:
        """The windows of some rows."""
        return Windows(**{name: value[rows] for name, value in vars(self).items()})


def tool_of(joints: Tensor) -> Tensor:
    """(..., 6) [rad] to (..., 3) [m]; see `planner_core.arm_kinematics.tool_of`."""
    pan, lift, elbow, wrist, roll = (joints[..., i] for i in range(5))
    upper, lower = lift + UPPER[1], lift + elbow + LOWER[1]
    pitch = lift + elbow + wrist
    inside, outside = TOOL_ASIDE_M * roll.cos(), TOOL_ASIDE_M * roll.sin()
    radius = SHOULDER_M[0] + UPPER[0] * upper.cos() + LOWER[0] * lower.cos()
    radius = radius + HAND_M * pitch.cos() + inside * pitch.sin()
    height = SHOULDER_M[1] - UPPER[0] * upper.sin() - LOWER[0] * lower.sin()
    height = height - HAND_M * pitch.sin() + inside * pitch.cos()
    c, s = pan.cos(), pan.sin()
    return torch.stack([PAN_X_M + radius * c - outside * s, radius * s + outside * c, height], -1)


def reach(point: Tensor, yaw: Tensor, open_m: float | Tensor) -> Tensor:
    """(..., 3) [m] to the (..., 5) [rad] that put the tool there, pointing down.

    See `planner_core.arm_kinematics.reach`; what is out of reach is reached for.
    """
    x, y, z = point.unbind(-1)
    bearing = torch.atan2(y, x - PAN_X_M)
    turn = yaw - bearing
    opening = bearing + turn - torch.round(turn / (math.pi / 2)) * (math.pi / 2)
    aside = open_m + TOOL_ASIDE_M
    x, y = x - aside * opening.cos(), y - aside * opening.sin()
    pan = torch.atan2(y, x - PAN_X_M)
    across = ((x - PAN_X_M).square() + y.square() + 1e-9).sqrt() - SHOULDER_M[0]
    up = z + HAND_M - SHOULDER_M[1]
    distance = (across.square() + up.square() + 1e-9).sqrt()
    distance = distance.clamp(abs(UPPER[0] - LOWER[0]) + 1e-3, UPPER[0] + LOWER[0] - 1e-3)
    down = torch.atan2(-up, across)
    lift = down - _angle(UPPER[0], distance, LOWER[0]) - UPPER[1]
    elbow = down + _angle(LOWER[0], distance, UPPER[0]) - LOWER[1] - lift
    return torch.stack([pan, lift, elbow, math.pi / 2 - lift - elbow, opening - pan], -1)


def _angle(a: float, b: Tensor, opposite: float) -> Tensor:
    cosine = ((a * a - opposite * opposite) + b * b) / (2 * a * b)
    # The graph has no arc cosine of its own on every runtime.
    cosine = cosine.clamp(-0.9999, 0.9999)
    return torch.atan2((1 - cosine * cosine).sqrt(), cosine)


def features(position: Tensor, velocity: Tensor, thing: Tensor, goal: Tensor) -> Tensor:
    """What the network sees of an observation, before normalisation.

    Args:
        position: (B, 6) [rad].
        velocity: (B, 6) [rad/s].
        thing: (B, 4) [m, rad].
        goal: (B, 3) [m].

    Returns:
        (B, C).
    """
    place, yaw = thing[:, :3], thing[:, 3]
    tool = tool_of(position)
    gap, left = tool - place, goal - place
    high = torch.full_like(place[:, 2], HIGH_M)
    over = torch.cat([place[:, :2], high[:, None]], -1)
    carried = goal + gap
    above = torch.cat([carried[:, :2], high[:, None]], -1)
    # All in one: on the robot, an operation costs more than what it computes.
    points = torch.stack([over, place, place, above, carried], -2)
    reached = reach(points, yaw[:, None], OPEN_M)
    poses = (reached - position[:, None, :5]).flatten(1)
    start = tool_of(reached[:, 0])
    aside = tool[:, :2] - start[:, :2]
    sizes = [_norm(gap[:, :2]), _norm(gap), _norm(left[:, :2]), left[:, 2:].abs(), _norm(aside)]
    far = torch.cat([gap, left, *sizes], -1)
    return torch.cat([
        position, velocity, tool, place, goal, poses, torch.tanh(poses / 0.05),
        far, torch.tanh(far / 0.03), torch.tanh(far / NEAR_M),
        torch.tanh(position[:, 5:] / 0.1), torch.tanh((position[:, 5:] - 0.5) / 0.1),
        torch.tanh((position[:, 5:] - 0.64) / 0.1), torch.tanh((tool[:, 2:] - 0.06) / 0.01),
    ], -1)  # fmt: skip


def _norm(x: Tensor) -> Tensor:
    return (x.square().sum(-1, keepdim=True) + 1e-8).sqrt()


FEATURES: Final = 6 + 6 + 9 + 2 * 25 + 3 * 11 + 4


class WindowMetric:
    """A norm of windows: their root-mean-square difference in units of the data's spread.

    A candidate follows from its accelerations and the state that it begins in, so the difference of
    two from the same state is a linear map of that of their accelerations. A window of the data,
    whose accelerations jump between samples where those of a candidate are linear, stands for the
    nearest candidate.

    Args:
        windows: Data that gives the spread.
        dt_s: Spacing of the samples.

    Attributes:
        scale: (3, H - 1, 6) spread of what windows add to the present motion.
    """

    WEIGHTS = (1.0, 1.0, 0.3)
    """Of position, velocity and acceleration."""

    def __init__(self, windows: Windows, dt_s: float) -> None:
        added = self.added(windows.window, windows.position, windows.velocity, dt_s)
        self.scale = added[:, :, 1:].std(dim=0).clamp_min(1e-3)
        horizon = windows.window.shape[-2]
        to_velocity, to_position = integration_matrices(horizon, dt_s)
        rows = torch.tensor(np.stack([to_position, to_velocity, np.eye(horizon)])[:, 1:])
        weight = torch.tensor(self.WEIGHTS)[:, None, None] / self.scale.square()
        self._to_square = torch.einsum("mta,mtj->mtja", rows, weight / self.scale.numel())
        # Of each joint the square of the norm, as a matrix between accelerations, and its root.
        square = torch.einsum("mtja,mtb->jab", self._to_square, rows)
        self._root = torch.linalg.cholesky(square).mT

    @staticmethod
    def added(window: Tensor, position: Tensor, velocity: Tensor, dt_s: float) -> Tensor:
        """What a window (..., 3, H, 6) adds to the motion from a state (..., 6)."""
        time = torch.arange(window.shape[-2])[:, None] * dt_s
        on = position[..., None, :] + velocity[..., None, :] * time
        moving = velocity[..., None, :].expand_as(on)
        return window - torch.stack([on, moving, torch.zeros_like(on)], dim=-3)

    def flatten(self, acceleration: Tensor) -> Tensor:
        """(..., 6, H) accelerations [rad/s^2] to (..., 6 H), whose norm is that of the windows."""
        return (self._root.float() @ acceleration.unsqueeze(-1)).flatten(-3)

    def nearest(self, windows: Windows, dt_s: float) -> Tensor:
        """(n, 6 H) the candidates that are nearest to windows of the data, flat."""
        added = self.added(windows.window, windows.position, windows.velocity, dt_s)[:, :, 1:]
        along = torch.einsum("mtja,nmtj->nja", self._to_square, added.double()).unsqueeze(-1)
        return torch.linalg.solve_triangular(self._root.mT, along, upper=False).flatten(1).float()


class ManipulationModel(nn.Module):
    """Normalisation and generator.

    Args:
        horizon: ``H``.
        dt_s: Spacing of the samples.
        config: Sizes of the network.
    """

    def __init__(self, horizon: int, dt_s: float, config: LateBranchConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("std", torch.ones(FEATURES))
        self.network = LateBranch(FEATURES, horizon, dt_s, config, axes=JOINTS)

    def set_statistics(self, windows: Windows) -> None:
        """Take mean and standard deviation of the features from data."""
        x = features(windows.position, windows.velocity, windows.thing, windows.goal)
        self.mean.copy_(x.mean(dim=0))
        self.std.copy_(x.std(dim=0).clamp_min(1e-3))

    def condition(self, position: Tensor, velocity: Tensor, thing: Tensor, goal: Tensor) -> Tensor:
        """(B, C) normalised features."""
        x = (features(position, velocity, thing, goal) - self.mean) / self.std
        return x.clamp(-5.0, 5.0)


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
        self.model, self.floor_m = model, floor_m
        robot = so100()
        self._constant("lower", torch.tensor(robot.lower).float()[:, None])
        self._constant("upper", torch.tensor(robot.upper).float()[:, None])
        self._constant("speed", torch.tensor(robot.velocity).float()[:, None])
        every = slice(3, None, 4)
        self._constant("to_instants", model.network.to_position[every].T.contiguous())
        self._constant("weight", (1 / scale[0, 2::4]).T.contiguous())
        self._constant("instants_s", model.network.time_s[every, 0])

    def _constant(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)

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
        position = position.clamp(self.lower[:, 0], self.upper[:, 0])
        key = self.model.condition(position[None], velocity[None], thing[None], goal[None])
        acceleration = network.along_time(network.encode(key), noise)
        added = acceleration @ self.to_instants
        joints = added + position[:, None] + velocity[:, None] * self.instants_s
        last = acceleration @ network.to_velocity[-1] + velocity
        inside = ((joints >= self.lower) & (joints <= self.upper)).all(-1).all(-1)
        inside = inside & (last.abs() <= self.speed[:, 0]).all(-1)
        height = tool_of(joints.transpose(1, 2))[..., 2].amin(-1)
        feasible = inside & (height > self.floor_m)
        flat = (added * self.weight).flatten(1)
        square = (flat * flat).sum(-1)
        apart = (square[:, None] + square[None] - 2 * flat @ flat.T).clamp_min(0).add(1e-9).sqrt()
        pool = (feasible | ~feasible.any()).to(flat.dtype)
        value = -(apart @ pool) / pool.sum()
        best = torch.where(pool > 0, value, -torch.inf).argmax(dim=0, keepdim=True)
        window = self.window(acceleration.index_select(0, best)[0], position, velocity)
        return Ranking(window, value, feasible, torch.zeros_like(value), acceleration)

    def window(self, acceleration: Tensor, position: Tensor, velocity: Tensor) -> Tensor:
        """(6, H) accelerations and a state to (3, H, 6)."""
        network = self.model.network
        on = position[:, None] + velocity[:, None] * network.time_s[:, 0]
        rows = [
            (on + acceleration @ network.to_position.T).clamp(self.lower, self.upper),
            velocity[:, None] + acceleration @ network.to_velocity.T,
            acceleration,
        ]
        return torch.stack(rows).transpose(1, 2)
