"""What the arm's network sees of an observation, and the ways that its candidates are mixed of.

The geometry is computed, not learned: where the tool is, how far it is from the object and the
object from its goal, and which joint angles would put the tool to the poses that its demonstrators
go to.

Letters: ``B`` conditions, ``n`` rows.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from trajectory_learning.problems.arm_geometry import JOINTS, Affine, reach, tool_of

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
DECISIVE: Final = torch.tensor([
    [0.011, 0.04, 0.08, 0.008, -0.008, 0.035, 0.03, 0.005, 0.008, 0.012,
     0.008, 0.005, 0.08, 0.0, 0.45, 0.64, 0.065, 0.0, 0.04],
    [0.001, 0.004, 0.006, 0.001, 0.001, 0.003, 0.002, 0.001, 0.001, 0.001,
     0.001, 0.001, 0.01, 0.03, 0.03, 0.03, 0.003, 0.002, 0.003],
])  # fmt: skip
"""Where the demonstrators change what they do, and how sharply the network sees it [m, rad].

Without them an arm waited a few millimetres beside the place from which it should have gone down.
"""


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
ARM: Final = 5 * (POSES + 1)
"""How far the arm's joints are from each pose and home."""
FAR: Final = 12
"""Gap and what is left to go, their sizes, and aside."""
ENLARGED_FAR: Final = 2 * FAR + len(DECISIVE[0])


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
        measured: (n, KNOWN + ARM + FAR + 2) see `observed`.

    Returns:
        (n, ARM + ENLARGED_FAR).
    """
    known, arm, far, aside, turned = measured.split([KNOWN, ARM, FAR, 1, 1], -1)
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
_ENLARGED: Final = Affine.of(_enlarged, KNOWN + ARM + FAR + 2)
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
    of_arm, of_far = enlarged.split([ARM, ENLARGED_FAR], -1)
    seen = torch.cat([position, velocity, tool, place, goal, arm, of_arm, far, of_far], -1)
    return seen, torch.cat([speeds, velocity.unsqueeze(1)], 1)


FEATURES: Final = KNOWN - 1 + 2 * ARM + FAR + ENLARGED_FAR
"""Of `observed`: all that is known but how the object is turned, and the rest once and enlarged."""
