"""Where the feet are, in closed form; four legs at a time.

A leg is a roll about x at the hip, an offset to the side, and two links of equal length that pitch
about y. Feet and joints are in the robot's order of legs. Leading axes are those of many robots at
once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from planner_core.go2_geometry import HIPS_M, LINK_M, SIDES, THIGH_Y_M

Array = NDArray[np.float64]
_SIDE_M = SIDES * THIGH_Y_M


def foot_positions(q: Array) -> Array:
    """(..., 4, 3) [m] of the feet in the body, at joint positions (..., 12) [rad]."""
    hip, thigh, calf = _by_joint(q)
    x = -LINK_M * (np.sin(thigh) + np.sin(thigh + calf))
    down = LINK_M * (np.cos(thigh) + np.cos(thigh + calf))
    y = _SIDE_M * np.cos(hip) + down * np.sin(hip)
    z = _SIDE_M * np.sin(hip) - down * np.cos(hip)
    return HIPS_M + np.stack((x, y, z), axis=-1)


def joint_positions(feet: Array) -> Array:
    """(..., 12) [rad] that put the feet, (..., 4, 3) [m] in the body, where they shall be.

    A foot beyond the leg's reach is approached as far as the leg goes.
    """
    x, y, z = np.moveaxis(feet - HIPS_M, -1, 0)
    down = np.sqrt(np.maximum(y**2 + z**2 - _SIDE_M**2, 1e-6))
    hip = np.arctan2(z, y) - np.arctan2(-down, _SIDE_M)
    hip = (hip + np.pi) % (2 * np.pi) - np.pi
    length = np.minimum(np.hypot(x, down), 1.99 * LINK_M)
    calf = -np.arccos(length**2 / (2 * LINK_M**2) - 1.0)
    thigh = np.arctan2(-x, down) - calf / 2
    return np.stack((hip, thigh, calf), axis=-1).reshape(*feet.shape[:-2], 12)


def support_torques(q: Array, forces: Array) -> Array:
    """(..., 12) [N m] with which the feet press on the ground.

    Args:
        q: (..., 12) [rad] joint positions.
        forces: (..., 4) [N] of the ground on each foot, upwards.
    """
    hip, thigh, calf = _by_joint(q)
    shin = thigh + calf
    x = -LINK_M * (np.sin(thigh) + np.sin(shin))
    down = LINK_M * (np.cos(thigh) + np.cos(shin))
    y = _SIDE_M * np.cos(hip) + down * np.sin(hip)
    rise = np.stack((y, -np.cos(hip) * x, np.cos(hip) * LINK_M * np.sin(shin)), axis=-1)
    return np.asarray((-forces[..., None] * rise).reshape(q.shape))


def _by_joint(q: Array) -> Array:
    """(3, ..., 4) hips, thighs and calves of (..., 12)."""
    return np.moveaxis(q.reshape(*q.shape[:-1], 4, 3), -1, 0)
