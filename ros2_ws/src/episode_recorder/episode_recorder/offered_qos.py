"""Quality of service: what publishers offer, how bags store it, what to subscribe with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo


def stored_qos(profile: QoSProfile) -> dict[str, Any]:
    """A publisher's profile as rosbag2 metadata of version 9 has it."""
    return {
        "history": profile.history.name.lower(),
        "depth": profile.depth,
        "reliability": profile.reliability.name.lower(),
        "durability": profile.durability.name.lower(),
        "deadline": _time(profile.deadline),
        "lifespan": _time(profile.lifespan),
        "liveliness": profile.liveliness.name.lower(),
        "liveliness_lease_duration": _time(profile.liveliness_lease_duration),
        "avoid_ros_namespace_conventions": profile.avoid_ros_namespace_conventions,
    }


def subscription_qos(publishers: Sequence[TopicEndpointInfo], depth: int) -> QoSProfile:
    """The strictest profile that hears every publisher of a topic.

    Args:
        publishers: At least one.
        depth: Messages that wait while the recorder is busy.
    """
    offered = [publisher.qos_profile for publisher in publishers]
    reliable = all(qos.reliability == ReliabilityPolicy.RELIABLE for qos in offered)
    latched = all(qos.durability == DurabilityPolicy.TRANSIENT_LOCAL for qos in offered)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def hears(subscription: QoSProfile, publisher: QoSProfile) -> bool:
    """Whether a subscription receives from a publisher that came later."""
    unreliable = (
        subscription.reliability == ReliabilityPolicy.RELIABLE
        and publisher.reliability == ReliabilityPolicy.BEST_EFFORT
    )
    volatile = (
        subscription.durability == DurabilityPolicy.TRANSIENT_LOCAL
        and publisher.durability == DurabilityPolicy.VOLATILE
    )
    return not (unreliable or volatile)


def _time(duration: Duration) -> dict[str, int]:
    sec, nsec = divmod(duration.nanoseconds, 10**9)
    return {"sec": sec, "nsec": nsec}
