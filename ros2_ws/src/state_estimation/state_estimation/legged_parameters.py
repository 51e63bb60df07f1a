"""Parameters of the state estimation of legged robots."""

from __future__ import annotations

from dataclasses import dataclass

from planner_core.parameters import parameter


@dataclass(frozen=True, slots=True)
class LeggedEstimationParameters:
    """Parameters of legged_estimation."""

    robot: str = parameter("go2", "Which robot is estimated.", read_only=True)
    model: str = parameter(
        "go2_velocity", "Model bundle whose graph `velocity` estimates how fast the trunk moves: a "
        "path, or a name in models/.", read_only=True,
    )  # fmt: skip
    stride_s: float = parameter(
        0.44, "Time over which velocities are averaged for whoever judges the walk.",
        minimum=0.02, maximum=10.0, read_only=True,
    )  # fmt: skip
    source_timeout_s: float = parameter(
        0.1, "Joints and inertial sensor further apart than this are no state.",
        minimum=0.005, maximum=1.0,
    )  # fmt: skip
