"""The high-level commander: take-off, landing and go-to as smooth trajectories.

Every command is one polynomial of degree seven an axis. It leaves the present position, velocity
and acceleration with zero jerk and arrives at rest.
"""

from __future__ import annotations

import errno
import math
import struct
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from robot_simulation.crazyflie.rotation import wrapped
from robot_simulation.crazyflie.setpoint import (
    MOTORS_OFF,
    Heading,
    Horizontal,
    Setpoint,
    Vertical,
)
from robot_simulation.crazyflie.setpoint_packets import unpack_finite
from robot_simulation.crazyflie.state import Estimate

OK: Final = 0
REFUSED: Final = errno.ENOEXEC
INVALID: Final = errno.EINVAL

STOP, TAKE_OFF, LAND, GO_TO = 3, 7, 8, 12
_VERTICAL: Final = struct.Struct("<Bff?f")
_GO_TO: Final = struct.Struct("<BBBfffff")

Sample = tuple[float, float, float]
"""Value, first and second derivative."""


def _derivative_row(order: int, time: float) -> list[float]:
    """The ``order``-th derivative at ``time`` of the eight monomials."""
    return [math.perm(n, order) * time ** (n - order) if n >= order else 0.0 for n in range(8)]


# Rows: value, velocity, acceleration and jerk at the start, then at the end of unit time.
_BOUNDARY_TO_COEFFICIENTS: Final = np.linalg.inv(
    np.array([_derivative_row(order, time) for time in (0.0, 1.0) for order in range(4)])
)


@dataclass(frozen=True, slots=True)
class Segment:
    """One axis of a trajectory from a moving start to rest.

    Attributes:
        coefficients: Of the polynomial in time over duration, lowest power first.
        duration_s: Time at which it rests.
    """

    coefficients: tuple[float, ...]
    duration_s: float

    @classmethod
    def to_rest(cls, start: Sample, end: float, duration_s: float) -> Segment:
        """The polynomial of degree seven from ``start`` to rest at ``end``."""
        value, velocity, acceleration = start
        boundary = [value, velocity * duration_s, acceleration * duration_s**2, 0.0, end, 0, 0, 0]
        return cls(tuple((_BOUNDARY_TO_COEFFICIENTS @ boundary).tolist()), duration_s)

    @classmethod
    def linear(cls, start: float, end: float, duration_s: float) -> Segment:
        """Constant speed from ``start`` to ``end``."""
        return cls((start, end - start), duration_s)

    def at(self, time_s: float) -> Sample:
        """Value and derivatives; after the end, at rest at the last value."""
        s = time_s / self.duration_s
        if s >= 1.0:
            return (sum(self.coefficients), 0.0, 0.0)
        value = velocity = acceleration = 0.0
        for coefficient in reversed(self.coefficients):
            acceleration = acceleration * s + 2.0 * velocity
            velocity = velocity * s + value
            value = value * s + coefficient
        return (value, velocity / self.duration_s, acceleration / self.duration_s**2)


class HighLevelState(Enum):
    """What the high-level commander is doing."""

    STOPPED = "stopped"
    """It keeps the motors off."""
    IDLE = "idle"
    """It may take over but has not been asked anything; it gives no setpoint."""
    FLYING = "flying"
    """It follows a trajectory or holds its end."""
    LANDING = "landing"
    """It follows a trajectory at whose end the motors stop."""
    DISABLED = "disabled"
    """A low-level setpoint has locked it out."""


