"""plan_execution against a scripted planner, estimator and bridge, in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from plan_execution.node import PlanExecution
from planner_core.clock import NS_PER_S, seconds
from planner_core.executor import PlanExecutor, TimedPlan
from planner_core.plan import Array, Plan
from planner_core.robots import crazyflie
from planner_interfaces.msg import BridgeStatus, Command, ExecutionStatus, Goal, RobotState
from planner_interfaces.msg import Plan as PlanMsg
from planner_ros.clock import nanoseconds
from planner_ros.conversions import plan_msg, state_msg
from planner_ros.qos import LATCHED, LATEST, ORDERED
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_msgs.msg import Header

ROBOT = crazyflie()
HOME = np.array([0.0, 0.0, 1.0, 0.0])


class Surroundings(Node):
    """Everything that plan_execution talks to."""

    def __init__(self) -> None:
        super().__init__("surroundings")
        self.commands: list[Command] = []
        self.status = ExecutionStatus()
        self.state_is_sent = True
        self.state_offset_s = 0.0
        self.plans = self.create_publisher(PlanMsg, "plan", ORDERED)
        self.standby = self.create_publisher(PlanMsg, "plan/standby", ORDERED)
        self.diagnostics: list[DiagnosticStatus] = []
        self.rungs: list[int] = []
        self.create_subscription(
            DiagnosticArray, "/diagnostics", lambda msg: self.diagnostics.extend(msg.status), 10
        )
        self.states = self.create_publisher(RobotState, "state", LATEST)
        self.goals = self.create_publisher(Goal, "goal", LATCHED)
        self.bridge = self.create_publisher(BridgeStatus, "bridge/status", LATCHED)
        self.create_subscription(Command, "command", self.commands.append, LATEST)
        self.create_subscription(ExecutionStatus, "execution/status", self._on_status, ORDERED)
        self.create_timer(0.01, self._send_state)
        self.sequence = 0

    @property
    def last(self) -> Command | None:
        return self.commands[-1] if self.commands else None

    def now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def send_bridge(self, state: int, stopped: bool = False) -> None:
        self.bridge.publish(BridgeStatus(state=state, emergency_stopped=stopped))

    def send_plan(
        self, velocity_x: float = 0.2, *, standby: bool = False, **changes: object
    ) -> None:
        """A straight plan of two seconds that starts at home, or with changed fields."""
        now = self.now_ns()
        t = np.arange(21)[:, None] * 0.1
        velocity = np.array([velocity_x, 0.0, 0.0, 0.0])
        still = np.zeros((21, 4))
        self.sequence += 1
        plan = Plan(now, 0.1, HOME + t * velocity, still + velocity, still)
        timed = TimedPlan(plan, 1, self.sequence, now)
        msg = plan_msg(timed, ROBOT, planner="test", bundle="", feasible=True)
        for name, value in changes.items():
            setattr(msg, name, value)
        (self.standby if standby else self.plans).publish(msg)

    def _on_status(self, msg: ExecutionStatus) -> None:
        self.status = msg
        if not self.rungs or self.rungs[-1] != msg.rung:
            self.rungs.append(msg.rung)

    def _send_state(self) -> None:
        if self.state_is_sent:
            now = self.now_ns() + round(self.state_offset_s * NS_PER_S)
            self.states.publish(
                state_msg(ROBOT, now, HOME, np.zeros(4), status=RobotState.VALID, measured_ns=now)
            )


Wait = Callable[..., None]


@pytest.fixture
def surroundings(request: pytest.FixtureRequest, ros_domain: int) -> Iterator[Surroundings]:
    parameters = {"hold_s": 1.0, **getattr(request, "param", {})}
    arguments = [word for item in parameters.items() for word in ("-p", "{}:={}".format(*item))]
    rclpy.init(domain_id=ros_domain, args=["--ros-args", *arguments])
    executor = SingleThreadedExecutor()
    node, execution = Surroundings(), PlanExecution()
    node.execution = execution  # type: ignore[attr-defined]
    for each in (node, execution):
        executor.add_node(each)
    node.spin = lambda: executor.spin_once(timeout_sec=0.02)  # type: ignore[attr-defined]
    yield node
    execution.shut_down()
    executor.shutdown()
    node.destroy_node()
    execution.destroy_node()
    rclpy.shutdown()


@pytest.fixture
def until(surroundings: Surroundings, wait_until: Wait) -> Wait:
    def wait(condition: Callable[[], object], what: str, limit_s: float = 5.0) -> None:
        wait_until(condition, what, limit_s, surroundings.spin)  # type: ignore[attr-defined]

    return wait


def hovering(surroundings: Surroundings, until: Wait) -> None:
    until(
        lambda: surroundings.count_subscribers("bridge/status") and surroundings.bridge, "matching"
    )
    surroundings.send_bridge(BridgeStatus.ACTIVE)

    def engaged() -> bool:
        surroundings.send_bridge(BridgeStatus.ACTIVE)
        return surroundings.last is not None

    until(engaged, "commands after the robot became active")
    assert surroundings.last is not None
    assert surroundings.last.mode == Command.HOLD
    np.testing.assert_allclose(surroundings.last.position, HOME, atol=1e-9)


def without_jumps(commands: list[Command]) -> Array:
    """The commanded x, which never goes further than its time allows, however late it came."""
    x = np.array([command.position[0] for command in commands])
    t = np.array([seconds(nanoseconds(command.header.stamp)) for command in commands])
    assert (np.diff(t) >= 0).all()
    assert (np.abs(np.diff(x)) <= 0.5 * np.diff(t) + 1e-6).all()
    return x


def test_nothing_is_commanded_while_the_robot_is_not_active(
    surroundings: Surroundings, until: Wait
) -> None:
    surroundings.send_bridge(BridgeStatus.READY)
    until(lambda: surroundings.status.header.stamp.sec > 0, "a status")
    surroundings.send_plan()
    for _ in range(20):
        surroundings.spin()  # type: ignore[attr-defined]
    assert not surroundings.commands
    assert surroundings.status.mode == ExecutionStatus.IDLE


def test_a_plan_is_followed_then_the_robot_stands_and_rests(
    surroundings: Surroundings, until: Wait
) -> None:
    hovering(surroundings, until)
    surroundings.send_plan()
    until(lambda: surroundings.last.mode == Command.TRACK, "tracking")
    assert surroundings.last.sequence == surroundings.sequence
    until(lambda: surroundings.last.position[0] > 0.1, "motion")
    until(lambda: surroundings.last.mode == Command.HOLD, "standing after the plan")
    until(lambda: surroundings.last.mode == Command.REST, "resting after hold_s")
    x = without_jumps(surroundings.commands)
    # A machine so busy that commands ceased for 0.2 s makes the robot brake before the plan's end.
    if surroundings.status.max_command_gap_ms < 150:
        assert x.max() == pytest.approx(0.4, abs=0.05)
    surroundings.send_bridge(BridgeStatus.READY)
    until(lambda: surroundings.status.mode == ExecutionStatus.IDLE, "idle")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"robot": "go2"}, 508),
        ({"names": ["y", "x", "z", "yaw"]}, 508),
        ({"horizon": 3}, 508),
        ({"position": [float("nan")] * 84}, 501),
        ({"position": [1e9] * 84}, 502),
        ({"velocity": [9.0] * 84}, 503),
        ({"acceleration": [99.0] * 84}, 504),
        ({"acceleration": [-3.4, 0.0, 0.0, 0.0, 3.4, 0.0, 0.0, 0.0] * 10 + [0.0] * 4}, 512),
        ({"header": Header(frame_id="odom")}, 507),
        ({"header": Header(frame_id="map")}, 505),
        ({"epoch": 0}, 506),
    ],
)
def test_absurd_plans_are_refused_with_their_code(
    surroundings: Surroundings, until: Wait, change: dict[str, object], code: int
) -> None:
    hovering(surroundings, until)
    surroundings.goals.publish(Goal(kind=Goal.REACH, epoch=1))
    surroundings.send_plan()
    until(lambda: surroundings.last.mode == Command.TRACK, "tracking")
    good = surroundings.sequence
    surroundings.send_plan(**change)
    until(lambda: surroundings.status.gate_code == code, f"refusal {code}")
    assert surroundings.last.sequence in (good, 0)


def test_without_a_state_the_robot_rests(surroundings: Surroundings, until: Wait) -> None:
    hovering(surroundings, until)
    surroundings.state_is_sent = False
    until(lambda: surroundings.last.mode == Command.REST, "resting")
    until(lambda: surroundings.status.gate_code == 511, "the reason in the status")


def test_while_the_robot_is_stopped_nothing_is_commanded(
    surroundings: Surroundings, until: Wait
) -> None:
    hovering(surroundings, until)
    surroundings.send_plan()
    until(lambda: surroundings.last.mode == Command.TRACK, "tracking")
    surroundings.send_bridge(BridgeStatus.FAULT, stopped=True)
    until(lambda: surroundings.status.mode == ExecutionStatus.STOPPED, "stopped")
    surroundings.commands.clear()
    surroundings.send_plan()
    for _ in range(20):
        surroundings.spin()  # type: ignore[attr-defined]
    # Not even a stop: it would latch again what a person may be resetting at this moment.
    assert not surroundings.commands
    surroundings.send_bridge(BridgeStatus.READY)
    until(lambda: surroundings.status.mode == ExecutionStatus.IDLE, "idle after the reset")


def test_goals_to_hold_and_to_rest(surroundings: Surroundings, until: Wait) -> None:
    hovering(surroundings, until)
    surroundings.send_plan()
    until(lambda: surroundings.last.mode == Command.TRACK, "tracking")
    surroundings.goals.publish(Goal(kind=Goal.HOLD, epoch=2))
    until(lambda: surroundings.last.mode == Command.HOLD, "holding")
    surroundings.goals.publish(Goal(kind=Goal.REST, epoch=3))
    until(lambda: surroundings.last.mode == Command.REST, "resting")


def test_a_chunk_ends_before_its_plan(surroundings: Surroundings, until: Wait) -> None:
    hovering(surroundings, until)
    surroundings.send_plan(chunk=2)
    until(lambda: surroundings.last.mode == Command.TRACK, "tracking")
    until(lambda: surroundings.last.mode == Command.HOLD, "standing after the chunk")
    assert surroundings.last.position[0] < 0.2
    until(lambda: surroundings.status.rung == ExecutionStatus.END, "the end after hold_s")
    assert surroundings.rungs[-3:] == [
        ExecutionStatus.PLAN, ExecutionStatus.HOLD, ExecutionStatus.END,
    ]  # fmt: skip


def test_the_standby_takes_over_and_gives_back(surroundings: Surroundings, until: Wait) -> None:
    hovering(surroundings, until)
    rung = ExecutionStatus

    def send(*, standby: bool) -> Callable[[], object]:
        """Send a plan with each look at the rung."""

        def step() -> None:
            surroundings.send_plan(0.0, standby=standby, chunk=3)
            surroundings.spin()  # type: ignore[attr-defined]

        return step

    def wait(standby: bool, expected: int, what: str) -> None:
        step = send(standby=standby)
        until(lambda: step() or surroundings.status.rung == expected, what)

    wait(False, rung.PLAN, "the planner's plan")
    wait(True, rung.STANDBY, "the standby's plan")
    wait(False, rung.PLAN, "the planner's plan again")
    until(lambda: surroundings.status.rung == rung.HOLD, "holding without either")
    assert surroundings.rungs[-4:] == [rung.PLAN, rung.STANDBY, rung.PLAN, rung.HOLD]


def test_a_standbys_plan_that_waits_is_held_to_the_present_limit_of_age(
    surroundings: Surroundings, until: Wait
) -> None:
    """A limit that is changed in flight holds for the plan in reserve as for those that come."""
    hovering(surroundings, until)
    execution: PlanExecution = surroundings.execution  # type: ignore[attr-defined]
    (result,) = execution.set_parameters([Parameter("max_measurement_age_s", value=0.05)])
    assert result.successful
    until(lambda: execution._ladder.max_age_s == 0.05, "the limit")


@pytest.mark.parametrize("surroundings", [{"standby": "false"}], indirect=True)
def test_a_standby_is_ignored_where_none_is_wanted(surroundings: Surroundings, until: Wait) -> None:
    hovering(surroundings, until)
    assert surroundings.count_subscribers("plan/standby") == 0
    assert surroundings.count_subscribers("plan") == 1


@pytest.mark.parametrize(
    "surroundings", [{"ensembling": "true", "ensembling_decay": 0.1}], indirect=True
)
def test_averaged_plans_are_followed(surroundings: Surroundings, until: Wait) -> None:
    hovering(surroundings, until)
    for _ in range(20):
        surroundings.send_plan(0.2, chunk=3)
        surroundings.spin()  # type: ignore[attr-defined]
    until(lambda: surroundings.last.mode == Command.TRACK, "tracking")
    until(lambda: surroundings.last.mode == Command.HOLD, "standing after the last chunk")
    assert surroundings.status.refused_plans == 0
    without_jumps(surroundings.commands)


def test_health_is_reported(surroundings: Surroundings, until: Wait) -> None:
    hovering(surroundings, until)
    until(lambda: surroundings.diagnostics, "diagnostics")
    status = surroundings.diagnostics[-1]
    assert status.name == "plan_execution: control"
    assert status.hardware_id == "crazyflie"
    figures = {pair.key: float(pair.value) for pair in status.values}
    assert figures["periods"] > 10
    assert 0 <= figures["missed_periods"] <= figures["periods"]
    surroundings.send_plan(position=[float("nan")] * 84)
    until(lambda: "E501" in surroundings.diagnostics[-1].message, "the refusal in words")
    assert surroundings.diagnostics[-1].level == DiagnosticStatus.WARN


@pytest.mark.parametrize("offset_s", [-10.0, 10.0])
def test_states_of_another_time_are_no_states(
    surroundings: Surroundings, until: Wait, offset_s: float
) -> None:
    """Frozen or delayed, or of a clock that runs ahead: the robot rests; it flies again after."""
    hovering(surroundings, until)
    surroundings.state_offset_s = offset_s
    until(lambda: surroundings.last.mode == Command.REST, "resting")
    until(lambda: surroundings.status.gate_code == 511, "the reason in the status")
    surroundings.send_bridge(BridgeStatus.READY)
    until(lambda: surroundings.status.mode == ExecutionStatus.IDLE, "idle")
    surroundings.state_offset_s = 0.0
    surroundings.commands.clear()
    hovering(surroundings, until)


def test_a_control_loop_that_fails_ends_the_process(
    surroundings: Surroundings, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody may believe in a process that has stopped controlling."""

    def fail(*_: object) -> None:
        raise RuntimeError("a mistake in the loop")

    hovering(surroundings, until)
    monkeypatch.setattr(PlanExecutor, "setpoint", fail)
    with pytest.raises(RuntimeError, match="a mistake in the loop"):
        until(lambda: False, "the error")
