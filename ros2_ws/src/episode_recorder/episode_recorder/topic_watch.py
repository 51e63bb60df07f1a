"""What was heard of each topic, for the audit before an episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from planner_core.clock import seconds

from episode_recorder.bag_metadata import Topic
from episode_recorder.errors import TopicAuditError


@dataclass(slots=True)
class WatchedTopic:
    """A topic that is subscribed to.

    Attributes:
        topic: What a bag says of it.
        heard_ns: Steady time of the last message, None before the first [ns].
        latched: Reception time [ns] and bytes of the last message of a latched topic.
        lost: Messages that the middleware says it has lost.
    """

    topic: Topic
    heard_ns: int | None = None
    latched: tuple[int, bytes] | None = None
    lost: int = 0


@dataclass(slots=True)
class TopicWatch:
    """All topics that are subscribed to, by name."""

    topics: dict[str, WatchedTopic] = field(default_factory=dict)

    def audit(self, required: Sequence[str], now_ns: int, silent_s: float) -> None:
        """Refuse to begin without a topic that an episode is worthless without.

        Args:
            required: Full names.
            now_ns: Steady time [ns].
            silent_s: A topic that is not latched must have been heard within this time [s].

        Raises:
            TopicAuditError: Names every topic that is missing or silent, and why.
        """
        faults = [
            f"{name} {fault}" for name in required if (fault := self._fault(name, now_ns, silent_s))
        ]
        if faults:
            raise TopicAuditError(
                "required topics", got="; ".join(faults), expected=f"heard within {silent_s:g} s",
                remedy="Start what publishes them, or take them from `required_topics`.",
            )  # fmt: skip

    def _fault(self, name: str, now_ns: int, silent_s: float) -> str:
        watched = self.topics.get(name)
        if watched is None:
            return "is not published"
        if watched.heard_ns is None:
            return "has been silent so far"
        age_s = seconds(now_ns - watched.heard_ns)
        if not watched.topic.is_latched and age_s > silent_s:
            return f"has been silent for {age_s:.1f} s"
        return ""
