"""Parameters of the node ``go2_simulation``."""

from __future__ import annotations

from dataclasses import dataclass

from planner_core.parameters import parameter


@dataclass(frozen=True, slots=True)
class Go2SimulationParameters:
    """Where the robot is found, and how fast its time runs."""

    network_interface: str = parameter(
        "lo", "Interface on which the robot speaks DDS; lo keeps it on this machine.",
        read_only=True,
    )  # fmt: skip
    seed: int = parameter(0, "Of all losses.", minimum=0, read_only=True)
    speed: float = parameter(
        1.0, "Simulated seconds per second.", minimum=0.1, maximum=10.0, read_only=True
    )
    ground_truth_rate_hz: float = parameter(
        50.0, "How often the true state is published.", minimum=1.0, maximum=500.0, read_only=True
    )
