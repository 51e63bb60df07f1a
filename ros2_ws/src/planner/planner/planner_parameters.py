"""The parameters of the planner server, and what they ask of a planner."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ament_index_python.packages import get_package_share_directory
from planner_core.errors import InvalidParameterError
from planner_core.parameters import parameter
from planner_core.planners import PlannerRequest, SamplerSettings
from planner_core.robot import Robot
from planner_core.worlds import find_world

LOADED: Final = (
    "planner", "model", "num_candidates", "ddim_steps", "warm_start_steps", "guidance_scale",
    "temperature", "provider",
)  # fmt: skip
"""Parameters of the planner itself: a change makes and warms up another one in the background."""


@dataclass(frozen=True, slots=True)
class PlannerParameters:
    """Parameters of the planner server."""

    robot: str = parameter("crazyflie", "Which robot is planned for.", read_only=True)
    planner: str = parameter(
        "one_step",
        "Which planner plugin makes the plans. A change loads the planner in the background while "
        "the old one goes on; if that fails after the call was answered, the parameters are set "
        "back to what runs, and `planner/status` says why. So are the next seven.",
    )
    model: str = parameter(
        "crazyflie_navigation",
        "Model bundle: a path, or a name in models/, where `<model>_<planner>` comes before "
        "`<model>`; empty for none.",
    )
    num_candidates: int = parameter(
        64, "Candidates of one planning call: more find better plans and take longer.",
        minimum=1, maximum=1024,
    )  # fmt: skip
    ddim_steps: int = parameter(
        0, "Denoising steps of a sampler: more are better and slower. 0: as the bundle says.",
        minimum=0, maximum=1000,
    )  # fmt: skip
    warm_start_steps: int = parameter(
        -1, "Denoising steps from the re-noised last plan; 0 always starts from noise. "
        "-1: as the bundle says.", minimum=-1, maximum=1000,
    )  # fmt: skip
    guidance_scale: float = parameter(
        -1.0, "Weight of the goal in a sampler: 0 ignores it, 1 is as trained, more follows it "
        "more closely and varies less. -1: as the bundle says.", minimum=-1.0, maximum=100.0,
    )  # fmt: skip
    temperature: float = parameter(
        -1.0, "Variance of all noise in a sampler: 1 draws from the model, 0 draws none, so that "
        "all candidates are one plan, near the model's mean. -1: as the bundle says.",
        minimum=-1.0, maximum=1.0,
    )  # fmt: skip
    provider: str = parameter("cpu", "What runs the networks.", choices=("cpu", "cuda", "tensorrt"))
    replan_rate_hz: float = parameter(
        50.0, "How often a plan is made; 0 for as fast as the planner runs and states come.",
        minimum=0.0, maximum=200.0,
    )  # fmt: skip
    replan_every_steps: int = parameter(
        0, "Replan when so many periods of the plan have passed, instead of at a rate; 0 for the "
        "rate.", minimum=0, maximum=1000,
    )  # fmt: skip
    chunk_length: int = parameter(
        0, "Periods of a plan that may be executed: a robot whose planner dies stands still when "
        "they are over. 0 for the whole plan.", minimum=0, maximum=1000,
    )  # fmt: skip
    budget: float = parameter(
        -1.0, "Cost that the plans to one goal may have together, for planners with a cost model; "
        "-1 for no limit.", minimum=-1.0, maximum=1e9,
    )  # fmt: skip
    discount: float = parameter(
        1.0, "Weight of a cost against the same cost one plan earlier.", minimum=0.01, maximum=1.0
    )
    max_observation_age_s: float = parameter(
        0.3, "An older state or scan is not planned from.", minimum=0.02, maximum=5.0,
        read_only=True,
    )  # fmt: skip
    follow_tolerance: float = parameter(
        0.3, "A robot closer to the plan it follows, in the units of its degrees of freedom, is "
        "planned for as if it were on it, so that plans join seamlessly; 0 for joints that give "
        "way under load.", minimum=0.0, maximum=10.0, read_only=True,
    )  # fmt: skip
    world: str = parameter(
        "", "World file, or `random`: the map of planners that need one.", read_only=True
    )
    seed: int = parameter(0, "Seed of the planner's noise, and of a random world.", minimum=0,
                          read_only=True)  # fmt: skip
    publish_candidates: bool = parameter(True, "Whether candidates are published for display.")
    candidates_rate_hz: float = parameter(
        5.0, "How often candidates are published.", minimum=0.1, maximum=200.0
    )
    autostart: bool = parameter(
        True, "Configure and activate at start; false leaves it to a lifecycle manager. After a "
        "start of its own, a goal from before waits; an activation on request takes it up.",
        read_only=True,
    )  # fmt: skip

    def request(self, robot: Robot) -> PlannerRequest:
        """What a planner is made from.

        Raises:
            WorldError: The map cannot be read.
        """
        sampler = SamplerSettings(
            self.ddim_steps or None,
            None if self.warm_start_steps < 0 else self.warm_start_steps,
            None if self.guidance_scale < 0 else self.guidance_scale,
            None if self.temperature < 0 else self.temperature,
            self.provider,
        )
        world = find_world(self.world, self.seed) if self.world else None
        folder = model_folder(self.model, self.planner)
        return PlannerRequest(robot, folder, self.num_candidates, world, sampler)

    def period_s(self, dt_s: float) -> float:
        """Time between two plans of samples ``dt_s`` apart; 0 for as fast as possible [s]."""
        if self.replan_every_steps:
            return self.replan_every_steps * dt_s
        return 1.0 / self.replan_rate_hz if self.replan_rate_hz else 0.0

    def check_chunk(self, dt_s: float) -> None:
        """Refuse chunks that are over before the next plan comes.

        Raises:
            InvalidParameterError: With the two durations.
        """
        chunk_s, period_s = self.chunk_length * dt_s, self.period_s(dt_s)
        # Half a microsecond of rounding: chunks of exactly one replanning period are allowed.
        if self.chunk_length and chunk_s < period_s - 5e-7:
            raise InvalidParameterError(
                "chunk_length: the robot would stand still between plans",
                got=f"chunks of {chunk_s:.3f} s, a plan every {period_s:.3f} s",
                expected="chunks no shorter than the time between plans",
            )


def model_folder(model: str, planner: str) -> Path | None:
    """The folder of a model: a path as it is, a name in the share folder of this package.

    Args:
        model: Path or name; of two bundles ``<model>_<planner>`` and ``<model>`` the first is
            taken, so that another planner of the same task finds its own bundle.
        planner: Name of the planner.
    """
    if not model:
        return None
    path = Path(model)
    if path.is_dir() or "/" in model:
        return path
    models = Path(get_package_share_directory("planner")) / "models"
    own = models / f"{model}_{planner}"
    return own if own.is_dir() else models / model
