"""Parameters of the node ``crazyflie_simulation``."""

from __future__ import annotations

from dataclasses import dataclass

from planner_core.parameters import parameter
from robot_simulation.crazyflie.airframe import Airframe
from robot_simulation.crazyflie.sensors import MotionCaptureSettings, RangeScannerSettings
from robot_simulation.crazyflie.server import DEFAULT_PORT
from robot_simulation.crazyflie.simulation import Positioning, SimulationSettings


@dataclass(frozen=True, slots=True)
class CrazyflieSimulationParameters:
    """What is simulated, how fast, and how well it can be measured."""

    world: str = parameter(
        "random", "World file that the vehicle flies in, or `random`.", read_only=True
    )
    seed: int = parameter(
        0, "Names the random world and all noise and losses.", minimum=0, read_only=True
    )
    density_per_m2: float = parameter(
        0.25, "Obstacles per square metre of a random world.",
        minimum=0.0, maximum=1.5, read_only=True,
    )  # fmt: skip
    host: str = parameter("127.0.0.1", "Address on which the radio listens.", read_only=True)
    udp_port: int = parameter(
        DEFAULT_PORT, "UDP port of the radio.", minimum=0, maximum=65535, read_only=True
    )
    speed: float = parameter(
        1.0, "Simulated seconds per second.", minimum=0.01, maximum=100.0, read_only=True
    )
    brushless: bool = parameter(
        False, "Whether the vehicle waits for an arming request before it flies.", read_only=True
    )
    positioning: str = parameter(
        Positioning.EXTERNAL.value,
        "external: the client sends poses to the vehicle; deck: the vehicle gets them by itself.",
        choices=[p.value for p in Positioning], read_only=True,
    )  # fmt: skip
    ground_truth_rate_hz: float = parameter(
        100.0, "True states published a second.", minimum=1.0, maximum=250.0, read_only=True
    )
    mocap_rate_hz: float = parameter(
        100.0, "Poses measured a second.", minimum=1.0, maximum=250.0, read_only=True
    )
    mocap_latency_s: float = parameter(
        0.008, "Delay from exposure to delivery of a pose.",
        minimum=0.0, maximum=1.0, read_only=True,
    )  # fmt: skip
    mocap_position_noise_m: float = parameter(
        0.001, "Standard deviation of a measured position, each axis.", minimum=0.0, read_only=True
    )
    mocap_attitude_noise_rad: float = parameter(
        0.003, "Standard deviation of a measured attitude, each axis.", minimum=0.0, read_only=True
    )
    mocap_drop_out: float = parameter(
        0.0, "Probability that a pose is missing.", minimum=0.0, maximum=1.0, read_only=True
    )
    scan_rays: int = parameter(
        48, "Rays of the range scanner.", minimum=4, maximum=1440, read_only=True
    )
    scan_rate_hz: float = parameter(
        50.0, "Scans a second.", minimum=0.1, maximum=100.0, read_only=True
    )
    scan_range_m: float = parameter(
        6.0, "Longest distance that the scanner measures.", minimum=0.1, read_only=True
    )
    scan_noise_m: float = parameter(
        0.01, "Standard deviation of a range.", minimum=0.0, read_only=True
    )
    scan_drop_out: float = parameter(
        0.005, "Probability that a ray returns nothing.", minimum=0.0, maximum=1.0, read_only=True
    )

    @property
    def simulation(self) -> SimulationSettings:
        """The vehicle."""
        return SimulationSettings(
            airframe=Airframe(brushless=self.brushless),
            motion_capture=MotionCaptureSettings(
                rate_hz=self.mocap_rate_hz,
                latency_s=self.mocap_latency_s,
                position_noise_m=self.mocap_position_noise_m,
                attitude_noise_rad=self.mocap_attitude_noise_rad,
                drop_out=self.mocap_drop_out,
            ),
            positioning=Positioning(self.positioning),
            seed=self.seed,
        )

    @property
    def scanner(self) -> RangeScannerSettings:
        """The range scanner."""
        return RangeScannerSettings(
            rays=self.scan_rays,
            rate_hz=self.scan_rate_hz,
            max_range_m=self.scan_range_m,
            noise_m=self.scan_noise_m,
            drop_out=self.scan_drop_out,
        )
