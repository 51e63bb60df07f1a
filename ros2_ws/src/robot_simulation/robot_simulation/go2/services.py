"""The robot's request services: what each function does, and the codes with which it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from robot_simulation.go2.dynamics import Go2Dynamics
from robot_simulation.go2.gait import Velocity
from robot_simulation.go2.sport import Posture, SportController

OK: Final = 0
UNKNOWN_FUNCTION: Final = 3203
BAD_PARAMETER: Final = 3204
REFUSED: Final = 4201
"""Not in the posture that the function needs."""
MODES: Final = ("normal", "ai")
RELEASE_S: Final = 0.3
"""How long a mode takes to let go of the joints."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function returns.

    Attributes:
        code: 0 for success.
        data: JSON, or empty.
    """

    code: int = OK
    data: str = ""


class MotionSwitcher:
    """Chooses the active mode of the locomotion.

    Attributes:
        mode: Its name; empty while none is active, which is what low-level control needs.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As after power-on."""
        self.mode = MODES[0]
        self._release_s: float | None = None

    def step(self, dt_s: float) -> None:
        """Let time pass."""
        if self._release_s is not None:
            self._release_s -= dt_s
            if self._release_s <= 0.0:
                self.mode, self._release_s = "", None

    def call(self, function: int, parameter: str) -> Answer:
        """Answer a request."""
        if function == 1001:
            return Answer(data=json.dumps({"form": "0", "name": self.mode}))
        if function == 1002:
            name = _fields(parameter).get("name")
            if name not in MODES:
                return Answer(BAD_PARAMETER)
            self.mode, self._release_s = name, None
            return Answer()
        if function == 1003:
            if self.mode:
                self._release_s = RELEASE_S
            return Answer()
        return Answer(UNKNOWN_FUNCTION)


class SportService:
    """Calls to the locomotion.

    Args:
        sport: The locomotion.
        dynamics: For where the joints are when a motion begins.
    """

    def __init__(self, sport: SportController, dynamics: Go2Dynamics) -> None:
        self._sport = sport
        self._dynamics = dynamics
        self._functions: dict[int, Callable[[str], Answer]] = {
            1001: self._damp,
            1002: self._balance_stand,
            1003: self._stop_move,
            1004: lambda _: self._assume(Posture.STAND),
            1005: lambda _: self._assume(Posture.LIE),
            1006: lambda _: self._assume(Posture.STAND, balance=True),
            1008: self._move,
            1009: lambda _: self._assume(Posture.SIT),
            1010: lambda _: self._assume(Posture.STAND, balance=True),
        }

    def call(self, function: int, parameter: str) -> Answer:
        """Answer a request."""
        if function not in self._functions:
            return Answer(UNKNOWN_FUNCTION)
        return self._functions[function](parameter)

    def _damp(self, _parameter: str) -> Answer:
        self._sport.damp()
        return Answer()

    def _assume(self, posture: Posture, *, balance: bool = False) -> Answer:
        self._sport.assume(posture, self._dynamics.q, balance=balance)
        return Answer()

    def _balance_stand(self, _parameter: str) -> Answer:
        return Answer() if self._sport.balance() else Answer(REFUSED)

    def _stop_move(self, _parameter: str) -> Answer:
        self._sport.stop_moving()
        return Answer()

    def _move(self, parameter: str) -> Answer:
        fields = _fields(parameter)
        try:
            velocity = Velocity(*(float(fields[axis]) for axis in ("x", "y", "z")))
        except (KeyError, TypeError, ValueError):
            return Answer(BAD_PARAMETER)
        return Answer() if self._sport.move(velocity) else Answer(REFUSED)


def _fields(parameter: str) -> dict[str, Any]:
    """The fields of a JSON object; none where it is not one."""
    try:
        fields = json.loads(parameter)
    except json.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}
