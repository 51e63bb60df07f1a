"""The planner server against scripted surroundings: swaps, faults, goals, lifecycle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import planner.server
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from planner.server import PlannerServer
from planner_core.errors import DriftpilotError, InvalidObservationError, error_codes
from planner_core.monitor import PlannerState
from planner_core.robots import crazyflie
from planner_interfaces.msg import Command, Goal, PlannerStatus, RobotState
from planner_interfaces.msg import Plan as PlanMsg
from planner_ros.conversions import state_msg
from planner_ros.qos import LATCHED, LATEST, ORDERED
from rcl_interfaces.srv import GetParameters
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter

ROBOT = crazyflie()
Wait = Callable[..., None]


class Surroundings(Node):
    """A robot that stands, follows every plan at once, and has a goal."""

    def __init__(self) -> None:
        super().__init__("surroundings")
        self.plans: list[PlanMsg] = []
        self.status: list[PlannerStatus] = []
        self.diagnostics: list[DiagnosticArray] = []
        self.goals = self.create_publisher(Goal, "goal", LATCHED)
        self.states = self.create_publisher(RobotState, "state", LATEST)
        self.commands = self.create_publisher(Command, "command", LATEST)
        self.create_subscription(PlanMsg, "plan", self._on_plan, ORDERED)
        self.create_subscription(PlannerStatus, "planner/status", self.status.append, LATCHED)
        self.create_subscription(DiagnosticArray, "/diagnostics", self.diagnostics.append, ORDERED)
        self.create_timer(0.01, self._send_state)
        self.epoch = 0
        self.plan_came_s = time.monotonic()

    def send_goal(self, x: float = 2.0) -> None:
        self.epoch += 1
        goal = Goal(kind=Goal.REACH, epoch=self.epoch, names=["x", "y", "z"], values=[x, 0.0, 1.0])
        goal.header.stamp = self.get_clock().now().to_msg()
        self.goals.publish(goal)

    def said(self, text: str) -> bool:
        """Whether the status says how a change ended."""
        return bool(self.status) and text in self.status[-1].change

    def _on_plan(self, msg: PlanMsg) -> None:
        self.plans.append(msg)
        self.plan_came_s = time.monotonic()
        command = Command(mode=Command.TRACK, sequence=msg.sequence, robot=ROBOT.name)
        command.header.stamp = self.get_clock().now().to_msg()
        self.commands.publish(command)

    def _send_state(self) -> None:
        now = int(self.get_clock().now().nanoseconds)
        home = [0.0, 0.0, 1.0, 0.0]
        self.states.publish(
            state_msg(ROBOT, now, home, [0.0] * 4, status=RobotState.VALID, measured_ns=now)
        )


def _recording(refuse: Callable[..., None], errors: list[DriftpilotError]) -> Callable[..., None]:
    def record(error: DriftpilotError, *state: PlannerState) -> None:
        errors.append(error)
        refuse(error, *state)

    return record


class Bench:
    """One executor for the surroundings and the server, and what a client may ask for."""

    def __init__(self, domain: int, wait_until: Wait) -> None:
        self.domain = domain
        self.server: PlannerServer | None = None
        self._wait_until = wait_until

    def start(self, **parameters: object) -> None:
        """Surroundings, and a server with these parameters."""
        given = {"planner": "straight_line", "model": "''", "chunk_length": 2} | parameters
        arguments = ["--ros-args"]
        for name, value in given.items():
            arguments += ["-p", f"{name}:={value}"]
        rclpy.init(args=arguments, domain_id=self.domain)
        self.executor = EventsExecutor()
        self.around = Surroundings()
        self.executor.add_node(self.around)
        self.restart()

    def restart(self) -> None:
        """Another server, as a new process would start it."""
        self.end_server()
        self.server = PlannerServer()
        self.executor.add_node(self.server)

    def end_server(self) -> None:
        if self.server is not None:
            self.executor.remove_node(self.server)
            self.server.shut_down()
            self.server.destroy_node()
            self.server = None

    def close(self) -> None:
        if rclpy.ok():
            self.end_server()
            self.executor.shutdown()
            self.around.destroy_node()
            rclpy.shutdown()

    def spin(self) -> None:
        self.executor.spin_once(timeout_sec=0.02)

    def until(self, condition: Callable[[], object], what: str, limit_s: float = 15.0) -> None:
        self._wait_until(condition, what, limit_s, self.spin)

    def set(self, **values: object) -> tuple[bool, str]:
        """Set parameters at once, as a service call does."""
        assert self.server is not None
        result = self.server.set_parameters_atomically(
            [Parameter(name, value=value) for name, value in values.items()]
        )
        return result.successful, result.reason

    def get(self, name: str) -> object:
        assert self.server is not None
        return self.server.get_parameter(name).value

    def planning(self, planner: str = "straight_line") -> None:
        """Wait until plans of a planner come."""
        count = len(self.around.plans)

        def come() -> bool:
            new = self.around.plans[count:]
            return len([p for p in new if p.planner == planner]) > 3

        self.until(come, f"plans of {planner}")

    def fly(self, planner: str = "straight_line") -> None:
        """Send a goal once everybody listens, and wait for plans."""
        self.until(lambda: self.around.status, "a status")
        self.until(self.around.goals.get_subscription_count, "matching")
        self.around.send_goal()
        self.planning(planner)

    def silent_for_s(self) -> float:
        """Time since the last plan."""
        self.spin()
        return time.monotonic() - self.around.plan_came_s


@pytest.fixture
def bench(ros_domain: int, wait_until: Wait) -> Iterator[Bench]:
    bench = Bench(ros_domain, wait_until)
    yield bench
    bench.close()


# Swaps.


def test_another_planner_is_loaded_while_the_old_one_plans(bench: Bench) -> None:
    bench.start()
    bench.fly()
    last = bench.around.plans[-1].sequence
    successful, reason = bench.set(planner="fault", model="slow_load:1.0")
    assert successful, reason
    bench.until(lambda: any(s.loading for s in bench.around.status), "loading in the status")
    bench.until(lambda: bench.around.said("in use: fault"), "the exchange")
    bench.planning("fault")
    during = [p for p in bench.around.plans if p.sequence > last]
    assert sum(p.planner == "straight_line" for p in during) > 3
    # Once exchanged, never back; numbers go on over the exchange, and plans start ever later.
    names = [p.planner for p in during]
    assert names == sorted(names, reverse=True)
    assert all(a.sequence < b.sequence for a, b in pairwise(during))
    assert bench.around.status[-1].loading == ""


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"planner": "oracle"}, 104),
        ({"planner": "one_step", "model": "nothing"}, 301),
        ({"planner": "one_step", "model": ""}, 102),
        ({"planner": "grid_search"}, 102),
        ({"ddim_steps": 5}, 102),
        ({"num_candidates": 0}, 102),
        ({"replan_rate_hz": 1.0}, 102),
        ({"replan_every_steps": 3}, 102),
        ({"seed": 4}, 103),
        ({"budget": 5.0}, 102),
        ({"planner": "fault", "model": "raise_load:304"}, 304),
        ({"planner": "fault", "model": "raise_warm_up:400"}, 400),
        ({"planner": "fault", "model": "other_robot"}, 304),
        ({"planner": "fault", "model": "reordered"}, 304),
    ],
)
def test_refused_changes_leave_everything_as_it_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, values: dict[str, object], code: int
) -> None:
    monkeypatch.setattr(planner.server, "ANSWER_S", 20.0)
    bench.start()
    bench.fly()
    bench.until(lambda: bench.around.status[-1].plans > 0, "plans in the status")
    before = {name: bench.get(name) for name in values}
    successful, reason = bench.set(**values)
    assert not successful
    assert f"[E{code}]" in reason
    assert {name: bench.get(name) for name in values} == before
    bench.planning("straight_line")
    # Nothing is left that would stand in the way of the next change.
    assert bench.set(planner="fault", model="none")[0]
    bench.planning("fault")


def test_a_change_that_fails_late_is_undone_and_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody waits for an answer: every failure is a late one.
    monkeypatch.setattr(planner.server, "ANSWER_S", 0.0)
    bench.start()
    bench.fly()
    changes = {"planner": "fault", "model": "raise_warm_up:400", "chunk_length": 3}
    before = {name: bench.get(name) for name in changes}
    assert bench.set(**changes)[0]
    assert bench.get("model") == "raise_warm_up:400"
    bench.until(lambda: bench.around.said("undone: [E400]"), "what became of it")
    assert {name: bench.get(name) for name in changes} == before
    assert bench.around.status[-1].loading == ""
    bench.planning("straight_line")


def test_what_was_changed_again_is_not_undone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner.server, "ANSWER_S", 0.0)
    bench.start()
    bench.fly()
    assert bench.set(planner="fault", model="raise_warm_up:400", chunk_length=3)[0]
    assert bench.set(chunk_length=4)[0]
    bench.until(lambda: bench.around.said("undone: [E400]"), "what became of it")
    assert bench.get("planner") == "straight_line"
    assert bench.get("chunk_length") == 4


def test_a_change_while_another_loads_is_refused(bench: Bench) -> None:
    bench.start()
    bench.fly()
    assert bench.set(planner="fault", model="slow_load:2.5")[0]
    successful, reason = bench.set(planner="straight_line", model="")
    assert not successful
    assert "[E405]" in reason
    bench.until(lambda: bench.around.said("in use: fault"), "the first change")
    assert bench.get("planner") == "fault"


def test_fifty_changes_in_a_row(bench: Bench) -> None:
    bench.start(replan_rate_hz=100.0)
    bench.fly()
    for number in range(50):
        fault = number % 2 == 0
        wanted, model = ("fault", f"none@{number}") if fault else ("straight_line", "")
        assert bench.set(planner=wanted, model=model)[0]
        bench.until(lambda wanted=wanted: bench.around.plans[-1].planner == wanted, wanted)
    sequences = [p.sequence for p in bench.around.plans]
    assert sequences == sorted(set(sequences))


# Goals.


def test_a_restarted_server_waits_for_a_new_goal(bench: Bench) -> None:
    bench.start()
    bench.fly()
    bench.restart()
    bench.around.status.clear()
    bench.until(
        lambda: bench.around.status and bench.around.status[-1].error_code == 404, "the refusal"
    )
    assert bench.around.status[-1].state == PlannerStatus.WAITING
    bench.around.plans.clear()
    for _ in range(20):
        bench.spin()
    assert not bench.around.plans
    bench.around.send_goal(1.0)
    bench.planning()


def test_an_activation_on_request_takes_up_the_goal(bench: Bench) -> None:
    bench.start()
    bench.fly()
    bench.restart()
    bench.until(lambda: bench.around.status[-1].error_code == 404, "the refusal")
    for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVATE):
        client = bench.around.create_client(ChangeState, "planner_server/change_state")
        bench.until(client.service_is_ready, "the service")
        request = ChangeState.Request(transition=Transition(id=transition))
        future = client.call_async(request)
        bench.until(future.done, "the transition")
        assert future.result().success
        bench.around.destroy_client(client)
    bench.planning()


# Faults.


@pytest.mark.parametrize(
    ("model", "code"),
    [(f"raise:{code}", code) for code in sorted(error_codes()) if 400 <= code < 430]
    + [("exception", 406), ("nan:7", 407), ("infinite:200", 407), ("wrong_width", 407)],
)
def test_every_planning_error_is_in_the_status_and_passes(
    bench: Bench, model: str, code: int
) -> None:
    bench.start(planner="fault", model=f"{model}@0-2")
    bench.until(lambda: bench.around.status, "a status")
    bench.until(bench.around.goals.get_subscription_count, "matching")
    server = bench.server
    assert server is not None
    reports = []
    server._refuse = _recording(server._refuse, reports)  # type: ignore[method-assign]
    bench.around.send_goal()
    bench.planning("fault")
    assert reports
    assert {error.code for error in reports if error.code != 403} == {code} - {403}
    assert all(f"[E{error.code}]" in str(error) for error in reports)
    bench.until(lambda: bench.around.status[-1].plans > 0, "the recovery in the status")
    assert bench.around.status[-1].error_code == 0


def test_a_refusal_is_in_status_and_diagnostics(bench: Bench) -> None:
    bench.start(planner="fault", model="raise:402")
    bench.until(lambda: bench.around.status, "a status")
    bench.until(bench.around.goals.get_subscription_count, "matching")
    bench.around.send_goal()
    bench.until(lambda: bench.around.status[-1].error_code == 402, "the code in the status")
    assert "[E402]" in bench.around.status[-1].error
    assert bench.around.status[-1].consecutive_errors > 0

    def reported() -> bool:
        return any("[E402]" in s.message for d in bench.around.diagnostics for s in d.status)

    bench.until(reported, "the error in the diagnostics")


def test_figures_are_in_status_and_diagnostics(bench: Bench) -> None:
    bench.start()
    bench.fly()
    bench.until(lambda: bench.around.status[-1].plans > 20, "plans in the status")
    status = bench.around.status[-1]
    assert status.chunk == 2
    assert status.selection == "best feasible"
    assert status.planning.count > 0
    assert 0 < status.planning.p50_ms <= status.planning.p99_ms
    assert status.delay_ms > 0
    values = {v.key: v.value for v in bench.around.diagnostics[-1].status[0].values}
    assert {"deadlines_missed", "plan_age_ms", "end_to_end_p99_ms", "replan_rate_hz"} <= set(values)


def test_while_a_network_is_loaded_services_answer_and_plans_come(bench: Bench) -> None:
    bench.start(replan_rate_hz=100.0)
    bench.fly()
    client = bench.around.create_client(GetParameters, "planner_server/get_parameters")
    bench.until(client.service_is_ready, "the service")
    count, took_ms = len(bench.around.plans), []
    assert bench.set(planner="one_step", model="crazyflie_navigation")[0]
    while not bench.around.said("in use: one_step"):
        began = time.monotonic()
        future = client.call_async(GetParameters.Request(names=["planner"]))
        bench.until(future.done, "an answer", 10.0)
        took_ms.append((time.monotonic() - began) * 1e3)
    came_s = [
        p.header.stamp.sec + p.header.stamp.nanosec * 1e-9 for p in bench.around.plans[count:]
    ]
    gap_ms = max((b - a for a, b in pairwise(came_s)), default=0.0) * 1e3
    print(
        f"{len(took_ms)} calls while loading: longest {max(took_ms):.1f} ms; plans {gap_ms:.0f} ms"
    )
    assert sorted(took_ms)[len(took_ms) // 2] < 100.0


def test_a_planner_that_hangs_can_be_exchanged(bench: Bench) -> None:
    bench.start(planner="fault", model="hang:8.0@5")
    bench.fly("fault")
    bench.until(lambda: bench.silent_for_s() > 0.5, "the generator to hang")
    assert bench.set(planner="straight_line", model="")[0]
    bench.planning("straight_line")
    assert bench.silent_for_s() < 5.0
    # The call that hung returns to nobody.
    wanted = len(bench.around.plans)
    bench.until(lambda: len(bench.around.plans) > wanted + 20, "further plans")
    assert {p.planner for p in bench.around.plans[wanted:]} == {"straight_line"}


@pytest.mark.parametrize("hang_s", [4.0, pytest.param(10.0, marks=pytest.mark.slow)])
def test_while_a_generator_hangs_services_answer(bench: Bench, hang_s: float) -> None:
    bench.start(planner="fault", model=f"hang:{hang_s}@5")
    bench.fly("fault")
    client = bench.around.create_client(GetParameters, "planner_server/get_parameters")
    bench.until(client.service_is_ready, "the service")
    count = len(bench.around.plans)
    bench.until(lambda: bench.silent_for_s() > 0.5, "the generator to hang")
    assert len(bench.around.plans) - count < 10
    took_ms = []
    while bench.silent_for_s() < hang_s - 1.0:
        began = time.monotonic()
        future = client.call_async(GetParameters.Request(names=["planner"]))
        bench.until(future.done, "an answer", 2.0)
        took_ms.append((time.monotonic() - began) * 1e3)
    print(f"{len(took_ms)} calls while the generator hung: longest {max(took_ms):.1f} ms")
    assert sorted(took_ms)[len(took_ms) // 2] < 100.0
    # Even its end does not wait for the call that hangs.
    began = time.monotonic()
    assert bench.server is not None
    bench.server.trigger_deactivate()
    assert time.monotonic() - began < 1.0
    bench.until(lambda: not bench.server._planning.running, "the end of the call")
    assert len(bench.around.plans) - count < 10


def test_a_task_that_raises_ends_no_server(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task of somebody's own may be wrong, or ask for a sensor that this robot cannot have."""

    class Broken:
        sensors = ("scan",)

        def check(self, *_: object) -> None:
            raise ZeroDivisionError("a mistake in it")

        def complete(self, asked: object, _position: object) -> object:
            return asked

    def refuse(_names: object) -> None:
        raise InvalidObservationError("a scan for a robot without a heading")

    bench.start()
    server, reports = bench.server, []
    assert server is not None
    server._refuse = _recording(server._refuse, reports)  # type: ignore[method-assign]
    bench.until(bench.around.goals.get_subscription_count, "matching")
    bench.around.send_goal()
    bench.planning()
    with monkeypatch.context() as patch:
        patch.setattr(planner.server, "load_task", lambda _: Broken())
        bench.around.send_goal()
        bench.until(lambda: "a mistake in it" in str(reports), "the refusal")
        patch.setattr(Broken, "check", lambda *_: None)
        patch.setattr(server._sensors, "listen", refuse)
        bench.around.send_goal()
        bench.until(lambda: "a heading" in str(reports), "the refusal")
    bench.around.send_goal()
    bench.planning()
