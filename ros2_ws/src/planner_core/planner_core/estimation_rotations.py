"""Rotations of the estimators: unit quaternions ``(w, x, y, z)``, Hamilton, body to world.

Plain floats inside: at four numbers a quaternion, array overhead would cost more than the algebra.

**Source**: J. Sola, "Quaternion kinematics for the error-state Kalman filter", 2017, sections 1-2.
"""

from __future__ import annotations

import math

import numpy as np
from planner_core.plan import Array


def product(a: Array, b: Array) -> Array:
    """(4,) rotation ``b`` followed by rotation ``a``."""
    aw, ax, ay, az = a.tolist()
    bw, bx, by, bz = b.tolist()
    return np.array(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ]
    )


def conjugate(q: Array) -> Array:
    """(4,) the inverse of a unit quaternion."""
    w, x, y, z = q.tolist()
    return np.array([w, -x, -y, -z])


def exponential(vector: Array) -> Array:
    """(4,) the rotation about ``vector`` (3,) by its length [rad]."""
    x, y, z = vector.tolist()
    angle = math.sqrt(x * x + y * y + z * z)
    # Below this angle sin(angle / 2) / angle is 1/2 in double precision.
    scale = 0.5 if angle < 1e-8 else math.sin(0.5 * angle) / angle
    return np.array([math.cos(0.5 * angle), scale * x, scale * y, scale * z])


def logarithm(q: Array) -> Array:
    """(3,) [rad] rotation vector of a unit quaternion, the short way round: at most pi long."""
    w, x, y, z = q.tolist()
    if w < 0.0:
        w, x, y, z = -w, -x, -y, -z
    sine = math.sqrt(x * x + y * y + z * z)
    scale = 2.0 if sine < 1e-8 else 2.0 * math.atan2(sine, w) / sine
    return np.array([scale * x, scale * y, scale * z])


def turned(q: Array, vector: Array) -> Array:
    """(4,) ``q`` turned in body axes by a rotation vector (3,) [rad], normalised again."""
    result = product(q, exponential(vector))
    w, x, y, z = result.tolist()
    # Rounding alone would let the length drift over millions of steps.
    return result / math.sqrt(w * w + x * x + y * y + z * z)


def matrix(q: Array) -> Array:
    """(3, 3) rotation matrix from body to world."""
    w, x, y, z = q.tolist()
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def skew(vector: Array) -> Array:
    """(3, 3) the matrix that takes the cross product with ``vector`` (3,)."""
    x, y, z = vector.tolist()
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def from_euler(roll: float, pitch: float, yaw: float) -> Array:
    """(4,) the rotation by yaw about z, then pitch about y, then roll about x [rad]."""
    half = [exponential(np.eye(3)[axis] * angle) for axis, angle in enumerate((roll, pitch, yaw))]
    return product(product(half[2], half[1]), half[0])


def to_euler(q: Array) -> tuple[float, float, float]:
    """Roll, pitch and yaw [rad] of a unit quaternion."""
    w, x, y, z = q.tolist()
    roll = math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    pitch = math.asin(max(-1.0, min(1.0, 2 * (w * y - z * x))))
    yaw = math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return roll, pitch, yaw


def yaw_row(q: Array) -> Array:
    """(3,) derivative of the yaw angle by a turn in body axes; with rates, the rate of yaw.

    It grows without bound as the pitch nears 90 degrees, where yaw means nothing; it is cut at 89.
    """
    roll, pitch, _ = to_euler(q)
    cosine = max(math.cos(pitch), math.cos(math.radians(89.0)))
    return np.array([0.0, math.sin(roll) / cosine, math.cos(roll) / cosine])


def nearest_turn(angle: float, reference: float) -> float:
    """The angle that differs from ``angle`` by whole turns and lies nearest to ``reference``."""
    return reference + math.remainder(angle - reference, 2 * math.pi)
