"""Errors of learning: codes 930 to 939."""

from __future__ import annotations

from planner_core.errors import DriftpilotError


class CheckpointError(DriftpilotError):
    """A file that is no checkpoint of what it is read as."""

    code = 930
