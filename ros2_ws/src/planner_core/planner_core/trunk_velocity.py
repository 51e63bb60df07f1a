"""How fast a legged robot's trunk moves: a small network over a short history of its own senses.

The graph belongs to the bundle whose planner needs the velocity, so that both know the same robot.

Letters: ``F`` frames of the history, ``n_q`` joints.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from planner_core.bundle import Bundle
from planner_core.clock import NS_PER_S, nanoseconds
from planner_core.errors import BundleMismatchError
from planner_core.inference import Graph
from planner_core.plan import Array

GRAPH: Final = "velocity"
INERTIAL: Final = 6
"""Numbers of a frame before the joints: angular velocity [rad/s], direction of gravity."""
JUMP_BACK_NS: Final = NS_PER_S // 10
"""A sample further back than one that was overtaken on its way is of a clock that was set back."""


class TrunkVelocity:
    """Estimates the velocity in the trunk's own frame.

    Frames of the history are one control period of the planner apart, whatever the rate of the
    samples. Before the first sample, the robot is taken to have stood as it stands then.

    Args:
        bundle: With a graph ``velocity``.
        provider: What runs it.

    Raises:
        BundleFieldError: There is no such graph.
        BundleMismatchError: It does not fit the robot.
    """

    def __init__(self, bundle: Bundle, provider: str = "cpu") -> None:
        manifest = bundle.manifest
        self._graph = Graph(bundle, GRAPH, provider)
        width = INERTIAL + 2 * len(manifest.dof_names)
        shape = self._graph.spec.input("history").shape
        if len(shape) != 2 or shape[1] != width:
            raise BundleMismatchError(
                f"bundle {manifest.name}: history of the graph {GRAPH}", got=shape,
                expected=f"(frames, {width})",
            )  # fmt: skip
        frames = int(shape[0])
        self._back_ns = nanoseconds(manifest.dt_s) * np.arange(frames - 1, -1, -1)
        self._times: list[int] = []
        self._samples: list[Array] = []

    def reset(self) -> None:
        """Forget the history."""
        self._times.clear()
        self._samples.clear()

    def take(
        self, stamp_ns: int, rates: Array, gravity: Array, position: Array, velocity: Array
    ) -> None:
        """Take a sample; one that is older than the last is left out.

        Where the clock was set back, the history begins anew: all samples would be left out until
        it has caught up, and the last velocity be given out as the present one.

        Args:
            stamp_ns: Time of the measurement [ns].
            rates: (3,) [rad/s] angular velocity of the trunk, in its own frame.
            gravity: (3,) direction of gravity in the trunk, of unit length.
            position: (n_q,) [rad] joints.
            velocity: (n_q,) [rad/s] joints.
        """
        if self._times and stamp_ns < self._times[-1] - JUMP_BACK_NS:
            self.reset()
        if self._times and stamp_ns <= self._times[-1]:
            return
        self._times.append(stamp_ns)
        self._samples.append(np.concatenate([rates, gravity, position, velocity]))
        oldest_ns = stamp_ns - self._back_ns[0]
        # One sample from before the history stays, to be the nearest to its beginning.
        while len(self._times) > 2 and self._times[1] <= oldest_ns:
            del self._times[0], self._samples[0]

    def estimate(self) -> Array | None:
        """(3,) [m/s] at the last sample, in the trunk's frame; None before the first."""
        if not self._times:
            return None
        times = np.array(self._times)
        wanted = times[-1] - self._back_ns
        after = np.clip(np.searchsorted(times, wanted), 1, max(1, len(times) - 1))
        before = after - 1
        after = np.minimum(after, len(times) - 1)
        nearer = np.where(wanted - times[before] <= times[after] - wanted, before, after)
        history = np.array([self._samples[i] for i in nearer], dtype=np.float32)
        velocity: Array = self._graph.run(["velocity"], {"history": history})[0].astype(np.float64)
        return velocity


def gravity_direction(quaternion: Array) -> Array:
    """(3,) direction of gravity in a body that is turned by (4,) w, x, y, z."""
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array([2 * (w * y - x * z), -2 * (w * x + y * z), 2 * (x * x + y * y) - 1])


def heading(quaternion: Array) -> float:
    """Where a body looks that is turned by (4,) w, x, y, z: angle about the vertical [rad]."""
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
