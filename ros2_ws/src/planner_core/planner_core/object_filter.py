"""Where objects are, from sightings that are noisy, late, and sometimes missing.

Each axis of an object has a Kalman filter of its own with constant velocity: an object that the
robot carries moves, one that lies does not, and both have to be followed without a jump.

An object that is seen to keep its place in a shut gripper is taken to move with the tool: where the
joints are, the robot knows better, and sooner, than where its camera saw something.

**Source** of the noise model: white acceleration, Y. Bar-Shalom et al., "Estimation with
applications to tracking and navigation", 2001, section 6.2.2.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from planner_core.arm_kinematics import tool_of
from planner_core.clock import seconds
from planner_core.errors import InvalidMeasurementError
from planner_core.plan import Array

MOVING_M_S: Final = 0.04
"""A slower object is taken to lie still: its velocity is noise, and would be extrapolated."""
PREDICTED_S: Final = 0.15
"""An object that has not been seen for longer is taken to have stopped."""
AXES: Final = ("x", "y", "z")
SHUT_RAD: Final = 0.2
"""A gripper that is further open holds no cube; on one it stands at 0.11."""
HELD_M: Final = 0.03
"""What is held is no further from the tool."""
SLIP_M: Final = 0.005
"""An object that moves further in the gripper from one picture to the next is not held."""
HELD_SIGHTINGS: Final = 3
_HELD_GAIN: Final = 0.3
_YAW_GAIN: Final = 0.2
_TOOLS: Final = 100
"""Places of the tool that are kept: a second, for pictures that come late."""


@dataclass(slots=True)
class _Track:
    """One object; ``in_hand`` is its place from the tool, ``held`` for how many sightings."""

    stamp_ns: int
    position: Array
    velocity: Array
    yaw_rad: float
    covariance: Array = field(default_factory=lambda: np.diag([1e-4, 1e-2]))
    rejected: int = 0
    in_hand: Array | None = None
    held: int = 0


class ObjectFilter:
    """Follows objects by name. Belongs to one thread.

    Args:
        deviation_m: Noise of a sighting, each axis.
        acceleration_m_s2: Spread of an object's acceleration.
        gate: Sightings further off, in standard deviations, are kept out, unless several follow.
        max_rejections: So many in a row are believed: the object was moved.
        yaw_period_rad: Turn after which the object looks the same: a cube's quarter turn.
    """

    def __init__(
        self,
        deviation_m: float = 0.001,
        acceleration_m_s2: float = 0.6,
        gate: float = 6.0,
        max_rejections: int = 3,
        yaw_period_rad: float = math.pi / 2,
    ) -> None:
        self._variance = deviation_m**2
        self._acceleration = acceleration_m_s2**2
        self._gate, self._max_rejections = gate, max_rejections
        self._period = yaw_period_rad
        self._tracks: dict[str, _Track] = {}
        self._tools: deque[tuple[int, Array]] = deque(maxlen=_TOOLS)
        self._shut = False

    def take_joints(self, stamp_ns: int, joints: Array) -> None:
        """Take in where the arm is, to follow what it carries.

        Args:
            stamp_ns: ROS time of the reading [ns].
            joints: (6,) [rad], the gripper last.
        """
        if self._tools and stamp_ns < self._tools[-1][0]:
            self._tools.clear()
        self._tools.append((stamp_ns, tool_of(joints)))
        self._shut = bool(joints[-1] < SHUT_RAD)

    def take(self, name: str, stamp_ns: int, position: Array, quaternion: Array) -> None:
        """Take in a sighting.

        Args:
            name: Of the object.
            stamp_ns: ROS time of the picture [ns].
            position: (3,) [m].
            quaternion: (4,) x, y, z, w.

        Raises:
            InvalidMeasurementError: A number is not finite, or it is no rotation.
        """
        length = float(np.linalg.norm(quaternion))
        if not (np.isfinite(position).all() and 0.5 < length < 2.0):
            raise InvalidMeasurementError(
                f"pose of {name}", got=[*position, *quaternion], expected="a pose"
            )
        yaw = _heading(quaternion / length)
        track = self._tracks.get(name)
        # A clock that jumps back starts anew; pictures that overtake each other do not matter.
        if track is None or stamp_ns < track.stamp_ns - 1_000_000_000:
            self._tracks[name] = _Track(stamp_ns, position.copy(), np.zeros(3), yaw)
            return
        dt = seconds(stamp_ns - track.stamp_ns)
        if dt <= 0:
            return
        self._hold(track, stamp_ns, position)
        predicted = track.position + track.velocity * dt
        grown = self._grown(track.covariance, dt)
        innovation = position - predicted
        spread = float(grown[0, 0]) + self._variance
        if float(np.abs(innovation).max()) > self._gate * math.sqrt(spread):
            track.rejected += 1
            if track.rejected >= self._max_rejections:
                self._tracks[name] = _Track(stamp_ns, position.copy(), np.zeros(3), yaw)
            return
        gain = grown[:, 0] / spread
        track.position = predicted + gain[0] * innovation
        track.velocity = track.velocity + gain[1] * innovation
        track.covariance = grown - np.outer(gain, grown[0])
        track.yaw_rad += _YAW_GAIN * math.remainder(yaw - track.yaw_rad, self._period)
        track.stamp_ns, track.rejected = stamp_ns, 0

    def values(self, time_ns: int) -> dict[str, float]:
        """Place and heading of every object at a time, by ``<object>_<axis>`` [m, rad]."""
        values = {}
        for name, track in sorted(self._tracks.items()):
            dt = min(max(0.0, seconds(time_ns - track.stamp_ns)), PREDICTED_S)
            speed = float(np.linalg.norm(track.velocity))
            share = min(1.0, max(0.0, speed / MOVING_M_S - 1.0))
            place = track.position + track.velocity * (share * dt)
            if track.in_hand is not None and track.held >= HELD_SIGHTINGS and self._shut:
                place = self._tools[-1][1] + track.in_hand
            for axis, value in zip(AXES, place.tolist(), strict=True):
                values[f"{name}_{axis}"] = value
            values[f"{name}_yaw"] = math.remainder(track.yaw_rad, self._period)
        return values

    def stamp_ns(self) -> int | None:
        """ROS time of the oldest among the objects' newest sightings; None before the first."""
        return min((track.stamp_ns for track in self._tracks.values()), default=None)

    def reset(self) -> None:
        """Forget everything."""
        self._tracks.clear()
        self._tools.clear()
        self._shut = False

    def _hold(self, track: _Track, stamp_ns: int, position: Array) -> None:
        """Notice whether the object keeps its place in the gripper."""
        tool = self._tool_at(stamp_ns) if self._shut else None
        if tool is None or float(np.linalg.norm(position - tool)) > HELD_M:
            track.in_hand, track.held = None, 0
            return
        in_hand = position - tool
        if track.in_hand is None or float(np.linalg.norm(in_hand - track.in_hand)) > SLIP_M:
            track.in_hand, track.held = in_hand, 1
            return
        track.in_hand = track.in_hand + _HELD_GAIN * (in_hand - track.in_hand)
        track.held += 1

    def _tool_at(self, stamp_ns: int) -> Array | None:
        """Where the tool was, between two readings; None before the first one that is kept."""
        if not self._tools or stamp_ns < self._tools[0][0]:
            return None
        later = next((i for i, (ns, _) in enumerate(self._tools) if ns > stamp_ns), None)
        if later is None:
            return self._tools[-1][1]
        (before_ns, before), (after_ns, after) = self._tools[later - 1], self._tools[later]
        share = (stamp_ns - before_ns) / (after_ns - before_ns)
        return np.asarray(before + share * (after - before))

    def _grown(self, covariance: Array, dt: float) -> Array:
        step = np.array([[1.0, dt], [0.0, 1.0]])
        noise = self._acceleration * np.array([[dt**4 / 4, dt**3 / 2], [dt**3 / 2, dt**2]])
        return np.asarray(step @ covariance @ step.T + noise)


def _heading(q: Array) -> float:
    """Heading of the axis that lies flattest, from a unit quaternion (4,) x, y, z, w [rad].

    A cube may lie on any of its sides; whichever of its axes are level say how it is turned.
    """
    x, y, z, w = q.tolist()
    columns = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
        [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
        [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    flattest = columns[int(np.argmin(np.abs(columns[:, 2])))]
    return math.atan2(flattest[1], flattest[0])
