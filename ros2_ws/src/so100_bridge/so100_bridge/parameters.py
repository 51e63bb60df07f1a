"""Parameters of the nodes ``so100_bridge`` and ``so100_leader``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from planner_core.errors import ConfigurationError
from planner_core.parameters import parameter
from planner_core.robot import Robot
from robot_bridge.bridge import BridgeParameters

from so100_bridge.arm_state import ArmSettings
from so100_bridge.calibration import Calibration, load
from so100_bridge.motion import MotionLimits
from so100_bridge.servos import Servos


@dataclass(frozen=True, slots=True)
class So100Parameters(BridgeParameters):
    """Which arm, and how it is moved."""

    robot: str = parameter("so100", "Which robot's limits hold.", read_only=True)
    command_timeout_s: float = parameter(
        0.2, "Without a command for so long, the arm slows down and holds.",
        minimum=0.02, maximum=2.0, read_only=True,
    )  # fmt: skip
    port: str = parameter(
        "/tmp/so100", "Serial port of the servos; a real one: /dev/ttyACM0.", read_only=True
    )
    calibration_file: str = parameter(
        "", "Must agree with the servos; empty: what they keep themselves is taken.", read_only=True
    )
    directions: tuple[int, ...] = parameter(
        (1, 1, 1, 1, 1, 1), "Per joint 1, or -1 where its servo sits the other way round.",
        choices=(-1, 1), read_only=True,
    )  # fmt: skip
    rate_hz: float = parameter(
        100.0, "Joint states read, and goals written, a second.",
        minimum=20.0, maximum=200.0, read_only=True,
    )  # fmt: skip
    answer_timeout_s: float = parameter(
        0.01, "Longest wait for the servos' answer.", minimum=0.002, maximum=0.1, read_only=True
    )
    retries: int = parameter(
        2, "Further attempts where an answer is missing or damaged.",
        minimum=0, maximum=10, read_only=True,
    )  # fmt: skip
    link_timeout_s: float = parameter(
        0.3, "Without an answer for so long, the link is lost; the servos hold the arm.",
        minimum=0.05, maximum=5.0,
    )  # fmt: skip
    relative_target_rad: float = parameter(
        0.3, "Goals stay so near to the measured position: bounds the force of a collision.",
        minimum=0.01, maximum=3.0,
    )  # fmt: skip
    speed_rad_s: float = parameter(
        3.0, "Goals move no faster, whatever is commanded.", minimum=0.05, maximum=6.0
    )
    braking_rad_s2: float = parameter(
        15.0, "Deceleration when commands stop.", minimum=0.5, maximum=100.0
    )
    soft_start_s: float = parameter(
        0.5, "From little torque to all of it when the arm is engaged.", minimum=0.0, maximum=5.0
    )
    soft_release_s: float = parameter(
        1.5, "From all torque to none when the arm is let go.", minimum=0.0, maximum=10.0
    )
    gripper_torque: float = parameter(
        0.3, "Share of its torque that the gripper grips with; more overheats a closed one.",
        minimum=0.05, maximum=0.7,
    )  # fmt: skip
    on_exit: str = parameter(
        "hold", "At the end of the process the arm holds by itself, or is let go softly.",
        choices=("hold", "release"),
    )  # fmt: skip

    @property
    def settings(self) -> ArmSettings:
        """How the arm is moved."""
        return ArmSettings(
            rate_hz=self.rate_hz,
            link_timeout_s=self.link_timeout_s,
            soft_start_s=self.soft_start_s,
            soft_release_s=self.soft_release_s,
            gripper_torque=self.gripper_torque,
            motion=MotionLimits(self.relative_target_rad, self.speed_rad_s, self.braking_rad_s2),
        )

    def check(self) -> None:
        """Refuse values that no arm fits.

        Raises:
            ConfigurationError: With the value.
        """
        if self.robot != "so100":
            raise ConfigurationError("parameter robot", got=self.robot, expected="so100")
        check_directions(self.directions)


@dataclass(frozen=True, slots=True)
class So100LeaderParameters:
    """Which arm is moved by hand, and how its motion is passed on."""

    robot: str = parameter(
        "so100", "Robot that the commands are for.", choices=("so100",), read_only=True
    )
    port: str = parameter(
        "/tmp/so100_leader", "Serial port of the leader's servos.", read_only=True
    )
    calibration_file: str = parameter(
        "", "Must agree with the servos; empty: what they keep themselves is taken.", read_only=True
    )
    directions: tuple[int, ...] = parameter(
        (1, 1, 1, 1, 1, 1), "Per joint 1, or -1 where its servo sits the other way round.",
        choices=(-1, 1), read_only=True,
    )  # fmt: skip
    rate_hz: float = parameter(
        60.0, "Commands a second.", minimum=20.0, maximum=200.0, read_only=True
    )
    answer_timeout_s: float = parameter(
        0.01, "Longest wait for the servos' answer.", minimum=0.002, maximum=0.1, read_only=True
    )
    retries: int = parameter(
        2, "Further attempts where an answer is missing or damaged.",
        minimum=0, maximum=10, read_only=True,
    )  # fmt: skip

    def check(self) -> None:
        """Refuse values that no arm fits; see `So100Parameters.check`."""
        check_directions(self.directions)


def check_directions(directions: Sequence[int]) -> None:
    """Refuse another number of directions than there are joints.

    Raises:
        ConfigurationError: With both.
    """
    if len(directions) != 6:
        raise ConfigurationError(
            "parameter directions", got=list(directions), expected="six numbers, each 1 or -1"
        )


def calibration_of(
    servos: Servos, robot: Robot, file: str, directions: Sequence[int]
) -> Calibration:
    """The calibration that the servos keep, once it agrees with the file.

    Raises:
        CalibrationError: It does not, or the arm was never calibrated.
        LinkLostError: A servo does not answer.
    """
    kept = Calibration(servos.calibration(), robot, directions)
    if file:
        load(Path(file).expanduser(), robot, directions).check_against(kept)
    return kept
