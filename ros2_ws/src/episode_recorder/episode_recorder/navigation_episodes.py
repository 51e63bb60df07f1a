"""Begins and ends of episodes, from the status of the navigation action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Status(Enum):
    """Status of an action's goal, with the numbers of ``action_msgs/GoalStatus``."""

    UNKNOWN = 0
    ACCEPTED = 1
    EXECUTING = 2
    CANCELING = 3
    SUCCEEDED = 4
    CANCELED = 5
    ABORTED = 6


RUNNING = {Status.ACCEPTED, Status.EXECUTING, Status.CANCELING}


@dataclass(frozen=True, slots=True)
class Begin:
    """A goal was accepted."""

    goal: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The goal of the episode came to its end."""

    goal: bytes
    status: Status


class NavigationEpisodes:
    """Makes episodes of the goals, one at a time."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._running: bytes | None = None

    def update(self, goals: Sequence[tuple[bytes, int]]) -> list[Begin | End]:
        """What a status message means.

        A goal that is at its end when it is first seen is none that could be recorded. One that has
        vanished from the list came to an end that nobody heard of.

        Args:
            goals: Identity and status of each goal, the oldest first.

        Returns:
            Ends before begins.
        """
        statuses = {goal: Status(number) for goal, number in goals}
        changes: list[Begin | End] = []
        if self._running is not None:
            status = statuses.get(self._running, Status.UNKNOWN)
            if status not in RUNNING:
                changes.append(End(self._running, status))
                self._running = None
        fresh = [g for g, status in statuses.items() if g not in self._known and status in RUNNING]
        self._known = set(statuses)
        if fresh and self._running is None:
            self._running = fresh[-1]
            changes.append(Begin(self._running))
        elif fresh:
            # The newer goal replaces the older one, whose end comes with the next message.
            self._known -= set(fresh)
        return changes
