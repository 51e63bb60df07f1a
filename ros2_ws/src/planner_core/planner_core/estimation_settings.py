"""What can be set on an estimator; a node's parameters derive from it."""

from __future__ import annotations

from dataclasses import dataclass

from planner_core.parameters import parameter
from planner_core.stamps import AHEAD_S, OLDEST_S


@dataclass(frozen=True, slots=True)
class EstimatorSettings:
    """Noise, gates and time limits of state estimation.

    Densities are of white noise: one reading's deviation [unit] times the square root of the
    interval between readings [s].
    """

    accelerometer_noise_density: float = parameter(
        0.05, "Noise of the accelerometer [m/s^2/sqrt(Hz)]: larger trusts poses more, and trembles"
        " with them.", minimum=1e-5, maximum=10.0, read_only=True,
    )  # fmt: skip
    gyroscope_noise_density: float = parameter(
        0.003, "Noise of the gyroscope [rad/s/sqrt(Hz)]: larger trusts measured orientations more.",
        minimum=1e-6, maximum=1.0, read_only=True,
    )  # fmt: skip
    accelerometer_bias_walk: float = parameter(
        0.003, "How fast the accelerometer's bias wanders [m/s^2/sqrt(s)].",
        minimum=0.0, maximum=1.0, read_only=True,
    )  # fmt: skip
    gyroscope_bias_walk: float = parameter(
        0.0002, "How fast the gyroscope's bias wanders [rad/s/sqrt(s)].",
        minimum=0.0, maximum=1.0, read_only=True,
    )  # fmt: skip
    accelerometer_bias_deviation_m_s2: float = parameter(
        0.1, "Spread of the accelerometer's bias at start.", minimum=0.0, maximum=5.0,
        read_only=True,
    )  # fmt: skip
    gyroscope_bias_deviation_rad_s: float = parameter(
        0.01, "Spread of the gyroscope's bias at start.", minimum=0.0, maximum=1.0,
        read_only=True,
    )  # fmt: skip
    unmeasured_acceleration_m_s2: float = parameter(
        2.0, "Without an IMU: spread of the robot's acceleration.", minimum=0.1, maximum=50.0,
        read_only=True,
    )  # fmt: skip
    unmeasured_rate_rad_s: float = parameter(
        1.0, "Without an IMU: spread of the robot's turn rate.", minimum=0.01, maximum=30.0,
        read_only=True,
    )  # fmt: skip
    manoeuvre_time_s: float = parameter(
        0.5, "Without an IMU: for about how long an acceleration lasts.",
        minimum=0.05, maximum=10.0, read_only=True,
    )  # fmt: skip
    initial_speed_m_s: float = parameter(
        1.0, "Spread of the velocity at start; wider converges from a throw, and later.",
        minimum=0.01, maximum=20.0, read_only=True,
    )  # fmt: skip
    initial_yaw_rad: float = parameter(
        0.0, "Heading at start where no orientation is measured.", minimum=-3.15, maximum=3.15,
        read_only=True,
    )  # fmt: skip
    initial_yaw_deviation_rad: float = parameter(
        0.1, "How exactly the robot is set down at that heading.", minimum=0.001, maximum=1.0,
        read_only=True,
    )  # fmt: skip
    gate_probability: float = parameter(
        0.9999, "Share of good measurements that pass the gate: larger lets more outliers in.",
        minimum=0.9, maximum=0.9999999, read_only=True,
    )  # fmt: skip
    max_rejections: int = parameter(
        10, "After so many rejected positions in a row that agree with each other, they are"
        " believed and the estimate starts anew.", minimum=2, maximum=1000, read_only=True,
    )  # fmt: skip
    max_speed_m_s: float = parameter(
        3.0, "Rejected positions agree if the robot could fly from one to the next at this speed.",
        minimum=0.1, maximum=100.0, read_only=True,
    )  # fmt: skip
    imu_timeout_s: float = parameter(
        0.05, "Without a reading for so long, the robot's motion is guessed instead of integrated.",
        minimum=0.005, maximum=1.0, read_only=True,
    )  # fmt: skip
    source_timeout_s: float = parameter(
        0.15, "Without a position, or a reading of an IMU that was there, the state is DEGRADED.",
        minimum=0.01, maximum=10.0, read_only=True,
    )  # fmt: skip
    max_prediction_s: float = parameter(
        1.0, "Without a position for so long, the state is DIVERGED and the robot ends its motion.",
        minimum=0.05, maximum=30.0, read_only=True,
    )  # fmt: skip
    converged_position_m: float = parameter(
        0.05, "The state is VALID once its position deviates by less on every axis.",
        minimum=0.001, maximum=10.0, read_only=True,
    )  # fmt: skip
    converged_velocity_m_s: float = parameter(
        0.2, "The state is VALID once its velocity deviates by less on every axis.",
        minimum=0.001, maximum=10.0, read_only=True,
    )  # fmt: skip
    converged_yaw_rad: float = parameter(
        0.15, "The state is VALID once its yaw deviates by less.", minimum=0.001, maximum=3.0,
        read_only=True,
    )  # fmt: skip
    diverged_position_m: float = parameter(
        0.4, "The state is DIVERGED once its position deviates by more on any axis.",
        minimum=0.01, maximum=100.0, read_only=True,
    )  # fmt: skip
    history_s: float = parameter(
        OLDEST_S, "A measurement that arrives later than this is refused.",
        minimum=0.01, maximum=2.0, read_only=True,
    )  # fmt: skip
    future_tolerance_s: float = parameter(
        AHEAD_S, "A measurement stamped further in the future is refused: clocks disagree.",
        minimum=0.0, maximum=1.0, read_only=True,
    )  # fmt: skip
