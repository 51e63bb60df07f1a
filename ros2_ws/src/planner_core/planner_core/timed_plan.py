"""A plan with its place among plans: whose it is, how new, and until when it may be executed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from planner_core.clock import nanoseconds
from planner_core.plan import Plan


class Source(IntEnum):
    """Who made a plan."""

    PRIMARY = 0
    STANDBY = 1


@dataclass(frozen=True, slots=True, eq=False)
class TimedPlan:
    """A plan with its place in the sequence of plans.

    Attributes:
        plan: The trajectory.
        epoch: Counts goals; a plan of an earlier epoch is void.
        sequence: Counts the plans of its source.
        measured_ns: ROS time of the measurement behind it [ns].
        chunk: Periods of it that may be executed; 0 for all of them.
        source: Who made it.
    """

    plan: Plan
    epoch: int
    sequence: int
    measured_ns: int
    chunk: int = 0
    source: Source = Source.PRIMARY

    @property
    def until_ns(self) -> int:
        """ROS time until which it may be executed [ns]."""
        if not 0 < self.chunk < self.plan.horizon:
            return self.plan.end_ns
        return self.plan.start_ns + nanoseconds(self.chunk * self.plan.dt_s)
