"""Parameters of the state estimation node: those of the estimator, and those of its messages."""

from __future__ import annotations

from dataclasses import dataclass

from planner_core.estimation_settings import EstimatorSettings
from planner_core.parameters import parameter


@dataclass(frozen=True, slots=True)
class StateEstimationParameters(EstimatorSettings):
    """Parameters of state_estimation."""

    robot: str = parameter("crazyflie", "Which robot is estimated.", read_only=True)
    estimator: str = parameter(
        "error_state_filter", "Which estimator plugin fuses the measurements.", read_only=True
    )
    rate_hz: float = parameter(
        100.0, "How often the state is published.", minimum=1.0, maximum=500.0, read_only=True
    )
    base_frame: str = parameter("base_link", "Frame of the robot's body.", read_only=True)
    use_robot_odometry: bool = parameter(
        False, "Whether the robot's own estimate is fused; needed where nothing else sees the"
        " robot. Where it was made from the same poses, it says nothing new.", read_only=True,
    )  # fmt: skip
    pose_position_deviation_m: float = parameter(
        0.003, "Noise of an external position: larger follows it more slowly.",
        minimum=1e-5, maximum=10.0,
    )  # fmt: skip
    pose_orientation_deviation_rad: float = parameter(
        0.01, "Noise of an external orientation.", minimum=1e-4, maximum=3.0
    )
    pose_has_orientation: bool = parameter(
        True, "False for single markers: positions are used, orientations ignored.",
        read_only=True,
    )  # fmt: skip
    odometry_position_deviation_m: float = parameter(
        0.02, "Error of the robot's own position.", minimum=1e-5, maximum=10.0
    )
    odometry_orientation_deviation_rad: float = parameter(
        0.02, "Error of the robot's own orientation.", minimum=1e-4, maximum=3.0
    )
    odometry_velocity_deviation_m_s: float = parameter(
        0.1, "Error of the robot's own velocity.", minimum=1e-4, maximum=10.0
    )
    autostart: bool = parameter(
        True, "Configure and activate at start; false leaves it to a lifecycle manager.",
        read_only=True,
    )  # fmt: skip
