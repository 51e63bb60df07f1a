"""A scripted planner that picks an object and places it: the demonstrator, and the baseline.

It keeps no phase: what is to be done next follows from where the joints, the object and its place
are. An object that slips, or that somebody moves, is therefore picked again. A plan is the script
run ahead for ``H`` samples, in which a gripped object moves with the tool.

Letters: ``H`` samples of a plan, ``n_q`` degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from planner_core.arm_kinematics import PAN_X_M, reach, tool_of
from planner_core.errors import InvalidObservationError, NoPathError
from planner_core.manipulation import GOAL, JOINTS, OBJECT, OBJECTS
from planner_core.plan import Array, GeneratorSpec, Observation, Plan, PlanBatch
from planner_core.robot import Robot

HOME: Final = np.array([0.0, -1.6, 1.3, 0.8, 0.0, 0.8])
"""Above the table, out of the way."""
_SECOND_BEST: Final = tuple(
    (math.pi / 2 - 0.2 * tilt, 1.0 - 0.03 * short) for short in range(12) for tilt in range(5)
)
"""What to try where the arm cannot reach a point from straight above: tilted, and nearer."""
HORIZON: Final = 16
DT_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class ManipulationScript:
    """How the object is handled.

    Attributes:
        high_m: Height at which the tool travels.
        open_rad: Gripper over the object.
        release_rad: Gripper that has let go.
        shut_rad: Gripper that holds: further shut than the object lets it be.
        grip_m: The object is gripped so far above its centre: the tips of the fingers are as low
            as the object's foot, and would press on what it stands on.
        room_m: Room beside the fixed finger when the gripper goes down over the object.
        above_m: The object is let go so far above its place.
        held_m: A held object so near to its place, from above, is let go.
        left_m: One that was let go so near is let be.
        speed_rad_s: Greatest speed of a joint.
        acceleration_rad_s2: Greatest acceleration of a joint.
        approach_hz: Rate at which the joints approach the next pose.
    """

    high_m: float = 0.075
    open_rad: float = 0.8
    release_rad: float = 0.5
    shut_rad: float = -0.1
    grip_m: float = 0.004
    room_m: float = 0.006
    above_m: float = 0.001
    held_m: float = 0.008
    left_m: float = 0.012
    speed_rad_s: float = 1.8
    acceleration_rad_s2: float = 12.0
    approach_hz: float = 7.0

    def pose(self, joints: Array, thing: Array, yaw_rad: float, place: Array) -> Array:
        """(6,) the next pose to go to.

        Args:
            joints: (6,) where the joints are [rad].
            thing: (3,) centre of the object [m].
            yaw_rad: How it is turned.
            place: (3,) where it is to be [m].

        Raises:
            NoPathError: It is out of reach.
        """
        tool, gripper = tool_of(joints), float(joints[5])
        left, gap = place - thing, tool - thing
        beside, away = math.hypot(gap[0], gap[1]), float(np.linalg.norm(gap))
        # What was let go near its place stays there: picked again, it would come no nearer.
        near = self.held_m if gripper < 0.0 else self.left_m
        if math.hypot(left[0], left[1]) < near and abs(left[2]) < 0.008:
            return self._leave(joints, tool, gripper, thing, beside, away)
        if gripper < 0.0 and away < 0.03:
            return self._carry(tool, yaw_rad, gap, left, place)
        if beside < 0.011 and abs(gap[2]) < 0.008:
            # Around the object: shut, and move up to it with the fixed finger.
            grip = _nearest(thing[0], thing[1], thing[2] + self.grip_m, yaw_rad=yaw_rad)
            return _with(grip, self.shut_rad)
        over = _nearest(thing[0], thing[1], self.high_m, yaw_rad=yaw_rad, open_m=self.room_m)
        start = tool_of(over)
        aside = math.hypot(tool[0] - start[0], tool[1] - start[1])
        if aside < 0.005 and gripper > 0.8 * self.open_rad and self._is_turned(joints, over):
            z_m = thing[2] + self.grip_m
            down = _nearest(thing[0], thing[1], z_m, yaw_rad=yaw_rad, open_m=self.room_m)
            return _with(down, self.open_rad)
        if beside < 0.08 and tool[2] < thing[2] + 0.035:
            return self._up(joints, tool, self.open_rad)
        return _with(over, self.open_rad)

    def _is_turned(self, joints: Array, wanted: Array) -> bool:
        return abs(math.remainder(joints[4] - wanted[4], math.pi)) < 0.08

    def _leave(
        self, joints: Array, tool: Array, gripper: float, thing: Array, beside: float, away: float
    ) -> Array:
        opening = float(joints[0] + joints[4])
        if away < 0.03 and gripper < 0.9 * self.release_rad:
            # Fingers that press on the table jam there, and do not open.
            z_m = max(tool[2], thing[2] + self.grip_m)
            return _with(_nearest(tool[0], tool[1], z_m, opening), self.release_rad)
        if beside < 0.04 and tool[2] < self.high_m - 0.01:
            # Off the fixed finger as well, which would drag the object along.
            above = _nearest(thing[0], thing[1], self.high_m, opening, self.room_m)
            return _with(above, max(gripper, self.release_rad))
        return HOME

    def _carry(self, tool: Array, yaw_rad: float, gap: Array, left: Array, place: Array) -> Array:
        # Where the tool has to be for the object to be in its place, however it is held.
        x, y = place[0] + gap[0], place[1] + gap[1]
        aside = math.hypot(left[0], left[1])
        if aside > 0.012 and tool[2] < place[2] + 0.04 and tool[2] < self.high_m - 0.012:
            joints = _nearest(tool[0], tool[1], self.high_m, yaw_rad=yaw_rad)
        elif aside > 0.005:
            joints = _nearest(x, y, max(self.high_m, place[2] + 0.035), yaw_rad=yaw_rad)
        else:
            # An object that is seen late seems to hang back: not down into the table after it.
            z_m = place[2] + max(gap[2], 0.0) + self.above_m
            joints = _nearest(x, y, z_m, yaw_rad=yaw_rad)
        return _with(joints, self.shut_rad)

    def _up(self, joints: Array, tool: Array, gripper: float) -> Array:
        opening = float(joints[0] + joints[4])
        try:
            return _with(_nearest(tool[0], tool[1], self.high_m, yaw_rad=opening), gripper)
        except NoPathError:
            # An arm without a plan would stay where it is, and press on what it has run into.
            return _with(HOME[:5], gripper)

    def window(
        self, position: Array, velocity: Array, thing: Array, yaw_rad: float, place: Array
    ) -> Array:
        """(3, H, 6) positions, velocities and accelerations of the script run ahead.

        Raises:
            NoPathError: The object or its place is out of reach.
        """
        rows = np.zeros((3, HORIZON, len(JOINTS)))
        q, v, thing = position.copy(), velocity.copy(), thing.copy()
        for i in range(HORIZON):
            wanted = self.pose(q, thing, yaw_rad, place)
            a = self._acceleration(q, v, wanted)
            rows[:, i] = q, v, a
            before = tool_of(q)
            held = q[5] < 0.0 and float(np.linalg.norm(before - thing)) < 0.03
            q = q + v * DT_S + 0.5 * a * DT_S**2
            v = v + a * DT_S
            if held:
                thing += tool_of(q) - before
        return rows

    def _acceleration(self, q: Array, v: Array, wanted: Array) -> Array:
        """All joints in step, so that the tool goes straight."""
        left = wanted - q
        most = float(np.abs(left).max())
        speed = left * min(self.approach_hz, self.speed_rad_s / max(most, 1e-9))
        # The last of the way in samples: no faster than the next sample can stop.
        acceleration = (speed - v) * (0.6 / DT_S)
        return acceleration * min(
            1.0, self.acceleration_rad_s2 / max(float(np.abs(acceleration).max()), 1e-9)
        )


class ScriptedPlacing:
    """Plans by a script.

    Args:
        robot: The arm.
        script: How the object is handled.

    Raises:
        InvalidObservationError: The robot has other joints.
    """

    def __init__(self, robot: Robot, script: ManipulationScript | None = None) -> None:
        if robot.names != JOINTS:
            raise InvalidObservationError(
                f"planner scripted_placing cannot move robot {robot.name}", got=robot.names,
                expected=JOINTS,
            )  # fmt: skip
        self.script = script or ManipulationScript()
        self._lower, self._upper = robot.lower, robot.upper
        self._spec = GeneratorSpec(
            "scripted_placing", robot.name, robot.names, HORIZON, DT_S, 1, {OBJECTS: OBJECT}, GOAL
        )

    @property
    def spec(self) -> GeneratorSpec:
        """What it takes and gives."""
        return self._spec

    def warm_up(self) -> None:
        """Nothing to prepare."""

    def plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        """One candidate; see `TrajectoryGenerator.plan`.

        Raises:
            InvalidObservationError: Numbers are missing, or not finite.
            NoPathError: The object or its place is out of reach.
        """
        thing = observation.sensors.get(OBJECTS, np.empty(0))
        for name, values, expected in (
            ("position", observation.position, JOINTS), ("velocity", observation.velocity, JOINTS),
            ("goal", observation.goal, GOAL), (OBJECTS, thing, OBJECT),
        ):  # fmt: skip
            if values.shape != (len(expected),) or not np.isfinite(values).all():
                raise InvalidObservationError(
                    f"observation {name}", got=values, expected=f"finite numbers for {expected}"
                )
        position = np.clip(observation.position, self._lower, self._upper)
        window = self.script.window(
            position, observation.velocity, thing[:3].copy(), float(thing[3]), observation.goal
        )
        return PlanBatch(
            observation.stamp_ns, DT_S, window[0][None], window[1][None], window[2][None],
            np.zeros(1), np.ones(1, dtype=np.bool_),
        )  # fmt: skip

    def reset(self) -> None:
        """Nothing to forget."""


def _with(joints: Array, gripper: float) -> Array:
    return np.append(joints, gripper)


def _nearest(x_m: float, y_m: float, z_m: float, yaw_rad: float, open_m: float = 0.0) -> Array:
    """(5,) joints that put the tool to a point, or as near as the arm reaches.

    Raises:
        NoPathError: That is not near.
    """
    for pitch, share in _SECOND_BEST:
        x, y = PAN_X_M + (x_m - PAN_X_M) * share, y_m * share
        try:
            return reach(x, y, z_m, pitch_rad=pitch, yaw_rad=yaw_rad, open_m=open_m)
        except NoPathError as error:
            refusal = error
    raise refusal