class HighLevelCommander:
    """Turns high-level commands into setpoints.

    Attributes:
        state: What it is doing.
        blocked: Set by the supervisor while the vehicle must not fly.
    """

    def __init__(self) -> None:
        self.state = HighLevelState.STOPPED
        self.blocked = False
        self._segments: tuple[Segment, ...] = ()
        self._started_s = 0.0

    def finished(self, now_s: float) -> bool:
        """Whether the last trajectory has come to its end."""
        if not self._segments:
            return True
        return now_s - self._started_s >= self._segments[0].duration_s

    @property
    def active(self) -> bool:
        """Whether it flies the vehicle."""
        return self.state in (HighLevelState.FLYING, HighLevelState.LANDING)

    @property
    def disabled(self) -> bool:
        """Whether a low-level setpoint has locked it out."""
        return self.state is HighLevelState.DISABLED

    def execute(self, data: bytes, now_s: float, now: Estimate) -> int:
        """Carry out a packet of the high-level port.

        Args:
            data: Command byte and arguments.
            now_s: Present time.
            now: The on-board estimate.

        Returns:
            0, or the error number of the reply. Uploaded trajectories and spirals are refused.

        Raises:
            MalformedPacketError: Wrong length or a number that is not finite.
        """
        command = data[0]
        if command == STOP:
            return self.stop()
        if command in (TAKE_OFF, LAND):
            _, height, yaw, present_yaw, duration = unpack_finite(_VERTICAL, data[1:])
            rise = self.take_off if command == TAKE_OFF else self.land
            return rise(height, None if present_yaw else yaw, duration, now_s, now)
        if command == GO_TO:
            _, relative, linear, x, y, z, yaw, duration = unpack_finite(_GO_TO, data[1:])
            return self.go_to(
                (x, y, z), yaw, duration, now_s, now, relative=bool(relative), linear=bool(linear)
            )
        return REFUSED

    def take_off(
        self, height_m: float, yaw_rad: float | None, duration_s: float, now_s: float, now: Estimate
    ) -> int:
        """Rise (or, for a landing, sink) to a height above the origin; see :meth:`go_to`."""
        return self._vertical(HighLevelState.FLYING, height_m, yaw_rad, duration_s, now_s, now)

    def land(
        self, height_m: float, yaw_rad: float | None, duration_s: float, now_s: float, now: Estimate
    ) -> int:
        """Sink to a height above the origin and stop the motors; see :meth:`go_to`."""
        return self._vertical(HighLevelState.LANDING, height_m, yaw_rad, duration_s, now_s, now)

    def _vertical(
        self,
        state: HighLevelState,
        height_m: float,
        yaw_rad: float | None,
        duration_s: float,
        now_s: float,
        now: Estimate,
    ) -> int:
        start = self._present(now_s, now)
        yaw = start[3][0] if yaw_rad is None else yaw_rad
        target = (start[0][0], start[1][0], height_m)
        return self._begin(state, start, target, yaw, duration_s, now_s, linear=False)

    def go_to(
        self,
        target: tuple[float, float, float],
        yaw_rad: float,
        duration_s: float,
        now_s: float,
        now: Estimate,
        *,
        relative: bool = False,
        linear: bool = False,
    ) -> int:
        """Fly to a point and hold it.

        Args:
            target: (3,) [m] world frame, or relative to the present setpoint.
            yaw_rad: Heading at the end, or relative to the present setpoint.
            duration_s: Time to take.
            now_s: Present time.
            now: The on-board estimate, from which the first trajectory starts.
            relative: Whether target and heading are relative.
            linear: Constant speed instead of a smooth start and stop.

        Returns:
            0, or the error number of the reply: refused while locked out or blocked, invalid for a
            duration that is not positive.
        """
        start = self._present(now_s, now)
        x, y, z = target
        if relative:
            x, y, z = x + start[0][0], y + start[1][0], z + start[2][0]
            yaw_rad += start[3][0]
        goal = (x, y, z)
        return self._begin(
            HighLevelState.FLYING, start, goal, yaw_rad, duration_s, now_s, linear=linear
        )

    def stop(self) -> int:
        """Stop the motors at once."""
        if self.state is HighLevelState.DISABLED:
            return REFUSED
        self.halt()
        return OK

    def halt(self) -> None:
        """Forget the trajectory and keep the motors off."""
        self.state = HighLevelState.STOPPED
        self._segments = ()

    def disable(self) -> None:
        """Lock out: a low-level setpoint has priority."""
        self.state = HighLevelState.DISABLED
        self._segments = ()

    def enable(self) -> None:
        """End of the lock-out: the next command starts from wherever the vehicle is."""
        if self.state is HighLevelState.DISABLED:
            self.state = HighLevelState.IDLE

    def setpoint(self, now_s: float) -> Setpoint | None:
        """What it asks for now; None while it has nothing to say."""
        if self.state in (HighLevelState.DISABLED, HighLevelState.IDLE):
            return None
        if self.state is HighLevelState.LANDING and self.finished(now_s):
            self.halt()
        if self.state is HighLevelState.STOPPED:
            return MOTORS_OFF
        x, y, z, yaw = (segment.at(now_s - self._started_s) for segment in self._segments)
        return Setpoint(
            Horizontal.POSITION, Vertical.POSITION, Heading.ANGLE, (x[0], y[0], z[0]),
            (x[1], y[1], z[1]), (x[2], y[2], z[2]), yaw_rad=yaw[0], rates=(0.0, 0.0, yaw[1]),
        )  # fmt: skip

    def _present(self, now_s: float, now: Estimate) -> list[Sample]:
        """Where the next trajectory starts: on the present one, or else at the vehicle."""
        if self.active:
            return [segment.at(now_s - self._started_s) for segment in self._segments]
        start = [(p, v, 0.0) for p, v in zip(now.position, now.velocity, strict=True)]
        return [*start, (now.yaw_rad, 0.0, 0.0)]

    def _begin(
        self,
        state: HighLevelState,
        start: list[Sample],
        target: tuple[float, float, float],
        yaw_rad: float,
        duration_s: float,
        now_s: float,
        *,
        linear: bool,
    ) -> int:
        if self.blocked or self.state is HighLevelState.DISABLED:
            return REFUSED
        if duration_s <= 0.0:
            return INVALID
        # The short way round: a heading of 3.1 rad is 0.08 rad away from one of -3.1 rad.
        ends = (*target, start[3][0] + wrapped(yaw_rad - start[3][0]))
        if linear:
            self._segments = tuple(
                Segment.linear(s[0], e, duration_s) for s, e in zip(start, ends, strict=True)
            )
        else:
            self._segments = tuple(
                Segment.to_rest(s, e, duration_s) for s, e in zip(start, ends, strict=True)
            )
        self._started_s = now_s
        self.state = state
        return OK
