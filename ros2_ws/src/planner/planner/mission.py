"""Gives the robot one goal, or many seeded episodes and reports them, then ends.

With ``episodes`` each begins in another random world of the simulation; the figures are printed and
written as JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from planner_core.episodes import EpisodeFigures, EpisodeResult
from planner_core.errors import ConfigurationError, GoalError, WorldError
from planner_core.navigation_task import Outcome
from planner_core.parameters import parameter
from planner_core.plain_data import read_yaml
from planner_core.world import world_from_dict
from planner_interfaces.action import Navigate
from planner_interfaces.msg import BridgeStatus, Command, ExecutionStatus, Goal, Plan
from planner_interfaces.srv import ResetSimulation
from planner_ros.actions import give_goal
from planner_ros.clock import RosClock, nanoseconds
from planner_ros.parameters import NodeParameters
from planner_ros.process import Stopped, Wait, run_script
from planner_ros.qos import LATCHED, LATEST, ORDERED
from planner_ros.world import DESCRIPTION_TOPIC
from rclpy.action import ActionClient
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import Trigger


@dataclass(frozen=True, slots=True)
class MissionParameters:
    """Parameters of the mission."""

    task: str = parameter(
        "", "What the robot is asked for; empty: values of its degrees of freedom.", read_only=True
    )
    goal: str = parameter(
        "world", "`world` for the goal of the world, or numbers for `goal_names`: x,y,z.",
        read_only=True,
    )  # fmt: skip
    goal_names: tuple[str, ...] = parameter(
        ("x", "y", "z"), "What the numbers of a goal are.", read_only=True
    )
    episodes: int = parameter(
        0, "Episodes in random worlds of the simulation; 0: one goal in the present one.",
        minimum=0, read_only=True,
    )  # fmt: skip
    seed: int = parameter(
        0, "Seed of the first random world; the others count up from it.", minimum=0,
        read_only=True,
    )  # fmt: skip
    density_per_m2: float = parameter(
        0.25, "Obstacles per square metre of random worlds.", minimum=0.0, maximum=1.5,
        read_only=True,
    )  # fmt: skip
    report: str = parameter("", "JSON file for the figures; empty for none.", read_only=True)
    ready_limit_s: float = parameter(
        30.0, "A robot that is not ready within this time ends the mission.",
        minimum=1.0, maximum=600.0, read_only=True,
    )  # fmt: skip


def parse_goal(text: str, names: Sequence[str]) -> dict[str, float] | None:
    """The goal of a launch argument by name: None for ``world``.

    Raises:
        GoalError: It is neither ``world`` nor a finite number for each name.
    """
    if text == "world":
        return None
    try:
        goal = dict(zip(names, map(float, text.split(",")), strict=True))
    except ValueError:
        goal = {"": math.nan}
    if not all(map(math.isfinite, goal.values())):
        raise GoalError("goal", got=repr(text), expected=f"`world` or {','.join(names)}")
    return goal


def goal_of_world(description: str, task: str, names: Sequence[str]) -> dict[str, float]:
    """The goal that a world proposes for a task.

    Args:
        description: The world as YAML: with ``goals`` for several tasks, or that of a robot which
            moves through it.
        task: The task.
        names: What the numbers of the latter's goal are.

    Raises:
        GoalError: It proposes nothing.
        WorldError: It is no world.
    """
    try:
        world = read_yaml(description)
    except ValueError as error:
        raise WorldError("description is not YAML", got=error) from error
    if not isinstance(world, dict):
        raise WorldError("description of a world", got=repr(world)[:80], expected="a mapping")
    if "goals" not in world:
        goal = world_from_dict(world, source="description").goal
        return dict(zip(names, goal.tolist(), strict=False))
    if task not in world["goals"]:
        raise GoalError(
            "goal of the world for another task", got=repr(task), expected=sorted(world["goals"])
        )
    return dict(world["goals"][task])


class Mission(Node):
    """A client of the navigator that follows a script."""

    def __init__(self) -> None:
        super().__init__("mission", automatically_declare_parameters_from_overrides=True)
        self._time = RosClock(self)
        self._settings = NodeParameters(self, MissionParameters)
        values = self._settings.values
        self._goal = parse_goal(values.goal, values.goal_names)
        self._figures = EpisodeFigures()
        self._world: str | None = None
        self._bridge: BridgeStatus | None = None
        self._running = False
        self._plans_ns: list[int] = []
        self._commanded = 0
        self._navigate = ActionClient(self, Navigate, "navigate")
        self._rest = self.create_client(Trigger, "rest")
        self._reset = self.create_client(ResetSimulation, "simulation/reset")
        self.create_subscription(String, DESCRIPTION_TOPIC, self._on_world, LATCHED)
        self.create_subscription(BridgeStatus, "bridge/status", self._on_bridge, LATCHED)
        self.create_subscription(Plan, "plan", self._on_plan, ORDERED)
        self.create_subscription(Command, "command", self._on_command, LATEST)
        self.create_subscription(ExecutionStatus, "execution/status", self._on_status, ORDERED)

    def script(self, wait: Wait) -> int:
        """One goal after another.

        Args:
            wait: Spins until a condition holds; see `planner_ros.process.run_script`.

        Returns:
            The exit code: 0 where every episode ended as it should.
        """
        values = self._settings.values
        try:
            if values.episodes:
                for seed in range(values.seed, values.seed + values.episodes):
                    self._reset_world(seed, wait)
                    self._run(seed, wait)
                    self.get_logger().info(
                        f"episode {len(self._figures.flights)} of {values.episodes}, seed {seed}: "
                        f"{self._figures.flights[-1].outcome}"
                    )
            else:
                self._run(values.seed, wait)
        finally:
            self._write()
        return 0 if all(f.outcome == "success" for f in self._figures.flights) else 2

    def _run(self, seed: int, wait: Wait) -> None:
        limit_s = self._settings.values.ready_limit_s
        wait(self._is_ready, "a robot that is ready to move", limit_s, self._why_not_ready)
        wait(self._navigate.server_is_ready, "the navigator", limit_s)
        goal = Navigate.Goal()
        task, names = self._settings.values.task, self._settings.values.goal_names
        target = self._goal
        if target is None:
            wait(lambda: self._world is not None, "the world", limit_s)
            assert self._world is not None
            target = goal_of_world(self._world, task, names)
        goal.goal = Goal(task=task, names=list(target), values=list(target.values()))
        self._plans_ns.clear()
        self._running = True
        handle = give_goal(self._navigate, goal, wait)
        try:
            result = wait.future(handle.get_result_async(), "the end of the motion", 600.0).result
        except Stopped:
            handle.cancel_goal_async()
            raise
        finally:
            self._running = False
        outcome = _outcome_name(result.error_code)
        if outcome is None:
            raise GoalError(result.error)
        self._figures.flights.append(EpisodeResult(seed, outcome, result.elapsed_s))
        if len(self._plans_ns) > 1:
            seconds = (self._plans_ns[-1] - self._plans_ns[0]) * 1e-9
            self._figures.replan_hz.append((len(self._plans_ns) - 1) / seconds)
        self._come_to_rest(wait)

    def _come_to_rest(self, wait: Wait) -> None:
        if self._bridge is None or self._bridge.state != BridgeStatus.ACTIVE:
            return
        wait.future(self._rest.call_async(Trigger.Request()), "the robot to accept")
        moving = (BridgeStatus.ACTIVE, BridgeStatus.RESTING)
        wait(lambda: self._bridge.state not in moving, "the robot to come to rest", 15.0)

    def _reset_world(self, seed: int, wait: Wait) -> None:
        wait(self._reset.service_is_ready, "the simulation", self._settings.values.ready_limit_s)
        self._world = None
        request = ResetSimulation.Request(
            seed=seed, density_per_m2=self._settings.values.density_per_m2
        )
        response = wait.future(self._reset.call_async(request), "the simulation to reset")
        if not response.success:
            raise ConfigurationError(response.message)
        wait(lambda: self._world is not None, "the new world", 10.0)
        # The robot must have noticed that it was put somewhere else.
        self._bridge = None

    def _is_ready(self) -> bool:
        ready = (BridgeStatus.READY, BridgeStatus.ACTIVE)
        return self._bridge is not None and self._bridge.state in ready

    def _why_not_ready(self) -> str:
        if self._bridge is None:
            return "no robot bridge"
        return "; ".join(self._bridge.reasons)

    def _write(self) -> None:
        if not self._figures.flights:
            return
        self.get_logger().info(f"figures\n{self._figures.table()}")
        if path := self._settings.values.report:
            file = Path(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(self._figures.report(), indent=2) + "\n")

    def _on_world(self, msg: String) -> None:
        self._world = msg.data

    def _on_bridge(self, msg: BridgeStatus) -> None:
        self._bridge = msg

    def _on_plan(self, msg: Plan) -> None:
        if self._running:
            self._plans_ns.append(self._time.steady_ns())
            self._figures.planning_ms.append(msg.planning_ms)

    def _on_command(self, msg: Command) -> None:
        if self._running and msg.sequence not in (0, self._commanded):
            self._commanded = msg.sequence
            delay_ns = nanoseconds(msg.header.stamp) - nanoseconds(msg.measured)
            self._figures.end_to_end_ms.append(delay_ns * 1e-6)

    def _on_status(self, msg: ExecutionStatus) -> None:
        if self._running:
            gap_ms = max(self._figures.max_command_gap_ms, msg.max_command_gap_ms)
            self._figures.max_command_gap_ms = gap_ms


def _outcome_name(code: int) -> str | None:
    """Name of an outcome in the report; None where the goal itself was refused."""
    try:
        return Outcome(code).name.lower()
    except ValueError:
        return None


def main() -> int:
    """Entry of the process."""
    return run_script(Mission)
