"""Parameters of the episode recorder."""

from __future__ import annotations

from dataclasses import dataclass

from planner_core.parameters import parameter


@dataclass(frozen=True, slots=True)
class EpisodeRecorderParameters:
    """Parameters of the episode recorder."""

    folder: str = parameter("bags", "Folder below which each episode gets one of its own.")
    prefix: str = parameter("episode", "Beginning of the names of episodes that are numbered.")
    automatic: bool = parameter(
        True, "Whether each goal of the navigation action is recorded as an episode."
    )
    topics: tuple[str, ...] = parameter(
        (
            "state", "scan", "goal", "plan", "plan/standby", "plan/candidates", "command",
            "planner/status", "execution/status", "bridge/status", "odometry", "robot/odometry",
            "imu", "mocap/pose", "world/description", "world/markers", "navigate/_action/status",
            "/tf", "/tf_static", "/clock", "/diagnostics", "/parameter_events",
        ),
        "What is recorded, where it is published.", read_only=True,
    )  # fmt: skip
    required_topics: tuple[str, ...] = parameter(
        ("state", "bridge/status"),
        "An episode does not begin while one of these is silent; one empty name: none is needed.",
    )
    silent_s: float = parameter(
        1.0, "A required topic that was not heard for so long is silent; latched ones never are.",
        minimum=0.01, maximum=60.0,
    )  # fmt: skip
    patience_s: float = parameter(
        5.0, "A goal that is accepted before the required topics are heard is recorded once they "
        "are, if that is within this time.", minimum=0.0, maximum=60.0,
    )  # fmt: skip
    compress: bool = parameter(True, "Whether bags are compressed with zstd.")
    split_mb: int = parameter(
        1000, "A new file is begun after so many megabytes before compression; 0: never.",
        minimum=0, maximum=1_000_000,
    )  # fmt: skip
    split_s: float = parameter(
        0.0, "A new file is begun after this time; 0: never.", minimum=0.0, maximum=86400.0
    )
    queue_mb: int = parameter(
        64, "Megabytes that wait for a slow disk before messages are dropped.",
        minimum=1, maximum=10_000,
    )  # fmt: skip
    reserve_mb: int = parameter(
        200, "An episode does not begin, and ends, with fewer free megabytes on the disk.",
        minimum=0, maximum=1_000_000,
    )  # fmt: skip
