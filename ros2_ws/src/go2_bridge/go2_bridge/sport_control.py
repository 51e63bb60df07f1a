"""High-level control: the built-in locomotion stands, balances and walks as fast as asked."""

from __future__ import annotations

from enum import Enum
from typing import Final

from planner_core.errors import NotReadyError
from planner_core.limiter import Setpoint
from robot_bridge.bridge import Phase

from go2_bridge.control import Control, Surroundings
from go2_bridge.requests import Call, Function, Sport, Switcher

ENGAGE_LIMIT_S: Final = 15.0
ASK_AGAIN_S: Final = 0.3
SIT_LIMIT_S: Final = 5.0
SIT_S: Final = 2.0
"""The robot confirms a posture when it begins to take it."""
MOVE_S: Final = 0.05
"""Between two velocities on the wire."""


class Activity(Enum):
    """What this side has asked of the robot."""

    IDLE = "at rest"
    STANDING_UP = "standing up"
    WALKING = "walking"
    LYING_DOWN = "lying down"


_PHASE: Final = {
    Activity.IDLE: Phase.READY,
    Activity.STANDING_UP: Phase.ENGAGING,
    Activity.WALKING: Phase.ACTIVE,
    Activity.LYING_DOWN: Phase.RESTING,
}


class SportControl(Control):
    """Calls the built-in locomotion.

    Args:
        surroundings: What it works with.

    Attributes:
        activity: What this side has asked of the robot.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self.activity = Activity.IDLE
        self._since_ns = self._velocity_ns = self._sent_ns = 0
        self._call: Call | None = None
        self._velocity = (0.0, 0.0, 0.0)
        self._walks = False

    @property
    def phase(self) -> Phase:
        return _PHASE[self.activity]

    @property
    def moving(self) -> bool:
        return self.activity in (Activity.STANDING_UP, Activity.WALKING)

    def walk(self, x: float, y: float, yaw: float) -> bool:
        """Take a velocity [m/s, m/s, rad/s] in the robot's heading; False if it does not walk."""
        if self.activity is not Activity.WALKING:
            return False
        self._velocity, self._velocity_ns, self._walks = (x, y, yaw), self.steady.steady_ns(), True
        return True

    def follow(self, setpoint: Setpoint) -> None:
        raise NotReadyError(
            "joint command refused", got="control: sport", expected="control: joints",
            remedy="Walk by cmd_vel, or start the bridge with control:=joints.",
        )  # fmt: skip

    def enter(self) -> None:
        self._become(Activity.STANDING_UP)
        self._ask(Switcher.CHECK_MODE)

    def advance(self) -> None:
        if self.activity is Activity.STANDING_UP:
            self._stand_up()

    def settle(self) -> None:
        if self.activity is not Activity.LYING_DOWN:
            return
        call = self._call
        assert call is not None
        elapsed_s = self.elapsed_s(self._since_ns)
        if (call.succeeded and elapsed_s > SIT_S) or elapsed_s > SIT_LIMIT_S:
            self._become(Activity.IDLE)
        elif call.done and not call.succeeded and self.elapsed_s(call.sent_ns) > ASK_AGAIN_S:
            self._ask(Sport.STAND_DOWN)

    def rest(self) -> None:
        if self.moving:
            self.requests.tell(Sport.STOP_MOVE)
            self._become(Activity.LYING_DOWN)
            self._ask(Sport.STAND_DOWN)

    def damp(self) -> None:
        # The built-in locomotion is asked to; it alone writes to the joints.
        self.release()

    def release(self) -> None:
        self._become(Activity.IDLE)

    def tick(self) -> None:
        if self.activity is not Activity.WALKING or not self._walks:
            return
        if self.elapsed_s(self._velocity_ns) > self.settings.velocity_timeout_s:
            self._walks = False
            self.requests.tell(Sport.STOP_MOVE)
        elif self.elapsed_s(self._sent_ns) >= MOVE_S:
            self._sent_ns = self.steady.steady_ns()
            x, y, yaw = self._velocity
            self.requests.tell(Sport.MOVE, x=x, y=y, z=yaw)

    def _stand_up(self) -> None:
        """Select a mode, stand, unlock the joints; each step when the one before is confirmed."""
        call = self._call
        assert call is not None
        if self.elapsed_s(self._since_ns) > ENGAGE_LIMIT_S:
            self.note(f"not standing within {ENGAGE_LIMIT_S:g} s: {call}", NotReadyError.code)
            self.rest()
        elif not call.done or self.elapsed_s(call.sent_ns) < ASK_AGAIN_S:
            return
        elif not call.succeeded:
            # Joints are unlocked once the robot stands; until then the call is refused.
            self._ask(call.function)
        elif call.function is Switcher.CHECK_MODE and not call.mode:
            self._call = self.requests.call(Switcher.SELECT_MODE, name=self.settings.mode)
        elif call.function in (Switcher.CHECK_MODE, Switcher.SELECT_MODE):
            self._ask(Sport.STAND_UP)
        elif call.function is Sport.STAND_UP:
            self._ask(Sport.BALANCE_STAND)
        else:
            self._become(Activity.WALKING)
            self._walks = False

    def _ask(self, function: Function) -> None:
        self._call = self.requests.call(function)

    def _become(self, activity: Activity) -> None:
        self.activity = activity
        self._since_ns = self.steady.steady_ns()
