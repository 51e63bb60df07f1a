"""Setpoints in the robot's packets and units.

Three pitfalls end here. The full-state packet carries milliradians per second, although cflib
documents degrees; the other packets do carry degrees. Its numbers are 16-bit thousandths, and
cflib raises ``struct.error`` beyond them. And every packet means yaw modulo a turn, while plans
count turns.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from planner_core.errors import NonFiniteError
from planner_core.limiter import Setpoint
from planner_core.plan import Array

PACKED_LIMIT: Final = 32.767
"""Largest number of the full-state packet [m, m/s, m/s^2, rad/s]."""


class Commander(Protocol):
    """The part of cflib's commander that is used."""

    def send_full_state_setpoint(
        self, pos: list[float], vel: list[float], acc: list[float], orientation: list[float],
        rollrate: float, pitchrate: float, yawrate: float,
    ) -> None: ...  # fmt: skip

    def send_position_setpoint(self, x: float, y: float, z: float, yaw: float) -> None: ...

    def send_velocity_world_setpoint(
        self, vx: float, vy: float, vz: float, yawrate: float
    ) -> None: ...

    def send_hover_setpoint(
        self, vx: float, vy: float, yawrate: float, zdistance: float
    ) -> None: ...


def _packed(values: Array) -> list[float]:
    """Clipped to the packet's range, and rounded to thousandths: cflib would cut towards zero."""
    clipped = np.clip(values, -PACKED_LIMIT, PACKED_LIMIT)
    # The half digit on top survives the product by 1000 in floating point.
    rounded = np.round(clipped * 1000.0)
    return [float(value) for value in (rounded + 0.1 * np.sign(rounded)) / 1000.0]


def _wrapped_degrees(angle_rad: float) -> float:
    return math.degrees(math.remainder(angle_rad, 2 * math.pi))


def send_full_state(commander: Commander, setpoint: Setpoint, heading_rad: float) -> None:
    """Position, heading, and the velocity and acceleration that go with them."""
    del heading_rad
    yaw = math.remainder(float(setpoint.position[3]), 2 * math.pi)
    yaw_rate = _packed(setpoint.velocity[3:4])[0]
    commander.send_full_state_setpoint(
        _packed(setpoint.position[:3]), _packed(setpoint.velocity[:3]),
        _packed(setpoint.acceleration[:3]), [0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2)],
        0.0, 0.0, yaw_rate,
    )  # fmt: skip


def send_position(commander: Commander, setpoint: Setpoint, heading_rad: float) -> None:
    """Position and heading only; the robot lags behind a moving setpoint."""
    del heading_rad
    x, y, z, yaw = map(float, setpoint.position)
    commander.send_position_setpoint(x, y, z, _wrapped_degrees(yaw))


def send_velocity_world(commander: Commander, setpoint: Setpoint, heading_rad: float) -> None:
    """Velocity only: nothing brings the robot back to the planned position."""
    del heading_rad
    vx, vy, vz, yaw_rate = map(float, setpoint.velocity)
    commander.send_velocity_world_setpoint(vx, vy, vz, math.degrees(yaw_rate))


def send_hover(commander: Commander, setpoint: Setpoint, heading_rad: float) -> None:
    """Height, and velocity in the robot's own axes: for robots that know no position."""
    vx, vy, _, yaw_rate = map(float, setpoint.velocity)
    c, s = math.cos(heading_rad), math.sin(heading_rad)
    commander.send_hover_setpoint(
        c * vx + s * vy, c * vy - s * vx, math.degrees(yaw_rate), float(setpoint.position[2])
    )


_SENDERS: Final[dict[str, Callable[[Commander, Setpoint, float], None]]] = {
    "full_state": send_full_state,
    "position": send_position,
    "velocity_world": send_velocity_world,
    "hover": send_hover,
}
KINDS: Final = tuple(_SENDERS)


def send(commander: Commander, kind: str, setpoint: Setpoint, heading_rad: float) -> None:
    """Send a setpoint as a packet.

    Args:
        commander: cflib's.
        kind: One of `KINDS`.
        setpoint: x, y, z [m] and yaw [rad] in the world frame.
        heading_rad: The robot's present heading.

    Raises:
        NonFiniteError: A number is NaN or infinite.
    """
    for values in (setpoint.position, setpoint.velocity, setpoint.acceleration):
        if not np.isfinite(values).all():
            raise NonFiniteError("setpoint", got=values.tolist())
    _SENDERS[kind](commander, setpoint, heading_rad)
