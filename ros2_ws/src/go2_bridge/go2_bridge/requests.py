"""Calls to the robot's services, which are a pair of topics each: a request out, a response in.

Nothing waits: a call is made, and whoever made it looks at it later.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from planner_core.clock import Clock, seconds
from planner_core.plain_data import read_json

TIMEOUT_S: Final = 1.0
"""A robot answers within milliseconds; after so long it will not."""
TIMED_OUT: Final = 3104
"""The code that the robot's own clients give to a call without an answer."""


class Sport(Enum):
    """Functions of the service ``sport``; the numbers are not distinct from the other service's."""

    DAMP = 1001
    BALANCE_STAND = 1002
    STOP_MOVE = 1003
    STAND_UP = 1004
    STAND_DOWN = 1005
    MOVE = 1008


class Switcher(Enum):
    """Functions of the service ``motion_switcher``."""

    CHECK_MODE = 1001
    SELECT_MODE = 1002
    RELEASE_MODE = 1003


Function = Sport | Switcher


@dataclass(slots=True)
class Call:
    """A request and, once it is there, its answer.

    Attributes:
        function: What was called.
        sent_ns: Steady time [ns].
        code: 0 for success; None while it is under way.
        data: JSON, or empty.
    """

    function: Function
    sent_ns: int
    code: int | None = None
    data: str = ""

    @property
    def done(self) -> bool:
        """Whether it has been answered, or never will be."""
        return self.code is not None

    @property
    def succeeded(self) -> bool:
        """Whether the robot did as it was asked."""
        return self.code == 0

    @property
    def mode(self) -> str:
        """The name in an answer to CHECK_MODE; empty where no mode is active."""
        try:
            fields = read_json(self.data)
        except ValueError:
            return "unreadable"
        name = fields.get("name") if isinstance(fields, dict) else None
        return name if isinstance(name, str) else "unreadable"

    def __str__(self) -> str:
        if self.code is None or self.code == TIMED_OUT:
            return f"{self.function.name} was not answered"
        if self.succeeded:
            return f"{self.function.name} was answered"
        return f"{self.function.name} was refused with code {self.code}"


Send = Callable[[int, Function, str, bool], None]
"""Publishes a request: number, function, parameter, whether an answer is wanted."""


class Requests:
    """Matches answers with calls.

    Args:
        send: Publishes a request.
        clock: Steady time is used.
    """

    def __init__(self, send: Send, clock: Clock) -> None:
        self._send = send
        self._steady = clock
        self._open: dict[int, Call] = {}
        # Another client's calls are answered on the same topic: numbers must not meet.
        self._number = clock.steady_ns()

    def call(self, function: Function, **parameter: object) -> Call:
        """Call a function and keep the call until it is answered."""
        call = Call(function, self._steady.steady_ns())
        self._number += 1
        self._open[self._number] = call
        self._send(self._number, function, _text(parameter), True)
        return call

    def tell(self, function: Function, **parameter: object) -> None:
        """Call a function without wanting an answer."""
        self._number += 1
        self._send(self._number, function, _text(parameter), False)

    def answer(self, number: int, code: int, data: str) -> None:
        """Take an answer; those to other clients are none of ours."""
        call = self._open.pop(number, None)
        if call is not None:
            call.code, call.data = code, data

    def expire(self) -> None:
        """Give up calls that have waited too long."""
        now = self._steady.steady_ns()
        for number, call in list(self._open.items()):
            if seconds(now - call.sent_ns) > TIMEOUT_S:
                del self._open[number]
                call.code = TIMED_OUT


def _text(parameter: Mapping[str, object]) -> str:
    return json.dumps(parameter) if parameter else ""
