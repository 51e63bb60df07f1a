"""Where the legs of the Go2 are fixed and how long they are.

Legs have the robot's own order: front right, front left, rear right, rear left. Axes are those of
REP-103: x forward, y to the left, z up; the origin is the centre of the trunk.

**Source**: the manufacturer's robot description.
"""

from __future__ import annotations

from typing import Final

import numpy as np

LEGS: Final = ("FR", "FL", "RR", "RL")
HIP_X_M, HIP_Y_M, THIGH_Y_M, LINK_M, FOOT_RADIUS_M = 0.1934, 0.0465, 0.0955, 0.213, 0.022
TRUNK_M: Final = (0.376, 0.094, 0.114)
"""Length, width and height of the trunk."""
SIDES: Final = np.array([-1.0, 1.0, -1.0, 1.0])
"""(4,) Which way a leg points: 1 to the left."""
HIPS_M: Final = np.array([[HIP_X_M * f, HIP_Y_M * s, 0.0] for f in (1, -1) for s in (-1, 1)])
"""(4, 3) [m] The hip joints in the body."""
SIDES.setflags(write=False)
HIPS_M.setflags(write=False)
