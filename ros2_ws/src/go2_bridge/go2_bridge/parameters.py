"""Parameters of the node ``go2_bridge``."""

from __future__ import annotations

from dataclasses import dataclass

from planner_core.errors import ConfigurationError
from planner_core.parameters import parameter
from robot_bridge.bridge import BridgeParameters

from go2_bridge.control import ControlSettings
from go2_bridge.readiness import Limits


@dataclass(frozen=True, slots=True)
class Go2Parameters(BridgeParameters):
    """Which way the robot is moved, how firmly, and what motion needs."""

    robot: str = parameter("go2", "Which robot's limits hold.", read_only=True)
    command_timeout_s: float = parameter(
        0.2, "Without a command for so long, the joints yield; a walk ends in standing.",
        minimum=0.02, maximum=1.0, read_only=True,
    )  # fmt: skip
    control: str = parameter(
        "joints", "joints: each follows the planner; sport: the robot walks by cmd_vel.",
        choices=("joints", "sport"), read_only=True,
    )  # fmt: skip
    require_robot: bool = parameter(
        False, "Whether the process ends where no robot is heard in time.", read_only=True
    )
    connect_timeout_s: float = parameter(
        10.0, "How long a required robot may stay silent.", minimum=0.5, maximum=600.0,
        read_only=True,
    )  # fmt: skip
    link_timeout_s: float = parameter(
        0.2, "Without a sample from the robot for so long, the link is lost and joints yield.",
        minimum=0.01, maximum=2.0,
    )  # fmt: skip
    command_rate_hz: float = parameter(
        200.0, "How often joint commands are written; the robot damps after a pause.",
        minimum=50.0, maximum=500.0, read_only=True,
    )  # fmt: skip
    state_rate_hz: float = parameter(
        100.0, "Joint states and inertial samples published a second, of 500 received.",
        minimum=1.0, maximum=500.0, read_only=True,
    )  # fmt: skip
    kp: float = parameter(
        60.0, "Stiffness of every joint in N m/rad: low is soft and sags, high is hard.",
        minimum=0.0, maximum=200.0,
    )  # fmt: skip
    kd: float = parameter(
        5.0, "Damping of every joint in N m s/rad while it follows.", minimum=0.0, maximum=20.0
    )
    damping: float = parameter(
        5.0, "Damping of every joint in N m s/rad while it yields: how slowly the robot sinks.",
        minimum=1.0, maximum=20.0,
    )  # fmt: skip
    ramp_s: float = parameter(
        2.0, "How long standing up from the measured posture takes.", minimum=0.5, maximum=10.0
    )
    sport_mode: str = parameter(
        "normal", "Mode of the built-in locomotion that is selected where none is active.",
        read_only=True,
    )  # fmt: skip
    max_speed_m_s: float = parameter(
        0.5, "Greatest walking speed that is passed on, each axis.", minimum=0.0, maximum=3.0
    )
    max_turn_rad_s: float = parameter(
        0.8, "Greatest turning rate that is passed on.", minimum=0.0, maximum=4.0
    )
    max_tilt_rad: float = parameter(
        1.0, "A trunk tilted by more has fallen: the joints yield.", minimum=0.2, maximum=3.0
    )
    min_battery: float = parameter(
        0.2, "Charge, 0..1, below which motion is refused.", minimum=0.0, maximum=1.0
    )
    min_moving_battery: float = parameter(
        0.1, "Charge, 0..1, below which motion ends.", minimum=0.0, maximum=1.0
    )
    min_link_quality: float = parameter(
        0.8, "Share of intact samples, 0..1, below which motion is refused.",
        minimum=0.0, maximum=1.0,
    )  # fmt: skip

    @property
    def settings(self) -> ControlSettings:
        """How to move."""
        return ControlSettings(
            limits=Limits(
                link_s=self.link_timeout_s,
                link_quality=self.min_link_quality,
                charge=self.min_battery,
                moving_charge=self.min_moving_battery,
                tilt_rad=self.max_tilt_rad,
            ),
            kp=self.kp,
            kd=self.kd,
            damping=self.damping,
            ramp_s=self.ramp_s,
            mode=self.sport_mode,
            velocity_timeout_s=self.command_timeout_s,
        )

    def check(self) -> None:
        """Refuse values that contradict each other.

        Raises:
            ConfigurationError: With both values.
        """
        if self.robot != "go2":
            raise ConfigurationError("parameter robot", got=self.robot, expected="go2")
        if self.min_moving_battery > self.min_battery:
            raise ConfigurationError(
                "min_moving_battery", got=self.min_moving_battery,
                expected=f"at most min_battery = {self.min_battery}",
            )  # fmt: skip
