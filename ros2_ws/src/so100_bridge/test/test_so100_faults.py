"""What goes wrong: the arm holds or is limp, as it should, and the bridge says why."""

from __future__ import annotations

import pytest
from planner_core.errors import DriftpilotError
from planner_interfaces.msg import Command
from robot_bridge.bridge import Phase
from robot_simulation.so100.process import ArmProcess, arm_process
from so100_harness import READY_POSE, Operator, operator


def holding(arm: ArmProcess, pilot: Operator) -> list[float]:
    """An engaged arm at rest in the ready pose, and its joints."""
    pilot.engage()
    pilot.go(READY_POSE)
    return pilot.settle(arm)


def code(pilot: Operator) -> int:
    """The error code as last published."""
    return 0 if pilot.status is None else pilot.status.error_code


def test_an_emergency_stop_holds_the_arm_where_it_is_and_is_latched() -> None:
    with arm_process() as arm, operator(arm.port) as pilot:
        holding(arm, pilot)
        pilot.command((1.5, *READY_POSE[1:]))
        pilot.wait(lambda: arm.truth.positions[0] > 0.2)
        pilot.order(Command.STOP, lambda: pilot.phase is Phase.FAULT)
        held = pilot.settle(arm)
        # It was on its way to 1.5 rad.
        assert held[0] < 1.0
        assert pilot.status is not None
        assert pilot.status.emergency_stopped
        assert code(pilot) == 604
        assert not pilot.call("engage").success
        # Commands go on coming, and move nothing.
        pilot.command(READY_POSE)
        pilot.pass_time(0.5)
        assert arm.truth.positions == pytest.approx(held, abs=0.02)
        assert arm.truth.torque == [True] * 6
        pilot.command(None)
        assert pilot.call("reset_emergency_stop").success
        pilot.wait_for(Phase.READY)
        assert arm.truth.positions == pytest.approx(held, abs=0.02)
        pilot.engage()
        pilot.go(READY_POSE)


def test_a_stopped_arm_is_let_go_when_somebody_asks_for_it() -> None:
    with arm_process() as arm, operator(arm.port, soft_release_s=0.2) as pilot:
        holding(arm, pilot)
        assert pilot.call("emergency_stop").success
        assert pilot.call("release_torque").success
        pilot.wait(lambda: arm.truth.torque == [False] * 6)
        assert pilot.phase is Phase.FAULT
        assert pilot.call("reset_emergency_stop").success
        pilot.wait_for(Phase.READY)
        assert arm.truth.torque == [False] * 6


def test_lost_and_damaged_answers_are_asked_for_again() -> None:
    with arm_process() as arm, operator(arm.port, answer_timeout_s=0.05) as pilot:
        holding(arm, pilot)
        arm.inject("status_loss", 0.02)
        pilot.command((0.4, *READY_POSE[1:]))
        pilot.wait(lambda: abs(arm.truth.positions[0] - 0.4) < 0.05)
        arm.inject("status_loss", 0.0)
        arm.inject("corruption", 0.02)
        pilot.command((-0.4, *READY_POSE[1:]))
        pilot.wait(lambda: abs(arm.truth.positions[0] + 0.4) < 0.05)
        assert pilot.phases[-1] is Phase.ACTIVE
        assert Phase.DISCONNECTED not in pilot.phases


@pytest.mark.parametrize(
    ("fault", "value"), [("silence", 1.0), ("unplug", 1.0), ("missing_servo", 3.0)]
)
def test_a_lost_arm_holds_and_is_found_again(fault: str, value: float) -> None:
    with arm_process() as arm, operator(arm.port) as pilot:
        held = holding(arm, pilot)
        arm.inject(fault, value)
        pilot.wait_for(Phase.DISCONNECTED)
        assert code(pilot) in (601, 602)
        assert pilot.reasons
        assert not pilot.call("engage").success
        assert arm.truth.positions == pytest.approx(held, abs=0.02)
        assert arm.truth.torque == [True] * 6
        arm.inject(fault, 0.0)
        # The commands that still come move nothing: somebody has to engage again.
        pilot.command((1.0, *READY_POSE[1:]))
        pilot.wait_for(Phase.READY)
        pilot.pass_time(0.2)
        assert arm.truth.positions == pytest.approx(held, abs=0.02)
        pilot.engage()
        pilot.go(READY_POSE)


