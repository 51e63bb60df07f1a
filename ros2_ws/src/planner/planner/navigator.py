"""Takes goals, brings the robot to them through planner and execution, and says how it ended.

Goals of any task come by the ``navigate`` action; where the robot has a place in the world, also as
a PoseStamped on ``goal_pose``, as RViz sends it.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import PoseStamped
from planner_core.clock import NS_PER_S, SystemClock
from planner_core.errors import ConfigurationError, DriftpilotError, GoalError, WorldUnknownError
from planner_core.navigation_task import NavigationTask, Outcome, Stage, View, check_goal
from planner_core.parameters import parameter
from planner_core.plan import Array
from planner_core.robots import load_robot
from planner_core.tasks import Task, load_task
from planner_core.world import World
from planner_interfaces.action import Navigate
from planner_interfaces.msg import BridgeStatus, Goal, Quantities, RobotState
from planner_interfaces.msg import PlannerStatus as PlannerStatusMsg
from planner_ros.clock import RosClock, nanoseconds, steady_timer
from planner_ros.conversions import quantities_from_msg, state_from_msg
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATCHED, LATEST, ORDERED
from planner_ros.world import DESCRIPTION_TOPIC, world_from_text
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import Trigger


@dataclass(frozen=True, slots=True)
class NavigatorParameters:
    """Parameters of the navigator."""

    robot: str = parameter("crazyflie", "Which robot is sent to goals.", read_only=True)
    needs_world: bool = parameter(
        True, "Whether a goal waits until the obstacles are known against which it is checked.",
        read_only=True,
    )  # fmt: skip
    goal_tolerance: float = parameter(
        0.25, "Closer to the goal than this, in its units, counts as there.",
        minimum=0.001, maximum=5.0,
    )  # fmt: skip
    goal_clearance_m: float = parameter(
        0.2, "A goal closer to an obstacle or wall than this is refused.", minimum=0.0, maximum=5.0
    )
    settle_s: float = parameter(
        0.5, "The robot has to stay at the goal for so long.", minimum=0.0, maximum=60.0
    )
    time_limit_s: float = parameter(
        30.0, "A motion that takes longer has failed, unless the goal says otherwise.",
        minimum=1.0, maximum=3600.0,
    )  # fmt: skip
    engage_limit_s: float = parameter(
        20.0, "Taking off or standing up that takes longer has failed.", minimum=1.0, maximum=120.0
    )
    state_timeout_s: float = parameter(
        1.0, "A motion without a valid state for so long is lost.", minimum=0.05, maximum=10.0
    )
    rest_after_goal: bool = parameter(
        False, "Whether the robot ends its motion (lands) after each goal, or waits for the next."
    )


class Navigator(Node):
    """Action server and goal topic; one goal at a time, a new one replaces the old."""

    def __init__(self) -> None:
        super().__init__("navigator", automatically_declare_parameters_from_overrides=True)
        self._time = RosClock(self)
        self._settings = NodeParameters(self, NavigatorParameters)
        self._robot = load_robot(self._settings.values.robot)
        self._world: World | None = None
        # From the clock: after a restart of this node its goals are still newer than all before.
        # From the machine's own: simulated time has not begun yet, or begins anew.
        self._epoch = SystemClock().now_ns() // NS_PER_S
        self._task: NavigationTask | None = None
        self._waiting: deque[tuple[int, ServerGoalHandle]] = deque()
        self._handle: ServerGoalHandle | None = None
        self._bridge: BridgeStatus | None = None
        self._position: Array | None = None
        self._quantities: dict[str, float] = {}
        self._heard: set[str] = set()
        self._velocity: Array | None = None
        self._state_steady_ns = 0
        self._plans = 0
        self._planner_is_up = False
        self._engage_asked_ns = 0

        self._goal = self.create_publisher(Goal, "goal", LATCHED)
        self._engage = self.create_client(Trigger, "engage")
        self.create_subscription(RobotState, "state", self._on_state, LATEST)
        self.create_subscription(BridgeStatus, "bridge/status", self._on_bridge, LATCHED)
        self.create_subscription(PlannerStatusMsg, "planner/status", self._on_planner, LATCHED)
        if self._settings.values.needs_world:
            self.create_subscription(String, DESCRIPTION_TOPIC, self._on_world, LATCHED)
        if {"x", "y", "z", "yaw"} <= set(self._robot.names):
            self.create_subscription(PoseStamped, "goal_pose", self._on_goal_pose, ORDERED)
        self._server = ActionServer(
            self, Navigate, "navigate",
            execute_callback=lambda goal: _ended(goal, None, Navigate.Result()),
            handle_accepted_callback=self._on_accepted,
            goal_callback=lambda _request: GoalResponse.ACCEPT,
            cancel_callback=lambda _handle: CancelResponse.ACCEPT,
        )  # fmt: skip
        steady_timer(self, 0.05, self._watch)

    def shut_down(self) -> None:
        """Ask the robot to come to rest, and end the running goal."""
        if self._task is not None:
            self._end_task(Outcome.CANCELLED, "the navigator was shut down")
        self._send(Goal.REST)
        self._server.destroy()

    # Goals.

    def _on_goal_pose(self, msg: PoseStamped) -> None:
        p, q = msg.pose.position, msg.pose.orientation
        yaw = math.atan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y * q.y + q.z * q.z))
        goal = Goal(names=["x", "y", "z", "yaw"], values=[p.x, p.y, p.z, yaw])
        goal.header = msg.header
        if p.z == 0.0 and self._position is not None:
            # RViz's goal tool works in the plane: the robot keeps its height.
            goal.names, goal.values = ["x", "y", "yaw"], [p.x, p.y, yaw]
        try:
            self._begin(goal)
        except DriftpilotError as error:
            self.get_logger().error(str(error))

    def _on_accepted(self, handle: ServerGoalHandle) -> None:
        # Executed when it has ended: a coroutine that waits would keep the executor busy.
        self._waiting.append((self._time.steady_ns(), handle))
        self._begin_waiting()

    def _begin_waiting(self) -> None:
        """Begin accepted goals once they can be checked against the world."""
        values = self._settings.values
        while self._waiting:
            since_ns, handle = self._waiting[0]
            waited_s = (self._time.steady_ns() - since_ns) * 1e-9
            unknown = values.needs_world and self._world is None
            if unknown and waited_s < values.engage_limit_s and not handle.is_cancel_requested:
                return
            self._waiting.popleft()
            try:
                self._begin(handle.request.goal)
            except DriftpilotError as error:
                self.get_logger().error(str(error))
                result = Navigate.Result(error_code=error.code, error=str(error))
                handle.execute(lambda goal, result=result: _ended(goal, None, result))
            else:
                self._handle = handle

    def _begin(self, goal: Goal) -> NavigationTask:
        values = self._settings.values
        if values.needs_world and self._world is None:
            raise WorldUnknownError(
                "goal before the obstacles are known", remedy="Is a world published?"
            )
        names, targets = tuple(goal.names), np.array(goal.values, dtype=np.float64)
        task = _task(goal.task)
        check_goal(
            self._robot, names, targets, goal.header.frame_id, self._world,
            values.goal_clearance_m, task,
        )  # fmt: skip
        limit_s = nanoseconds(goal.time_limit) * 1e-9 or values.time_limit_s
        tolerance = goal.tolerances[0] if goal.tolerances else values.goal_tolerance
        if len(goal.tolerances) > 1 or not 0 < tolerance < math.inf or limit_s < 0:
            raise GoalError(
                "goal", got=f"tolerances {list(goal.tolerances)}, time limit {limit_s:g} s",
                expected="at most one tolerance above 0, and a time from 0",
            )  # fmt: skip
        if self._task is not None:
            self._end_task(Outcome.REPLACED, "a newer goal came")
        self._hear(task)
        asked = dict(zip(names, targets.tolist(), strict=True))
        self._plans = 0
        self._task = NavigationTask(
            self._robot, asked, self._time, task,
            tolerance=tolerance, settle_s=values.settle_s, time_limit_s=limit_s,
            engage_limit_s=values.engage_limit_s, state_timeout_s=values.state_timeout_s,
        )  # fmt: skip
        self._pending_goal = goal
        self._engage_asked_ns = 0
        rounded = {name: round(value, 3) for name, value in asked.items()}
        self.get_logger().info(f"goal {goal.task} {rounded}")
        return self._task

    # The running task.

    def _watch(self) -> None:
        self._begin_waiting()
        task = self._task
        if task is None:
            return
        if self._handle is not None and self._handle.is_cancel_requested:
            self._end_task(Outcome.CANCELLED, "asked to cancel")
            return
        view = self._view()
        before = task.stage
        stage = task.update(view)
        if stage is Stage.ENGAGING:
            self._ask_to_engage(view)
        elif before is Stage.ENGAGING and stage is Stage.MOVING:
            self._send(Goal.REACH, self._pending_goal)
        if self._handle is not None:
            speed = 0.0 if self._velocity is None else float(np.linalg.norm(self._velocity))
            self._handle.publish_feedback(
                Navigate.Feedback(
                    elapsed_s=task.elapsed_s, distance=task.distance, speed=speed,
                    plans=self._plans, phase=task.stage.value,
                )
            )  # fmt: skip
        if task.outcome is not None:
            self._close_task(task)

    def _end_task(self, outcome: Outcome, reason: str) -> None:
        assert self._task is not None
        self._task.finish(outcome, reason)
        self._close_task(self._task)

    def _close_task(self, task: NavigationTask) -> None:
        assert task.outcome is not None
        rest = self._settings.values.rest_after_goal and task.outcome is not Outcome.REPLACED
        if task.outcome is not Outcome.REPLACED:
            self._send(Goal.REST if rest else Goal.HOLD)
        text = f"{task.outcome.name.lower().replace('_', ' ')} after {task.elapsed_s:.1f} s"
        if task.outcome is Outcome.SUCCESS:
            self.get_logger().info(text)
        else:
            self.get_logger().warning(f"{text}: {task.reason} ({task.distance:.2f} left)")
        handle, self._handle, self._task = self._handle, None, None
        if handle is not None:
            result = Navigate.Result(
                error_code=int(task.outcome),
                error=task.reason,
                elapsed_s=task.elapsed_s,
                distance=task.distance,
            )
            handle.execute(lambda goal: _ended(goal, task.outcome, result))

    def _ask_to_engage(self, view: View) -> None:
        """Ask once a second until the robot is active: it may become ready only later.

        Not before there is a planner: it would not take up a goal from before its own start.
        """
        now_ns = self._time.steady_ns()
        if not self._planner_is_up or view.active or now_ns - self._engage_asked_ns < 1_000_000_000:
            return
        if self._engage.service_is_ready():
            self._engage_asked_ns = now_ns
            self._engage.call_async(Trigger.Request())

    def _send(self, kind: int, goal: Goal | None = None) -> None:
        self._epoch += 1
        msg = Goal() if goal is None else goal
        msg.kind, msg.epoch = kind, self._epoch
        msg.header.stamp = self.get_clock().now().to_msg()
        msg.header.frame_id = self._robot.frame_id
        self._goal.publish(msg)

    def _view(self) -> View:
        bridge = self._bridge
        age_s = (self._time.steady_ns() - self._state_steady_ns) * 1e-9
        if bridge is None:
            return View(self._position, self._velocity, age_s, False, "no robot bridge")
        missing = "" if self._planner_is_up else "no planner server"
        return View(
            self._position,
            self._velocity,
            age_s,
            active=bridge.state == BridgeStatus.ACTIVE,
            fault="; ".join(bridge.reasons) or missing,
            stopped=bridge.emergency_stopped,
            crashed=bridge.state == BridgeStatus.FAULT and not bridge.emergency_stopped,
            quantities=dict(self._quantities),
        )

    # Inputs.

    def _hear(self, task: Task) -> None:
        """Subscribe to the sensors by which a task is judged, where that is not done yet."""
        for name in set(task.sensors) - self._heard:
            self._heard.add(name)
            self.create_subscription(Quantities, f"sensor/{name}", self._on_quantities, LATEST)

    def _on_quantities(self, msg: Quantities) -> None:
        try:
            self._quantities |= quantities_from_msg(msg)
        except DriftpilotError as error:
            self.get_logger().error(str(error), throttle_duration_sec=1.0)

    def _on_state(self, msg: RobotState) -> None:
        try:
            position, velocity = state_from_msg(msg, self._robot)
        except DriftpilotError as error:
            self.get_logger().error(str(error), throttle_duration_sec=1.0)
            return
        if msg.status in (RobotState.VALID, RobotState.DEGRADED):
            self._position, self._velocity = position, velocity
            self._state_steady_ns = self._time.steady_ns()

    def _on_world(self, msg: String) -> None:
        try:
            self._world = world_from_text(msg.data)
        except DriftpilotError as error:
            self.get_logger().error(str(error))

    def _on_bridge(self, msg: BridgeStatus) -> None:
        self._bridge = msg

    def _on_planner(self, msg: PlannerStatusMsg) -> None:
        self._plans = int(msg.plans)
        if msg.state != PlannerStatusMsg.LOADING:
            self._planner_is_up = True


def _task(name: str) -> Task:
    """A task by name.

    Raises:
        GoalError: There is none.
    """
    try:
        return load_task(name)
    except ConfigurationError as error:
        raise GoalError("goal of an unknown task", got=error) from error


def _ended(
    handle: ServerGoalHandle, outcome: Outcome | None, result: Navigate.Result
) -> Navigate.Result:
    """Give a goal its last state; refused goals have no outcome."""
    if outcome is Outcome.SUCCESS:
        handle.succeed()
    elif outcome is Outcome.CANCELLED and handle.is_cancel_requested:
        handle.canceled()
    else:
        handle.abort()
    return result


def main() -> int:
    """Entry of the process."""
    return run(Navigator)
