"""Where the SO-100's joints have to be for its tool to be somewhere, and the other way round.

In closed form: shoulder, elbow and wrist lie in a plane that the pan turns. The frame has its
origin on the table under the back of the base, x forward, z up. At zero of all joints the upper
arm, the lower arm and the gripper point forward; positive shoulder, elbow and wrist angles lower
what they carry. The tool is the centre of a cube in the gripper.

**Source**: the offsets are the published ones of the SO-100.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from planner_core.errors import NoPathError
from planner_core.robots import so100

TOOL_M: Final = 0.093
TOOL_ASIDE_M: Final = 0.0025
"""Centre of a gripped cube: along the axis of the wrist's roll, and from there towards the jaw."""
PAN_X_M: Final = 0.0452
SHOULDER_M: Final = (0.0306, 0.119)
"""Radius and height of the shoulder's axis."""
UPPER: Final = (math.hypot(0.1126, 0.028), math.atan2(0.028, 0.1126))
LOWER: Final = (math.hypot(0.1349, 0.0052), -math.atan2(0.0052, 0.1349))
"""Length of a link [m], and how far it points down at zero [rad]."""
HAND_M: Final = 0.0601 + TOOL_M
"""From the wrist to the tool."""
_ROBOT: Final = so100()


def reach(
    x_m: float,
    y_m: float,
    z_m: float,
    *,
    pitch_rad: float = math.pi / 2,
    yaw_rad: float = 0.0,
    open_m: float = 0.0,
) -> NDArray[np.float64]:
    """Joint positions that put the tool at a point, elbow up.

    A gripper that goes down over a cube must leave room beside the fixed finger: ``open_m`` moves
    it away from there.

    Args:
        x_m: Of the tool.
        y_m: Of the tool.
        z_m: Of the tool.
        pitch_rad: How far the gripper points down; a right angle is straight down.
        yaw_rad: Direction in which the fingers open, from above; of a quarter turn, that which
            turns the wrist least is taken.
        open_m: Distance of the point from where the fixed finger would touch a cube there, for a
            gripper that points down.

    Returns:
        (5,) positions from shoulder_pan to wrist_roll [rad].

    Raises:
        NoPathError: The point is out of reach.
    """
    bearing = math.atan2(y_m, x_m - PAN_X_M)
    # Where the jaw opens to, seen from above.
    opening = bearing + math.remainder(yaw_rad - bearing, math.pi / 2)
    aside = (open_m + TOOL_ASIDE_M) * math.sin(pitch_rad)
    x_m, y_m = x_m - aside * math.cos(opening), y_m - aside * math.sin(opening)
    pan = math.atan2(y_m, x_m - PAN_X_M)
    radius = math.hypot(y_m, x_m - PAN_X_M)
    across = radius - HAND_M * math.cos(pitch_rad) - SHOULDER_M[0]
    up = z_m + HAND_M * math.sin(pitch_rad) - SHOULDER_M[1]
    distance = math.hypot(across, up)
    if not abs(UPPER[0] - LOWER[0]) < distance < UPPER[0] + LOWER[0]:
        raise NoPathError(
            "point out of the arm's reach", got=f"({x_m:.3f}, {y_m:.3f}, {z_m:.3f}) m"
        )
    down = math.atan2(-up, across)
    upper = down - _angle(UPPER[0], distance, LOWER[0])
    lower = down + _angle(LOWER[0], distance, UPPER[0])
    lift = upper - UPPER[1]
    elbow = lower - LOWER[1] - lift
    joints = np.array([pan, lift, elbow, pitch_rad - lift - elbow, opening - pan])
    if not ((_ROBOT.lower[:5] <= joints) & (joints <= _ROBOT.upper[:5])).all():
        raise NoPathError("point out of the range of the joints", got=np.round(joints, 3).tolist())
    return joints


def tool_of(joints: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the tool is.

    Args:
        joints: (..., >= 5) positions from shoulder_pan to wrist_roll [rad].

    Returns:
        (..., 3) [m].
    """
    pan, lift, elbow, wrist, roll = (joints[..., i] for i in range(5))
    upper, lower = lift + UPPER[1], lift + elbow + LOWER[1]
    pitch = lift + elbow + wrist
    # Towards the jaw: across the axis of the roll, in and out of the plane of the links.
    inside, outside = TOOL_ASIDE_M * np.cos(roll), TOOL_ASIDE_M * np.sin(roll)
    radius = SHOULDER_M[0] + UPPER[0] * np.cos(upper) + LOWER[0] * np.cos(lower)
    radius = radius + HAND_M * np.cos(pitch) + inside * np.sin(pitch)
    height = SHOULDER_M[1] - UPPER[0] * np.sin(upper) - LOWER[0] * np.sin(lower)
    height = height - HAND_M * np.sin(pitch) + inside * np.cos(pitch)
    c, s = np.cos(pan), np.sin(pan)
    return np.stack([PAN_X_M + radius * c - outside * s, radius * s + outside * c, height], axis=-1)


def _angle(a: float, b: float, opposite: float) -> float:
    """Angle between two sides of a triangle."""
    return math.acos((a * a + b * b - opposite * opposite) / (2.0 * a * b))
