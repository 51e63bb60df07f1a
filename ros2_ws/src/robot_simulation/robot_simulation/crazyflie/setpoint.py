"""What the vehicle is asked to do at one instant, whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from robot_simulation.crazyflie.rotation import Vector

ZERO: Final[Vector] = (0.0, 0.0, 0.0)


class Horizontal(Enum):
    """Which horizontal quantity is controlled."""

    POSITION = "position"
    VELOCITY = "velocity"
    BODY_VELOCITY = "body_velocity"
    TILT = "tilt"
    TILT_RATE = "tilt_rate"


class Vertical(Enum):
    """Which vertical quantity is controlled."""

    POSITION = "position"
    VELOCITY = "velocity"
    THRUST = "thrust"


class Heading(Enum):
    """Which yaw quantity is controlled."""

    ANGLE = "angle"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Setpoint:
    """One setpoint; quantities outside the chosen modes are feed-forward or unused.

    Attributes:
        horizontal: Mode of x and y.
        vertical: Mode of z.
        heading: Mode of yaw.
        position: (3,) [m] world frame.
        velocity: (3,) [m/s] world frame, or body frame for ``BODY_VELOCITY``.
        acceleration: (3,) [m/s^2] world frame, fed forward.
        roll_rad: Tilt about x.
        pitch_rad: Tilt about y, positive nose down.
        yaw_rad: Heading.
        rates: (3,) [rad/s] body rates; yaw rate for ``Heading.RATE``.
        thrust: Collective thrust as a fraction of full, for ``Vertical.THRUST``.
        motors_off: Motors stand still, whatever else is asked.
    """

    horizontal: Horizontal = Horizontal.TILT
    vertical: Vertical = Vertical.THRUST
    heading: Heading = Heading.RATE
    position: Vector = ZERO
    velocity: Vector = ZERO
    acceleration: Vector = ZERO
    roll_rad: float = 0.0
    pitch_rad: float = 0.0
    yaw_rad: float = 0.0
    rates: Vector = ZERO
    thrust: float = 0.0
    motors_off: bool = False


MOTORS_OFF: Final = Setpoint(motors_off=True)
