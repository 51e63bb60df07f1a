"""Where the links of a jointed robot are: forward kinematics of a tree of turning joints.

Letters: ``n`` joints; leading axes are those of many configurations at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from planner_core.errors import ConfigurationError

Array = NDArray[np.float64]

BASE = -1
"""The parent of what hangs on the base."""


@dataclass(frozen=True, slots=True, eq=False)
class JointTree:
    """Joints that turn, each with the link behind it.

    Attributes:
        names: The ``n`` joints, parents before what hangs on them.
        parents: Index of the joint whose link carries this one, or `BASE`.
        offsets: (n, 3) [m] origin of each joint in its parent's frame.
        axes: (n, 3) unit vectors about which they turn, in their own frames.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Array
    axes: Array

    def __post_init__(self) -> None:
        for field in ("offsets", "axes"):
            array = np.array(getattr(self, field), dtype=np.float64)
            if array.shape != (len(self.names), 3):
                raise ConfigurationError(
                    f"{field} of a joint tree", got=array.shape, expected=(len(self.names), 3)
                )
            array.setflags(write=False)
            object.__setattr__(self, field, array)
        if len(self.parents) != len(self.names) or not all(
            BASE <= parent < index for index, parent in enumerate(self.parents)
        ):
            raise ConfigurationError(
                "parents of a joint tree", got=self.parents, expected="parents before children"
            )

    def frames(self, q: Array) -> tuple[Array, Array]:
        """Frames of the links in the frame of the base.

        Args:
            q: (..., n) [rad].

        Returns:
            (..., n, 3) [m] origins and (..., n, 3, 3) rotations.

        **Source**: Rodrigues' formula for the rotation about an axis.
        """
        origins = np.empty((*q.shape, 3))
        rotations = np.empty((*q.shape, 3, 3))
        for index, parent in enumerate(self.parents):
            x, y, z = self.axes[index]
            cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
            angle = q[..., index, None, None]
            turn = np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)
            if parent == BASE:
                origins[..., index, :], rotations[..., index, :, :] = self.offsets[index], turn
            else:
                carried = rotations[..., parent, :, :]
                origins[..., index, :] = origins[..., parent, :] + carried @ self.offsets[index]
                rotations[..., index, :, :] = carried @ turn
        return origins, rotations
