"""Quality of service between rclpy and the metadata of bags."""

from rclpy.duration import Duration
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
)
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)

_NS_PER_S = 10**9
# Discovery does not tell the depth of a publisher; this is the usual default.
_DEFAULT_DEPTH = 10


def to_bag(profile: QoSProfile) -> Qos:
    """Convert the profile of a publisher to the form that bags store."""
    return Qos(
        history=QosHistory[profile.history.name],
        depth=profile.depth,
        reliability=QosReliability[profile.reliability.name],
        durability=QosDurability[profile.durability.name],
        deadline=_to_bag_time(profile.deadline),
        lifespan=_to_bag_time(profile.lifespan),
        liveliness=QosLiveliness[profile.liveliness.name],
        liveliness_lease_duration=_to_bag_time(profile.liveliness_lease_duration),
        avoid_ros_namespace_conventions=profile.avoid_ros_namespace_conventions,
    )


def for_playback(offered: list[Qos]) -> QoSProfile:
    """Return the profile to publish a recorded topic with.

    Reliable and latched as soon as one of its publishers was: a subscription that asks for less
    still matches. Deadlines and the like belong to the run that was recorded, not to its replay.

    Args:
        offered: What the recorded publishers offered; empty if the bag does not say.
    """
    reliable = not offered or any(qos.reliability == QosReliability.RELIABLE for qos in offered)
    latched = any(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in offered)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=max([_DEFAULT_DEPTH, *(qos.depth for qos in offered)]),
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        liveliness=LivelinessPolicy.AUTOMATIC,
    )


def _to_bag_time(duration: Duration) -> QosTime:
    return QosTime(*divmod(duration.nanoseconds, _NS_PER_S))
