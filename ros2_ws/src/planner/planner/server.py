"""The planner server: replans in a receding horizon, in a thread of its own.

The executor's thread takes in states, scans and goals and answers services; the planning thread
takes a snapshot of them, plans, and publishes; a loading thread makes another planner while the
present one goes on. A generator that hangs or fails stops plans, never the node.
"""

from __future__ import annotations

import importlib
import math
import threading
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Path as PathMsg
from planner_core.errors import (
    BundleMismatchError,
    ConfigurationError,
    DriftpilotError,
    EarlierGoalError,
    GoalError,
    InvalidParameterError,
    PlannerExceptionError,
    StaleObservationError,
)
from planner_core.hot_swap import HotSwap
from planner_core.monitor import PlannerMonitor, PlannerState
from planner_core.navigation_task import check_goal
from planner_core.observing import ObservationBuffer
from planner_core.plan import TrajectoryGenerator
from planner_core.planners import load_planner
from planner_core.planning_thread import PlanningThread, Stopped
from planner_core.replanning import Cycle, Replanner
from planner_core.robots import load_robot
from planner_core.tasks import Request, load_task
from planner_interfaces.msg import Command, Goal, PlanCandidates, PlannerStatus, RobotState
from planner_interfaces.msg import Plan as PlanMsg
from planner_ros.clock import RosClock, nanoseconds, steady_timer
from planner_ros.conversions import (
    candidates_msg,
    path_msg,
    plan_from_msg,
    plan_msg,
    planner_status_msg,
    state_from_msg,
)
from planner_ros.lifecycle import ManagedNode
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATCHED, LATEST, ORDERED
from visualization_msgs.msg import MarkerArray

from planner.markers import candidate_markers
from planner.planner_diagnostics import diagnostics
from planner.planner_parameters import LOADED, PlannerParameters
from planner.sensor_inputs import SensorInputs

ANSWER_S: Final = 0.05
"""How long a change of planner may take to be refused; one that takes longer is answered yes, and
set back if it fails."""
HUNG_S: Final = 1.0
"""A call that takes longer does not delay its planner's exchange any further."""
SENSOR_WAIT_S: Final = 1.0
"""Longest wait of a new planner for sensors that the old one did not need."""
STATE_WAIT_S: Final = 0.04
"""Longest wait for a fresh state; planning goes on from the last one, if that is young enough."""
IDLE_S: Final = 0.1
"""How often a server without work looks for some; a goal wakes it at once."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A warmed-up planner, exchanged as a whole.

    Attributes:
        generator: Makes the plans.
        bundle: Identity of its model bundle, empty for a classical planner.
        label: What it is, for people.
    """

    generator: TrajectoryGenerator
    bundle: str
    label: str


