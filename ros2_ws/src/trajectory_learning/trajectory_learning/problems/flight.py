"""One flight in a world: planner in the loop, a robot that lags behind its plan, noise and delay.

The plan is executed in receding horizon, as on the robot: a planning call begins with what is known
at that time, plans from the state in which the robot will be when the call is over, and its plan
takes effect then. The robot follows through a position loop and an attitude lag, so that it is
never exactly where its plan says.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from planner_core.errors import PlanningError
from planner_core.navigation import NavigationEncoding
from planner_core.plan import Observation, Plan, TrajectoryGenerator
from planner_core.world import World

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FlightConfig:
    """The robot, its sensors and the rules of a flight.

    The loop gains and the lag give the position and attitude loops of a Crazyflie: about 1 s to
    settle in position, and a tilt that follows within a tenth of a second.

    Attributes:
        step_s: Integration step [s].
        replan_s: Time between planning calls [s].
        latency_s: Time from a planning call to the plan's first sample [s].
        follow_tolerance_m: A robot closer than this to its plan is planned for as if it were on it,
            as the planner on the robot does, so that plans join without a jump [m].
        time_limit_s: A flight that takes longer has failed [s].
        goal_radius_m: A flight arrives within this distance of the goal [m].
        robot_radius_m: A flight ends in a collision below this clearance [m].
        position_gain: Of the position loop [1/s^2].
        velocity_gain: Of the position loop [1/s].
        attitude_lag_s: Lag from commanded to actual acceleration [s].
        acceleration_limit: Of the robot [m/s^2].
        position_noise_m: Standard deviation of the position estimate [m].
        velocity_noise: Standard deviation of the velocity estimate [m/s].
        scan_noise_m: Standard deviation of a range [m].
        rays: Rays of the scan.
        max_range_m: Range of the scan [m].
    """

    step_s: float = 0.01
    replan_s: float = 0.02
    latency_s: float = 0.03
    follow_tolerance_m: float = 0.3
    time_limit_s: float = 30.0
    goal_radius_m: float = 0.25
    robot_radius_m: float = 0.07
    position_gain: float = 8.0
    velocity_gain: float = 4.5
    attitude_lag_s: float = 0.08
    acceleration_limit: float = 4.5
    position_noise_m: float = 0.003
    velocity_noise: float = 0.02
    scan_noise_m: float = 0.01
    rays: int = 48
    max_range_m: float = 4.0


class Outcome(Enum):
    """How a flight ended."""

    ARRIVED = "arrived"
    COLLISION = "collision"
    TIME_OUT = "time_out"
    NO_PLAN = "no_plan"


@dataclass
class Flight:
    """A flight and what it came to.

    Attributes:
        outcome: How it ended.
        time_s: Duration [s].
        length_m: Distance flown [m].
        clearance_m: Smallest clearance of the robot's centre [m].
        tracking_m: Mean distance between robot and plan [m].
        effort: Root-mean-square acceleration [m/s^2].
        feasible: Share of planning calls whose winner was feasible.
        call_s: (n,) duration of each planning call [s].
        track: (n, 3) [m] positions.
    """

    outcome: Outcome
    time_s: float
    length_m: float
    clearance_m: float
    tracking_m: float
    effort: float
    feasible: float
    call_s: Array
    track: Array


class _LaggingRobot:
    """A point mass behind a position loop and an attitude lag.

    Args:
        position: (3,) [m] where it stands.
        config: Gains, lag and limit.
    """

    def __init__(self, position: Array, config: FlightConfig) -> None:
        self.position, self.velocity, self.acceleration = position.copy(), np.zeros(3), np.zeros(3)
        self._config = config

    def estimate(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Noisy position and velocity, (3,) each."""
        return (
            self.position + self._config.position_noise_m * rng.standard_normal(3),
            self.velocity + self._config.velocity_noise * rng.standard_normal(3),
        )

    def follow(self, reference: tuple[Array, ...], position: Array, velocity: Array) -> None:
        """One step towards a reference, with the loop closed over an estimate."""
        config, dt = self._config, self._config.step_s
        p, v, a = reference
        command = a + config.position_gain * (p - position) + config.velocity_gain * (v - velocity)
        norm = float(np.linalg.norm(command))
        command *= min(1.0, config.acceleration_limit / max(norm, 1e-9))
        change = dt / config.attitude_lag_s * (command - self.acceleration)
        self.acceleration = self.acceleration + change
        self.position = self.position + dt * self.velocity + dt**2 / 2 * self.acceleration
        self.velocity = self.velocity + dt * self.acceleration


