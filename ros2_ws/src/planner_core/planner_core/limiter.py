"""The last bounds before a bridge: no command leaves the robot's limits, whatever asked for it.

`limited` bounds one setpoint; `reachable` bounds the step from one setpoint to the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from planner_core.plan import Array, frozen
from planner_core.robot import Robot

TOLERANCE = 1e-9
"""Rounding that no robot notices, in any unit."""


@dataclass(frozen=True, slots=True, eq=False)
class Setpoint:
    """What the robot is asked to be doing at one instant.

    Attributes:
        position: (n_q,) positions.
        velocity: (n_q,) velocities.
        acceleration: (n_q,) accelerations.
    """

    position: Array
    velocity: Array
    acceleration: Array

    @classmethod
    def at_rest(cls, position: Array) -> Setpoint:
        """Standing still at a position."""
        rest = np.zeros(len(position))
        return cls(frozen(position), frozen(rest), frozen(rest))


def limited(setpoint: Setpoint, robot: Robot) -> Setpoint:
    """The nearest setpoint within the limits; the same object where it is within them already.

    A velocity or acceleration that would carry on through a position limit is cut to zero, so that
    a feedforward term does not push against the fence.

    Raises:
        ValueError: A value is not finite: there is no nearest setpoint to infinity.
    """
    values = (setpoint.position, setpoint.velocity, setpoint.acceleration)
    if not all(np.isfinite(value).all() for value in values):
        raise ValueError("a setpoint must be finite")
    position = np.clip(setpoint.position, robot.lower, robot.upper)
    velocity = np.clip(setpoint.velocity, -robot.velocity, robot.velocity)
    acceleration = np.clip(setpoint.acceleration, -robot.acceleration, robot.acceleration)
    beyond = np.sign(setpoint.position - position)
    velocity = np.where(beyond * velocity > 0, 0.0, velocity)
    acceleration = np.where(beyond * acceleration > 0, 0.0, acceleration)
    if (
        (position == setpoint.position).all()
        and (velocity == setpoint.velocity).all()
        and (acceleration == setpoint.acceleration).all()
    ):
        return setpoint
    return Setpoint(frozen(position), frozen(velocity), frozen(acceleration))


def reachable(previous: Setpoint, setpoint: Setpoint, dt_s: float, robot: Robot) -> Setpoint:
    """The setpoint, or where it cannot be reached in time, the farthest way there.

    A motion within the acceleration limit ``a`` that changes the velocity by ``dv`` in ``dt`` ends
    within ``(a^2 dt^2 - dv^2) / 4a`` of where the mean of both velocities leads: what lies in that
    interval passes. It must also be possible to brake from there before the end of the range.

    Args:
        previous: Setpoint of the last period, within the limits.
        setpoint: What is asked for now.
        dt_s: Time between the two [s].
        robot: Whose limits hold.

    Returns:
        The same object where every degree of freedom can reach it; otherwise a setpoint whose
        degrees of freedom that cannot move with constant acceleration over the period.
    """
    a, p0, v0 = robot.acceleration, previous.position, previous.velocity
    step = a * dt_s
    change = setpoint.velocity - v0
    straight = p0 + (v0 + setpoint.velocity) * (0.5 * dt_s)
    slack = (step**2 - change**2) / (4 * a)
    low, high = _brakeable(setpoint.position, robot)
    passes = (
        (np.abs(change) <= step + TOLERANCE)
        & (np.abs(setpoint.position - straight) <= slack + TOLERANCE)
        & (setpoint.position >= robot.lower - TOLERANCE)
        & (setpoint.position <= robot.upper + TOLERANCE)
        & (setpoint.velocity >= low)
        & (setpoint.velocity <= high)
    )
    if passes.all():
        return setpoint
    drift = v0 * (0.5 * dt_s)
    high = np.minimum(robot.velocity, _fastest(robot.upper - p0 - drift, a, dt_s))
    low = -np.minimum(robot.velocity, _fastest(p0 + drift - robot.lower, a, dt_s))
    wanted = np.clip(setpoint.velocity, low, high)
    velocity = np.clip(wanted, v0 - step, v0 + step)
    position = p0 + (v0 + velocity) * (0.5 * dt_s)
    acceleration = (velocity - v0) / dt_s if dt_s > 0 else np.zeros_like(velocity)
    return Setpoint(
        np.where(passes, setpoint.position, position),
        np.where(passes, setpoint.velocity, velocity),
        np.where(passes, setpoint.acceleration, acceleration),
    )


def _brakeable(position: Array, robot: Robot) -> tuple[Array, Array]:
    """The velocities (n_q,) from which a degree of freedom can stop within its range."""
    ahead = np.maximum(robot.upper - position, 0.0)
    behind = np.maximum(position - robot.lower, 0.0)
    high = np.minimum(robot.velocity, np.sqrt(2 * robot.acceleration * ahead)) + TOLERANCE
    low = -np.minimum(robot.velocity, np.sqrt(2 * robot.acceleration * behind)) - TOLERANCE
    return low, high


def _fastest(room: Array, a: Array, dt_s: float) -> Array:
    """The fastest velocity after a period from which the range is still kept.

    Args:
        room: (n_q,) distance to the end of the range, less what the velocity of the period before
            takes of it. The velocity after it takes ``v dt / 2``, and ``v^2 / 2a`` to stop: the
            root of their sum. Where nothing is left, it has to lead back.
        a: (n_q,) greatest acceleration.
        dt_s: The period [s].
    """
    step = a * dt_s
    stopping = np.sqrt(step**2 / 4 + 2 * a * np.maximum(room, 0.0)) - step / 2
    return np.where(room >= 0, stopping, 2 * room / max(dt_s, TOLERANCE))