class PlannerServer(ManagedNode):
    """Loads a planner and publishes plans while there is a goal."""

    def __init__(self) -> None:
        super().__init__("planner_server")
        self._time = RosClock(self)
        self._settings = NodeParameters(self, PlannerParameters, self._check_change)
        values = self._settings.values
        self._robot = load_robot(values.robot)
        self._buffer = ObservationBuffer(self._time, values.max_observation_age_s)
        self._monitor = PlannerMonitor()
        self._sensors = SensorInputs(self, self._robot, self._buffer, self._refuse)
        self._planning = PlanningThread(self._time, self._step)
        self._swaps: HotSwap[Engine] = HotSwap()
        self._engine_lock = threading.Lock()
        self._engine: Engine | None = None
        self._replanner: Replanner | None = None
        self._change: dict[str, tuple[Any, Any]] = {}
        self._epoch = 0
        self._early_goal: Goal | None = None
        self._reported_change = ""
        self._candidates_ns = 0

        self._plan = self.create_publisher(PlanMsg, "plan", ORDERED)
        self._path = self.create_publisher(PathMsg, "plan/path", ORDERED)
        self._candidates = self.create_publisher(PlanCandidates, "plan/candidates", ORDERED)
        self._markers = self.create_publisher(MarkerArray, "plan/markers", ORDERED)
        self._status = self.create_publisher(PlannerStatus, "planner/status", LATCHED)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", ORDERED)
        self.create_subscription(RobotState, "state", self._on_state, LATEST)
        self.create_subscription(Goal, "goal", self._on_goal, LATCHED)
        self.create_subscription(Command, "command", self._on_command, LATEST)
        # Plans of the other planner, primary or standby: the robot may be following one of those.
        self.create_subscription(PlanMsg, "plan/other", self._on_other_plan, ORDERED)
        steady_timer(self, 1.0, self._publish_status)
        steady_timer(self, 0.1, self._watch_change)
        if values.autostart:
            self.bring_up()

    # The executor's thread.

    def _on_state(self, msg: RobotState) -> None:
        if msg.status not in (RobotState.VALID, RobotState.DEGRADED):
            return
        try:
            position, velocity = state_from_msg(msg, self._robot)
        except DriftpilotError as error:
            self._refuse(error)
            return
        self._buffer.take_state(
            nanoseconds(msg.header.stamp), position, velocity, nanoseconds(msg.measured)
        )
        if self._early_goal is not None:
            self._on_goal(self._early_goal)

    def _on_goal(self, msg: Goal) -> None:
        goal: Request | None = None
        self._early_goal = None
        if msg.kind == Goal.REACH and self._buffer.position is None:
            # What it leaves open is to stay as it is, which nobody knows yet.
            self._early_goal = msg
            return
        try:
            goal = self._request(msg) if msg.kind == Goal.REACH else None
        except ConfigurationError as error:  # no such task
            self._refuse(GoalError("goal of an unknown task", got=error))
        except DriftpilotError as error:
            self._refuse(error)
        except Exception as error:  # whatever a task of somebody's own does must not end the server
            self._refuse(GoalError(f"task {msg.task!r} raised {type(error).__name__}", got=error))
        self._buffer.take_goal(goal, msg.epoch, nanoseconds(msg.header.stamp))
        self._planning.wake()

    def _request(self, msg: Goal) -> Request:
        """What the goal asks for, what it leaves open filled in."""
        task, values = load_task(msg.task), np.array(msg.values)
        names, frame_id = tuple(msg.names), msg.header.frame_id
        check_goal(self._robot, names, values, frame_id, None, 0.0, task)
        position = self._buffer.position
        assert position is not None  # a goal waits for the first state
        now = dict(zip(self._robot.names, position.tolist(), strict=True))
        asked = dict(zip(names, values.tolist(), strict=True))
        self._sensors.listen(task.sensors)
        return Request(task, task.complete(asked, now))

    def _on_command(self, msg: Command) -> None:
        sequence = msg.sequence if msg.mode == Command.TRACK else 0
        self._buffer.take_followed(sequence)
        if sequence and self._replanner is not None:
            self._replanner.delay.followed(sequence, nanoseconds(msg.header.stamp))

    def _on_other_plan(self, msg: PlanMsg) -> None:
        try:
            self._buffer.take_plan(plan_from_msg(msg))
        except DriftpilotError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=1.0)

    def _check_change(self, old: PlannerParameters, new: PlannerParameters) -> None:
        engine = self._engine
        if engine is None:
            return  # looked at when the node is configured
        changed = [f.name for f in fields(new) if getattr(old, f.name) != getattr(new, f.name)]
        new.check_chunk(engine.generator.spec.dt_s)
        report = self._monitor.report()
        if "budget" in changed and new.budget >= 0 and report.plans and math.isnan(report.cost):
            raise InvalidParameterError(
                "budget for a planner without a cost model",
                got=new.budget,
                expected="-1, for no limit",
            )
        if not set(changed) & set(LOADED):
            return
        label = f"{new.planner} ({new.model}), K = {new.num_candidates}"
        if (loading := self._swaps.loading) == "":
            self._monitor.changing(loading=label)
            self._change = {name: (getattr(old, name), getattr(new, name)) for name in changed}
        try:
            self._swaps.begin(label, lambda: self._make_engine(new, wait_s=SENSOR_WAIT_S), ANSWER_S)
        except DriftpilotError as error:
            self._monitor.changing(loading=loading, change=f"refused: {error}")
            raise
        self._planning.wake()

    def _watch_change(self) -> None:
        """Set back what failed; where nothing plans, take what is ready; say how it ended."""
        if (failure := self._swaps.failure()) is not None:
            self._settings.set_back(self._change)
            self.get_logger().error(f"change undone: {failure}")
            self._monitor.changing(change=f"undone: {failure}")
        if not self._planning.running:
            self._take_engine()
        elif self._planning.busy_s > HUNG_S and (engine := self._swaps.take()) is not None:
            self._leave_behind(engine)
        change = self._monitor.report().change
        if change != self._reported_change:
            self._reported_change = change
            self._publish_status()

    def _leave_behind(self, engine: Engine) -> None:
        """Exchange a planner whose call hangs: there may never be a moment between two cycles."""
        assert self._replanner is not None
        self.get_logger().warning("a call of the planner hangs: it is left behind")
        self._planning.halt(0.0)
        replanner = self._replanner.successor(engine.generator)
        with self._engine_lock:
            self._engine, self._replanner = engine, replanner
        self._planning = PlanningThread(self._time, self._step)
        if self.active:
            self._planning.start()
        self._note_exchange(engine)

    def _make_engine(self, values: PlannerParameters, *, wait_s: float = 0.0) -> Engine:
        """Load, warm up and wait for the sensors that it needs, in whichever thread."""
        began_ns = self._time.steady_ns()
        request = values.request(self._robot)
        generator = load_planner(values.planner, request)
        spec = generator.spec
        got, expected = (spec.robot, spec.dof_names), (self._robot.name, self._robot.names)
        if got != expected:
            raise BundleMismatchError(
                f"planner {spec.name}: robot and dof_names", got=got, expected=expected
            )
        values.check_chunk(spec.dt_s)
        self._sensors.listen(spec.sensors)
        generator.warm_up()
        warm_ns = self._time.steady_ns()
        generator.warm_up()
        call_s = (self._time.steady_ns() - warm_ns) * 1e-9
        if wait_s and not self._buffer.wait_for_sensors(spec, wait_s):
            self.get_logger().warning(f"planner {spec.name}: not all of its sensors are heard")
        bundle = request.model.name if request.model is not None and spec.sensors else ""
        took_s = (self._time.steady_ns() - began_ns) * 1e-9
        label = f"{values.planner} ({bundle or 'no model'}), K = {spec.candidates}"
        label += f", loaded in {took_s:.2f} s"
        chunk_s = values.chunk_length * spec.dt_s
        if chunk_s and call_s > chunk_s:
            label += (
                f"; the robot will stop and go: a call takes {call_s:.2f} s, a chunk {chunk_s} s"
            )
            self.get_logger().warning(label)
        return Engine(generator, bundle, label)

    def _publish_status(self) -> None:
        engine, report = self._engine, self._monitor.report()
        name = "" if engine is None else engine.generator.spec.name
        bundle = "" if engine is None else engine.bundle
        stamp = self.get_clock().now().to_msg()
        self._status.publish(planner_status_msg(report, stamp, name, bundle))
        self._diagnostics.publish(
            diagnostics(report, stamp, self.get_name(), planner=name, robot=self._robot.name)
        )

    # Lifecycle.

    def set_up(self) -> None:
        # It takes a quarter of a second to import: now, and not when a planner is exchanged.
        importlib.import_module("planner_core.onnx_generator")
        self._engine = self._make_engine(self._settings.values)
        values = self._settings.values
        self._replanner = Replanner(
            self._engine.generator,
            self._time,
            np.random.default_rng(values.seed),
            max_age_s=values.max_observation_age_s,
            follow_tolerance=values.follow_tolerance,
        )

    def start(self) -> None:
        # A server that comes back by itself in the middle of a flight does not go on flying.
        self._buffer.open(standing_goal=not self.starts_itself)
        self._planning.start()
        self._monitor.enter(PlannerState.IDLE)
        self._publish_status()

    def halt(self) -> None:
        if not self._planning.halt():
            self.get_logger().warning("a call of the planner hangs: it is left behind")
        self._monitor.enter(PlannerState.IDLE)

    def take_down(self) -> None:
        self._swaps.abandon()
        self._monitor.changing()
        self._monitor.enter(PlannerState.LOADING)
        self._engine = self._replanner = None

    # The planning thread.

    def _step(self, stopped: Stopped) -> float:
        self._take_engine()
        with self._engine_lock:
            engine, replanner = self._engine, self._replanner
        if stopped():
            return IDLE_S  # what was read may belong to the thread that comes after this one
        if engine is None or replanner is None or not self._buffer.has_goal:
            self._monitor.enter(PlannerState.IDLE)
            return IDLE_S
        period_s = self._settings.values.period_s(engine.generator.spec.dt_s)
        self._buffer.wait_for_state(min(period_s or IDLE_S, STATE_WAIT_S), 0.2 * period_s)
        try:
            if self._epoch != self._buffer.epoch:
                self._epoch = self._buffer.epoch
                replanner.reset()
            self._plan_once(engine, replanner, stopped)
        except EarlierGoalError as error:
            self._refuse(error, PlannerState.WAITING)
            return IDLE_S
        except StaleObservationError as error:
            self._refuse(error, PlannerState.WAITING)
        except DriftpilotError as error:
            if not stopped():
                self._refuse(error)
        except Exception as error:  # whatever a plugin does must not end the planning
            if not stopped():
                what = f"planning with {engine.label} raised {type(error).__name__}"
                self._refuse(PlannerExceptionError(what, got=error))
        return period_s

    def _plan_once(self, engine: Engine, replanner: Replanner, stopped: Stopped) -> None:
        spec, values = engine.generator.spec, self._settings.values
        snapshot = self._buffer.snapshot(spec)
        if snapshot is None:
            return
        cycle = replanner.cycle(
            snapshot,
            chunk=values.chunk_length,
            # A plan that takes longer than a period costs the next one its turn.
            deadline_s=values.period_s(spec.dt_s) or values.chunk_length * spec.dt_s or math.inf,
            budget=values.budget if values.budget >= 0 else None,
            discount=values.discount,
        )
        if stopped():
            return
        self._buffer.take_plan(cycle.plan)
        msg = plan_msg(
            cycle.plan,
            self._robot,
            planner=spec.name,
            bundle=engine.bundle,
            feasible=bool(cycle.batch.feasible[cycle.choice.index]),
            planning_s=cycle.duration_s,
        )
        self._plan.publish(msg)
        self._monitor.planned(cycle, replanner.delay, self._time.now_ns(), self._time.steady_ns())
        self._publish_display(cycle, msg)

    def _take_engine(self) -> None:
        """Between two cycles: exchange the planner, if another one is ready."""
        engine = self._swaps.take()
        if engine is None or self._replanner is None:
            return
        self._engine, self._replanner.generator = engine, engine.generator
        self._note_exchange(engine)

    def _note_exchange(self, engine: Engine) -> None:
        self._monitor.changing(change=f"in use: {engine.label}")
        self.get_logger().info(f"planner in use: {engine.label}")

    def _publish_display(self, cycle: Cycle, msg: PlanMsg) -> None:
        values, now_ns = self._settings.values, self._time.steady_ns()
        due_ns = self._candidates_ns + 1e9 / values.candidates_rate_hz
        if not values.publish_candidates or now_ns < due_ns:
            return
        self._candidates_ns = now_ns
        stamp, frame = msg.header.stamp, self._robot.frame_id
        self._candidates.publish(
            candidates_msg(cycle.batch, self._robot, stamp, cycle.plan.sequence)
        )
        if self._robot.names[:3] == ("x", "y", "z"):
            self._path.publish(path_msg(cycle.plan.plan, frame))
            self._markers.publish(candidate_markers(cycle.batch, frame))

    # Both threads.

    def _refuse(self, error: DriftpilotError, state: PlannerState = PlannerState.FAILED) -> None:
        self._monitor.refused(error, state)
        self.get_logger().warning(str(error), throttle_duration_sec=1.0)


def main() -> int:
    """Entry of the process."""
    return run(PlannerServer)
