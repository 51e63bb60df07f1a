"""Low-level control over DDS and ROS, judged by what the simulated robot really does."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("cyclonedds")

from go2_bridge.joint_control import STANDING_RAD
from go2_harness import Go2, Operator, bridge, from_standing, go2, operator
from planner_core.limiter import Setpoint
from planner_interfaces.msg import Command
from planner_ros.qos import LATEST
from robot_bridge.bridge import Phase
from unitree_go.msg import LowCmd

STANDS_M = 0.25
LIES_M = 0.15


@pytest.fixture(scope="module")
def robot() -> Iterator[Go2]:
    with go2() as running:
        yield running


@pytest.fixture(scope="module")
def session(robot: Go2) -> Iterator[Operator]:
    with bridge(), operator() as running:
        yield running


@pytest.fixture
def pilot(session: Operator) -> Iterator[Operator]:
    session.wait_for(Phase.READY)
    session.phases.clear()
    yield session
    session.command(None)
    session.call("rest")
    session.wait_for(Phase.READY)


def test_stands_up_and_holds(robot: Go2, pilot: Operator) -> None:
    assert robot.truth.mode == "normal"
    pilot.stand()
    assert robot.truth.mode == "", "released before the joints were taken"
    pilot.wait(lambda: robot.height > STANDS_M)
    pilot.pass_time(1.0)
    truth = robot.truth
    assert pilot.phase is Phase.ACTIVE
    assert truth.position[2] > STANDS_M
    assert max(map(abs, truth.rpy[:2])) < 0.1
    assert from_standing(truth.q) < 0.2, "stiffness alone carries the weight: joints give way"
    assert truth.traffic["conflicts"] == 0
    assert truth.traffic["bad_crc"] == truth.traffic["malformed"] == 0
    assert pilot.phases[-2:] == [Phase.ENGAGING, Phase.ACTIVE]


def test_telemetry(robot: Go2, pilot: Operator) -> None:
    pilot.listen()
    pilot.wait(lambda: len(pilot.joints) > 20 and len(pilot.odometry) > 10 and pilot.battery)
    # On a busy machine the body may still settle: a single sample then is off by 1 m/s^2.
    pilot.wait(lambda: abs(pilot.imu[-1].linear_acceleration.z - 9.81) < 0.5)
    joints, truth = pilot.joints[-1], robot.truth
    assert tuple(joints.name) == pilot.robot.names
    np.testing.assert_allclose(joints.position, truth.q, atol=0.1)
    stamps = [m.header.stamp.sec + m.header.stamp.nanosec * 1e-9 for m in pilot.joints]
    assert np.diff(stamps).min() >= 0
    assert 0 <= pilot.clock.now_ns() * 1e-9 - stamps[-1] < 1.0
    assert pilot.odometry[-1].pose.pose.position.z == pytest.approx(truth.position[2], abs=0.03)
    assert pilot.odometry[-1].header.frame_id == "odom"
    assert pilot.battery[-1].percentage == pytest.approx(0.9, abs=0.02)
    assert pilot.status is not None
    assert pilot.status.battery == pytest.approx(0.9, abs=0.02)
    assert pilot.code == 0


def test_follows_setpoints(robot: Go2, pilot: Operator) -> None:
    pilot.stand()
    bow = STANDING_RAD + np.array([0.0, 0.25, -0.4] * 2 + [0.0, 0.0, 0.0] * 2)

    def toward(t: float) -> Setpoint:
        share = min(1.0, t)
        return Setpoint.at_rest(STANDING_RAD + (bow - STANDING_RAD) * share)

    pilot.command(toward)
    # The front legs fold: the trunk pitches forward.
    pilot.wait(lambda: robot.truth.rpy[1] > 0.08)
    assert pilot.phase is Phase.ACTIVE


def test_commands_that_stop_coming_end_in_damping(robot: Go2, pilot: Operator) -> None:
    pilot.stand()
    pilot.wait(lambda: robot.height > STANDS_M)
    pilot.command(None)
    # command_timeout_s, one period of the status, and what a busy machine adds.
    assert pilot.wait_for(Phase.RESTING) < 10.0
    pilot.wait(lambda: robot.truth.stiffness == 0.0)
    pilot.wait_for(Phase.READY)
    assert robot.height < LIES_M
    assert pilot.code == 0


def test_emergency_stop_is_latched(robot: Go2, pilot: Operator) -> None:
    pilot.stand()
    pilot.command_mode(Command.STOP)
    pilot.wait(lambda: robot.truth.stiffness == 0.0)
    pilot.wait_for(Phase.FAULT)
    assert pilot.status is not None
    assert pilot.status.emergency_stopped
    pilot.command(None)
    pilot.wait(lambda: robot.height < LIES_M)
    assert not pilot.call("engage").success
    pilot.hold()
    until = time.monotonic() + 0.5
    pilot.wait(lambda: time.monotonic() > until)
    assert robot.truth.stiffness == 0.0, "commands go on and reach nobody"
    pilot.command(None)
    pilot.wait(lambda: pilot.call("reset_emergency_stop").success)
    pilot.wait_for(Phase.READY)


def test_damaged_samples_are_ignored_and_show_in_the_link_quality(
    robot: Go2, pilot: Operator
) -> None:
    robot.inject("bad_crc", 0.5)
    pilot.wait(lambda: pilot.status is not None and pilot.status.link_quality < 0.7)
    pilot.stand()
    pilot.pass_time(0.5)
    assert pilot.phase is Phase.ACTIVE, "the other samples are enough"
    robot.inject("bad_crc", 0)


def test_a_low_battery_forbids_and_ends_motion(robot: Go2, pilot: Operator) -> None:
    pilot.stand()
    robot.inject("low_battery", 0.95)
    pilot.wait_for(Phase.CONNECTED)
    assert "battery low" in pilot.reasons
    assert "battery empty" in pilot.reasons, "what ended the motion is still said"
    pilot.command(None)
    response = pilot.call("engage")
    assert not response.success
    assert "battery low" in response.message
    robot.inject("low_battery", 0)
    pilot.wait_for(Phase.READY)


def test_silence_of_the_robot_is_reported_and_damped(robot: Go2, pilot: Operator) -> None:
    pilot.stand()
    robot.inject("silence")
    pilot.wait_for(Phase.FAULT)
    assert "nothing heard" in pilot.reasons
    assert pilot.code == 602
    assert not pilot.call("engage").success
    pilot.wait(lambda: robot.height < LIES_M)
    assert robot.truth.stiffness == 0.0
    pilot.command(None)
    robot.inject("silence", 0)
    pilot.wait_for(Phase.READY)
    assert "link lost" in pilot.reasons


def test_a_restart_takes_the_joints_away(robot: Go2, pilot: Operator) -> None:
    pilot.stand()
    assert pilot.code == 0, "what ended the last motion is forgotten"
    robot.inject("restart")
    pilot.wait_for(Phase.FAULT)
    pilot.command(None)
    pilot.wait_for(Phase.READY)
    pilot.wait(lambda: "restarted" in pilot.reasons)
    truth = robot.truth
    assert truth.mode == "normal"
    pilot.pass_time(0.3)
    assert robot.truth.traffic["accepted"] == truth.traffic["accepted"]


def test_two_writers_are_refused(robot: Go2, pilot: Operator) -> None:
    intruder = pilot.node.create_publisher(LowCmd, "/lowcmd", LATEST)
    pilot.wait(lambda: intruder.get_subscription_count() >= 2)
    timer = pilot.node.create_timer(0.02, lambda: intruder.publish(LowCmd()))
    before = robot.truth.traffic
    assert pilot.call("engage").success
    pilot.wait(lambda: pilot.code == 603)
    assert "somebody else writes joint commands" in pilot.reasons
    after = robot.truth.traffic
    assert after["accepted"] == before["accepted"], "not one command of ours"
    assert after["bad_crc"] > before["bad_crc"], "the intruder's have no checksum"
    pilot.node.destroy_timer(timer)
    pilot.pass_time(0.3)
    # A mode that somebody selects meanwhile is a second writer too.
    pilot.stand()
    robot.say("select normal")
    pilot.wait(lambda: pilot.code == 604)
    assert "two writers" in pilot.reasons
    pilot.command(None)
    pilot.wait(lambda: robot.truth.conflict == "")


def test_a_robot_on_its_side_is_not_engaged(robot: Go2, pilot: Operator) -> None:
    robot.say("overturn")
    pilot.wait_for(Phase.FAULT)
    assert "turn it upright" in pilot.reasons
    assert not pilot.call("engage").success
    robot.say("reset")
    pilot.wait_for(Phase.READY)
