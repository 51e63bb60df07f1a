"""What the encoders mean: from counts to radians and back, and the file that keeps it.

The middle of the range that was recorded for a joint is the middle of the robot's range. The file
is the one that lerobot reads and writes, so an arm that was calibrated with either works with both.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from planner_core.plain_data import read_json
from planner_core.robot import Robot

from so100_bridge.errors import CalibrationError

Array = NDArray[np.float64]

COUNTS: Final = 4096
RAD_PER_COUNT: Final = 2.0 * math.pi / COUNTS
FULL_TURN: Final = "wrist_roll"
"""The joint without stops."""
_TOLERANCE_RAD: Final = 0.6
"""A recorded range may differ by so much from the robot's: horns, stops and people vary."""


@dataclass(frozen=True, slots=True)
class JointCalibration:
    """One servo's part.

    Attributes:
        id: Number on the bus.
        drive_mode: Always 0; kept for the file.
        homing_offset: Counts that the servo subtracts from its encoder.
        range_min: Lowest counts of the joint.
        range_max: Highest counts.
    """

    id: int
    drive_mode: int
    homing_offset: int
    range_min: int
    range_max: int


class Calibration:
    """The calibration of an arm.

    Args:
        joints: By name, in the robot's order.
        robot: Whose ranges the recorded ones stand for.
        directions: (n_q,) 1, or -1 where a positive angle lowers the counts.

    Raises:
        CalibrationError: Not this robot's joints, or ranges that cannot be its.
    """

    def __init__(
        self,
        joints: Mapping[str, JointCalibration],
        robot: Robot,
        directions: Sequence[int] | None = None,
    ) -> None:
        if tuple(joints) != robot.names:
            raise CalibrationError(
                "joints of the calibration", got=list(joints), expected=list(robot.names)
            )
        self.joints = dict(joints)
        self._directions = np.array(directions or (1,) * robot.n_q, dtype=float)
        self.low = np.array([j.range_min for j in joints.values()], dtype=float)
        self.high = np.array([j.range_max for j in joints.values()], dtype=float)
        self._middle = (self.low + self.high) / 2.0
        self._centre = (robot.lower + robot.upper) / 2.0
        spans = robot.upper - robot.lower
        for name, low, high, span in zip(joints, self.low, self.high, spans, strict=True):
            recorded = (high - low) * RAD_PER_COUNT
            if abs(recorded - span) > _TOLERANCE_RAD:
                raise CalibrationError(
                    f"the recorded range of {name} is not the joint's",
                    got=f"{recorded:.2f} rad, {low:.0f} to {high:.0f} counts",
                    expected=f"about {span:.2f} rad",
                    remedy="Calibrate: so100_calibrate centre, then so100_calibrate ranges.",
                )

    def positions(self, counts: ArrayLike) -> Array:
        """(n_q,) joint positions [rad] of (n_q,) encoder counts."""
        turned = self._directions * (np.asarray(counts) - self._middle) * RAD_PER_COUNT
        return np.asarray(turned + self._centre)

    def velocities(self, counts_s: ArrayLike) -> Array:
        """(n_q,) joint velocities [rad/s] of (n_q,) counts a second."""
        return np.asarray(self._directions * np.asarray(counts_s) * RAD_PER_COUNT)

    def counts(self, positions: ArrayLike) -> list[int]:
        """(n_q,) encoder counts of joint positions [rad], within the recorded ranges."""
        turned = self._directions * (np.asarray(positions) - self._centre) / RAD_PER_COUNT
        return [int(c) for c in np.rint(np.clip(turned + self._middle, self.low, self.high))]

    def save(self, path: Path) -> None:
        """Write the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({n: asdict(j) for n, j in self.joints.items()}, indent=4))

    def check_against(self, servos: Calibration) -> None:
        """Refuse servos that were calibrated otherwise.

        Raises:
            CalibrationError: With the first joint that differs.
        """
        for name, joint in self.joints.items():
            if servos.joints[name] != joint:
                raise CalibrationError(
                    f"the servo of {name} is calibrated otherwise than the file says",
                    got=servos.joints[name], expected=joint,
                    remedy="Write the file to the servos with so100_calibrate restore, or make a "
                    "new file of them with so100_calibrate save.",
                )  # fmt: skip


def load(path: Path, robot: Robot, directions: Sequence[int] | None = None) -> Calibration:
    """Read a calibration file.

    Raises:
        CalibrationError: It cannot be read, or is no calibration of this robot.
    """
    try:
        data = read_json(path.read_text())
        joints = {name: _joint(data[name]) for name in robot.names}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CalibrationError(
            f"calibration file {path}", got=repr(error),
            expected=f"id, drive_mode, homing_offset, range_min, range_max of {list(robot.names)}",
        ) from error  # fmt: skip
    return Calibration(joints, robot, directions)


def _joint(values: Any) -> JointCalibration:
    joint = JointCalibration(**values)
    if not all(type(value) is int for value in asdict(joint).values()):
        raise TypeError(f"not whole numbers: {values}")
    return joint
