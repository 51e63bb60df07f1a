"""The built-in locomotion: postures, a stance that balances, and a trot.

It stands up and walks slowly, which is what a client needs to be tested against; it is not the
manufacturer's controller. A posture is reached along a smooth line through joint space; walking
puts the feet where `gait` wants them and the weight on those that stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from robot_simulation.go2.dynamics import Body
from robot_simulation.go2.gait import STANCE_XY_M, Trot, Velocity
from robot_simulation.go2.kinematics import joint_positions, support_torques
from robot_simulation.go2.model import LYING_RAD, MASS_KG
from robot_simulation.go2.motors import MotorCommand

Array = NDArray[np.float64]

HEIGHT_M: Final = 0.28
STANDING_RAD: Final = joint_positions(np.column_stack((STANCE_XY_M, np.full(4, -HEIGHT_M))))
"""(12,) [rad] Upright."""
SITTING_RAD: Final = np.array([0.0, 0.75, -1.6] * 2 + [0.0, 1.7, -2.65] * 2)
RISE_S: Final = 1.2
MOVE_TIMEOUT_S: Final = 1.0
"""A walk without a new command for so long ends in standing."""
LIMIT: Final = Velocity(0.6, 0.3, 0.8)
"""Beyond it this trot would fall."""
SLOPE_S: Final = 0.4
"""Time constant with which the walk follows its command."""
KP, KD = 90.0, 3.0
_WEIGHT_N: Final = MASS_KG * 9.81


class Mode(IntEnum):
    """``SportModeState.mode``."""

    IDLE = 0
    BALANCE = 1
    POSE = 2
    WALK = 3
    LYING = 5
    JOINT_LOCK = 6
    DAMPING = 7
    SIT = 10


class Posture(Enum):
    """Where a motion ends, by the mode there."""

    STAND = Mode.JOINT_LOCK
    LIE = Mode.LYING
    SIT = Mode.SIT


_JOINTS: Final = {
    Posture.STAND: STANDING_RAD, Posture.LIE: LYING_RAD, Posture.SIT: SITTING_RAD,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Transition:
    """A motion to a posture.

    Attributes:
        start: (12,) [rad] where it begins.
        posture: Where it ends.
        balance: Whether the robot shall balance once it is there.
    """

    start: Array
    posture: Posture
    balance: bool = False


class SportController:
    """Turns calls of the sport service into joint commands.

    Attributes:
        mode: What the robot does.
        progress: 0..1 of a motion to a posture.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As after power-on: lying, damped."""
        self.mode = Mode.DAMPING
        self.progress = 0.0
        self._transition: Transition | None = None
        self._velocity, self._target = Velocity(), Velocity()
        self._since_move_s = 0.0
        self._trot: Trot | None = None

    @property
    def balancing(self) -> bool:
        """Whether it would walk if asked to."""
        return self.mode in (Mode.BALANCE, Mode.WALK)

    def damp(self) -> None:
        """Let the joints yield."""
        self.reset()

    def assume(self, posture: Posture, q: Array, *, balance: bool = False) -> None:
        """Begin a motion from joint positions (12,) [rad] to a posture."""
        self._trot, self.progress = None, 0.0
        self.mode = Mode.POSE
        self._transition = Transition(q.copy(), posture, balance)

    def balance(self) -> bool:
        """Unlock the joints of a standing robot; False where it does not stand."""
        if self.mode is Mode.JOINT_LOCK:
            self.mode = Mode.BALANCE
        return self.balancing

    def stop_moving(self) -> None:
        """End a walk."""
        self._target = Velocity()

    def move(self, velocity: Velocity) -> bool:
        """Walk; False where the robot does not balance, as with locked joints."""
        if not self.balancing:
            return False
        self._target = Velocity(
            *(float(np.clip(getattr(velocity, axis), -limit, limit))
              for axis, limit in (("x", LIMIT.x), ("y", LIMIT.y), ("yaw", LIMIT.yaw)))
        )  # fmt: skip
        self._since_move_s = 0.0
        return True

    def step(self, dt_s: float, q: Array, body: Body) -> MotorCommand:
        """What the joints shall do for the next ``dt_s``, at positions (12,) [rad]."""
        if self._transition is not None:
            return self._to_posture(self._transition, dt_s, q)
        if self.balancing:
            return self._walk(dt_s, q, body)
        if self.mode is Mode.DAMPING or self.mode is Mode.IDLE:
            return MotorCommand.damping()
        posture = Posture(self.mode)
        return self._held(_JOINTS[posture], q, standing=posture is Posture.STAND)

    def _to_posture(self, transition: Transition, dt_s: float, q: Array) -> MotorCommand:
        self.progress = min(1.0, self.progress + dt_s / RISE_S)
        goal = _JOINTS[transition.posture]
        smooth = self.progress**2 * (3 - 2 * self.progress)
        if self.progress == 1.0:
            self.mode = Mode.BALANCE if transition.balance else transition.posture.value
            self._transition = None
        target = transition.start + (goal - transition.start) * smooth
        return self._held(target, q, standing=transition.posture is Posture.STAND)

    def _held(self, target: Array, q: Array, *, standing: bool) -> MotorCommand:
        command = MotorCommand.held(target, KP, KD)
        if standing:
            command.tau = support_torques(q, np.full(4, _WEIGHT_N / 4))
        return command

    def _walk(self, dt_s: float, q: Array, body: Body) -> MotorCommand:
        self._since_move_s += dt_s
        if self._since_move_s > MOVE_TIMEOUT_S:
            self._target = Velocity()
        self._velocity = _approached(self._velocity, self._target, dt_s / SLOPE_S)
        still = max(map(abs, (self._velocity.x, self._velocity.y, self._velocity.yaw))) < 0.02
        if still and (self._trot is None or self._trot.at_rest):
            self.mode, self._trot = Mode.BALANCE, None
            feet = np.column_stack((STANCE_XY_M, np.full(4, -HEIGHT_M)))
            stance = np.ones(4, dtype=bool)
        else:
            self.mode = Mode.WALK
            self._trot = self._trot or Trot(HEIGHT_M)
            yaw = body.rpy[2]
            heading = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
            self._trot.step(dt_s, self._velocity, heading @ body.velocity[:2])
            feet, stance = self._trot.feet, ~self._trot.swinging
        roll, pitch, _ = body.rpy
        # Feet on level ground, seen from a tilted body: pushing there rights it.
        feet[:, 2] += TILT_GAIN * (pitch * feet[:, 0] - roll * feet[:, 1])
        command = MotorCommand.held(joint_positions(feet), KP, KD)
        share = np.where(stance, _WEIGHT_N / stance.sum(), 0.0)
        command.tau = support_torques(q, share)
        return command


TILT_GAIN: Final = 0.5


def _approached(present: Velocity, target: Velocity, share: float) -> Velocity:
    share = min(1.0, share)
    return Velocity(*(
        getattr(present, axis) + (getattr(target, axis) - getattr(present, axis)) * share
        for axis in ("x", "y", "yaw")
    ))  # fmt: skip
