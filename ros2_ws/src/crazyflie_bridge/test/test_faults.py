"""What goes wrong: the robot ends up safe, and the bridge says why."""

from __future__ import annotations

import signal

import pytest
from crazyflie_harness import Operator, Vehicle, bridge_process, operator, vehicle
from geometry_msgs.msg import PoseStamped
from planner_core.errors import DriftpilotError
from planner_interfaces.msg import Command
from robot_bridge.bridge import Phase

pytest.importorskip("cflib")
GROUND_M = 0.05
NOBODY = "udp://127.0.0.1:1"


def test_emergency_stop_is_latched_until_the_robot_is_power_cycled() -> None:
    # So low that the fall breaks nothing.
    with vehicle() as robot, operator(robot.uri, takeoff_height_m=0.2) as pilot:
        pilot.wait_for(Phase.READY)
        assert pilot.call("engage").success
        pilot.wait(lambda: robot.truth.motors > 0.0)
        pilot.send_mode(Command.STOP)
        pilot.wait_for(Phase.FAULT)
        pilot.wait(lambda: robot.truth.state == "LOCKED")
        assert robot.truth.motors == 0.0
        pilot.wait(lambda: "power-cycled" in pilot.reasons)
        assert pilot.status is not None
        assert pilot.status.emergency_stopped
        assert pilot.status.error_code == 604
        assert not pilot.call("engage").success
        response = pilot.call("reset_emergency_stop")
        assert not response.success
        assert "power-cycled" in response.message
        robot.inject("restart")
        pilot.wait(lambda: "power-cycled" not in pilot.reasons and "call reset" in pilot.reasons)
        assert not pilot.call("engage").success
        assert pilot.call("reset_emergency_stop").success
        pilot.wait_for(Phase.READY)
        assert robot.truth.motors == 0.0


def test_silence_in_flight_ends_in_a_landing() -> None:
    with vehicle() as robot, operator(robot.uri, link_timeout_s=0.4) as pilot:
        pilot.take_off()
        robot.inject("silence")
        pilot.wait_for(Phase.FAULT)
        assert "nothing heard" in pilot.reasons
        assert pilot.status is not None
        assert pilot.status.error_code == 602
        assert not pilot.call("engage").success
        robot.inject("silence", 0)
        pilot.wait_for(Phase.RESTING)
        pilot.wait_for(Phase.READY)
        pilot.command(None)
        truth = robot.truth
        assert truth.position[2] < GROUND_M
        assert truth.state != "LOCKED"
        assert truth.collision is None


def send_poses(pilot: Operator, robot: Vehicle) -> None:
    """What a motion capture would publish."""

    def publish() -> None:
        truth, message = robot.truth, PoseStamped()
        message.header.frame_id = "map"
        message.header.stamp = pilot.node.get_clock().now().to_msg()
        p, q = message.pose.position, message.pose.orientation
        p.x, p.y, p.z = truth.position
        q.w, q.x, q.y, q.z = truth.attitude
        pilot.poses.publish(message)

    pilot.node.create_timer(0.02, publish)


def test_poses_from_outside_make_it_ready_and_their_loss_makes_it_land() -> None:
    with vehicle("--positioning", "external", "--brushless") as robot, operator(robot.uri) as pilot:
        pilot.wait(lambda: "not converged" in pilot.reasons)
        response = pilot.call("engage")
        assert not response.success
        assert "not converged" in response.message
        assert robot.truth.motors == 0.0
        send_poses(pilot, robot)
        pilot.take_off()
        assert robot.truth.state == "FLYING"
        (timer,) = [t for t in pilot.node.timers if t.timer_period_ns == 20_000_000][1:]
        timer.cancel()
        pilot.wait_for(Phase.RESTING)
        assert "position lost" in pilot.reasons
        timer.reset()
        pilot.command(None)
        pilot.wait(lambda: pilot.phase is Phase.READY)
        # Brushless motors stay disarmed on the ground.
        pilot.wait(lambda: robot.truth.state == "CHECKS_PASSED")
        assert robot.height < GROUND_M


def test_a_signal_in_flight_lands_the_robot() -> None:
    with (
        vehicle() as robot,
        operator(with_bridge=False) as pilot,
        bridge_process(robot.uri) as process,
    ):
        pilot.take_off()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=12)
        assert process.returncode == 0, output
        assert "Traceback" not in output
        truth = robot.truth
        assert truth.position[2] < GROUND_M
        assert truth.motors == 0.0
        assert truth.state != "LOCKED"


def test_a_bridge_that_died_is_followed_by_one_that_lands() -> None:
    with vehicle() as robot, operator(with_bridge=False) as pilot:
        with bridge_process(robot.uri):
            pilot.wait_for(Phase.READY)
            assert pilot.call("engage").success
            pilot.wait_for(Phase.ACTIVE)
        # Killed: no word of farewell to the robot, which hovers on.
        assert robot.height > 0.2
        with bridge_process(robot.uri) as process:
            pilot.wait_for(Phase.RESTING)
            assert "in the air" in pilot.reasons
            pilot.wait_for(Phase.READY)
            assert robot.height < GROUND_M
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=5)
            assert process.returncode == 0, output


def test_no_robot_is_said_with_its_code() -> None:
    with operator(NOBODY) as pilot:
        pilot.wait(lambda: "no Crazyflie answers" in pilot.reasons)
        assert pilot.phase in (Phase.DISCONNECTED, Phase.CONNECTING)
        assert pilot.status is not None
        assert pilot.status.error_code == 601
        pilot.wait_for(Phase.DISCONNECTED)
        response = pilot.call("engage")
        assert not response.success
        assert "no Crazyflie answers" in response.message


def test_a_required_robot_that_is_missing_ends_the_process() -> None:
    with bridge_process(NOBODY, require_robot=True, connect_timeout_s=1.0) as process:
        output, _ = process.communicate(timeout=15)
    assert process.returncode == 1
    assert "[E601]" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("uri", "nonsense", "parameter uri"),
        ("command_timeout_s", 0.6, "command_timeout_s"),
        ("min_flight_battery_v", 3.9, "min_flight_battery_v"),
        ("setpoint", "warp", "setpoint"),
    ],
)
def test_bad_parameters_are_refused(name: str, value: object, word: str) -> None:
    uri = NOBODY if name != "uri" else str(value)
    parameters = {} if name == "uri" else {name: value}
    with pytest.raises(DriftpilotError, match=word), operator(uri, **parameters):
        pass
