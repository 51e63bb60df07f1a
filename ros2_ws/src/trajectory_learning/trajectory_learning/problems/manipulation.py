"""Placing an object with an arm: the network's inputs, the one-step generator, and its ranking.

The graph is told joints, object and goal as the planner server has them. What it makes of them
first is geometry: where the tool is, how far it is from the object and the object from its goal,
and which joint angles would put the tool to the poses that its demonstrators go to. Which of them
is next, when, and how it is gone to is learned.

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
from trajectory_learning.networks.late_branch import LateBranch, LateBranchConfig, limited

JOINTS: Final = 6
NEAR_M: Final = 0.008
"""Distances of this size decide what is to be done next; the network sees them enlarged."""
HIGH_M: Final = 0.075
GRIP_M: Final = 0.004
OPEN_M: Final = torch.tensor([0.006, 0.006, 0.0, 0.0, 0.0, 0.0, 0.0, 0.006])
"""Room beside the fixed finger: over the object and around it; none once it is gripped."""
AS_IT_IS: Final = torch.arange(8) > 4
"""Poses in which the hand is turned as it is, and not to the object."""
HOME: Final = torch.tensor([0.0, -1.6, 1.3, 0.8, 0.0])
GRIPPER_RAD: Final = torch.tensor([0.8, 0.5, -0.1])
"""Over the object, when it is let go, and around it."""
LAST: Final = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
SPEED_RAD_S: Final = 1.75
APPROACH_HZ: Final = 7.0
"""As `planner_core.scripted_manipulation` approaches a pose, on average."""
WAYS: Final = 8 + 1 + 3 + 1
"""To eight poses of the tool and home, to three openings of the gripper, and on as now."""
GAIN_HZ: Final = 10.0
"""Weights of ways are of the order of one, with which they are reached in time."""
DECISIVE: Final = torch.tensor([
    [0.011, 0.04, 0.08, 0.008, -0.008, 0.035, 0.03, 0.005, 0.008, 0.012,
     0.008, 0.005, 0.08, 0.0, 0.45, 0.64, 0.065, 0.0, 0.04],
    [0.001, 0.004, 0.006, 0.001, 0.001, 0.003, 0.002, 0.001, 0.001, 0.001,
     0.001, 0.001, 0.01, 0.03, 0.03, 0.03, 0.003, 0.002, 0.003],
])  # fmt: skip
"""Where the demonstrators change what they do, and how sharply the network sees it [m, rad].

