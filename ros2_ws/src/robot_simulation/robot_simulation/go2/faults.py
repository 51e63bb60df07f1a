"""Faults that a test or an operator injects while the simulation runs."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

from robot_simulation.errors import FaultError

RESTART: Final = "restart"
"""The one fault that is an event, not a state: the robot's computer reboots."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Everything that is wrong now, each from 0 to 1; zero everywhere is nothing.

    Attributes:
        silence: 1 while nothing gets through in either direction.
        packet_loss: Probability that a sample is lost, each direction.
        bad_crc: Probability that a LowState carries a wrong CRC.
        low_battery: Share of the charge that is missing at least.
    """

    silence: float = 0.0
    packet_loss: float = 0.0
    bad_crc: float = 0.0
    low_battery: float = 0.0

    def __str__(self) -> str:
        active = [
            f"{f.name}={getattr(self, f.name):g}" for f in fields(self) if getattr(self, f.name)
        ]
        return ", ".join(active) or "none"

    def changed(self, name: str, value: float) -> Faults:
        """The same faults with one of them set, 0 to clear it.

        Raises:
            FaultError: There is no such fault, or the value is out of range.
        """
        names = [f.name for f in fields(self)]
        if name not in names:
            raise FaultError(f"fault {name!r}", expected=f"one of {', '.join([*names, RESTART])}")
        if not 0.0 <= value <= 1.0:
            raise FaultError(f"fault {name}", got=value, expected="0 to 1")
        return replace(self, **{name: value})
