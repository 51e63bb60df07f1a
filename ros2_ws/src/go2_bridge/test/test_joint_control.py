"""The rules of low-level control: who owns the joints, and what ends the motion."""

from __future__ import annotations

import numpy as np
import pytest
from go2_bridge.joint_control import (
    CROUCHING_RAD,
    RELEASE_LIMIT_S,
    STANDING_RAD,
    Activity,
    JointControl,
)
from go2_bridge.requests import Sport, Switcher
from go2_bridge.wire import LowCmdEncoder
from go2_fakes import ON_ITS_SIDE, SETTINGS, UPRIGHT, FakeGo2
from planner_core.errors import NotReadyError, RobotFaultError
from planner_core.limiter import Setpoint
from robot_bridge.bridge import Health, Phase


class Rig:
    """A control and its robot, stepped together."""

    def __init__(self, mode: str = "") -> None:
        self.robot = FakeGo2(mode)
        self.control = JointControl(self.robot.surroundings)
        self.health = Health()
        self.live(0.1)

    def live(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.robot.live(0.05)
            self.health = self.control.poll()
            self.control.tick()

    def follow(self) -> None:
        """Engage and stand."""
        self.control.begin()
        self.live(1.0)
        self.robot.stand()
        self.live(0.8)
        assert self.control.activity is Activity.FOLLOWING, self.robot.log


@pytest.fixture
def rig() -> Rig:
    return Rig()


def kinds(rig: Rig, last: int = 1) -> set[tuple[float, float]]:
    """Stiffness and damping of the last commands."""
    return {(m.motor_cmd[0].kp, m.motor_cmd[0].kd) for m in rig.robot.written[-last:]}


def test_the_mode_is_released_before_anything_is_written() -> None:
    rig = Rig(mode="normal")
    rig.control.begin()
    while rig.robot.mode:
        rig.live(0.05)
        assert rig.robot.written == []
    assert rig.robot.asked[:3] == [Switcher.CHECK_MODE, Sport.STAND_DOWN, Switcher.RELEASE_MODE]
    rig.live(1.0)
    assert rig.robot.asked[3] is Switcher.CHECK_MODE
    assert rig.control.activity is Activity.RAMPING


def test_it_waits_for_the_robot_to_lie_before_it_releases() -> None:
    rig = Rig(mode="normal")
    rig.robot.dq = np.full(12, 1.0)
    rig.control.begin()
    rig.live(2.0)
    assert Switcher.RELEASE_MODE not in rig.robot.asked
    rig.robot.dq = np.zeros(12)
    rig.live(1.0)
    assert Switcher.RELEASE_MODE in rig.robot.asked


def test_a_mode_that_stays_is_given_up() -> None:
    rig = Rig(mode="normal")
    rig.robot.codes[Switcher.RELEASE_MODE] = 4201
    rig.control.begin()
    rig.live(RELEASE_LIMIT_S + 0.5)
    assert rig.robot.written == []
    assert rig.health.phase is Phase.READY
    assert rig.health.error_code == NotReadyError.code
    assert "no control of the joints" in rig.health.reasons[0]


def test_the_ramp_begins_where_the_joints_are(rig: Rig) -> None:
    rig.robot.q = np.full(12, 0.3)
    rig.control.begin()
    rig.live(2.0)
    stiff = [w.motor_cmd[:12] for w in rig.robot.written if w.motor_cmd[0].kp > 0.0]
    targets = np.array([[m.q for m in motors] for motors in stiff])
    np.testing.assert_allclose(targets[0], 0.3, atol=0.01)
    np.testing.assert_allclose(targets[-1], STANDING_RAD, atol=0.05)
    # 50 ms apart; a smooth step is at most 1.5 times as fast as its mean.
    ways = np.abs(CROUCHING_RAD - 0.3), np.abs(STANDING_RAD - CROUCHING_RAD)
    greatest = 1.5 * np.maximum(*ways) * 0.06 / (SETTINGS.ramp_s / 2)
    assert (np.abs(np.diff(targets, axis=0)) <= greatest).all()


def test_the_ramp_leads_over_a_crouch(rig: Rig) -> None:
    rig.robot.q = np.full(12, 0.3)
    rig.control.begin()
    rig.live(2.0)
    stiff = [w.motor_cmd[:12] for w in rig.robot.written if w.motor_cmd[0].kp > 0.0]
    targets = np.array([[m.q for m in motors] for motors in stiff])
    assert np.abs(targets - CROUCHING_RAD).max(axis=1).min() < 0.05


def test_joints_that_do_not_arrive_end_it(rig: Rig) -> None:
    rig.robot.q = STANDING_RAD + 0.8
    rig.control.begin()
    rig.live(2.0)
    assert rig.control.activity is not Activity.FOLLOWING
    assert rig.health.error_code == RobotFaultError.code
    assert "from standing" in rig.health.reasons[0]


def test_setpoints_are_written_with_their_velocity(rig: Rig) -> None:
    rig.follow()
    setpoint = Setpoint(STANDING_RAD + 0.1, np.full(12, 0.5), np.zeros(12))
    rig.control.follow(setpoint)
    rig.control.tick()
    motors = rig.robot.written[-1].motor_cmd[:12]
    np.testing.assert_allclose([m.q for m in motors], STANDING_RAD + 0.1, atol=1e-6)
    np.testing.assert_allclose([m.dq for m in motors], 0.5)
    assert kinds(rig) == {(SETTINGS.kp, SETTINGS.kd)}


def test_rest_damps_until_the_joints_are_still(rig: Rig) -> None:
    rig.follow()
    rig.robot.dq = np.full(12, 2.0)
    rig.live(0.05)
    rig.control.rest()
    assert kinds(rig) == {(0.0, SETTINGS.damping)}
    rig.live(1.0)
    assert rig.health.phase is Phase.RESTING
    rig.robot.dq = np.zeros(12)
    rig.live(0.6)
    assert rig.health.phase is Phase.READY
    written = len(rig.robot.written)
    rig.live(0.2)
    assert len(rig.robot.written) == written, "a robot at rest is left alone"


def test_a_late_setpoint_does_not_undo_the_rest(rig: Rig) -> None:
    rig.follow()
    rig.control.rest()
    rig.control.follow(Setpoint.at_rest(STANDING_RAD.copy()))
    rig.control.tick()
    assert kinds(rig) == {(0.0, SETTINGS.damping)}


def test_silence_is_reported_and_damped(rig: Rig) -> None:
    rig.follow()
    rig.robot.silent = True
    rig.live(0.4)
    assert rig.health.phase is Phase.FAULT
    assert rig.health.error_code == 602
    assert kinds(rig, last=2) == {(0.0, SETTINGS.damping)}
    rig.robot.silent = False
    rig.live(0.6)
    assert rig.health.phase is Phase.READY
    assert "link lost" in rig.health.reasons[0], "said until the next motion"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("quaternion", ON_ITS_SIDE, "on its side"), ("charge", 0.05, "battery empty")],
)
def test_what_ends_a_motion(rig: Rig, name: str, value: object, words: str) -> None:
    rig.follow()
    setattr(rig.robot, name, value)
    rig.live(0.1)
    assert kinds(rig) == {(0.0, SETTINGS.damping)}
    assert any(words in text for text in rig.robot.log)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("quaternion", ON_ITS_SIDE, "on its side"),
        ("charge", 0.15, "battery low"),
        ("silent", True, "no link"),
    ],
)
def test_what_forbids_a_motion(rig: Rig, name: str, value: object, words: str) -> None:
    setattr(rig.robot, name, value)
    rig.live(0.3)
    with pytest.raises(NotReadyError, match=words):
        rig.control.begin()
    assert rig.robot.asked == []


