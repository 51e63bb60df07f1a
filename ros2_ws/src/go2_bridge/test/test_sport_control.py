"""The rules of high-level control: the steps to walking, and what ends it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from go2_bridge.requests import Sport, Switcher
from go2_bridge.sport_control import ENGAGE_LIMIT_S, Activity, SportControl
from go2_fakes import FakeGo2
from planner_core.errors import NotReadyError
from planner_core.limiter import Setpoint
from robot_bridge.bridge import Health, Phase


class Rig:
    """A control and its robot, stepped together."""

    def __init__(self, mode: str = "normal") -> None:
        self.robot = FakeGo2(mode)
        self.control = SportControl(self.robot.surroundings)
        self.health = Health()
        self.live(0.1)

    def live(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.robot.live(0.05)
            self.health = self.control.poll()
            self.control.tick()


@pytest.fixture
def walking() -> Rig:
    rig = Rig()
    rig.control.begin()
    rig.live(3.0)
    assert rig.health.phase is Phase.ACTIVE
    return rig


def test_steps_to_walking_and_back() -> None:
    rig = Rig()
    rig.control.begin()
    rig.live(3.0)
    assert rig.robot.asked == [Switcher.CHECK_MODE, Sport.STAND_UP, Sport.BALANCE_STAND]
    rig.control.rest()
    rig.live(0.1)
    assert rig.health.phase is Phase.RESTING
    rig.live(2.5)
    assert rig.health.phase is Phase.READY
    assert rig.robot.asked[-1] is Sport.STAND_DOWN


def test_a_mode_is_selected_where_none_is_active() -> None:
    rig = Rig(mode="")
    rig.control.begin()
    rig.live(3.0)
    assert rig.robot.asked[1] is Switcher.SELECT_MODE
    assert rig.control.activity is Activity.WALKING


def test_joints_are_unlocked_as_soon_as_the_robot_allows() -> None:
    rig = Rig()
    rig.robot.codes[Sport.BALANCE_STAND] = 4201
    rig.control.begin()
    rig.live(3.0)
    assert rig.control.activity is Activity.STANDING_UP
    del rig.robot.codes[Sport.BALANCE_STAND]
    rig.live(1.0)
    assert rig.control.activity is Activity.WALKING


def test_a_robot_that_does_not_stand_is_given_up() -> None:
    rig = Rig()
    rig.robot.codes[Sport.STAND_UP] = 4201
    rig.control.begin()
    rig.live(ENGAGE_LIMIT_S + 0.5)
    assert rig.health.phase is Phase.RESTING
    assert rig.health.error_code == NotReadyError.code
    assert "STAND_UP was refused with code 4201" in rig.health.reasons[0]


def test_velocities_are_passed_on_and_end_in_standing(walking: Rig) -> None:
    assert walking.control.walk(0.3, 0.0, -0.2)
    walking.live(0.15)
    moves = [json.loads(text) for function, text in walking.robot.told if function is Sport.MOVE]
    assert moves[-1] == {"x": 0.3, "y": 0.0, "z": -0.2}
    walking.live(0.5)
    assert walking.robot.told[-1][0] is Sport.STOP_MOVE
    told = len(walking.robot.told)
    walking.live(0.5)
    assert len(walking.robot.told) == told, "said once"


def test_a_robot_that_does_not_walk_takes_no_velocity() -> None:
    rig = Rig()
    assert not rig.control.walk(0.3, 0.0, 0.0)
    rig.live(0.2)
    assert rig.robot.told == []


def test_joint_commands_are_refused(walking: Rig) -> None:
    with pytest.raises(NotReadyError, match="control: sport"):
        walking.control.follow(Setpoint.at_rest(np.zeros(12)))


def test_silence_is_reported_and_ends_the_walk(walking: Rig) -> None:
    walking.robot.silent = True
    walking.live(0.4)
    assert walking.health.phase is Phase.FAULT
    assert walking.health.error_code == 602
    assert walking.robot.asked[-1] is Sport.STAND_DOWN


def test_a_stop_damps_and_is_latched(walking: Rig) -> None:
    walking.control.walk(0.3, 0.0, 0.0)
    walking.control.stop()
    assert walking.robot.asked[-1] is Sport.DAMP
    walking.robot.told.clear()
    walking.live(0.5)
    assert walking.health.phase is Phase.FAULT
    assert walking.robot.told == []
    assert walking.robot.written == []
    walking.control.recover()
    walking.live(0.1)
    assert walking.health.phase is Phase.READY


@pytest.mark.parametrize("code", [None, 4201])
def test_a_stop_is_repeated_until_the_locomotion_has_damped(walking: Rig, code: int | None) -> None:
    """A robot that is heard, and does not answer or refuses, still stands by itself."""
    robot = walking.robot
    if code is None:
        robot.deaf = True
    else:
        robot.codes[Sport.DAMP] = code
    walking.control.stop()
    walking.live(4.5)
    assert robot.asked.count(Sport.DAMP) >= 4
    assert walking.control.persisting_fault() == "the robot has not confirmed the stop yet"
    robot.deaf = False
    robot.codes.clear()
    walking.live(1.2)
    assert walking.control.persisting_fault() is None
    asked = len(robot.asked)
    walking.live(2.0)
    assert len(robot.asked) == asked, "confirmed: said no more"
