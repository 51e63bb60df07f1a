"""The last writer before a bridge: follows plans, in a process of its own.

It depends on no model code and on no planner: whatever becomes of those, it brakes, stands still
and ends the motion by itself.
"""

from __future__ import annotations

import gc
from collections import deque
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from planner_core.clock import NS_PER_S, seconds
from planner_core.ensembling import Ensemble
from planner_core.errors import DriftpilotError, NoStateError
from planner_core.executor import Mode, PlanExecutor, Source
from planner_core.gates import PlanGate
from planner_core.ladder import Ladder, Rung, Step
from planner_core.latency import LatencyWindow
from planner_core.monitor import LatencySummary
from planner_core.parameters import parameter
from planner_core.robots import load_robot
from planner_core.state_watch import StateWatch
from planner_core.timed_plan import TimedPlan
from planner_interfaces.msg import BridgeStatus, Command, ExecutionStatus, Goal, Plan, RobotState
from planner_ros.clock import RosClock, nanoseconds, steady_timer, time_msg
from planner_ros.conversions import (
    command_msg,
    latency_msg,
    plan_from_msg,
    state_from_msg,
)
from planner_ros.diagnostics import Health, diagnostics_msg
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATCHED, LATEST, ORDERED
from rclpy.node import Node

from plan_execution.control import PROCESS_PRIORITY, ControlThread, raise_priority

AT_REST = 1e-3
"""Speed, in any unit, under which a braking robot counts as standing."""
REPORT_S = 0.1
"""Time between two reports of the control loop [s]."""


@dataclass(frozen=True, slots=True)
class ExecutionParameters:
    """Parameters of plan_execution."""

    robot: str = parameter("crazyflie", "Which robot's limits hold.", read_only=True)
    rate_hz: float = parameter(
        100.0, "How often a command is sent.", minimum=10.0, maximum=500.0, read_only=True
    )
    max_measurement_age_s: float = parameter(
        0.5, "A plan made from an older measurement is refused.", minimum=0.02, maximum=5.0
    )
    state_timeout_s: float = parameter(
        0.5, "Without a valid state for so long, the robot ends its motion.",
        minimum=0.02, maximum=5.0,
    )  # fmt: skip
    ensembling: bool = parameter(
        False, "Average overlapping plans for the same instant: smoother, and slower to react.",
        read_only=True,
    )  # fmt: skip
    ensembling_decay: float = parameter(
        0.01, "How much more an older plan weighs than the next newer one; 0 weighs all alike.",
        minimum=0.0, maximum=10.0, read_only=True,
    )  # fmt: skip
    standby: bool = parameter(
        True, "Follow the plans of a standby planner while the planner has no valid one.",
        read_only=True,
    )  # fmt: skip
    max_consecutive_errors: int = parameter(
        5, "After so many refused plans in a row the standby takes over at once.",
        minimum=1, maximum=1000, read_only=True,
    )  # fmt: skip
    hold_s: float = parameter(
        3.0, "Without plans, the robot stands still for so long and then ends its motion.",
        minimum=0.0, maximum=600.0,
    )  # fmt: skip
    max_splice_s: float = parameter(
        0.5, "A plan that starts further away than the robot covers in this time is refused.",
        minimum=0.0, maximum=2.0, read_only=True,
    )  # fmt: skip
    fence_lower: tuple[float, ...] = parameter(
        (), "Lowest position of each degree of freedom; empty for the robot's own limits.",
        read_only=True,
    )  # fmt: skip
    fence_upper: tuple[float, ...] = parameter(
        (), "Highest position of each degree of freedom; empty for the robot's own limits.",
        read_only=True,
    )  # fmt: skip


