"""Who may command the vehicle: low-level setpoints over high-level commands."""

from __future__ import annotations

from enum import IntEnum

from robot_simulation.crazyflie.high_level import HighLevelCommander
from robot_simulation.crazyflie.setpoint import MOTORS_OFF, Setpoint


class Priority(IntEnum):
    """Rank of a source of setpoints."""

    HIGH_LEVEL = 1
    LOW_LEVEL = 2


class Commander:
    """Keeps the setpoint in force and its age.

    A low-level setpoint takes the command and locks the high-level commander out; only a
    notify-stop gives it back. The last setpoint stays in force meanwhile and grows old, which is
    the supervisor's business.

    Args:
        high_level: The lower-ranking source.

    Attributes:
        priority: Rank of the source in force.
        setpoint: The setpoint in force.
    """

    def __init__(self, high_level: HighLevelCommander) -> None:
        self._high_level = high_level
        self.priority = Priority.HIGH_LEVEL
        self.setpoint: Setpoint = MOTORS_OFF
        self._received_s = 0.0

    def age_s(self, now_s: float) -> float:
        """Age of the setpoint in force; a vehicle that was told to stop waits for nothing."""
        return 0.0 if self.setpoint.motors_off else now_s - self._received_s

    def receive(self, setpoint: Setpoint, now_s: float) -> None:
        """Accept a low-level setpoint."""
        self.priority = Priority.LOW_LEVEL
        self._high_level.disable()
        self._adopt(setpoint, now_s)

    def notify_stop(self) -> None:
        """No more low-level setpoints will come: let the high-level commander take over."""
        self.priority = Priority.HIGH_LEVEL
        self._high_level.enable()

    def update(self, now_s: float) -> None:
        """Adopt the high-level commander's setpoint where it has one (100 Hz)."""
        if self.priority is Priority.HIGH_LEVEL:
            setpoint = self._high_level.setpoint(now_s)
            if setpoint is not None:
                self._adopt(setpoint, now_s)

    def _adopt(self, setpoint: Setpoint, now_s: float) -> None:
        self.setpoint = setpoint
        self._received_s = now_s
