"""Errors of the SO-100's bridge: codes 620 to 629."""

from __future__ import annotations

from planner_core.errors import RobotError


class CalibrationError(RobotError):
    """An arm whose encoders mean nothing: not calibrated, or otherwise than its file says."""

    code = 620
