"""The node for a legged robot in process: what it makes of stamps that do not go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import rclpy
from planner_core.robots import go2
from planner_interfaces.msg import Quantities
from planner_ros.clock import time_msg
from sensor_msgs.msg import Imu, JointState
from state_estimation.legged_node import LeggedEstimation

MODEL = Path(__file__).parents[4] / "models" / "go2_velocity"
BEGIN_NS = 1_000_000_000_000
STEP_NS = 10_000_000


class Said:
    """Stands in for a publisher."""

    def __init__(self) -> None:
        self.messages: list[Quantities] = []

    def publish(self, msg: Quantities) -> None:
        self.messages.append(msg)

    @property
    def velocity(self) -> list[float]:
        last = self.messages[-1]
        values = dict(zip(last.names, last.values, strict=True))
        return [values[f"velocity_{axis}"] for axis in "xyz"]


@pytest.fixture
def context(ros_domain: int) -> Iterator[None]:
    arguments = ["--ros-args", "-p", f"model:={MODEL}"]
    rclpy.init(domain_id=ros_domain, args=arguments)
    yield
    rclpy.shutdown()


def after(node: LeggedEstimation, stamps_ns: Sequence[int], rate: float) -> Said:
    """What a node says of samples of one motion."""
    said = Said()
    node._body = said  # type: ignore[assignment]
    for stamp_ns in stamps_ns:
        joints = JointState(name=list(go2().names), position=[0.1] * 12, velocity=[rate] * 12)
        imu = Imu()
        imu.orientation.w, imu.angular_velocity.z = 1.0, rate
        joints.header.stamp = imu.header.stamp = time_msg(stamp_ns)
        node._on_joints(joints)
        node._on_imu(imu)
    return said


def test_a_clock_that_is_set_back_does_not_freeze_the_velocity(context: None) -> None:
    """The last one would be given out as the present one, with fresh stamps."""
    stamps = [BEGIN_NS + i * STEP_NS for i in range(40)]
    earlier = [stamp - 10_000_000_000 for stamp in stamps]
    node, fresh = LeggedEstimation(), LeggedEstimation()
    before = after(node, stamps, 0.0).velocity
    assert after(node, earlier, 2.0).velocity == pytest.approx(after(fresh, earlier, 2.0).velocity)
    assert np.abs(np.subtract(before, after(fresh, earlier, 2.0).velocity)).max() > 1e-3
    for each in (node, fresh):
        each.destroy_node()


def test_a_clock_that_stands_still_does_not_fill_the_memory(context: None) -> None:
    node = LeggedEstimation()
    said = after(node, [BEGIN_NS] * 100, 0.5)
    assert len(said.messages) == 100
    assert len(node._stride) == 1
    node.destroy_node()
