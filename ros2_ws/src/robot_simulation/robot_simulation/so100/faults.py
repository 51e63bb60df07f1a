"""Faults that a test or an operator injects while the simulation runs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Final

from robot_simulation.errors import FaultError

RESTART: Final = "restart"
"""The supply fails for a moment: every servo forgets what is not in its EEPROM."""
OVERLOAD: Final = "overload"
"""The servo with this number enters its overload protection."""
EVENTS: Final = {RESTART: (0.0, 1.0), OVERLOAD: (1.0, 6.0)}


def _range(low: float, high: float) -> dict[str, tuple[float, float]]:
    return {"range": (low, high)}


@dataclass(frozen=True, slots=True)
class Faults:
    """Everything that is wrong now; zero everywhere is nothing.

    Attributes:
        status_loss: Probability that an answer of a servo is lost.
        write_loss: Probability that a synchronous write is lost.
        corruption: Probability that a bit of an answer is flipped.
        latency_s: Delay of every answer.
        silence: 1 while nothing answers, although the port is there.
        unplug: 1 while the port is gone.
        missing_servo: Number of a servo that does not answer.
        slow_servo: Number of a servo that has lost most of its speed.
        low_voltage: Share of the supply's voltage that is missing.
        overheat: Number of a servo that is too hot.
        camera_loss: 1 while the camera sees nothing.
    """

    status_loss: float = field(default=0.0, metadata=_range(0, 1))
    write_loss: float = field(default=0.0, metadata=_range(0, 1))
    corruption: float = field(default=0.0, metadata=_range(0, 1))
    latency_s: float = field(default=0.0, metadata=_range(0, 1))
    silence: float = field(default=0.0, metadata=_range(0, 1))
    unplug: float = field(default=0.0, metadata=_range(0, 1))
    missing_servo: float = field(default=0.0, metadata=_range(0, 6))
    slow_servo: float = field(default=0.0, metadata=_range(0, 6))
    low_voltage: float = field(default=0.0, metadata=_range(0, 1))
    overheat: float = field(default=0.0, metadata=_range(0, 6))
    camera_loss: float = field(default=0.0, metadata=_range(0, 1))

    def __str__(self) -> str:
        active = [
            f"{f.name}={getattr(self, f.name):g}" for f in fields(self) if getattr(self, f.name)
        ]
        return ", ".join(active) or "none"

    def changed(self, name: str, value: float) -> Faults:
        """The same faults with one of them set.

        Args:
            name: A field of this class.
            value: Its new value, 0 to clear it.

        Raises:
            FaultError: There is no such fault, or the value is out of range.
        """
        check(name, value)
        return replace(self, **{name: value})


RANGES: Final = {f.name: f.metadata["range"] for f in fields(Faults)} | EVENTS


def check(name: str, value: float) -> None:
    """Refuse a fault that does not exist, or its value.

    Raises:
        FaultError: With what there is.
    """
    if name not in RANGES:
        raise FaultError(f"fault {name!r}", expected=f"one of {', '.join(sorted(RANGES))}")
    low, high = RANGES[name]
    if not low <= value <= high:
        raise FaultError(f"fault {name}", got=value, expected=f"{low:g} to {high:g}")
