"""Where the SO-100's tool is, and which joints put it somewhere, in few operations of a graph.

What `planner_core.arm_kinematics` computes, for tensors. In a graph an operation on a few numbers
costs more than what it computes, and a sine of many angles no more than one of one. So the tool is
a product of one sine of all sums of joint angles, and angles are arc tangents of their halves,
which need no cases: an exported `atan2` is ten operations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from planner_core.arm_kinematics import HAND_M, LOWER, PAN_X_M, SHOULDER_M, TOOL_ASIDE_M, UPPER
from torch import Tensor

JOINTS: Final = 6
QUARTER: Final = math.pi / 2
ORIGIN: Final = torch.tensor([PAN_X_M, 0.0, SHOULDER_M[1] - HAND_M, 0.0])
"""Of points relative to the pan's axis and, for a hand that points down, to the shoulder's."""
TINY: Final = 1e-9
"""Nothing is divided by less: for a point straight behind the arm the joints would be NaN."""


class Affine(NamedTuple):
    """A function of (n, inputs) numbers that is known to be affine: x @ matrix + offset.

    Attributes:
        matrix: (inputs, outputs).
        offset: (outputs,).
    """

    matrix: Tensor
    offset: Tensor

    @classmethod
    def of(cls, function: Callable[[Tensor], Tensor], inputs: int) -> Affine:
        """One product that stands for all operations of a function.

        Args:
            function: (n, inputs) to (n, outputs); affine.
            inputs: How many numbers it takes.
        """
        offset = function(torch.zeros(1, inputs, dtype=torch.float64))
        matrix = function(torch.eye(inputs, dtype=torch.float64)) - offset
        return cls(matrix.float(), offset[0].float())

    def first(self, inputs: int) -> Affine:
        """The same function of its first inputs, where the others change nothing."""
        return Affine(self.matrix[:inputs], self.offset)

    def __call__(self, x: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs)."""
        return x @ self.matrix + self.offset


LINK_M: Final = torch.tensor([UPPER[0], LOWER[0], HAND_M, TOOL_ASIDE_M / 2, TOOL_ASIDE_M / 2])
"""Links in the plane that the pan turns: upper arm, lower arm, hand, and two more.

The tool lies aside of the hand, towards the jaw, which turns with the roll. In the plane those are
two links of half the distance, one of which turns with the roll and the other against it.
"""


def slopes(joints: Tensor) -> Tensor:
    """(..., 6) [rad] to how far each link points down, (..., 5) [rad].

    The tool is lower than the shoulder by the sum of the links times the sines of these.
    """
    lift, elbow, wrist, roll = joints[..., 1:5].unbind(-1)
    upper, lower, pitch = lift + UPPER[1], lift + elbow + LOWER[1], lift + elbow + wrist
    return torch.stack([upper, lower, pitch, pitch + roll - QUARTER, pitch - roll - QUARTER], -1)


def _bearings(joints: Tensor) -> Tensor:
    """(n, 6) [rad] to the directions, from above, of the arrows of `_ARROW_M`, (n, 13) [rad].

    A link that points down by an angle is seen from above as two arrows of half its length, which
    are turned from the pan by that angle to either side.
    """
    pan, roll, links = joints[:, :1], joints[:, 4:5], slopes(joints)
    return torch.cat([pan, pan + links, pan - links, pan + roll, pan - roll], -1)


_ARROW_M: Final = torch.cat([
    torch.tensor([SHOULDER_M[0]]), LINK_M / 2, LINK_M / 2,
    # Out of the plane of the links: TOOL_ASIDE_M times the sine of the roll.
    torch.tensor([TOOL_ASIDE_M / 2, -TOOL_ASIDE_M / 2]),
])  # fmt: skip
"""Added to each other, they lead from the pan's axis to the tool."""
_ANGLES: Final = Affine.of(
    # The cosine of an angle is the sine of a quarter turn more.
    lambda joints: torch.cat([_bearings(joints) + QUARTER, _bearings(joints), slopes(joints)], -1),
    JOINTS,
)
_TOOL: Final = Affine(
    torch.block_diag(_ARROW_M[:, None], _ARROW_M[:, None], -LINK_M[:, None]),
    torch.tensor([PAN_X_M, 0.0, SHOULDER_M[1]]),
)


def tool_of(joints: Tensor) -> Tensor:
    """(..., >= 5) [rad] to (..., 3) [m]; see `planner_core.arm_kinematics.tool_of`."""
    return _TOOL(_ANGLES.first(joints.shape[-1])(joints).sin())


_SIDES_M: Final = torch.tensor([UPPER[0], LOWER[0]])
_SHORTEST_M, _LONGEST_M = abs(UPPER[0] - LOWER[0]), UPPER[0] + LOWER[0]
_COSINE_AND_SINE: Final = torch.tensor([QUARTER, 0.0])


def _of_halves(x: Tensor) -> Tensor:
    """Halves of the angles that `reach` finds, and the opening, to (n, 5) joints [rad]."""
    pan, up, shoulder, elbow, opening = (x * torch.tensor([2.0, 2.0, 2.0, 2.0, 1.0])).unbind(-1)
    lift = -up - shoulder - UPPER[1]
    elbow = -up + elbow - LOWER[1] - lift
    return torch.stack([pan, lift, elbow, QUARTER - lift - elbow, opening - pan], -1)


_JOINTS: Final = Affine.of(_of_halves, 5)


def reach(pose: Tensor, open_m: float | Tensor) -> Tensor:
    """The joints that put the tool somewhere, pointing down.

    See `planner_core.arm_kinematics.reach`; what is out of reach is reached for.

    **Source**: the direction of a vector (x, y) of length r is twice the arc tangent of
    y / (r + x), also where x < 0. In the triangle of the upper arm a, the lower arm b and the way d
    from shoulder to wrist, the law of cosines makes the angle at the shoulder the direction of
    (a^2 + d^2 - b^2, 4 area), of length 2 a d; 16 area^2 = (d^2 - (a - b)^2) ((a + b)^2 - d^2) is
    Heron's formula.

    Args:
        pose: (..., 4) [m, rad] point, and direction in which the fingers open, from above.
        open_m: () or (..., 1) [m] room beside the fixed finger.

    Returns:
        (..., 5) [rad] from shoulder_pan to wrist_roll.
    """
    flat, up, yaw = (pose - ORIGIN).split([2, 1, 1], -1)
    x, y = flat.split(1, -1)
    bearing = 2 * torch.atan(y / (_length(flat) + x).clamp_min(TINY))
    opening = yaw - torch.round((yaw - bearing) / QUARTER) * QUARTER
    flat = flat - (open_m + TOOL_ASIDE_M) * (opening + _COSINE_AND_SINE).sin()
    x, y = flat.split(1, -1)
    radius = _length(flat)
    across = radius - SHOULDER_M[0]
    way = _length(torch.cat([across, up], -1))
    d = way.clamp(_SHORTEST_M + 1e-3, _LONGEST_M - 1e-3)
    square = d * d
    area_4 = ((square - _SHORTEST_M**2) * (_LONGEST_M**2 - square)).sqrt()
    corners = (d + _SIDES_M).square() - _SIDES_M.flip(0).square()
    sines = torch.cat([y, up, area_4, area_4], -1)
    cosines = torch.cat([radius + x, way + across, corners], -1)
    halves = torch.atan(sines / cosines.clamp_min(TINY))
    return _JOINTS(torch.cat([halves, opening], -1))


def _length(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x, dim=-1, keepdim=True)
