"""A walk of the simulated robot under the exported planner, as the graph would run it.

The same generator, replanning, gate and executor as on the robot, a clock that is moved by hand,
and the body of `robot_simulation` with nothing left out: steps of a millisecond, motors at 1 kHz,
commands at the bridge's rate. The planner knows what the robot can know: joints, inertial sensor,
and the velocity that is estimated from them.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from planner_core.bundle import Bundle, load_bundle
from planner_core.clock import ManualClock, nanoseconds, seconds
from planner_core.delayed_flight import DelayedGenerator
from planner_core.errors import DriftpilotError
from planner_core.executor import PlanExecutor
from planner_core.gates import PlanGate
from planner_core.joint_diffusion import JointDiffusionGenerator
from planner_core.plan import Observation
from planner_core.replanning import Replanner, Snapshot
from planner_core.robots import go2
from planner_core.tasks import Request
from planner_core.timed_plan import TimedPlan
from planner_core.trunk_velocity import TrunkVelocity, gravity_direction, heading
from planner_core.walking_task import HEADING, MEASURED, Walk
from robot_simulation.go2.dynamics import Go2Dynamics
from robot_simulation.go2.model import STEP_S
from robot_simulation.go2.motors import MotorCommand
from trajectory_learning.problems.go2.gait import STANDING_RAD
from trajectory_learning.problems.go2.task import UPRIGHT
from trajectory_learning.problems.go2.walking import DAMPING, FALLEN_GRAVITY, STIFFNESS

Array = NDArray[np.float64]

COMMAND_S: Final = 0.005
"""Between joint commands: the bridge's 200 Hz."""
SENSE_S: Final = 0.01
"""Between samples that the bridge publishes."""
STRIDE_S: Final = 0.44
"""Over which the estimation averages."""
STAND_S: Final = 2.0
"""Standing up from lying, as the bridge does it."""


@dataclass(frozen=True)
class DemonstrationConfig:
    """One walk.

    Attributes:
        duration_s: Of walking.
        velocity_x: Asked for [m/s].
        velocity_y: Asked for [m/s].
        turn_rate: Asked for [rad/s], where no heading is held.
        hold_heading: Whether the heading of the beginning is held.
        replan_s: Between two plans.
        delay_s: What a call of the planner takes.
        estimated: Whether the planner is told the estimated velocity, or the true one.
        seed: Of the planner's noise.
    """

    duration_s: float = 60.0
    velocity_x: float = 0.5
    velocity_y: float = 0.0
    turn_rate: float = 0.0
    hold_heading: bool = True
    replan_s: float = 0.04
    delay_s: float = 0.01
    estimated: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Demonstration:
    """What came of it, a row each `SENSE_S`.

    Attributes:
        velocity: (T, 3) [m/s] of the trunk in its frame.
        estimate: (T, 3) [m/s] what the robot thought that it was.
        position: (T, 3) [m] in the world.
        tilted: (T,) whether the trunk was tilted so that it costs.
        fell: Whether the robot fell, which ends the walk.
        heading: (T,) [rad] in the world, without jumps.
        posture: (T, 19) position, quaternion and joints, for pictures.
        planned: Plans made.
        refused: Plans that broke a limit and were not followed.
    """

    velocity: Array
    estimate: Array
    position: Array
    tilted: NDArray[np.bool_]
    fell: bool
    heading: Array
    posture: Array
    planned: int
    refused: int

    def figures(self, config: DemonstrationConfig, from_s: float = 2.0) -> dict[str, float]:
        """What counts, by name; velocities after the beginning."""
        rows = slice(round(from_s / SENSE_S), None)
        asked = np.array([config.velocity_x, config.velocity_y])
        mean = self.velocity[rows, :2].mean(axis=0)
        missed = self.estimate[rows, :2] - self.velocity[rows, :2]
        stride = np.ones(round(STRIDE_S / SENSE_S)) / round(STRIDE_S / SENSE_S)
        smooth = np.stack([np.convolve(v, stride, "valid") for v in self.velocity[rows, :2].T], 1)
        return {
            "walked_s": len(self.velocity) * SENSE_S,
            "fell": float(self.fell),
            "velocity_x_m_s": float(mean[0]),
            "velocity_y_m_s": float(mean[1]),
            "mean_velocity_error_m_s": float(np.linalg.norm(mean - asked)),
            "stride_velocity_error_m_s": float(np.linalg.norm(smooth - asked, axis=1).mean()),
            "estimator_bias_x_m_s": float(missed[:, 0].mean()),
            "estimator_rms_x_m_s": float(np.sqrt((missed[:, 0] ** 2).mean())),
            "estimator_rms_y_m_s": float(np.sqrt((missed[:, 1] ** 2).mean())),
            "heading_mean_deg": float(np.degrees(self.heading[rows].mean())),
            "heading_end_deg": float(np.degrees(self.heading[-1])),
            "tilted_share": float(self.tilted.mean()),
            "plans": self.planned,
            "plans_refused": self.refused,
        }