def foreign() -> bytes:
    """Somebody else's LowCmd."""
    return LowCmdEncoder().encode(np.full(12, 0.7), np.zeros(12), 20.0, 0.5)


def test_own_commands_that_come_back_are_not_foreign(rig: Rig) -> None:
    rig.follow()
    for payload in rig.robot.payloads:
        rig.control.heard(payload)
    assert rig.control.foreign == 0
    assert rig.control.activity is Activity.FOLLOWING


def test_a_second_writer_makes_this_one_yield(rig: Rig) -> None:
    rig.follow()
    written = len(rig.robot.written)
    rig.control.heard(foreign())
    rig.live(0.2)
    assert len(rig.robot.written) == written, "not even damping: that would be half a fight"
    assert rig.health.error_code == RobotFaultError.code
    assert "two writers" in rig.health.reasons[0]


def test_joints_that_somebody_else_commands_are_not_taken(rig: Rig) -> None:
    rig.control.begin()
    for _ in range(10):
        rig.control.heard(foreign())
        rig.live(0.1)
    assert rig.robot.written == []
    assert rig.health.error_code == NotReadyError.code
    assert "somebody else" in rig.health.reasons[0]


def test_a_mode_that_somebody_selects_makes_this_one_yield(rig: Rig) -> None:
    rig.follow()
    rig.robot.mode = "ai"
    rig.live(1.5)
    written = len(rig.robot.written)
    rig.live(0.3)
    assert len(rig.robot.written) == written
    assert "'ai'" in rig.health.reasons[0]


def test_a_stop_damps_until_it_is_released(rig: Rig) -> None:
    rig.follow()
    rig.control.stop()
    assert kinds(rig) == {(0.0, SETTINGS.damping)}
    rig.live(2.0)
    assert rig.health.phase is Phase.FAULT
    assert kinds(rig, last=20) == {(0.0, SETTINGS.damping)}
    assert rig.control.persisting_fault() is None
    rig.control.recover()
    rig.live(0.1)
    assert rig.health.phase is Phase.READY


def test_a_stop_of_a_robot_that_its_locomotion_moves_asks_that_to_damp() -> None:
    rig = Rig(mode="normal")
    rig.control.stop()
    rig.live(0.1)
    assert rig.robot.asked == [Sport.DAMP]
    assert rig.robot.written == [], "the joints are not ours"
    assert rig.control.persisting_fault() is None


def test_a_stop_is_repeated_while_nobody_hears_it(rig: Rig) -> None:
    rig.robot.silent = rig.robot.deaf = True
    rig.live(0.3)
    rig.control.stop()
    rig.live(3.0)
    assert rig.robot.asked.count(Sport.DAMP) >= 2
    assert rig.control.persisting_fault() == "no link to the robot"
    with pytest.raises(RobotFaultError):
        rig.control.recover()


def test_a_stop_is_not_released_for_a_robot_on_its_side(rig: Rig) -> None:
    rig.control.stop()
    rig.robot.quaternion = ON_ITS_SIDE
    rig.live(2.0)
    with pytest.raises(RobotFaultError, match="on its side"):
        rig.control.recover()
    rig.robot.quaternion = UPRIGHT
    rig.live(0.1)
    rig.control.recover()


def test_a_restart_takes_the_joints_away(rig: Rig) -> None:
    rig.follow()
    written = len(rig.robot.written)
    rig.control.restarted()
    rig.live(0.2)
    assert len(rig.robot.written) == written, "the built-in locomotion has them again"
    assert "restarted" in rig.health.reasons[0]