class PlanExecution(Node):
    """Checks plans, splices them, and sends a command every period.

    The control thread owns the executor and the ladder. The executor's thread converts messages,
    checks plans, hands both over, and publishes what the control thread reports.
    """

    def __init__(self) -> None:
        super().__init__("plan_execution", automatically_declare_parameters_from_overrides=True)
        self._time = RosClock(self)
        self._settings = NodeParameters(self, ExecutionParameters)
        values = self._settings.values
        robot = load_robot(values.robot)
        if values.fence_lower or values.fence_upper:
            robot = robot.fenced(values.fence_lower, values.fence_upper)
        self._robot = robot
        self._watch = StateWatch(self._time, lambda: self._settings.values.state_timeout_s)
        ensemble = Ensemble(values.ensembling_decay) if values.ensembling else None
        core = PlanExecutor(
            robot, max_splice=values.max_splice_s, hold_s=values.hold_s, ensemble=ensemble
        )
        self._core = core
        self._ladder = Ladder(
            core,
            max_consecutive_errors=values.max_consecutive_errors,
            max_age_s=values.max_measurement_age_s,
        )
        self._control = ControlThread(1.0 / values.rate_hz, self._time, self._on_period)
        self._latency = LatencyWindow()
        self._commands = 0
        self._code, self._refusal = 0, ""
        self._counted: tuple[Source, int] | None = None
        self._report_due_ns = 0
        self._reported = (Mode.IDLE, Rung.END)
        # From the control thread to the executor's, which may wait for a log or a socket.
        self._report: deque[ExecutionStatus] = deque(maxlen=1)
        self._steps: deque[Step] = deque(maxlen=100)
        self._status_msg: ExecutionStatus | None = None
        self._priority_is_logged = False
        self._diagnosed = (0, 0)

        self._command = self.create_publisher(Command, "command", LATEST)
        self._status = self.create_publisher(ExecutionStatus, "execution/status", ORDERED)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", ORDERED)
        self.create_subscription(Plan, "plan", self._on_plan, ORDERED)
        if values.standby:
            self.create_subscription(Plan, "plan/standby", self._on_standby, ORDERED)
        self.create_subscription(RobotState, "state", self._on_state, LATEST)
        self.create_subscription(Goal, "goal", self._on_goal, LATCHED)
        self.create_subscription(BridgeStatus, "bridge/status", self._on_bridge, LATCHED)
        # The control thread is watched here.
        steady_timer(self, 0.02, self._publish_report)
        steady_timer(self, 1.0, self._publish_diagnostics)
        self._control.start()

    def shut_down(self) -> None:
        """End the control thread; called before the node is destroyed."""
        self._control.stop()

    @property
    def stopped(self) -> bool:
        """Whether the emergency stop is latched, as far as this process knows."""
        return self._core.mode is Mode.STOPPED

    # The executor's thread.

    def _on_plan(self, msg: Plan) -> None:
        self._check_plan(msg, Source.PRIMARY)

    def _on_standby(self, msg: Plan) -> None:
        self._check_plan(msg, Source.STANDBY)

    def _check_plan(self, msg: Plan, source: Source) -> None:
        try:
            timed = replace(plan_from_msg(msg), source=source)
            gate = PlanGate(self._robot, self._settings.values.max_measurement_age_s)
            gate.check(
                timed,
                robot=msg.robot,
                names=msg.names,
                frame_id=msg.header.frame_id,
                now_ns=self._time.now_ns(),
            )
        except DriftpilotError as error:
            self._control.post(partial(self._refuse, source, error))
        else:
            self._control.post(lambda: self._take(timed))

    def _on_state(self, msg: RobotState) -> None:
        try:
            position, _ = state_from_msg(msg, self._robot)
            if msg.status in (RobotState.VALID, RobotState.DEGRADED):
                self._watch.take(position, nanoseconds(msg.measured))
        except DriftpilotError as error:
            self._control.post(partial(self._note, error))

    def _on_goal(self, msg: Goal) -> None:
        self._control.post(partial(self._begin, int(msg.epoch), int(msg.kind)))

    def _on_bridge(self, msg: BridgeStatus) -> None:
        stopped, active = bool(msg.emergency_stopped), msg.state == BridgeStatus.ACTIVE
        self._control.post(partial(self._follow_bridge, stopped, active))

    def _publish_report(self) -> None:
        self._control.check()
        logger = self.get_logger()
        if self._control.priority and not self._priority_is_logged:
            self._priority_is_logged = True
            logger.info(f"control loop: {self._control.priority}")
        while self._steps:
            step = self._steps.popleft()
            # Two call sites: rclpy ties a severity to each. What was asked for shows as a mode.
            if step.code and step.down:
                logger.warning(step.text)
            elif step.code:
                logger.info(step.text)
        while self._report:
            msg, before = self._report.popleft(), self._status_msg
            if before is None or msg.mode != before.mode:
                logger.info(Mode(msg.mode).name.lower())
            if msg.gate and (before is None or msg.gate != before.gate):
                logger.warning(msg.gate, throttle_duration_sec=1.0)
            self._status_msg = msg
            self._status.publish(msg)

    def _publish_diagnostics(self) -> None:
        msg = self._status_msg
        if msg is None:
            return
        periods, missed = (
            now - before
            for now, before in zip((msg.periods, msg.missed_periods), self._diagnosed, strict=True)
        )
        self._diagnosed = msg.periods, msg.missed_periods
        health, text = Health.OK, f"{Mode(msg.mode).name.lower()}, {Rung(msg.rung).name.lower()}"
        if msg.mode == Mode.STOPPED:
            health, text = Health.ERROR, "emergency stop"
        elif msg.consecutive_errors:
            health, text = Health.WARNING, msg.gate
        elif msg.rung == Rung.STANDBY:
            health, text = Health.WARNING, "the standby planner is followed"
        elif missed:
            health, text = Health.WARNING, f"{missed} of the last {periods} periods missed"
        stamp = self.get_clock().now().to_msg()
        name = f"{self.get_name()}: control"
        figures = {
            "plan_age_ms": msg.plan_age_ms,
            "splice_position": msg.splice_position,
            "splice_velocity": msg.splice_velocity,
            "entry_delay_ms": msg.entry_delay_ms,
            "period_error_p99_ms": msg.period_error_p99_ms,
            "periods": msg.periods,
            "missed_periods": msg.missed_periods,
            "max_command_gap_ms": msg.max_command_gap_ms,
            "end_to_end_p50_ms": msg.end_to_end.p50_ms,
            "end_to_end_p99_ms": msg.end_to_end.p99_ms,
            "commands": msg.commands,
            "refused_plans": msg.refused_plans,
            "consecutive_errors": msg.consecutive_errors,
            "gate_code": msg.gate_code,
        }
        self._diagnostics.publish(
            diagnostics_msg(stamp, name, health, text, figures, hardware=self._robot.name)
        )

    # The control thread.

    def _take(self, timed: TimedPlan) -> None:
        now_ns, before = self._time.now_ns(), self._core.current
        self._ladder.take(timed, now_ns)
        if self._core.current is not before:
            # It has begun: the robot hears of it now, not when the period ends.
            self._send(now_ns)

    def _refuse(self, source: Source, error: DriftpilotError) -> None:
        self._ladder.refuse(source, error, self._time.now_ns())

    def _note(self, error: DriftpilotError) -> None:
        self._code, self._refusal = error.code, str(error)

    def _begin(self, epoch: int, kind: int) -> None:
        now_ns = self._time.now_ns()
        self._ladder.begin(epoch, now_ns)
        if kind == Goal.HOLD:
            self._core.hold(now_ns)
        elif kind == Goal.REST:
            self._core.rest(now_ns)

    def _follow_bridge(self, stopped: bool, active: bool) -> None:
        core = self._core
        if stopped:
            if core.mode is not Mode.STOPPED:
                core.stop()
                self._report_due_ns = 0
            return
        core.release()
        if active:
            position = self._watch.position
            if core.mode is Mode.IDLE and position is not None and self._watch.fresh:
                try:
                    core.engage(position, self._time.now_ns())
                except DriftpilotError as error:
                    # Without commands the bridge brings the robot to rest by itself.
                    self._note(error)
        elif core.mode is not Mode.IDLE:
            core.idle()

    def _on_period(self) -> None:
        core, now_ns = self._core, self._time.now_ns()
        core.hold_s = self._settings.values.hold_s
        self._ladder.max_age_s = self._settings.values.max_measurement_age_s
        if core.mode in (Mode.TRACKING, Mode.HOLDING) and not self._watch.fresh:
            limit_s = self._settings.values.state_timeout_s
            error = NoStateError("no valid state", expected=f"one every {limit_s} s")
            self._note(error)
            core.rest(now_ns, error)
        if core.mode in (Mode.IDLE, Mode.STOPPED):
            # A stop is latched by the bridge. Repeating it from here would latch it again when a
            # person has just reset it.
            self._control.pacer.pause()
        else:
            self._send(now_ns)
        if self._ladder.refusal is not None:
            self._note(self._ladder.refusal)
            self._ladder.refusal = None
        self._steps.extend(self._ladder.steps())
        steady_ns, now = self._time.steady_ns(), (core.mode, self._ladder.rung)
        if steady_ns >= self._report_due_ns or now != self._reported:
            self._report_due_ns, self._reported = steady_ns + round(REPORT_S * NS_PER_S), now
            self._report.append(self._make_report(now_ns))

    def _send(self, now_ns: int) -> None:
        """Send what the robot is asked to be doing now."""
        core = self._core
        setpoint = self._ladder.setpoint(now_ns)
        mode = Command.TRACK if core.mode is Mode.TRACKING else Command.HOLD
        if core.mode is Mode.RESTING and setpoint is not None:
            mode = Command.REST if np.abs(setpoint.velocity).max() < AT_REST else Command.HOLD
        plan = core.current
        self._command.publish(command_msg(mode, self._robot, now_ns, setpoint, plan))
        self._commands += 1
        if plan is not None and (plan.source, plan.sequence) != self._counted:
            # Both stamps are ROS time: from the measurement to the first command made of it.
            self._counted = plan.source, plan.sequence
            self._latency.add(seconds(now_ns - plan.measured_ns))

    def _make_report(self, now_ns: int) -> ExecutionStatus:
        core, ladder, pacer = self._core, self._ladder, self._control.pacer
        msg = ExecutionStatus()
        msg.header.stamp = time_msg(now_ns)
        msg.mode, msg.rung = int(core.mode), int(ladder.rung)
        plan = core.current
        if plan is not None:
            msg.sequence = plan.sequence
            msg.plan_age_ms = seconds(now_ns - plan.measured_ns) * 1e3
        msg.splice_position, msg.splice_velocity = core.splice
        msg.entry_delay_ms = core.entry_delay_s * 1e3
        msg.period_error_p99_ms = pacer.error.percentile(99) * 1e3
        msg.periods, msg.missed_periods = pacer.periods, pacer.missed
        msg.max_command_gap_ms = pacer.max_gap_s * 1e3
        msg.commands, msg.refused_plans = self._commands, ladder.refused
        msg.consecutive_errors = ladder.consecutive_errors
        msg.end_to_end = latency_msg(LatencySummary.of(self._latency))
        msg.gate_code, msg.gate = self._code, self._refusal
        return msg


def make_node() -> PlanExecution:
    """The node, in a process that is tuned for it."""
    # Before the middleware starts its threads: they inherit it.
    raise_priority(PROCESS_PRIORITY)
    node = PlanExecution()
    # What exists by now stays: the collector need not look at it again during the flight.
    gc.freeze()
    return node


def main() -> int:
    """Entry of the process."""
    return run(make_node)