class _Robot:
    """Body, motors, and what is written down."""

    def __init__(self) -> None:
        self.dynamics = Go2Dynamics()
        self.command = MotorCommand.held(STANDING_RAD, STIFFNESS, DAMPING)
        start, steps = self.dynamics.q.copy(), round(STAND_S / STEP_S)
        for i in range(2 * steps):
            share = min(1.0, i / steps)
            self.command.q = start + (STANDING_RAD - start) * share * share * (3 - 2 * share)
            self.step()

    def step(self) -> None:
        self.dynamics.step(self.command.torque(self.dynamics.q, self.dynamics.dq))

    def sensed(self) -> tuple[Array, Array, Array, Array]:
        """Angular velocity, direction of gravity, joint positions and velocities."""
        body = self.dynamics.body()
        gravity = gravity_direction(body.quaternion)
        return body.rates, gravity, self.dynamics.q.copy(), self.dynamics.dq.copy()


def _over_a_stride(motion: Iterable[Array]) -> dict[str, float]:
    """What the task is told of how the robot moves."""
    return dict(zip(MEASURED.values(), np.mean(list(motion), axis=0).tolist(), strict=True))


def demonstrate(bundle: Bundle | Path, config: DemonstrationConfig) -> Demonstration:
    """Stand up, walk, write down.

    Args:
        bundle: Of the planner, with its velocity estimator.
        config: Which walk.
    """
    bundle = load_bundle(bundle) if isinstance(bundle, Path) else bundle
    robot, limits = _Robot(), go2()
    generator, estimator = JointDiffusionGenerator(bundle), TrunkVelocity(bundle)
    generator.warm_up()
    # The planner's clock runs on while it plans; the robot's does not wait for it.
    clock, gate = ManualClock(), PlanGate(limits)
    delayed = DelayedGenerator(generator, clock, config.delay_s)
    executor = PlanExecutor(limits, hold_s=math.inf)
    replanner = Replanner(
        delayed, clock, np.random.default_rng(config.seed), max_age_s=0.2, follow_tolerance=0.0
    )
    task, asked = Walk(), {"velocity_x": config.velocity_x, "velocity_y": config.velocity_y}
    asked |= {HEADING: 0.0} if config.hold_heading else {"turn_rate": config.turn_rate}
    request = Request(task, task.complete(asked, {}))
    executor.engage(STANDING_RAD, 0)
    executor.begin(1, 0)
    arriving: list[tuple[int, TimedPlan]] = []
    rows: dict[str, list[Array]] = {"velocity": [], "estimate": [], "posture": [], "gravity": []}
    motion: deque[Array] = deque(maxlen=round(STRIDE_S / SENSE_S))
    due_ns, fell, planned, refused = 0, False, 0, 0
    every_ns = nanoseconds(config.replan_s)
    for tick in range(round(config.duration_s / STEP_S)):
        now_ns = tick * nanoseconds(STEP_S)
        if tick % round(SENSE_S / STEP_S) == 0:
            rates, gravity, q, dq = sensed = robot.sensed()
            estimator.take(now_ns, *sensed)
            body = robot.dynamics.body()
            true, estimate = body.velocity_in_body, estimator.estimate()
            assert estimate is not None
            motion.append(np.array([estimate[0], estimate[1], rates[2]]))
            rows["velocity"].append(true)
            rows["estimate"].append(estimate)
            rows["posture"].append(np.concatenate([body.position, body.quaternion, q]))
            rows["gravity"].append(gravity)
            if fell := bool(gravity[2] > FALLEN_GRAVITY):
                break
            # Not before the last call has returned: there is one planner.
            if now_ns >= max(due_ns, clock.now_ns()):
                told = np.concatenate([rates, gravity, estimate if config.estimated else true])
                moves = {HEADING: heading(body.quaternion)} | _over_a_stride(motion)
                goal = request.target(generator.spec.goal_names, moves)
                observation = Observation(now_ns, q, dq, goal, {"body": told})
                snapshot = Snapshot(observation, now_ns, 1, executor.current)
                clock.advance(seconds(now_ns - clock.now_ns()))
                plan = replanner.cycle(snapshot).plan
                arriving.append((clock.now_ns(), plan))
                due_ns = max(due_ns + every_ns, now_ns)
        while arriving and arriving[0][0] <= now_ns:
            _, plan = arriving.pop(0)
            planned += 1
            try:
                gate.check(
                    plan, robot=limits.name, names=limits.names, frame_id=limits.frame_id,
                    now_ns=now_ns,
                )  # fmt: skip
                executor.accept(plan, now_ns)
            except DriftpilotError:
                refused += 1  # the robot follows the plan before, as long as that lasts
        if tick % round(COMMAND_S / STEP_S) == 0:
            setpoint = executor.setpoint(now_ns)
            assert setpoint is not None
            robot.command.q, robot.command.dq = setpoint.position, setpoint.velocity
            if executor.current is not None:
                replanner.delay.followed(executor.current.sequence, now_ns)
        robot.step()
    posture = np.array(rows["posture"])
    turned = np.unwrap([heading(row[3:7]) for row in posture])
    return Demonstration(
        np.array(rows["velocity"]), np.array(rows["estimate"]), posture[:, :3],
        np.array(rows["gravity"])[:, 2] > UPRIGHT, fell, turned, posture, planned, refused,
    )  # fmt: skip
