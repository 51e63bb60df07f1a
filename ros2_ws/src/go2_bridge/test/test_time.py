"""Joint commands go out whatever ROS time does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import rclpy
from go2_bridge.joint_control import Activity, JointControl
from go2_bridge.node import Go2Bridge
from rclpy.executors import SingleThreadedExecutor


@pytest.fixture
def bridge(ros_domain: int) -> Iterator[Go2Bridge]:
    # Simulated time that nobody publishes: it stands still, as after a step back of the clock.
    rclpy.init(domain_id=ros_domain, args=["--ros-args", "-p", "use_sim_time:=true"])
    node = Go2Bridge()
    yield node
    node.destroy_node()
    rclpy.shutdown()


def test_joints_are_commanded_while_ros_time_stands_still(bridge: Go2Bridge, wait_until) -> None:
    control, written = bridge._control, []
    assert isinstance(control, JointControl)
    control.write = written.append
    control.activity = Activity.DAMPING
    executor = SingleThreadedExecutor()
    executor.add_node(bridge)
    wait_until(
        lambda: len(written) > 20, "commands", step=lambda: executor.spin_once(timeout_sec=0.02)
    )
    executor.shutdown()
    assert bridge.clock.now_ns() == 0
