"""Errors of the views: codes 990 to 999."""

from __future__ import annotations

from planner_core.errors import DriftpilotError


class ReportError(DriftpilotError):
    """A flight that cannot be read or reported."""

    code = 990
