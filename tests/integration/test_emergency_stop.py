"""The emergency stop through real topics: bridge and plan_execution in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import rclpy
from plan_execution.node import PlanExecution
from planner_core.executor import TimedPlan
from planner_core.plan import Array, Plan
from planner_core.robots import crazyflie
from planner_interfaces.msg import BridgeStatus, Command
from planner_interfaces.msg import Plan as PlanMsg
from planner_ros.clock import nanoseconds
from planner_ros.conversions import plan_msg
from planner_ros.qos import LATCHED, LATEST, ORDERED
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from robot_bridge.bridge import Health, Phase
from robot_bridge.loopback import LoopbackRobot
from std_srvs.srv import Trigger

ROBOT = crazyflie()
Wait = Callable[..., None]


class WatchedRobot(LoopbackRobot):
    """A loopback robot that remembers when it was moved, and that can have a fault."""

    def __init__(self) -> None:
        super().__init__()
        self.moved_ns: list[int] = []
        self.fault: str | None = None
        self.connected = True
        self.elsewhere: Array | None = None

    def send(self, setpoint: object) -> None:
        self.moved_ns.append(self.clock.now_ns())
        super().send(setpoint)  # type: ignore[arg-type]

    def poll(self) -> Health:
        return super().poll() if self.connected else Health(Phase.DISCONNECTED)

    def persisting_fault(self) -> str | None:
        return self.fault

    def position(self) -> Array:
        return super().position() if self.elsewhere is None else self.elsewhere


class Pilot(Node):
    """Engages, sends plans, stops and resets."""

    def __init__(self) -> None:
        super().__init__("pilot")
        self.commands: list[Command] = []
        self.bridge: list[BridgeStatus] = []
        self.plans = self.create_publisher(PlanMsg, "plan", ORDERED)
        self.create_subscription(Command, "command", self.commands.append, LATEST)
        self.create_subscription(BridgeStatus, "bridge/status", self.bridge.append, LATCHED)
        self.sequence = 0

    def send_plan(self) -> None:
        """Standing at home, for 0.2 s."""
        self.sequence += 1
        now_ns = int(self.get_clock().now().nanoseconds)
        still = np.zeros((21, 4))
        plan = Plan(now_ns, 0.1, still, still, still)
        timed = TimedPlan(plan, 1, self.sequence, now_ns, chunk=2)
        self.plans.publish(plan_msg(timed, ROBOT, planner="test", bundle="", feasible=True))


class Flight:
    """The nodes and their executor."""

    def __init__(self, wait_until: Wait) -> None:
        self.robot, self.pilot, self.execution = WatchedRobot(), Pilot(), PlanExecution()
        self._executor = SingleThreadedExecutor()
        for node in (self.robot, self.pilot, self.execution):
            self._executor.add_node(node)
        self._wait = wait_until

    def until(self, condition: Callable[[], object], what: str) -> None:
        self._wait(condition, what, 10.0, lambda: self._executor.spin_once(timeout_sec=0.02))

    def call(self, service: str) -> Trigger.Response:
        client = self.pilot.create_client(Trigger, service)
        self.until(client.service_is_ready, service)
        future = client.call_async(Trigger.Request())
        self.until(future.done, service)
        self.pilot.destroy_client(client)
        return future.result()

    def engage(self) -> None:
        self.until(lambda: self.call("engage").success, "engaging")
        self.pilot.commands.clear()

        def tracking() -> bool:
            self.pilot.send_plan()
            return any(command.mode == Command.TRACK for command in self.pilot.commands[-3:])

        self.until(tracking, "tracking")

    def stops(self) -> list[int]:
        """ROS times of the status messages that tell of a stop."""
        return [nanoseconds(s.header.stamp) for s in self.pilot.bridge if s.emergency_stopped]

    def close(self) -> None:
        self.execution.shut_down()
        self._executor.shutdown()
        for node in (self.robot, self.pilot, self.execution):
            node.destroy_node()


@pytest.fixture
def flight(ros_domain: int, wait_until: Wait) -> Iterator[Flight]:
    rclpy.init(domain_id=ros_domain, args=["--ros-args", "-p", "loopback_robot:engage_s:=0.0"])
    flight = Flight(wait_until)
    yield flight
    flight.close()
    rclpy.shutdown()


def test_no_motion_after_a_stop(flight: Flight) -> None:
    late_ms = []
    for _ in range(3):
        flight.engage()
        flight.pilot.bridge.clear()
        assert flight.call("emergency_stop").success
        flight.until(lambda: any(flight.stops()), "the stop in the status")
        stop_ns = flight.stops()[0]
        flight.pilot.send_plan()
        flight.until(lambda: flight.execution.stopped, "execution to stop")
        # The robot itself is moved no more, from that instant on.
        assert max(flight.robot.moved_ns) <= stop_ns
        stamps = [nanoseconds(command.header.stamp) for command in flight.pilot.commands]
        late_ms.append((max(stamps) - stop_ns) / 1e6)
        assert flight.call("reset_emergency_stop").success
        flight.until(lambda: not flight.execution.stopped, "the end of the stop")
    print(f"emergency stop: last command {max(late_ms):.1f} ms after it, none let through")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"fault": "upside down"}, "upside down"),
        ({"connected": False}, "no connection"),
        ({"elsewhere": np.array([9.0, 0.0, 1.0, 0.0])}, "x at 9 m, outside -6 to 6"),
        ({"elsewhere": np.array([np.nan, 0.0, 1.0, 0.0])}, "outside"),
    ],
)
def test_a_reset_is_refused_while_the_cause_persists(
    flight: Flight, change: dict[str, object], says: str
) -> None:
    good = {name: getattr(flight.robot, name) for name in change}
    assert flight.call("emergency_stop").success
    for name, value in change.items():
        setattr(flight.robot, name, value)
    refused = flight.call("reset_emergency_stop")
    assert not refused.success
    assert "[E510]" in refused.message
    assert says in refused.message
    assert flight.robot.guard.stopped
    for name, value in good.items():
        setattr(flight.robot, name, value)
    assert flight.call("reset_emergency_stop").success
    assert not flight.robot.guard.stopped
