"""Placing an object with an arm: the network's inputs, the one-step generator, and its ranking.

The graph is told joints, object and goal as the planner server has them. What it makes of them
first is geometry: where the tool is, how far it is from the object and the object from its goal,
and which joint angles would put the tool to the poses that its demonstrators go to. Which of them
is next, when, and how it is gone to is learned.

Letters: ``B`` conditions, ``G`` candidates of each, ``K`` candidates of one, ``H`` samples of a
window, ``I`` of them by which candidates are compared, ``n_q`` joints, ``D`` numbers of a window in
a loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import torch
from planner_core.arm_kinematics import SHOULDER_M
from planner_core.navigation import integration_matrices
from planner_core.robots import so100
from torch import Tensor, nn
from trajectory_learning.networks.late_branch import LateBranch, LateBranchConfig, limited
from trajectory_learning.problems.arm_geometry import JOINTS, LINK_M, Affine, reach, slopes, tool_of

NEAR_M: Final = 0.008
"""Distances of this size decide what is to be done next; the network sees them enlarged."""
HIGH_M: Final = 0.075
GRIP_M: Final = 0.004
POSES: Final = 8
"""Of the tool."""
OPEN_M: Final = torch.tensor([0.006, 0.006, 0.0, 0.0, 0.0, 0.0, 0.0, 0.006])[:, None]
"""Room beside the fixed finger: over the object and around it; none once it is gripped."""
AS_IT_IS: Final = torch.arange(POSES) > 4
"""Poses in which the hand is turned as it is, and not to the object."""
HOME: Final = torch.tensor([0.0, -1.6, 1.3, 0.8, 0.0])
GRIPPER_RAD: Final = torch.tensor([0.8, 0.5, -0.1])
"""Over the object, when it is let go, and around it."""
LAST: Final = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
SPEED_RAD_S: Final = 1.75
APPROACH_HZ: Final = 7.0
"""As `planner_core.scripted_manipulation` approaches a pose, on average."""
WAYS: Final = POSES + 1 + 3 + 1
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

    @property
    def told(self) -> Tensor:
        """(n, TOLD) what a planner is told of each, in the order of `Known`."""
        return torch.cat([self.position, self.velocity, self.thing, self.goal], -1)

    def subset(self, rows: Tensor) -> Windows:
        """The windows of some rows."""
        return Windows(**{name: value[rows] for name, value in vars(self).items()})


class Known(NamedTuple):
    """What a planner is told, and where the tool is; in one tensor, in this order.

    Attributes:
        position: (n, 6) [rad].
        velocity: (n, 6) [rad/s].
        place: (n, 3) [m] centre of the object.
        yaw: (n, 1) [rad] how the object is turned.
        goal: (n, 3) [m].
        tool: (n, 3) [m].
    """

    position: Tensor
    velocity: Tensor
    place: Tensor
    yaw: Tensor
    goal: Tensor
    tool: Tensor

    @classmethod
    def of(cls, x: Tensor) -> Known:
        """The parts of (n, KNOWN) numbers."""
        return cls(*x.split(WIDTHS, -1))


WIDTHS: Final = [JOINTS, JOINTS, 3, 1, 3, 3]
KNOWN: Final = sum(WIDTHS)
TOLD: Final = KNOWN - WIDTHS[-1]


# Each of the next four is one product in the graph, where an operation on a few numbers costs more
# than what it computes.


def _poses(known: Tensor) -> Tensor:
    """Where the tool may have to go next, each as two poses, of which the higher one is meant.

    Args:
        known: (n, KNOWN).

    Returns:
        (n, 2 * POSES * 4) [m, rad] points, and how the hand is turned.
    """
    k = Known.of(known)
    gap = k.tool - k.place
    carried = k.goal + gap
    where = [k.place, k.place, k.place, carried, carried, k.tool, k.tool, k.place]
    high, grip = torch.full_like(k.yaw, HIGH_M), k.place[:, 2:] + GRIP_M
    put, held, tool = k.goal[:, 2:], carried[:, 2:], k.tool[:, 2:]
    heights = [high, grip, grip, high, put, high, tool, high]
    at_least = [high, grip, grip, put + 0.035, held, high, grip, high]
    yaw = torch.where(AS_IT_IS, k.position[:, :1] + k.position[:, 4:5], k.yaw)
    at = [
        torch.cat([torch.stack(where, 1)[..., :2], torch.stack(up, 1), yaw[..., None]], -1)
        for up in (heights, at_least)
    ]
    return torch.stack(at, 1).flatten(1)


def _errors(reached: Tensor) -> Tensor:
    """How far the joints are from where each way leads but the last.

    Args:
        reached: (n, 5 POSES + 6) [rad] joints but the gripper at each pose, and all as they are.

    Returns:
        (n, (WAYS - 1) * 6) [rad].
    """
    poses, position = reached.split([5 * POSES, JOINTS], -1)
    home = HOME.expand(len(poses), 1, -1)
    arm = torch.cat([poses.unflatten(-1, (POSES, 5)), home], 1) - position[:, None, :5]
    fingers = (GRIPPER_RAD - position[:, 5:])[:, :, None] * LAST
    return torch.cat([nn.functional.pad(arm, (0, 1)), fingers], 1).flatten(1)


def _enlarged(measured: Tensor) -> Tensor:
    """What the network sees of distances and angles beside themselves, before a tanh.

    Args:
        measured: (n, KNOWN + 45 + 12 + 2) see `observed`.

    Returns:
        (n, 45 + 2 * 12 + 19).
    """
    known, arm, far, aside, turned = measured.split([KNOWN, 45, 12, 1, 1], -1)
    k, gap = Known.of(known), far[:, 2:3]
    beside, away, near, level = far[:, 6:10].split(1, -1)
    gripper, tool = k.position[:, 5:], k.tool[:, 2:]
    decisive = torch.cat([
        beside, beside, beside, gap, gap, gap, away, near, near, near, level, aside, turned,
        gripper, gripper, gripper, tool, gap, tool - k.goal[:, 2:],
    ], -1)  # fmt: skip
    sharp = (decisive - DECISIVE[0]) / DECISIVE[1]
    return torch.cat([arm / 0.05, far / 0.03, far / NEAR_M, sharp], -1)


def _squares(squares: Tensor) -> Tensor:
    """Squares of lengths from those of coordinates.

    Args:
        squares: (n, 3 + 3 + 2 + 1) of the gap, what is left to go, aside, and turned.

    Returns:
        (n, 6) beside, away, near, level, aside, turned.
    """
    gap, left, aside, turned = squares.split([3, 3, 2, 1], -1)
    beside, away, near, aside = (
        x.sum(-1, keepdim=True) + 1e-8 for x in (gap[:, :2], gap, left[:, :2], aside)
    )
    return torch.cat([beside, away, near, left[:, 2:], aside, turned], -1)


_POSES: Final = Affine.of(_poses, KNOWN)
_ERRORS: Final = Affine.of(_errors, 5 * POSES + JOINTS)
_ENLARGED: Final = Affine.of(_enlarged, KNOWN + 45 + 12 + 2)
_SQUARES: Final = Affine.of(_squares, 3 + 3 + 2 + 1)
_ARM: Final = torch.arange((WAYS - 1) * JOINTS).view(-1, JOINTS)[: POSES + 1, :5].flatten()
"""Of `_errors` those of the arm, without the gripper."""


def observed(told: Tensor) -> tuple[Tensor, Tensor]:
    """What the network sees of an observation, before normalisation, and the ways to go.

    Args:
        told: (B, TOLD) the first parts of `Known`.

    Returns:
        (B, FEATURES), and (B, WAYS, 6) [rad/s]: the velocity at which the joints would go to each
        pose, the gripper to each of its openings, and their present one.
    """
    position, velocity, place, _, goal = told.split(WIDTHS[:-1], -1)
    tool = tool_of(position)
    known = torch.cat([told, tool], -1)
    reached = reach(_POSES(known).unflatten(-1, (2, POSES, 4)).amax(1), OPEN_M)
    off = _ERRORS(torch.cat([reached.flatten(1), position], -1))
    errors, arm = off.unflatten(-1, (WAYS - 1, JOINTS)), off.index_select(-1, _ARM)
    most = errors.abs().amax(-1, keepdim=True)
    speeds = errors / (most / SPEED_RAD_S).clamp_min(1 / APPROACH_HZ)
    gap, left = tool - place, goal - place
    aside = (tool - tool_of(reached[:, 0]))[:, :2]
    turned = arm[:, 4:5]
    turned = turned - math.pi * torch.round(turned / math.pi)
    sizes = _SQUARES(torch.cat([gap, left, aside, turned], -1).square()).sqrt()
    sizes, others = sizes.split([4, 2], -1)
    far = torch.cat([gap, left, sizes, aside], -1)
    enlarged = torch.tanh(_ENLARGED(torch.cat([known, arm, far, others], -1)))
    of_arm, of_far = enlarged.split([45, 2 * 12 + 19], -1)
    seen = torch.cat([position, velocity, tool, place, goal, arm, of_arm, far, of_far], -1)
    return seen, torch.cat([speeds, velocity.unsqueeze(1)], 1)


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
        seen, ways = condition.split([FEATURES, WAYS * JOINTS], dim=-1)
        return torch.cat([self.trunk(seen), ways], dim=-1)

    def along_time(self, features: Tensor, noise: Tensor) -> Tensor:
        """See `LateBranch.along_time`."""
        encoded, ways = features.split([self.config.trunk_width, WAYS * JOINTS], dim=-1)
        return self.along_ways(encoded, ways.unflatten(-1, (WAYS, JOINTS)), noise)

    def along_ways(self, encoded: Tensor, ways: Tensor, noise: Tensor) -> Tensor:
        """Candidates with time last.

        Args:
            encoded: (..., trunk_width) of the trunk; broadcasts against the noise.
            ways: (..., WAYS, 6) [rad/s] of `observed`; broadcasts as well.
            noise: (..., noise).

        Returns:
            (..., 6, H) [rad/s^2], of a norm below the acceleration limit.
        """
        # A joint by itself is a way, too: one product is less work than a sum and many small ones.
        alone = torch.eye(JOINTS).expand(*ways.shape[:-2], -1, -1)
        every = torch.cat([alone, GAIN_HZ * ways], dim=-2)
        # Modes first, for which the graph turns the head's weights once, and not its numbers.
        sizes = (self.axes, self.config.modes)
        weight = self.head.weight.unflatten(0, sizes).transpose(0, 1).flatten(0, 1)
        bias = self.head.bias.view(sizes).T.flatten()
        modes = nn.functional.linear(self.branched(encoded, noise), weight, bias)
        raw = (modes.unflatten(-1, sizes[::-1]) @ every).mT @ self.basis
        return limited(raw, self.config.acceleration_limit)


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
        x, _ = observed(windows.told)
        self.mean.copy_(x.mean(dim=0))
        self.std.copy_(x.std(dim=0).clamp_min(1e-3))

    def condition(self, told: Tensor) -> Tensor:
        """(B, TOLD) to (B, FEATURES + 6 WAYS): normalised features, and the ways as they are."""
        seen, ways = observed(told)
        return torch.cat([self.normalised(seen), ways.flatten(1)], -1)

    def normalised(self, seen: Tensor) -> Tensor:
        """(B, FEATURES) of `observed`, in units of their spread."""
        return ((seen - self.mean) / self.std).clamp(-5.0, 5.0)


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
