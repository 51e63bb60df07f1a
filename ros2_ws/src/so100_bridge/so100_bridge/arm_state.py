"""What the arm does: limp, starting softly, following, stopping softly, holding, let go.

`ArmControl` belongs to the link's thread. Each period it gets a reading and takes one step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from planner_core.errors import LinkLostError
from planner_core.robot import Robot

from so100_bridge.calibration import Calibration
from so100_bridge.motion import GoalMotion, MotionLimits
from so100_bridge.servos import STATUS_WORDS, Reading, Servos

GRIPPER: Final = "gripper"
_FULL_TORQUE: Final = 1000
_LEAST_TORQUE: Final = 50
_ECHO_PERIODS: Final = 5
"""Goals that the servos have not taken over after so many periods do not reach them."""
# What lerobot sets as well: half the factory's gain, which shakes the arm.
_REGISTERS: Final = {"P_Coefficient": 16, "I_Coefficient": 0, "D_Coefficient": 32}
_FASTEST: Final = {"Return_Delay_Time": 0, "Maximum_Acceleration": 254, "Acceleration": 254}


class Activity(Enum):
    """What the arm is doing."""

    LIMP = "without torque"
    STARTING = "starting softly"
    FOLLOWING = "following"
    STOPPING = "slowing down"
    HOLDING = "holding"
    RELEASING = "letting go softly"


@dataclass(frozen=True, slots=True)
class ArmSettings:
    """How the arm is moved.

    Attributes:
        rate_hz: Readings, and goals, a second.
        link_timeout_s: Silence after which the link is lost.
        soft_start_s: Time from little torque to all of it.
        soft_release_s: Time from all torque to none.
        gripper_torque: Share of the stall torque that the gripper may use.
        motion: Bounds of the goals.
    """

    rate_hz: float
    link_timeout_s: float
    soft_start_s: float
    soft_release_s: float
    gripper_torque: float
    motion: MotionLimits


class ArmControl:
    """Moves one connected arm.

    Args:
        servos: The way to it.
        calibration: What the counts mean.
        robot: Whose limits hold.
        settings: Read in every period.
        reading: How the arm is found: one that holds already goes on holding.

    Attributes:
        calibration: What the counts mean.
        activity: What the arm does.
        fault: What is wrong with it; empty for nothing. Stays until `recover`.
    """

    def __init__(
        self,
        servos: Servos,
        calibration: Calibration,
        robot: Robot,
        settings: Callable[[], ArmSettings],
        reading: Reading,
    ) -> None:
        self._servos = servos
        self._robot = robot
        self._settings = settings
        self._reading = reading
        self.calibration = calibration
        self.activity = Activity.HOLDING if reading.torque.any() else Activity.LIMP
        self.fault = ""
        # An arm that holds is held where its goals are, not where it sags to.
        found = reading.goal if reading.all_torque else reading.position
        self._motion = self._motion_from(calibration.positions(found))
        self._target: np.ndarray | None = None
        self._written: dict[str, int] | None = None
        self._unheard = 0
        self._ramp_s = 0.0

    # Wishes.

    def engage(self) -> None:
        """Take the torque on where the arm is, softly, and follow."""
        if self.fault or self.activity in (Activity.STARTING, Activity.FOLLOWING):
            return
        self._target = None
        if self.activity is Activity.HOLDING:
            # Whoever held it before may have been in the middle of a soft start.
            self._limit_torque(1.0)
            self.activity = Activity.FOLLOWING
            return
        present = self.calibration.positions(self._reading.position)
        for register, value in (_FASTEST | _REGISTERS).items():
            self._servos.write_all(register, value)
        self._limit_torque(0.0)
        # First the goal, then the torque: an old goal would make the arm jump.
        self._motion = self._motion_from(present)
        self._confirm_goals(self.calibration.counts(self._motion.goal))
        self._servos.write_all("Torque_Enable", 1)
        self._begin_ramp(Activity.STARTING)

    def follow(self, target: ArrayLike) -> None:
        """Go towards positions (n_q,) [rad] from now on; ignored unless the arm follows."""
        if self.activity is Activity.FOLLOWING:
            self._target = np.array(target, dtype=float)

    def rest(self) -> None:
        """Slow down, then hold."""
        if self.activity is Activity.STARTING:
            self._limit_torque(1.0)
        if self.activity in (Activity.STARTING, Activity.FOLLOWING):
            self._target = None
            self.activity = Activity.STOPPING

    def stop(self) -> None:
        """Hold where the arm is, at once, with all torque; an arm without torque stays so.

        The joints are held where they were measured, not where they were sent: an arm that
        somebody holds back does not push on. The gripper alone keeps its goal, or it would drop
        what it has gripped. Asked again, nothing changes: each time the arm would sink a little
        further.
        """
        if self.activity in (Activity.LIMP, Activity.HOLDING):
            return
        self._target = None
        held = self.calibration.positions(self._reading.position)
        gripper = self._robot.names.index(GRIPPER)
        held[gripper] = self._motion.goal[gripper]
        self._motion = self._motion_from(held)
        self._confirm_goals(self.calibration.counts(self._motion.goal))
        self._limit_torque(1.0)
        self.activity = Activity.HOLDING

    def release(self) -> None:
        """Let the arm sink softly, then switch the torque off."""
        if self.activity not in (Activity.LIMP, Activity.RELEASING):
            self._begin_ramp(Activity.RELEASING)

    def recover(self) -> None:
        """Forget a fault; servos that protect themselves, or lost their torque, take it on again.

        They take it on where they are; an arm without torque stays so.
        """
        reading, names = self._reading, self._robot.names
        present = self.calibration.positions(reading.position)
        affected = [i for i in range(len(names)) if reading.status[i] or not reading.torque[i]]
        held = self.activity is not Activity.LIMP
        if affected and held:
            self._motion = self._motion_from(present)
            self._confirm_goals(self.calibration.counts(self._motion.goal))
            self._limit_torque(1.0)
        # Switching the torque, on or off, ends a servo's protection.
        self._servos.write("Torque_Enable", {names[i]: int(held) for i in affected})
        self.fault = ""

    # Each period.

    def advance(self, reading: Reading, dt_s: float) -> None:
        """Take the next step.

        Raises:
            LinkLostError: Goals do not reach the servos, or a write is not confirmed.
        """
        self._reading = reading
        self._watch(reading)
        present = self.calibration.positions(reading.position)
        if self.activity is Activity.LIMP:
            if reading.torque.any():
                self._servos.write_switches(False)
            return
        self._motion.limits = self._settings().motion
        if self.activity is Activity.STARTING:
            self._ramp(dt_s, self._settings().soft_start_s, up=True)
        elif self.activity is Activity.RELEASING:
            self._ramp(dt_s, self._settings().soft_release_s, up=False)
        elif self.activity is Activity.FOLLOWING and self._target is not None:
            self._write_goals(self._motion.follow(self._target, present, dt_s))
        elif self.activity is Activity.STOPPING:
            self._write_goals(self._motion.brake(present, dt_s))
            if self._motion.at_rest:
                self.activity = Activity.HOLDING

    def _watch(self, reading: Reading) -> None:
        """Notice what the servos do by themselves."""
        faults = [
            f"{name}: {words}"
            for name, status in zip(self._robot.names, reading.status, strict=True)
            for bit, words in STATUS_WORDS.items()
            if status & bit
        ]
        lost = self.activity is not Activity.LIMP and not reading.all_torque
        if lost and self.activity is not Activity.RELEASING:
            names = [n for n, on in zip(self._robot.names, reading.torque, strict=True) if not on]
            faults.append(f"torque lost on {', '.join(names)}: has the supply failed?")
            # Those that still hold go on; nothing may make the others jump.
            self.activity = Activity.LIMP if not reading.torque.any() else Activity.HOLDING
            self._written = None
        if faults:
            self.fault = "; ".join(faults)
            self.rest()
        self._check_echo(reading)

    def _check_echo(self, reading: Reading) -> None:
        """Goals are written without confirmation: see that the servos have them.

        Raises:
            LinkLostError: They do not.
        """
        if self._written is None or list(self._written.values()) == reading.goal.tolist():
            self._unheard = 0
            return
        self._unheard += 1
        if self._unheard > _ECHO_PERIODS:
            self._unheard = 0
            raise LinkLostError(
                "goals do not reach the servos", got=reading.goal.tolist(),
                expected=list(self._written.values()),
            )  # fmt: skip

    def _write_goals(self, goal: ArrayLike) -> None:
        counts = dict(zip(self._robot.names, self.calibration.counts(goal), strict=True))
        # A lost write is made good in the next period; while nothing changes, nothing is written.
        if counts != self._written or self._unheard:
            self._servos.write_goals(counts)
            self._written = counts

    def _confirm_goals(self, counts: list[int]) -> None:
        goals = dict(zip(self._robot.names, counts, strict=True))
        self._servos.write("Goal_Position", goals)
        self._written = goals

    def _begin_ramp(self, activity: Activity) -> None:
        self.activity, self._ramp_s = activity, 0.0

    def _ramp(self, dt_s: float, duration_s: float, *, up: bool) -> None:
        self._ramp_s += dt_s
        share = min(1.0, self._ramp_s / duration_s) if duration_s else 1.0
        if share < 1.0:
            self._servos.write_torque_limits(self._torque_limits(share if up else 1.0 - share))
        elif up:
            self._limit_torque(1.0)
            self.activity = Activity.FOLLOWING
        else:
            self._cut()

    def _cut(self) -> None:
        """Switch the torque off; repeated by `advance` until every servo has done so."""
        self.activity, self._written = Activity.LIMP, None
        self._servos.write_switches(False)

    def _limit_torque(self, share: float) -> None:
        self._servos.write("Torque_Limit", self._torque_limits(share))

    def _torque_limits(self, share: float) -> dict[str, int]:
        most = dict.fromkeys(self._robot.names, _FULL_TORQUE)
        most[GRIPPER] = round(self._settings().gripper_torque * _FULL_TORQUE)
        return {n: max(_LEAST_TORQUE, round(share * limit)) for n, limit in most.items()}

    def _motion_from(self, positions: ArrayLike) -> GoalMotion:
        return GoalMotion(self._robot, self._settings().motion, positions)