def test_writes_that_do_not_arrive_are_noticed() -> None:
    with arm_process() as arm, operator(arm.port) as pilot:
        holding(arm, pilot)
        arm.inject("write_loss", 1.0)
        pilot.command(lambda t: (0.3 * t, *READY_POSE[1:]))
        pilot.wait(lambda: "goals do not reach the servos" in pilot.reasons)
        assert code(pilot) == 602
        pilot.command(None)
        arm.inject("write_loss", 0.0)
        pilot.wait_for(Phase.READY)


def test_an_overload_ends_the_motion_and_is_named() -> None:
    with arm_process() as arm, operator(arm.port) as pilot:
        held = holding(arm, pilot)
        arm.inject("overload", 1)
        pilot.wait_for(Phase.FAULT)
        assert "shoulder_pan: overload" in pilot.reasons
        assert code(pilot) == 604
        assert pilot.status is not None
        assert pilot.status.robot_flags == 0b10000
        pilot.command((1.0, *READY_POSE[1:]))
        pilot.pass_time(0.3)
        assert arm.truth.positions == pytest.approx(held, abs=0.05)
        assert not pilot.call("engage").success
        pilot.command(None)
        assert pilot.call("reset_emergency_stop").success
        pilot.wait_for(Phase.READY)
        assert arm.truth.status == [0] * 6
        pilot.engage()
        pilot.go((0.2, *READY_POSE[1:]))


def test_a_blocked_arm_does_not_press_on() -> None:
    with arm_process() as arm, operator(arm.port, relative_target_rad=0.1) as pilot:
        holding(arm, pilot)
        # Down into the table.
        pilot.command((0.0, 0.2, 1.5, 1.0, 0.0, 0.3))
        pilot.wait_for(Phase.FAULT)
        assert "overload" in pilot.reasons


def test_a_power_failure_is_a_fault_and_nothing_jumps_afterwards() -> None:
    with arm_process() as arm, operator(arm.port) as pilot:
        holding(arm, pilot)
        height = arm.truth.tool[2]
        arm.inject("restart")
        pilot.wait_for(Phase.FAULT)
        assert "torque lost" in pilot.reasons
        pilot.command(None)
        pilot.wait(lambda: arm.truth.tool[2] < height - 0.05)
        fallen = pilot.settle(arm)
        assert pilot.call("reset_emergency_stop").success
        pilot.wait_for(Phase.READY)
        pilot.engage()
        pilot.pass_time(0.3)
        assert arm.truth.positions == pytest.approx(fallen, abs=0.05)


def test_low_voltage_and_heat_are_named() -> None:
    with arm_process() as arm, operator(arm.port) as pilot:
        pilot.wait_for(Phase.READY)
        arm.inject("low_voltage", 0.5)
        pilot.wait(lambda: "gripper: voltage out of range" in pilot.reasons)
        assert pilot.phase is Phase.FAULT
        assert not pilot.call("engage").success
        arm.inject("low_voltage", 0.0)
        arm.inject("overheat", 2)
        pilot.wait(lambda: "shoulder_lift: too hot" in pilot.reasons)
        arm.inject("overheat", 0)
        assert pilot.call("reset_emergency_stop").success
        pilot.wait_for(Phase.READY)


def test_no_arm_is_said_with_its_code() -> None:
    with operator("/nowhere/arm") as pilot:
        pilot.wait(lambda: "no SO-100 answers at /nowhere/arm" in pilot.reasons)
        assert pilot.phase is Phase.CONNECTING
        assert code(pilot) == 601
        assert not pilot.call("engage").success


def test_an_arm_that_was_never_calibrated_is_not_moved() -> None:
    with arm_process("--factory") as arm, operator(arm.port) as pilot:
        pilot.wait_for(Phase.CONNECTED)
        assert "so100_calibrate" in pilot.reasons
        assert code(pilot) == 620
        assert not pilot.call("engage").success
        assert arm.truth.torque == [False] * 6


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"robot": "crazyflie"}, "so100"),
        ({"directions": [1, 1]}, "six numbers"),
        ({"directions": [1, 1, 2, 1, 1, 1]}, "directions"),
        ({"relative_target_rad": 100.0}, "relative_target_rad"),
        ({"potr": "/dev/null"}, "potr"),
    ],
)
def test_bad_parameters_are_refused(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(DriftpilotError, match=message), operator("/nowhere/arm", **parameters):
        pass
