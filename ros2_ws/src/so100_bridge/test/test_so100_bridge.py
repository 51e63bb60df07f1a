"""The bridge and a simulated arm: joint states out, commands in, soft at both ends."""

from __future__ import annotations

import math
import signal
import time
from itertools import pairwise

import numpy as np
import pytest
from planner_core.robots import so100
from planner_interfaces.msg import Command
from planner_ros.qos import LATEST
from robot_bridge.bridge import Phase
from robot_simulation.so100.process import arm_process
from sensor_msgs.msg import JointState
from so100_harness import READY_POSE, RELAXED, bridge_process, operator


def test_joint_states_are_the_truth_at_sixty_hertz_and_more() -> None:
    with arm_process() as arm, operator(arm.port) as pilot:
        pilot.wait_for(Phase.READY)
        pilot.wait(lambda: len(pilot.joints) > 20)
        message = pilot.joints[-1]
        assert tuple(message.name) == so100().names
        assert message.header.frame_id == "base_link"
        assert list(message.position) == pytest.approx(arm.truth.positions, abs=3e-3)
        stamps = [m.header.stamp.sec + m.header.stamp.nanosec * 1e-9 for m in pilot.joints]
        assert abs(stamps[-1] - time.time()) < 0.5
        assert all(b > a for a, b in pairwise(stamps))
        pilot.joints.clear()
        took = pilot.wait(lambda: len(pilot.joints) >= 100)
        print(f"joint states at {100 / took:.0f} Hz")
        assert pilot.status is not None
        assert pilot.status.battery_voltage == pytest.approx(7.4, abs=0.05)
        assert not pilot.status.armed
        assert pilot.status.robot == "so100"


def test_engages_where_the_arm_is_follows_and_holds() -> None:
    with arm_process() as arm, operator(arm.port, braking_rad_s2=1.0) as pilot:
        pilot.wait_for(Phase.READY)
        # Moved by hand since the servos woke up: their old goals are elsewhere.
        arm.move_by_hand((0.5, -2.2, 2.0, 0.2, 0.3, 0.5))
        pilot.wait(lambda: abs(pilot.position[0] - 0.5) < 0.05)
        before = arm.truth.positions
        pilot.engage()
        arm.hand()
        pilot.pass_time(0.3)
        assert arm.truth.positions == pytest.approx(before, abs=0.06)
        assert arm.truth.torque == [True] * 6
        pilot.go(READY_POSE)

        def wave(t: float) -> np.ndarray:
            return np.array(READY_POSE) + 0.3 * math.sin(2.0 * t) * np.array([1, 0, 0, 1, 1, 0])

        pilot.command(wave)
        pilot.wait(lambda: arm.truth.positions[0] > 0.2)
        pilot.wait(lambda: arm.truth.positions[0] < -0.2)
        pilot.order(Command.REST, lambda: pilot.phase is Phase.READY)
        assert Phase.ENGAGING in pilot.phases
        assert pilot.status is not None
        assert pilot.status.armed
        held = pilot.settle(arm)
        pilot.pass_time(0.5)
        assert arm.truth.positions == pytest.approx(held, abs=0.02)


def test_commands_that_stop_leave_the_arm_holding() -> None:
    with arm_process() as arm:
        with operator(arm.port) as pilot:
            pilot.engage()
            pilot.go(READY_POSE)
            pilot.command(lambda t: (0.8 * t, *READY_POSE[1:]))
            pilot.wait(lambda: arm.truth.positions[0] > 0.2)
            pilot.command(None)
            pilot.wait_for(Phase.READY)
            held = pilot.settle(arm)
            pilot.pass_time(0.5)
            assert arm.truth.positions == pytest.approx(held, abs=0.02)
        # The bridge has ended, and has not let go.
        assert arm.truth.positions == pytest.approx(held, abs=0.02)
        assert arm.truth.torque == [True] * 6


def test_an_absurd_command_moves_the_arm_slowly_and_within_its_limits() -> None:
    with arm_process() as arm, operator(arm.port, speed_rad_s=0.4) as pilot:
        pilot.engage()
        pilot.go(READY_POSE)
        pilot.command((50.0, *READY_POSE[1:]))
        pilot.wait(lambda: arm.truth.positions[0] > 0.1)
        before = arm.truth
        pilot.wait(lambda: arm.truth.positions[0] > 0.7)
        after = arm.truth
        speed = (after.positions[0] - before.positions[0]) / (after.time_s - before.time_s)
        assert speed < 0.44
        assert after.positions[1:] == pytest.approx(READY_POSE[1:], abs=0.05)


def test_the_arm_is_let_go_softly_on_request_only() -> None:
    with arm_process() as arm, operator(arm.port, soft_release_s=1.0) as pilot:
        pilot.engage()
        pilot.go(READY_POSE)
        assert not pilot.call("release_torque").success
        pilot.command(None)
        assert pilot.call("rest").success
        pilot.wait_for(Phase.READY)
        height = arm.truth.tool[2]
        assert pilot.call("release_torque").success
        pilot.wait_for(Phase.RESTING)
        pilot.wait_for(Phase.READY)
        pilot.wait(lambda: arm.truth.torque == [False] * 6)
        assert arm.truth.tool[2] < height
        pilot.engage()
        assert arm.truth.torque == [True] * 6


def test_a_bridge_that_dies_leaves_an_arm_that_holds_and_the_next_takes_it_over() -> None:
    with arm_process() as arm, operator(with_bridge=False) as pilot:
        with bridge_process(**RELAXED, port=arm.port) as process:
            pilot.engage()
            pilot.go(READY_POSE)
            process.kill()
            process.wait(timeout=10)
        pilot.command(None)
        held = pilot.settle(arm)
        pilot.pass_time(0.3)
        assert arm.truth.positions == pytest.approx(held, abs=0.02)
        assert arm.truth.torque == [True] * 6
        pilot.status = None
        with bridge_process(**RELAXED, port=arm.port, on_exit="release") as process:
            pilot.wait_for(Phase.READY, 60.0)
            assert pilot.status is not None
            assert pilot.status.armed
            assert arm.truth.positions == pytest.approx(held, abs=0.02)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=15)
            assert process.returncode == 0, output
            assert "Traceback" not in output
        assert arm.truth.torque == [False] * 6


def test_a_leader_arm_leads() -> None:
    with (
        arm_process("--seed", "1") as leader,
        arm_process() as arm,
        operator(arm.port, leader=leader.port) as pilot,
    ):
        led: list[JointState] = []
        pilot.node.create_subscription(JointState, "leader/joint_states", led.append, LATEST)
        pilot.wait(lambda: led)
        pilot.wait_for(Phase.READY)
        assert pilot.call("engage").success
        pilot.wait_for(Phase.ACTIVE)
        for pose in (READY_POSE, (0.4, -1.4, 1.2, 0.4, 0.3, 0.8)):
            leader.hand(*pose)
            pilot.wait(lambda pose=pose: np.abs(np.array(arm.truth.positions) - pose).max() < 0.12)
        leader.inject("unplug")
        pilot.wait_for(Phase.READY)
        assert arm.truth.torque == [True] * 6
        assert leader.truth.torque == [False] * 6
