"""A one-cell lithium battery: voltage falls with charge and sags under load."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

CAPACITY_C: Final = 0.25 * 3600.0
"""250 mAh."""
CURRENT_PER_THRUST_A_N: Final = 7.5
"""Hovering takes about 2 A, which gives the seven minutes of flight that users see."""
IDLE_CURRENT_A: Final = 0.1
RESISTANCE_OHM: Final = 0.15
LOW_VOLTAGE_V: Final = 3.2
FULL_VOLTAGE_V: Final = 4.15

# Open-circuit voltage over the charge left.
_CHARGE: Final = (0.0, 0.05, 0.15, 0.5, 0.8, 1.0)
_VOLTAGE: Final = (2.6, 3.45, 3.65, 3.8, 3.98, 4.18)


def open_circuit_voltage(charge: float) -> float:
    """Voltage [V] without load at a fraction of charge in [0, 1]."""
    charge = max(0.0, min(1.0, charge))
    upper = min(bisect_right(_CHARGE, charge), len(_CHARGE) - 1)
    lower = upper - 1
    share = (charge - _CHARGE[lower]) / (_CHARGE[upper] - _CHARGE[lower])
    return _VOLTAGE[lower] + share * (_VOLTAGE[upper] - _VOLTAGE[lower])


@dataclass(slots=True)
class Battery:
    """Charge of the cell and its voltage under the present load.

    Attributes:
        charge: Fraction of the capacity that is left, in [0, 1].
        voltage_v: Voltage at the terminals.
    """

    charge: float = 1.0
    voltage_v: float = FULL_VOLTAGE_V

    @property
    def percent(self) -> int:
        """Charge left [%]."""
        return round(100 * self.charge)

    @property
    def low(self) -> bool:
        """Whether the voltage under load is below the firmware's low-power limit."""
        return self.voltage_v < LOW_VOLTAGE_V

    @property
    def thrust_fraction(self) -> float:
        """Share of the rated thrust that the present voltage can still drive.

        A brushed motor's speed follows the voltage, and thrust the squared speed; the rated thrust
        is held down to 3.6 V because the firmware compensates the supply.
        """
        return min(1.0, (self.voltage_v / 3.6) ** 2)

    def discharge(self, thrust_n: float, duration_s: float) -> None:
        """Draw the current that a total thrust costs for a while."""
        current = IDLE_CURRENT_A + CURRENT_PER_THRUST_A_N * thrust_n
        self.charge = max(0.0, self.charge - current * duration_s / CAPACITY_C)
        self.voltage_v = open_circuit_voltage(self.charge) - RESISTANCE_OHM * current
