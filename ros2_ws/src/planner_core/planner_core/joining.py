"""Smooth joins: how an offset decays, and how a moving robot comes to rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from planner_core.limiter import Setpoint
from planner_core.plan import Array, Plan, frozen
from planner_core.robot import Robot

BLEND_SHARE = 0.5
"""Share of the acceleration limit that a decaying offset may use."""


@dataclass(frozen=True, slots=True, eq=False)
class Offset:
    """A difference in position and velocity that decays to zero along a quintic.

    Attributes:
        start_ns: ROS time at which it has its full size [ns].
        duration_s: Time after which nothing is left.
        position: (n_q,) at the start.
        velocity: (n_q,) at the start.
    """

    start_ns: int
    duration_s: float
    position: Array
    velocity: Array

    @classmethod
    def joining(
        cls, start_ns: int, position: Array, velocity: Array, acceleration_limit: Array
    ) -> Offset:
        """The shortest decay whose acceleration stays within the limit.

        The quintic from (p, v, 0) to rest at zero in T has accelerations of at most
        5.78 |p| / T^2 + 3.95 |v| / T (numerical maxima of its two basis functions).
        """
        p, v = np.abs(position), np.abs(velocity)
        linear, quadratic = 3.95 * v / acceleration_limit, 5.78 * p / acceleration_limit
        shortest = (linear + np.sqrt(linear**2 + 4 * quadratic)) / 2
        duration = max(0.1, float(shortest.max()))
        return cls(start_ns, duration, frozen(position), frozen(velocity))

    def sample(self, time_ns: int) -> tuple[Array, Array, Array]:
        """Position, velocity and acceleration that are left at a time, each (n_q,)."""
        T = self.duration_s
        s = (time_ns - self.start_ns) * 1e-9 / T
        p, w = self.position, self.velocity * T
        if s >= 1:
            zero = np.zeros_like(p)
            return zero, zero, zero
        s = max(s, 0.0)
        # Quintic basis: value (or slope) one and second derivative zero at s = 0, rest at s = 1.
        position = p * (1 - 10 * s**3 + 15 * s**4 - 6 * s**5) + w * (
            s - 6 * s**3 + 8 * s**4 - 3 * s**5
        )
        velocity = p * (-30 * s**2 + 60 * s**3 - 30 * s**4) + w * (
            1 - 18 * s**2 + 32 * s**3 - 15 * s**4
        )
        acceleration = p * (-60 * s + 180 * s**2 - 120 * s**3) + w * (
            -36 * s + 96 * s**2 - 60 * s**3
        )
        return position, velocity / T, acceleration / T**2


def braking_plan(start_ns: int, setpoint: Setpoint, robot: Robot, dt_s: float = 0.02) -> Plan:
    """From a moving setpoint to rest, each degree of freedom at half its acceleration limit.

    Each stops at a sample, with a little less than that: a cubic through an end between two samples
    would turn back a little.
    """
    v0 = setpoint.velocity
    steps = np.maximum(1, np.ceil(np.abs(v0) / (0.5 * robot.acceleration * dt_s)))
    stop, deceleration = steps * dt_s, v0 / (steps * dt_s)
    t = np.arange(int(steps.max()) + 1)[:, None] * dt_s
    braking = np.minimum(t, stop)
    position = setpoint.position + v0 * braking - 0.5 * deceleration * braking**2
    velocity = np.where(t < stop - 0.5 * dt_s, v0 - deceleration * braking, 0.0)
    acceleration = np.where(t < stop - 0.5 * dt_s, -deceleration, 0.0)
    return Plan(start_ns, dt_s, np.clip(position, robot.lower, robot.upper), velocity, acceleration)
