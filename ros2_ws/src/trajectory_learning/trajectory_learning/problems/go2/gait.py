"""A trot as a function of phase and command: what a walking policy corrects.

The simulated robot's built-in locomotion walks by feedback; this one has none, so that a network
has little left to do but to balance. Legs carry the robot's weight by an offset of their targets.

Letters: ``n`` robots.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from robot_simulation.go2.kinematics import foot_positions, joint_positions, support_torques
from robot_simulation.go2.model import MASS_KG

Array = NDArray[np.float64]

STANDING_RAD: Final = np.array(
    [-0.1, 0.8, -1.5, 0.1, 0.8, -1.5, -0.1, 1.0, -1.5, 0.1, 1.0, -1.5]
)  # fmt: skip
"""(12,) [rad] The posture in which walking begins."""
PERIOD_S: Final = 0.44
LIFT_M: Final = 0.07
HEIGHT_M: Final = 0.29
"""Of the hips above the feet."""
_STANCE_M: Final = foot_positions(STANDING_RAD)[:, :2]
_BEHIND: Final = np.array([0.0, 0.5, 0.5, 0.0])
"""(4,) By how much of a period the second diagonal follows the first."""


def trot(phase: Array, command: Array, stiffness: float) -> Array:
    """Joint targets of a trot.

    Args:
        phase: (n,) share of the period that has passed, 0..1.
        command: (n, 3) [m/s, m/s, rad/s] forward, to the left, turning left.
        stiffness: Position gain of the joints [N m/rad].

    Returns:
        (n, 12) [rad].
    """
    leg = (phase[:, None] + _BEHIND) % 1.0
    swing = leg < 0.5
    share = (2.0 * leg) % 1.0
    turn = command[:, 2, None, None] * np.stack((-_STANCE_M[:, 1], _STANCE_M[:, 0]), axis=1)
    reach = (command[:, None, :2] + turn) * (PERIOD_S / 4)
    smooth = share * share * (3.0 - 2.0 * share)
    along = np.where(swing, 2.0 * smooth - 1.0, 1.0 - 2.0 * share)
    ground = _STANCE_M + reach * along[..., None]
    height = -HEIGHT_M + np.where(swing, LIFT_M * np.sin(np.pi * share) ** 2, 0.0)
    q = joint_positions(np.concatenate((ground, height[..., None]), axis=-1))
    # The weight comes onto a leg, and leaves it, within a sixth of its stance.
    carried = np.where(swing, 0.0, np.clip(6.0 * np.minimum(share, 1.0 - share), 0.0, 1.0))
    return q + support_torques(q, carried * (MASS_KG * 9.81 / 2)) / stiffness
