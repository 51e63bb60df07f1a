"""Parameters of the node ``so100_simulation``."""

from __future__ import annotations

from dataclasses import dataclass

from planner_core.parameters import parameter
from robot_simulation.so100.camera import CameraSettings
from robot_simulation.so100.model import MAX_CUBES
from robot_simulation.so100.simulation import SimulationSettings


@dataclass(frozen=True, slots=True)
class So100SimulationParameters:
    """What is simulated, how fast, and how well it can be seen."""

    seed: int = parameter(
        0, "Names the places of the cubes, all noise and losses.", minimum=0, read_only=True
    )
    cubes: int = parameter(2, "Cubes on the table.", minimum=0, maximum=MAX_CUBES, read_only=True)
    port: str = parameter(
        "/tmp/so100", "Symbolic link to the serial port, as udev makes one.", read_only=True
    )
    calibrated: bool = parameter(
        True, "Whether the servos keep a calibration, or are as from the factory.", read_only=True
    )
    speed: float = parameter(
        1.0, "Simulated seconds per second.", minimum=0.01, maximum=100.0, read_only=True
    )
    ground_truth_rate_hz: float = parameter(
        50.0, "True states published a second.", minimum=1.0, maximum=250.0, read_only=True
    )
    camera_rate_hz: float = parameter(
        30.0, "Pictures a second.", minimum=1.0, maximum=250.0, read_only=True
    )
    camera_latency_s: float = parameter(
        0.04, "Delay from exposure to delivery of a pose.", minimum=0.0, maximum=1.0, read_only=True
    )
    camera_position_noise_m: float = parameter(
        0.001, "Standard deviation of a measured position, each axis.", minimum=0.0, read_only=True
    )
    camera_attitude_noise_rad: float = parameter(
        0.01, "Standard deviation of a measured attitude, each axis.", minimum=0.0, read_only=True
    )
    camera_drop_out: float = parameter(
        0.02, "Probability that a cube is not found in a picture.",
        minimum=0.0, maximum=1.0, read_only=True,
    )  # fmt: skip

    @property
    def simulation(self) -> SimulationSettings:
        """The robot and what surrounds it."""
        return SimulationSettings(
            cubes=self.cubes,
            calibrated=self.calibrated,
            seed=self.seed,
            camera=CameraSettings(
                rate_hz=self.camera_rate_hz,
                latency_s=self.camera_latency_s,
                position_noise_m=self.camera_position_noise_m,
                attitude_noise_rad=self.camera_attitude_noise_rad,
                drop_out=self.camera_drop_out,
            ),
        )
