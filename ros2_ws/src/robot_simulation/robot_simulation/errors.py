"""Errors of the simulated robots: codes 700 to 799."""

from __future__ import annotations

from planner_core.errors import DriftpilotError


class SimulationError(DriftpilotError):
    """A simulation that cannot be set up as asked."""

    code = 700


class PortInUseError(SimulationError):
    """A UDP port that another process holds."""

    code = 701


class FaultError(SimulationError):
    """A fault that does not exist or whose numbers are out of range."""

    code = 702
