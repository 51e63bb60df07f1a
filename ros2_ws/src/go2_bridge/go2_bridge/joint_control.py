"""Low-level control: every joint follows the planner, and damps when there is nothing to follow.

The built-in locomotion must let go of the joints first, and nobody else may write to them: two
writers make the legs twitch. Where another one appears, this one yields, since its own commands,
damping included, would only be one half of the fight.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import numpy as np
from planner_core.errors import NotReadyError, RobotFaultError
from planner_core.limiter import Setpoint
from robot_bridge.bridge import Phase

from go2_bridge.control import Control, Surroundings
from go2_bridge.requests import Call, Function, Sport, Switcher
from go2_bridge.wire import LowCmdEncoder

STANDING_RAD: Final = np.array(
    [-0.1, 0.8, -1.5, 0.1, 0.8, -1.5, -0.1, 1.0, -1.5, 0.1, 1.0, -1.5]
)  # fmt: skip
"""(12,) [rad] The posture that walking policies begin from."""
CROUCHING_RAD: Final = np.tile([0.0, 1.3, -2.6], 4)
"""(12,) [rad] On the way there: the feet under the hips, the trunk just above the ground. A robot
that rises from wherever its legs have fallen may push itself over."""
RELEASE_LIMIT_S: Final = 15.0
"""Longest wait for the built-in locomotion to let go of the joints."""
STILL_RAD_S: Final = 0.3
STILL_S: Final = 0.3
LIE_DOWN_LIMIT_S: Final = 4.0
QUIET_S: Final = 0.2
"""Nobody may have written to the joints for so long before this side does."""
CHECK_MODE_S: Final = 1.0
"""How often a moving robot is asked whether somebody has given it a mode."""
ARRIVED_RAD: Final = 0.5
"""A joint that is farther from its target after the ramp is blocked, or has no torque."""
_PAUSE_S: Final[dict[Function, float]] = {Switcher.CHECK_MODE: 0.2, Switcher.RELEASE_MODE: 0.5}
"""Before the next call: a mode takes a moment to let go."""
_REMEMBERED: Final = 1024
"""Own commands that may still come back on the topic, more than wait for a late executor."""


class Activity(Enum):
    """What this side has asked of the robot."""

    IDLE = "at rest"
    RELEASING = "waiting for the built-in locomotion to let go"
    RAMPING = "standing up"
    FOLLOWING = "following commands"
    DAMPING = "yielding"


_PHASE: Final = {
    Activity.IDLE: Phase.READY,
    Activity.RELEASING: Phase.ENGAGING,
    Activity.RAMPING: Phase.ENGAGING,
    Activity.FOLLOWING: Phase.ACTIVE,
    Activity.DAMPING: Phase.RESTING,
}
_WRITING: Final = frozenset((Activity.RAMPING, Activity.FOLLOWING, Activity.DAMPING))


class JointControl(Control):
    """Writes joint commands.

    Args:
        surroundings: What it works with.

    Attributes:
        activity: What this side has asked of the robot.
        foreign: LowCmds seen that are not ours.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self.activity = Activity.IDLE
        self.foreign = 0
        self._encoder = LowCmdEncoder()
        self._sent: dict[bytes, None] = {}
        self._foreign_ns: int | None = None
        self._since_ns = self._still_ns = 0
        self._call: Call | None = None
        self._owns_joints = False
        self._start = self._target = STANDING_RAD
        self._velocity = np.zeros(12)

    @property
    def phase(self) -> Phase:
        return _PHASE[self.activity]

    @property
    def moving(self) -> bool:
        return self.activity in (Activity.RELEASING, Activity.RAMPING, Activity.FOLLOWING)

    def heard(self, payload: bytes) -> None:
        """Take a LowCmd from the topic, our own included."""
        # What a middleware appends or writes into the header is not part of the command.
        if payload[4:812] in self._sent:
            return
        self.foreign += 1
        self._foreign_ns = self.steady.steady_ns()
        if self.activity in _WRITING:
            self._yield_joints("somebody else writes joint commands")

    def follow(self, setpoint: Setpoint) -> None:
        if self.activity is Activity.FOLLOWING:
            self._target, self._velocity = setpoint.position, setpoint.velocity

    def enter(self) -> None:
        self._become(Activity.RELEASING)
        self._call = self.requests.call(Switcher.CHECK_MODE)

    def advance(self) -> None:
        if self.activity is Activity.RELEASING:
            self._take_joints()
            return
        if self.activity is Activity.RAMPING and self._progress >= 1.0:
            self._arrive()
        self._watch_mode()

    def settle(self) -> None:
        if self.activity is not Activity.DAMPING:
            return
        state = self.telemetry.state
        assert state is not None
        now = self.steady.steady_ns()
        if np.abs(state.dq).max() > STILL_RAD_S:
            self._still_ns = now
        if (
            self.elapsed_s(self._still_ns) > STILL_S
            or self.elapsed_s(self._since_ns) > LIE_DOWN_LIMIT_S
        ):
            self._become(Activity.IDLE)

    def rest(self) -> None:
        if self.activity in (Activity.RAMPING, Activity.FOLLOWING):
            self._become(Activity.DAMPING)
            self._still_ns = self.steady.steady_ns()
            self.tick()
        elif self.activity is Activity.RELEASING:
            self._become(Activity.IDLE)

    def damp(self) -> None:
        # Joints that were never ours are not damped by us: their writer is asked to.
        self._owns_joints = self._owns_joints or self.activity in _WRITING
        self._become(Activity.IDLE)
        self.tick()

    def release(self) -> None:
        self._owns_joints = False
        self._become(Activity.IDLE)

    def recover(self) -> None:
        super().recover()
        self.release()

    def tick(self) -> None:
        settings = self.settings
        if (self._owns_joints and self._stopped) or self.activity is Activity.DAMPING:
            self._write(self._encoder.encode_damping(settings.damping))
        elif self.activity is Activity.RAMPING:
            share = 2.0 * min(1.0, self._progress)
            begin, end = self._start, CROUCHING_RAD
            if share > 1.0:
                share, begin, end = share - 1.0, CROUCHING_RAD, STANDING_RAD
            q = begin + (end - begin) * (share * share * (3.0 - 2.0 * share))
            self._write(self._encoder.encode(q, np.zeros(12), settings.kp, settings.kd))
        elif self.activity is Activity.FOLLOWING:
            self._write(
                self._encoder.encode(self._target, self._velocity, settings.kp, settings.kd)
            )

    @property
    def _progress(self) -> float:
        """Of standing up; 1 at its end."""
        return self.elapsed_s(self._since_ns) / self.settings.ramp_s

    def _write(self, payload: bytes) -> None:
        body = payload[4:812]
        self._sent.pop(body, None)
        self._sent[body] = None
        if len(self._sent) > _REMEMBERED:
            del self._sent[next(iter(self._sent))]
        self.write(payload)

    def _take_joints(self) -> None:
        """Have the built-in locomotion lie down and let go, as often as it takes.

        Each call is answered before the next is made: a mode that is released before the robot
        lies lets it fall.
        """
        call = self._call
        assert call is not None
        if self.elapsed_s(self._since_ns) > RELEASE_LIMIT_S:
            self._give_up(f"no control of the joints within {RELEASE_LIMIT_S:g} s: {call}")
        elif not call.done or self.elapsed_s(call.sent_ns) < _PAUSE_S.get(call.function, 0.0):
            return
        elif call.function is Switcher.CHECK_MODE and call.succeeded:
            if call.mode:
                self._call = self.requests.call(Sport.STAND_DOWN)
                self._still_ns = self.steady.steady_ns()
            else:
                self._stand_up()
        elif call.function is Sport.STAND_DOWN and call.succeeded:
            if self._is_still():
                self._call = self.requests.call(Switcher.RELEASE_MODE)
        else:
            self._call = self.requests.call(Switcher.CHECK_MODE)

    def _is_still(self) -> bool:
        """Whether the joints have been at rest for a while since the last call."""
        state = self.telemetry.state
        assert state is not None
        assert self._call is not None
        if np.abs(state.dq).max() > STILL_RAD_S:
            self._still_ns = self.steady.steady_ns()
        waited_s = self.elapsed_s(self._call.sent_ns)
        return self.elapsed_s(self._still_ns) > STILL_S or waited_s > LIE_DOWN_LIMIT_S

    def _stand_up(self) -> None:
        if self._foreign_ns is not None and self.elapsed_s(self._foreign_ns) < QUIET_S:
            self._give_up("somebody else writes joint commands though no mode is active")
            return
        state = self.telemetry.state
        assert state is not None
        self._start = state.q.copy()
        self._become(Activity.RAMPING)
        self._call = None
        self.tick()

    def _arrive(self) -> None:
        """Take commands from now on, if the robot stands."""
        state = self.telemetry.state
        assert state is not None
        if (away := float(np.abs(state.q - STANDING_RAD).max())) > ARRIVED_RAD:
            self.fail(f"a joint is {away:.2f} rad from standing", RobotFaultError.code)
            return
        self._become(Activity.FOLLOWING)
        self._target, self._velocity = STANDING_RAD, np.zeros(12)

    def _watch_mode(self) -> None:
        """Yield to a mode that somebody has selected meanwhile."""
        call = self._call
        if call is not None and call.done and call.succeeded and call.mode:
            self._yield_joints(f"somebody has selected mode {call.mode!r}")
        elif call is None or (call.done and self.elapsed_s(call.sent_ns) > CHECK_MODE_S):
            self._call = self.requests.call(Switcher.CHECK_MODE)

    def _yield_joints(self, cause: str) -> None:
        self.note(f"two writers: {cause}; this one yields", RobotFaultError.code)
        self._become(Activity.IDLE)

    def _give_up(self, cause: str) -> None:
        self.note(cause, NotReadyError.code)
        self._become(Activity.IDLE)

    def _become(self, activity: Activity) -> None:
        self.activity = activity
        self._since_ns = self.steady.steady_ns()