Without them an arm waited a few millimetres beside the place from which it should have gone down.
"""


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


def observed(
    position: Tensor, velocity: Tensor, thing: Tensor, goal: Tensor
) -> tuple[Tensor, Tensor]:
    """What the network sees of an observation, before normalisation, and the ways to go.

    Args:
        position: (B, 6) [rad].
        velocity: (B, 6) [rad/s].
        thing: (B, 4) [m, rad].
        goal: (B, 3) [m].

    Returns:
        (B, FEATURES), and (B, 6, WAYS) [rad/s]: the velocity at which the joints would go to each
        pose, the gripper to each of its openings, and their present one.
    """
    place, tool, gripper = thing[:, :3], tool_of(position), position[:, 5:]
    gap, left = tool - place, goal - place
    carried = goal + gap
    grip, high = place[:, 2:] + GRIP_M, torch.full_like(gripper, HIGH_M)
    over_goal = torch.maximum(high, goal[:, 2:] + 0.035)
    down = goal[:, 2:] + gap[:, 2:].clamp_min(0.0)
    # All in one: on the robot, an operation costs more than what it computes.
    where = [place, place, place, carried, carried, tool, tool, place]
    heights = [high, grip, grip, over_goal, down, high, torch.maximum(tool[:, 2:], grip), high]
    points = torch.cat([torch.stack(where, 1)[..., :2], torch.stack(heights, 1)], -1)
    own = position[:, :1] + position[:, 4:5]
    reached = reach(points, torch.where(AS_IT_IS, own, thing[:, 3:]), OPEN_M)
    arm = torch.cat([reached, HOME.expand(len(position), 1, -1)], 1) - position[:, None, :5]
    fingers = (GRIPPER_RAD - gripper)[:, :, None] * LAST
    errors = torch.cat([nn.functional.pad(arm, (0, 1)), fingers], 1)
    most = errors.abs().amax(-1, keepdim=True)
    speeds = errors * (SPEED_RAD_S / (most + 1e-6)).clamp_max(APPROACH_HZ)
    aside = tool[:, :2] - tool_of(reached[:, 0])[:, :2]
    turned = arm[:, 0, 4:] - math.pi * torch.round(arm[:, 0, 4:] / math.pi)
    beside, away, near = _norm(gap[:, :2]), _norm(gap), _norm(left[:, :2])
    level = left[:, 2:].abs()
    decisive = torch.cat([
        beside, beside, beside, gap[:, 2:], gap[:, 2:], gap[:, 2:], away, near, near, near,
        level, _norm(aside), turned.abs(), gripper, gripper, gripper, tool[:, 2:],
        carried[:, 2:] - goal[:, 2:], tool[:, 2:] - goal[:, 2:],
    ], -1)  # fmt: skip
    far = torch.cat([gap, left, beside, away, near, level, aside], -1)
    poses = arm.flatten(1)
    seen = torch.cat([
        position, velocity, tool, place, goal, poses, torch.tanh(poses / 0.05), far,
        torch.tanh(far / 0.03), torch.tanh(far / NEAR_M),
        torch.tanh((decisive - DECISIVE[0]) / DECISIVE[1]),
    ], -1)  # fmt: skip
    return seen, torch.cat([speeds, velocity.unsqueeze(1)], 1).mT


def _norm(x: Tensor) -> Tensor:
    return (x.square().sum(-1, keepdim=True) + 1e-8).sqrt()


FEATURES: Final = 6 + 6 + 9 + 2 * 45 + 3 * 12 + 19


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


class ArmBranch(LateBranch):
    """A late branch whose candidates are in part mixtures of ways to go.

    What the network has to find out is which way is next, and when; that a pose is reached without
    an error is geometry, which is not learned. An arm that a network leads to within a few
    millimetres of where the next step begins waits there for ever.

    Args:
        horizon: ``H``.
        dt_s: Spacing of the samples.
        config: Sizes.
    """

    def __init__(self, horizon: int, dt_s: float, config: LateBranchConfig) -> None:
        super().__init__(FEATURES, horizon, dt_s, config, axes=JOINTS + WAYS)
        with torch.no_grad():
            rows = slice(JOINTS * config.modes, None)
            self.head.weight[rows] *= 0.1
            self.head.bias[rows] = 0.0

    def encode(self, condition: Tensor) -> Tensor:
        """(B, FEATURES + 6 WAYS) of `ManipulationModel.condition` to what candidates need."""
        seen, ways = condition.split([FEATURES, JOINTS * WAYS], dim=-1)
        return torch.cat([self.trunk(seen), ways], dim=-1)

    def along_time(self, features: Tensor, noise: Tensor) -> Tensor:
        """See `LateBranch.along_time`."""
        encoded, ways = features.split([self.config.trunk_width, JOINTS * WAYS], dim=-1)
        free, weights = self.modes(encoded, noise).split([JOINTS, WAYS], dim=-2)
        raw = free + (GAIN_HZ * ways.unflatten(-1, (JOINTS, WAYS))) @ weights
        return limited(raw @ self.basis, self.config.acceleration_limit)


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
        self.network = ArmBranch(horizon, dt_s, config)

    def set_statistics(self, windows: Windows) -> None:
        """Take mean and standard deviation of the features from data."""
        x, _ = observed(windows.position, windows.velocity, windows.thing, windows.goal)
        self.mean.copy_(x.mean(dim=0))
        self.std.copy_(x.std(dim=0).clamp_min(1e-3))

    def condition(self, position: Tensor, velocity: Tensor, thing: Tensor, goal: Tensor) -> Tensor:
        """(B, FEATURES + 6 WAYS) normalised features, and the ways to go as they are."""
        seen, ways = observed(position, velocity, thing, goal)
        return torch.cat([((seen - self.mean) / self.std).clamp(-5.0, 5.0), ways.flatten(1)], -1)


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
