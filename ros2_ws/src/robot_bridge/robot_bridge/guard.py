"""What a bridge lets through to a robot, and when it ends the motion by itself.

The guard is the last check of all. It assumes nothing about who sends commands: they may be late,
repeated, meant for another robot or nonsense, and the sender may die between any two of them.
"""

from __future__ import annotations

import numpy as np
from planner_core.clock import Clock, seconds
from planner_core.errors import EmergencyStopError, NonFiniteError, PlanAgeError
from planner_core.limiter import Setpoint, limited
from planner_core.plan import Array
from planner_core.robot import Robot

FENCE_TOLERANCE_S = 0.1
"""A robot counts as outside when it is further out than it covers in this time at its limit: one
that lies on the ground is not outside because its estimate says minus a centimetre."""


def outside(position: Array, robot: Robot) -> str | None:
    """Which limit a position (n_q,) violates, in words; None within the limits."""
    beyond = np.maximum(robot.lower - position, position - robot.upper)
    beyond = np.where(np.isfinite(position), beyond, np.inf) / robot.velocity
    j = int(np.argmax(beyond))
    if beyond[j] <= FENCE_TOLERANCE_S:
        return None
    return (
        f"{robot.names[j]} at {position[j]:.3g} {robot.units[j]}, "
        f"outside {robot.lower[j]:.3g} to {robot.upper[j]:.3g}"
    )


class CommandGuard:
    """Admits commands to a robot.

    Args:
        robot: Whose limits hold.
        clock: ROS time for the stamps of commands, steady time for their absence.
        timeout_s: Greatest age of a command, and longest wait for the next one.
        first_timeout_s: Longest wait for the first one, while the robot stands or hovers by itself.
    """

    def __init__(
        self, robot: Robot, clock: Clock, timeout_s: float, first_timeout_s: float = 3.0
    ) -> None:
        self._robot = robot
        self._clock = clock
        self._timeout_s = timeout_s
        self._first_timeout_s = first_timeout_s
        self._stopped_by: str | None = None
        self._last_steady_ns: int | None = None
        self._limit_s = first_timeout_s

    @property
    def stopped(self) -> bool:
        """Whether the emergency stop is latched."""
        return self._stopped_by is not None

    @property
    def overdue(self) -> bool:
        """Whether commands are expected and have not come in time."""
        if self._last_steady_ns is None:
            return False
        return seconds(self._clock.steady_ns() - self._last_steady_ns) > self._limit_s

    def arm(self) -> None:
        """Expect commands from now on."""
        self._last_steady_ns = self._clock.steady_ns()
        self._limit_s = self._first_timeout_s

    def disarm(self) -> None:
        """Expect no commands."""
        self._last_steady_ns = None

    def stop(self, cause: str) -> None:
        """Latch the emergency stop; the first cause is kept."""
        self._stopped_by = self._stopped_by or cause
        self.disarm()

    def require_cause_gone(self, persisting: str | None) -> None:
        """Refuse to release the emergency stop while the robot must not move.

        Args:
            persisting: Why it still must not, if that is so.

        Raises:
            EmergencyStopError: The cause persists.
        """
        if self.stopped and persisting:
            raise EmergencyStopError(
                "reset refused, the cause persists", got=persisting,
                remedy="Remove the cause, then reset again.",
            )  # fmt: skip

    def reset(self, persisting: str | None = None) -> None:
        """Release the emergency stop; see `require_cause_gone`."""
        self.require_cause_gone(persisting)
        self._stopped_by = None

    def admit(self, setpoint: Setpoint, stamp_ns: int) -> Setpoint:
        """Check a command and bound it.

        Args:
            setpoint: What is asked for.
            stamp_ns: ROS time that the command is for [ns].

        Returns:
            The setpoint within the robot's limits.

        Raises:
            EmergencyStopError: The emergency stop is latched.
            PlanAgeError: The command is too old, or from the future.
            NonFiniteError: A value is NaN or infinite.
        """
        if self._stopped_by is not None:
            raise EmergencyStopError("command while stopped", got=self._stopped_by)
        age_s = seconds(self._clock.now_ns() - stamp_ns)
        if abs(age_s) > self._timeout_s:
            raise PlanAgeError(
                "age of a command", got=f"{age_s:.3f} s", expected=f"at most {self._timeout_s} s"
            )
        for values in (setpoint.position, setpoint.velocity, setpoint.acceleration):
            if not np.isfinite(values).all():
                raise NonFiniteError("command", got=values.tolist())
        return limited(setpoint, self._robot)

    def followed(self) -> None:
        """Expect the next command in time: the robot has taken the last one."""
        self._last_steady_ns = self._clock.steady_ns()
        self._limit_s = self._timeout_s
