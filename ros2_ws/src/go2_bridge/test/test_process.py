"""The bridge's process: how it ends, and the other way to control."""

from __future__ import annotations

import signal

import pytest

pytest.importorskip("cyclonedds")

from go2_harness import bridge, go2, operator
from robot_bridge.bridge import Phase

LIES_M = 0.15


def test_walking_by_velocity() -> None:
    with go2() as robot, bridge(control="sport"), operator() as pilot:
        pilot.wait_for(Phase.READY)
        assert pilot.call("engage").success
        pilot.wait_for(Phase.ACTIVE)
        start = robot.truth.position[0]
        pilot.walk(2.0)
        pilot.wait(lambda: robot.truth.position[0] > start + 0.5)
        assert robot.truth.velocity[0] < 0.9, "max_speed_m_s is 0.5"
        assert robot.truth.traffic["accepted"] == 0
        pilot.walk(float("nan"))
        # A nonsensical velocity is as good as none: the robot stands still, then lies down.
        pilot.wait_for(Phase.RESTING)
        pilot.wait_for(Phase.READY)
        assert robot.truth.sport == "LYING"
        pilot.velocity = None
        assert pilot.call("engage").success
        pilot.wait_for(Phase.ACTIVE)
        assert pilot.call("emergency_stop").success
        pilot.wait(lambda: robot.truth.sport == "DAMPING")
        pilot.wait_for(Phase.FAULT)
        pilot.wait(lambda: robot.height < LIES_M)
        pilot.wait(lambda: pilot.call("reset_emergency_stop").success)


def test_a_required_robot_that_is_missing_ends_the_process() -> None:
    with bridge(require_robot=True, connect_timeout_s=0.5) as running:
        output = running.end(None)
    assert running.process.returncode == 1
    assert "[E601]" in output
    assert "go2.xml" in output
    assert "Traceback" not in output


def test_a_bridge_that_ends_or_dies_leaves_the_robot_damped() -> None:
    with go2() as robot:
        with bridge() as running, operator() as pilot:
            pilot.stand()
            assert robot.truth.stiffness > 0.0
            output = running.end(signal.SIGINT)
            assert running.process.returncode == 0, output
            assert robot.truth.stiffness == 0.0
            pilot.wait(lambda: robot.height < LIES_M)
        with bridge() as running, operator() as pilot:
            pilot.stand()
            running.end(signal.SIGKILL)
            pilot.wait(lambda: not robot.truth.commanded)
            pilot.wait(lambda: robot.height < LIES_M)
