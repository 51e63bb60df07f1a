"""The navigator and a planner server that is not there yet."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import pytest
import rclpy
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import PoseStamped
from planner.navigator import Navigator
from planner_core.errors import GoalError
from planner_core.robots import crazyflie
from planner_interfaces.msg import BridgeStatus, Goal, PlannerStatus, RobotState
from planner_ros.conversions import state_msg
from planner_ros.qos import LATCHED, LATEST, ORDERED
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_srvs.srv import Trigger

Wait = Callable[..., None]


class Surroundings(Node):
    """A robot that takes off when it is asked to."""

    def __init__(self) -> None:
        super().__init__("surroundings")
        self.asked = 0
        self.goals: list[Goal] = []
        self.state = BridgeStatus.READY
        self.states = self.create_publisher(RobotState, "state", LATEST)
        self.bridge = self.create_publisher(BridgeStatus, "bridge/status", LATCHED)
        self.planner = self.create_publisher(PlannerStatus, "planner/status", LATCHED)
        self.poses = self.create_publisher(PoseStamped, "goal_pose", ORDERED)
        self.create_service(Trigger, "engage", self._engage)
        self.create_subscription(Goal, "goal", self.goals.append, LATCHED)
        self.create_timer(0.02, self._send)

    def _engage(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self.asked += 1
        self.state = BridgeStatus.ACTIVE
        response.success = True
        return response

    def _send(self) -> None:
        now = int(self.get_clock().now().nanoseconds)
        self.bridge.publish(BridgeStatus(state=self.state))
        self.states.publish(
            state_msg(crazyflie(), now, [0.0, 0.0, 1.0, 0.0], [0.0] * 4,
                      status=RobotState.VALID, measured_ns=now)
        )  # fmt: skip


@pytest.fixture
def surroundings(request: pytest.FixtureRequest, ros_domain: int) -> Iterator[Surroundings]:
    arguments = ["--ros-args", "-p", "needs_world:=false", *getattr(request, "param", [])]
    rclpy.init(domain_id=ros_domain, args=arguments)
    executor = SingleThreadedExecutor()
    around, navigator = Surroundings(), Navigator()
    for node in (around, navigator):
        executor.add_node(node)
    around.navigator = navigator  # type: ignore[attr-defined]
    around.spin = lambda: executor.spin_once(timeout_sec=0.02)  # type: ignore[attr-defined]
    yield around
    executor.shutdown()
    navigator.shut_down()
    for node in (around, navigator):
        node.destroy_node()
    rclpy.shutdown()


# Simulated time that nobody publishes: it stands still, as after a step back of the clock.
STOPPED_CLOCK = ["-p", "navigator:use_sim_time:=true"]


@pytest.mark.parametrize("surroundings", [[], STOPPED_CLOCK], indirect=True)
def test_no_goal_before_there_is_a_planner(surroundings: Surroundings, wait_until: Wait) -> None:
    """A planner server does not take up a goal from before its start."""
    around = surroundings

    def until(condition: Callable[[], object], what: str) -> None:
        wait_until(condition, what, 10.0, around.spin)  # type: ignore[attr-defined]

    until(around.poses.get_subscription_count, "the navigator")
    until(around.planner.get_subscription_count, "the navigator")
    around.planner.publish(PlannerStatus(state=PlannerStatus.LOADING))
    pose = PoseStamped()
    pose.header.frame_id = "map"
    pose.pose.position.x, pose.pose.position.z = 2.0, 1.0
    around.poses.publish(pose)
    for _ in range(100):
        around.spin()  # type: ignore[attr-defined]
    assert around.asked == 0
    assert not around.goals
    around.planner.publish(PlannerStatus(state=PlannerStatus.IDLE))
    until(lambda: around.asked, "the take-off")
    until(lambda: around.goals, "the goal")
    assert around.goals[-1].kind == Goal.REACH


@pytest.mark.parametrize(
    "change",
    [
        {"tolerances": [math.nan]}, {"tolerances": [-0.1]}, {"tolerances": [0.0]},
        {"tolerances": [math.inf]}, {"tolerances": [0.1, 0.1]},
        {"time_limit": Duration(sec=-5)},
    ],
)  # fmt: skip
def test_goals_that_nothing_can_fulfil_are_refused(
    surroundings: Surroundings, change: dict[str, object]
) -> None:
    navigator: Navigator = surroundings.navigator  # type: ignore[attr-defined]
    goal = Goal(names=["x", "y", "z"], values=[2.0, 0.0, 1.0], **change)
    with pytest.raises(GoalError, match="at most one tolerance above 0"):
        navigator._begin(goal)
    assert navigator._task is None


@pytest.mark.parametrize("surroundings", [STOPPED_CLOCK], indirect=True)
def test_goals_after_a_restart_are_newer_in_simulated_time_too(surroundings: Surroundings) -> None:
    """Plans for one that is older than the last would be refused for ever."""
    navigator: Navigator = surroundings.navigator  # type: ignore[attr-defined]
    assert navigator._time.now_ns() == 0
    begun_s = time.time()
    navigator._send(Goal.HOLD)
    assert begun_s - 60 < navigator._epoch < begun_s + 60
