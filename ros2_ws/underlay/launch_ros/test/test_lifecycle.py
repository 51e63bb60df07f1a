"""LifecycleNode with a real node."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from launch.actions import EmitEvent, LogInfo, RegisterEventHandler, Shutdown, TimerAction
from launch.event_handlers import OnProcessIO
from launch.events import matches_action
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events import matches_node_name
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition

Run = Callable[..., int]

NODE = """
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn

class Subject(LifecycleNode):
    def on_cleanup(self, state):
        return TransitionCallbackReturn.FAILURE

rclpy.init()
node = Subject('subject')
print('rate', node.declare_parameter('rate', 1.0).value, flush=True)
try:
    rclpy.spin(node)
except (KeyboardInterrupt, ExternalShutdownException):
    pass
"""


@pytest.fixture(autouse=True)
def domain(ros_domain: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep to a domain of these tests, on this machine."""
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


@pytest.fixture
def subject(tmp_path: Path) -> Callable[..., LifecycleNode]:
    """Make the action for a node."""
    path = tmp_path / "node.py"
    path.write_text(NODE)

    def make(**keywords: object) -> LifecycleNode:
        return LifecycleNode(
            executable=sys.executable,
            arguments=[str(path)],
            name="subject",
            namespace="tested",
            parameters=[{"rate": 5.0}],
            cached_output=True,
            **keywords,
        )

    return make


def give_up() -> TimerAction:
    return TimerAction(period=20.0, actions=[Shutdown(reason="timeout")])


def test_autostart_leads_to_active(run: Run, subject, capsys) -> None:
    node = subject(autostart=True)
    on_active = OnStateTransition(
        target_lifecycle_node=node, goal_state="active", entities=[LogInfo(msg="A"), Shutdown()]
    )
    assert run(RegisterEventHandler(on_active), node, give_up()) == 0
    assert "[launch.user]: A" in capsys.readouterr().out
    assert node.get_stdout() == "rate 5.0\n"
    assert node.return_code == 0


def test_events_change_the_state(run: Run, subject, capsys) -> None:
    node = subject()
    by_name = matches_node_name("/tested/subject")

    def request(transition_id: int, matcher=by_name) -> EmitEvent:
        return EmitEvent(
            event=ChangeState(lifecycle_node_matcher=matcher, transition_id=transition_id)
        )

    def react(entities: list[object], **condition: str) -> RegisterEventHandler:
        return RegisterEventHandler(
            OnStateTransition(
                target_lifecycle_node=node, entities=entities, handle_once=True, **condition
            )
        )

    handlers = [
        react(
            [
                # For another node: nothing may happen.
                request(Transition.TRANSITION_ACTIVATE, matches_node_name("other")),
                request(Transition.TRANSITION_CLEANUP, matches_action(node)),
            ],
            start_state="configuring",
            goal_state="inactive",
        ),
        # This node refuses the clean-up.
        react([LogInfo(msg="refused"), Shutdown()], start_state="cleaningup"),
    ]
    assert run(*handlers, node, request(Transition.TRANSITION_CONFIGURE), give_up()) == 0
    out = capsys.readouterr().out
    assert "[launch.user]: refused" in out


def test_a_launch_ends_while_it_waits_for_a_service(run: Run) -> None:
    silent = LifecycleNode(
        executable=sys.executable,
        arguments=["-c", "import os, time; os.write(1, b'x'); time.sleep(60)"],
        name="silent",
        namespace="",
        autostart=True,
    )
    handler = OnProcessIO(target_action=silent, on_stdout=lambda event: Shutdown())
    assert run(RegisterEventHandler(handler), silent, give_up()) == 0


def test_bad_arguments_are_refused(subject) -> None:
    with pytest.raises(ValueError, match="transition 99 is none of TRANSITION_CONFIGURE"):
        ChangeState(lifecycle_node_matcher=lambda action: True, transition_id=99)
    with pytest.raises(TypeError, match="must be a LifecycleNode, got str"):
        OnStateTransition(target_lifecycle_node="subject", entities=[])
    with pytest.raises(ValueError, match="matcher cannot be combined"):
        OnStateTransition(goal_state="active", matcher=lambda event: True, entities=[])
