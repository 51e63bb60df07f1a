"""Quality of service: its options on the command line, and what fits the publishers at hand."""

import argparse
from collections.abc import Sequence

from rclpy.duration import Duration
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSPresetProfiles,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.topic_endpoint_info import TopicEndpointInfo

from ros2cli.subcommands import non_negative_int, positive_float

_POLICIES = {
    "history": HistoryPolicy,
    "reliability": ReliabilityPolicy,
    "durability": DurabilityPolicy,
    "liveliness": LivelinessPolicy,
}


def add_qos_options(parser: argparse.ArgumentParser, role: str, default: str) -> None:
    """Declare the ``--qos-*`` options.

    Args:
        parser: The parser of the verb.
        role: "publish" or "subscribe", for the help.
        default: What applies without any option, for the help.
    """
    parser.add_argument(
        "--qos-profile",
        choices=QoSPresetProfiles.short_keys(),
        help=f"Preset to {role} with (default: {default})",
    )
    parser.add_argument("--qos-depth", type=non_negative_int, metavar="N", help="Queue size")
    for name, policy in _POLICIES.items():
        parser.add_argument(f"--qos-{name}", choices=policy.short_keys(), help=f"The {name} policy")
    parser.add_argument(
        "--qos-liveliness-lease-duration-seconds", type=positive_float, metavar="SECONDS"
    )


def qos_given(args: argparse.Namespace) -> bool:
    """Tell whether any ``--qos-*`` option was given."""
    return any(value is not None for name, value in vars(args).items() if name.startswith("qos_"))


def qos_from_options(args: argparse.Namespace, base: QoSProfile) -> QoSProfile:
    """Return the preset, or the base, with the given policies on top.

    Args:
        args: The parsed arguments of a verb with the options.
        base: Profile to start from without ``--qos-profile``.
    """
    if args.qos_profile is not None:
        base = QoSPresetProfiles.get_from_short_key(args.qos_profile)
    profile = copy_qos(base)
    if args.qos_depth is not None:
        profile.depth = args.qos_depth
    for name, policy in _POLICIES.items():
        text = getattr(args, f"qos_{name}")
        if text is not None:
            setattr(profile, name, policy.get_from_short_key(text))
    lease_s = args.qos_liveliness_lease_duration_seconds
    if lease_s is not None:
        profile.liveliness_lease_duration = Duration(seconds=lease_s)
    return profile


def copy_qos(profile: QoSProfile) -> QoSProfile:
    """Return a copy: the presets of rclpy are shared objects that can be written to."""
    return QoSProfile(
        **{
            name.removeprefix("_"): getattr(profile, name.removeprefix("_"))
            for name in QoSProfile.__slots__
        }
    )


def matching_qos(publishers: Sequence[TopicEndpointInfo], depth: int) -> QoSProfile:
    """Return the strictest subscription that still receives from all publishers.

    Reliable if all are reliable, transient local if all are transient local.

    Args:
        publishers: The publishers of a topic.
        depth: Queue size of the subscription.
    """
    offered = [publisher.qos_profile for publisher in publishers]
    reliable = bool(offered) and all(
        profile.reliability == ReliabilityPolicy.RELIABLE for profile in offered
    )
    latched = bool(offered) and all(
        profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for profile in offered
    )
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