@dataclass
class _Log:
    """What is noted during a flight."""

    track: list[Array]
    nearest: float = float("inf")
    calls: list[float] = field(default_factory=list)
    feasible: list[bool] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    efforts: list[float] = field(default_factory=list)

    def flight(self, outcome: Outcome, time_s: float) -> Flight:
        track = np.array(self.track)
        return Flight(
            outcome=outcome,
            time_s=time_s,
            length_m=float(np.linalg.norm(np.diff(track, axis=0), axis=1).sum()),
            clearance_m=self.nearest,
            tracking_m=float(np.mean(self.errors or [0.0])),
            effort=float(np.sqrt(np.mean(self.efforts or [0.0]))),
            feasible=float(np.mean(self.feasible or [0.0])),
            call_s=np.array(self.calls),
            track=track,
        )


def fly(generator: TrajectoryGenerator, world: World, config: FlightConfig, seed: int) -> Flight:
    """Fly from the start of a world to its goal.

    Args:
        generator: Planner.
        world: Where.
        config: The robot and the rules.
        seed: Seed of noise and of the planner.
    """
    rng = np.random.default_rng([seed, 1])
    generator.reset()
    robot = _LaggingRobot(world.start[:3], config)
    log = _Log([robot.position])
    rest = np.zeros((2, 4))
    plan = Plan(0, 10.0, np.stack([world.start] * 2), rest, rest)
    pending: list[Plan] = []
    replan_steps = round(config.replan_s / config.step_s)
    steps = round(config.time_limit_s / config.step_s)
    for step in range(steps):
        now = round(step * config.step_s * 1e9)
        if step % _CHECK_STEPS == 0 and (outcome := _ended(log, world, config)):
            return log.flight(outcome, step * config.step_s)
        while pending and pending[0].start_ns <= now:
            plan = pending.pop(0)
        position, velocity = robot.estimate(rng)
        reference = tuple(x[:3] for x in plan.sample(now))
        if step % replan_steps == 0:
            scan = _scan(world, robot.position, config, rng)
            # With calls closer together than the delay the next plan is already on its way.
            newest = pending[-1] if pending else plan
            error = (position - reference[0], velocity - reference[1])
            observation = _predicted(newest, now, config, error, world, scan)
            begin = time.perf_counter()
            try:
                batch = generator.plan(observation, plan, 0, rng)
            except PlanningError:
                return log.flight(Outcome.NO_PLAN, step * config.step_s)
            log.calls.append(time.perf_counter() - begin)
            log.feasible.append(bool(batch.feasible[batch.best]))
            pending.append(batch.plan(batch.best))
        robot.follow(reference, position, velocity)
        log.track.append(robot.position)
        log.errors.append(float(np.linalg.norm(reference[0] - robot.position)))
        log.efforts.append(float(robot.acceleration @ robot.acceleration))
    return log.flight(Outcome.TIME_OUT, config.time_limit_s)


_CHECK_STEPS = 10


def _ended(log: _Log, world: World, config: FlightConfig) -> Outcome | None:
    """Whether the last steps hit something or arrived; asked in batches, because asking costs."""
    clearance = float(world.clearance(np.array(log.track[-_CHECK_STEPS - 1 :])).min())
    log.nearest = min(log.nearest, clearance)
    if clearance < config.robot_radius_m:
        return Outcome.COLLISION
    if np.linalg.norm(log.track[-1] - world.goal[:3]) < config.goal_radius_m:
        return Outcome.ARRIVED
    return None


def _scan(world: World, position: Array, config: FlightConfig, rng: np.random.Generator) -> Array:
    """(N,) [m] noisy ranges, infinite where nothing was hit."""
    angles = NavigationEncoding(config.rays, config.max_range_m).angles_rad
    scan = world.scan(position, angles, config.max_range_m)
    scan = scan + config.scan_noise_m * rng.standard_normal(config.rays)
    return np.where(scan < config.max_range_m - 0.05, np.maximum(scan, 0), np.inf)


def _predicted(
    plan: Plan,
    now_ns: int,
    config: FlightConfig,
    error: tuple[Array, Array],
    world: World,
    scan: Array,
) -> Observation:
    """State in which the robot will be when the next plan takes effect.

    Args:
        plan: Plan that it will be following until then.
        now_ns: Present time [ns].
        config: The rules.
        error: (3,) [m] and (3,) [m/s] by which the robot is off its present plan.
        world: Holds the goal.
        scan: (N,) [m].
    """
    then_ns = now_ns + round(config.latency_s * 1e9)
    p, v, _ = (x.copy() for x in plan.sample(then_ns))
    if np.abs(error[0]).max() > config.follow_tolerance_m:
        p[:3] += error[0]
        v[:3] += error[1]
    return Observation(then_ns, p, v, world.goal, {"scan": scan})
