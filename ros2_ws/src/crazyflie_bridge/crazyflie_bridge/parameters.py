"""Parameters of the node ``crazyflie_bridge``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from planner_core.errors import ConfigurationError
from planner_core.parameters import parameter
from robot_bridge.bridge import BridgeParameters

from crazyflie_bridge.flight import FlightSettings
from crazyflie_bridge.readiness import Limits
from crazyflie_bridge.setpoints import KINDS

_KALMAN: Final = 2
_CONTROLLERS: Final = {"pid": 1, "mellinger": 2}
POSES: Final = ("pose", "position", "none")


@dataclass(frozen=True, slots=True)
class CrazyflieParameters(BridgeParameters):
    """Which robot, how it flies, and what a flight needs."""

    command_timeout_s: float = parameter(
        0.2, "Without a command for so long, the robot lands; the firmware reacts after 0.5 s.",
        minimum=0.02, maximum=0.4, read_only=True,
    )  # fmt: skip
    uri: str = parameter(
        "udp://127.0.0.1:19850",
        "Address of the robot: radio://0/80/2M/E7E7E7E7E7, udp://host:port or usb://0.",
        read_only=True,
    )
    cache_folder: str = parameter(
        "", "Keeps the robot's tables of contents, seconds of work for a radio; empty: none.",
        read_only=True,
    )  # fmt: skip
    require_robot: bool = parameter(
        False, "Whether the process ends where no robot has answered in time.", read_only=True
    )
    connect_timeout_s: float = parameter(
        10.0, "How long a required robot may take to answer.", minimum=0.5, maximum=600.0,
        read_only=True,
    )  # fmt: skip
    link_timeout_s: float = parameter(
        0.5, "Without a packet from the robot for so long, the link is lost and the robot lands.",
        minimum=0.1, maximum=1.0, read_only=True,
    )  # fmt: skip
    setpoint: str = parameter(
        "full_state", "What the robot is sent: full_state follows best, others leave parts out.",
        choices=KINDS,
    )  # fmt: skip
    controller: str = parameter(
        "pid", "The firmware's controller.", choices=tuple(_CONTROLLERS), read_only=True
    )
    takeoff_height_m: float = parameter(
        0.5, "Height of the hover in which commands are awaited, above the place of take-off.",
        minimum=0.2, maximum=2.0,
    )  # fmt: skip
    landing_height_m: float = parameter(
        0.0, "Height of the ground above the origin; the motors stop there.",
        minimum=-10.0, maximum=10.0,
    )  # fmt: skip
    climb_speed_m_s: float = parameter(
        0.4, "Mean vertical speed of take-off and landing.", minimum=0.1, maximum=1.0
    )
    initial_x_m: float = parameter(
        0.0, "Where the robot stands when it is connected; starts the estimator.", read_only=True
    )
    initial_y_m: float = parameter(0.0, "As initial_x_m.", read_only=True)
    initial_z_m: float = parameter(0.0, "As initial_x_m.", read_only=True)
    initial_yaw_rad: float = parameter(
        0.0, "Heading in which the robot stands when it is connected.", read_only=True
    )
    external_pose: str = parameter(
        "pose", "What is passed on of mocap/pose: pose, position (no trust in attitude), none.",
        choices=POSES, read_only=True,
    )  # fmt: skip
    external_pose_rate_hz: float = parameter(
        100.0, "Poses passed on a second at most; a radio carries 50 beside setpoints.",
        minimum=1.0, maximum=250.0,
    )  # fmt: skip
    max_deviation_m: float = parameter(
        0.1, "Standard deviation of the position above which take-off is refused.",
        minimum=0.001, maximum=1.0,
    )  # fmt: skip
    max_flight_deviation_m: float = parameter(
        0.5, "Standard deviation of the position above which the robot lands.",
        minimum=0.01, maximum=10.0,
    )  # fmt: skip
    min_battery_v: float = parameter(
        3.6, "Voltage below which take-off is refused.", minimum=3.0, maximum=4.2
    )
    min_flight_battery_v: float = parameter(
        3.1, "Voltage under load below which the robot lands.", minimum=2.5, maximum=4.0
    )
    min_link_quality: float = parameter(
        0.5, "Share of packets, 0..1, below which take-off is refused.", minimum=0.0, maximum=1.0
    )

    @property
    def flight(self) -> FlightSettings:
        """How to fly."""
        return FlightSettings(
            height_m=self.takeoff_height_m,
            landing_height_m=self.landing_height_m,
            climb_m_s=self.climb_speed_m_s,
            setpoint=self.setpoint,
            limits=Limits(
                deviation_m=self.max_deviation_m,
                flight_deviation_m=self.max_flight_deviation_m,
                voltage_v=self.min_battery_v,
                flight_voltage_v=self.min_flight_battery_v,
                link_quality=self.min_link_quality,
            ),
        )

    def firmware(self, in_air: bool) -> dict[str, float]:
        """The robot's own parameters, in the order in which they are set.

        Args:
            in_air: Then the estimator is left alone: a reset would take the robot's position away.
        """
        values: dict[str, float] = {"commander.enHighLevel": 1}
        if in_air:
            return values
        return values | {
            "stabilizer.estimator": _KALMAN,
            "stabilizer.controller": _CONTROLLERS[self.controller],
            "kalman.initialX": self.initial_x_m,
            "kalman.initialY": self.initial_y_m,
            "kalman.initialZ": self.initial_z_m,
            "kalman.initialYaw": self.initial_yaw_rad,
            "kalman.resetEstimation": 1,
        }

    def check(self) -> None:
        """Refuse values that contradict each other.

        Raises:
            ConfigurationError: With both values.
        """
        if self.robot != "crazyflie":
            raise ConfigurationError("parameter robot", got=self.robot, expected="crazyflie")
        if self.max_flight_deviation_m < self.max_deviation_m:
            raise ConfigurationError(
                "max_flight_deviation_m", got=self.max_flight_deviation_m,
                expected=f"at least max_deviation_m = {self.max_deviation_m}",
            )  # fmt: skip
        if self.min_flight_battery_v > self.min_battery_v:
            raise ConfigurationError(
                "min_flight_battery_v", got=self.min_flight_battery_v,
                expected=f"at most min_battery_v = {self.min_battery_v}",
            )  # fmt: skip
