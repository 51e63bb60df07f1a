"""Faults that a test or an operator injects while the simulation runs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Final

from robot_simulation.crazyflie.airframe import ROTORS
from robot_simulation.errors import FaultError

RESTART: Final = "restart"
"""The one fault that is an event, not a state: the processor reboots."""


def _range(low: float, high: float) -> dict[str, tuple[float, float]]:
    return {"range": (low, high)}


@dataclass(frozen=True, slots=True)
class Faults:
    """Everything that is wrong now; zero everywhere is nothing.

    Attributes:
        packet_loss: Probability that a packet is lost, each direction.
        link_latency_s: Delay of every packet to the client.
        silence: 1 while the radio is dead: nothing gets through in either direction.
        pose_loss: 1 while the motion capture sees nothing.
        motor_failure: Number of a rotor that has stopped, 1 to 4.
        low_battery: Share of the charge that is missing at least.
    """

    packet_loss: float = field(default=0.0, metadata=_range(0, 1))
    link_latency_s: float = field(default=0.0, metadata=_range(0, 1))
    silence: float = field(default=0.0, metadata=_range(0, 1))
    pose_loss: float = field(default=0.0, metadata=_range(0, 1))
    motor_failure: float = field(default=0.0, metadata=_range(0, ROTORS))
    low_battery: float = field(default=0.0, metadata=_range(0, 1))

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
        ranges = {fault.name: fault.metadata["range"] for fault in fields(self)}
        if name not in ranges:
            raise FaultError(
                f"fault {name!r}", expected=f"one of {', '.join(sorted([*ranges, RESTART]))}"
            )
        low, high = ranges[name]
        if not low <= value <= high:
            raise FaultError(f"fault {name}", got=value, expected=f"{low} to {high}")
        return replace(self, **{name: value})
