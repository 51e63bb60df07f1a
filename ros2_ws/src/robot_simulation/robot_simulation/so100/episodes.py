"""Episodes of an arm and a planner in simulated time: the servos' firmware, without their bus.

The planner gets what it gets on the robot: the state that it planned itself, as long as the arm
follows, and the objects as a camera and a filter see them, late and noisy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from planner_core.object_filter import ObjectFilter
from planner_core.plan import Observation, Plan, PlanBatch, TrajectoryGenerator
from planner_core.tasks import Progress, Request, Task, Values
from robot_simulation.so100.arm import STEP_S
from robot_simulation.so100.model import JOINTS
from robot_simulation.so100.registers import REGISTERS
from robot_simulation.so100.servo import RAD_PER_COUNT
from robot_simulation.so100.simulation import ArmSimulation, SimulationSettings, target_place

COMMAND_S: Final = 0.01
PLAN_S: Final = 0.02
DELAY_S: Final = 0.02
"""From the snapshot of a plan to its first command."""
GRIPPER_TORQUE: Final = 300
FOLLOWED_RAD: Final = 0.3
"""An arm that is further from its plan is planned for from where it is."""
GRIPPER_SHARE: Final = 0.3
"""Of a disturbance: a gripper that is told to be open drops what it holds."""
SETTLE_S: Final = 0.5
TOLERANCE_M: Final = 0.015

Vector = NDArray[np.float64]
Visit = Callable[[Observation, PlanBatch], None]


@dataclass(frozen=True, slots=True)
class EpisodeOutcome:
    """How an episode ended.

    Attributes:
        success: Whether the object came to its place and stayed.
        duration_s: Until it was there, or until the end.
        distance_m: Of the object from its place, in truth.
    """

    success: bool
    duration_s: float
    distance_m: float


class ArmEpisode:
    """One arm, its cubes, and one thing to do.

    Args:
        task: What is to be done.
        name: Of the task.
        seed: Of the places, and of all noise.
    """

    def __init__(self, task: Task, name: str, seed: int) -> None:
        self.task = task
        cubes = 2 if name == "stack" else 1
        self.simulation = ArmSimulation(SimulationSettings(cubes=cubes, seed=seed))
        self.asked: Values = {}
        if name != "stack":
            x, y = target_place(seed, cubes)
            self.asked = {"object_x": x, "object_y": y}
        self._filter = ObjectFilter()
        for servo in self.simulation.bus.servos:
            servo.write(REGISTERS["p_gain"].address, b"\x10")
        self._write("torque_limit", 5, GRIPPER_TORQUE)
        self._command(self.simulation.arm.positions)
        for index in range(len(JOINTS)):
            self._write("torque_enable", index, 1)

    def run(
        self,
        planner: TrajectoryGenerator,
        rng: np.random.Generator,
        limit_s: float = 15.0,
        visit: Visit | None = None,
        disturbance_rad: float = 0.0,
    ) -> EpisodeOutcome:
        """Plan and move until the object is in its place.

        Args:
            planner: Makes the plans.
            rng: Its noise, and that of the disturbance.
            limit_s: Longest time.
            visit: Shown every observation that is planned from, and the plans.
            disturbance_rad: Spread of an error of the followed state that comes and goes.
        """
        spec, simulation = planner.spec, self.simulation
        request = Request(self.task, self.task.complete(self.asked, {}))
        position = simulation.arm.positions
        velocity = np.zeros_like(position)
        plan: Plan | None = None
        arrived_s: float | None = None
        due_s = 0.5  # the camera needs a moment
        error = np.zeros_like(position)
        planner.reset()
        while simulation.time_s < limit_s:
            now_s, now_ns = simulation.time_s, round(simulation.time_s * 1e9)
            if now_s >= due_s:
                due_s += PLAN_S
                start_ns = now_ns + round(DELAY_S * 1e9)
                if plan is not None:
                    position, velocity, _ = plan.sample(start_ns)
                if disturbance_rad and rng.random() < 0.01:
                    error = rng.normal(0.0, disturbance_rad, len(position))
                    error[-1] *= GRIPPER_SHARE
                if np.abs(simulation.arm.positions - position).max() > FOLLOWED_RAD:
                    position, velocity = simulation.arm.positions, simulation.arm.velocities
                quantities = self._filter.values(now_ns)
                sensors = {
                    name: np.array([quantities[n] for n in names])
                    for name, names in spec.sensors.items()
                    if not isinstance(names, int)
                }
                goal = request.target(spec.goal_names, quantities)
                observation = Observation(start_ns, position + error, velocity, goal, sensors)
                error = error * 0.9
                batch = planner.plan(observation, plan, 2**62, rng)
                plan = batch.plan(batch.best)
                if visit is not None:
                    visit(observation, batch)
            if plan is not None:
                self._command(plan.sample(now_ns)[0])
            self._filter.take_joints(now_ns, simulation.arm.positions)
            for _ in range(round(COMMAND_S / STEP_S)):
                simulation.step()
                for sighting in simulation.camera.sightings(simulation.arm):
                    self._filter.take(
                        f"cube_{sighting.cube}", round(sighting.exposure_s * 1e9),
                        sighting.pose.position, sighting.pose.quaternion,
                    )  # fmt: skip
            progress = self._progress()
            if not (progress.complete and progress.distance < TOLERANCE_M):
                arrived_s = None
            elif arrived_s is None:
                arrived_s = simulation.time_s
            elif simulation.time_s - arrived_s > SETTLE_S:
                return EpisodeOutcome(True, arrived_s, progress.distance)
        return EpisodeOutcome(False, limit_s, self._progress().distance)

    def _progress(self) -> Progress:
        """In truth."""
        arm, quantities = self.simulation.arm, {"cube_0_yaw": 0.0}
        for index in range(arm.cubes):
            place = arm.cube(index).position.tolist()
            quantities |= {f"cube_{index}_{axis}": v for axis, v in zip("xyz", place, strict=True)}
        position = dict(zip(JOINTS, arm.positions.tolist(), strict=True))
        return self.task.progress(self.asked, position, quantities)

    def _command(self, joints: Vector) -> None:
        for index, (servo, q) in enumerate(zip(self.simulation.bus.servos, joints, strict=True)):
            counts = q / RAD_PER_COUNT + servo.mounting - servo.memory["homing_offset"]
            self._write("goal_position", index, max(0, round(counts)))

    def _write(self, name: str, index: int, value: int) -> None:
        register = REGISTERS[name]
        self.simulation.bus.servos[index].write(register.address, register.encoded(value))
