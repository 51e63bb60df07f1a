"""What the arm does with the servos, without a bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from planner_core.robots import so100
from so100_bridge.arm_state import GRIPPER, Activity, ArmControl, ArmSettings
from so100_bridge.calibration import RAD_PER_COUNT, Calibration, JointCalibration
from so100_bridge.motion import MotionLimits
from so100_bridge.servos import Reading, Status

ROBOT = so100()
MOTION = MotionLimits(relative_target_rad=0.3, speed_rad_s=2.0, braking_rad_s2=10.0)
SETTINGS = ArmSettings(100.0, 0.3, 0.0, 0.0, 0.3, MOTION)
SPANS = np.rint((ROBOT.upper - ROBOT.lower) / RAD_PER_COUNT).astype(int).tolist()
CALIBRATION = Calibration(
    {n: JointCalibration(1, 0, 0, 0, span) for n, span in zip(ROBOT.names, SPANS, strict=True)},
    ROBOT,
)
START = np.array([0.0, -1.5, 1.5, 0.0, 0.0, 0.5])


class Servos:
    """Does as it is told; an arm that somebody holds back does not follow its goals."""

    def __init__(self) -> None:
        self.position = np.array(CALIBRATION.counts(START))
        self.goal = self.position.copy()
        self.torque = False
        self.held_back = False

    def reading(self) -> Reading:
        zero = np.zeros(6)
        return Reading(
            np.full(6, self.torque), self.goal.copy(), self.position.copy(), zero.astype(int),
            zero, zero + 7.4, zero.astype(int) + 30, (Status(0),) * 6,
        )  # fmt: skip

    def write_goals(self, counts: Mapping[str, int]) -> None:
        self.goal = np.array(list(counts.values()))
        if not self.held_back:
            self.position = self.goal.copy()

    def write(self, register: str, values: Mapping[str, int]) -> None:
        if register == "Goal_Position":
            self.write_goals(values)

    def write_all(self, register: str, value: int) -> None:
        self.torque = bool(value) if register == "Torque_Enable" else self.torque

    def write_switches(self, on: bool) -> None:
        self.torque = on

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def following(target: np.ndarray) -> tuple[ArmControl, Servos]:
    """An arm on its way to a pose."""
    servos = Servos()
    control = ArmControl(servos, CALIBRATION, ROBOT, lambda: SETTINGS, servos.reading())  # type: ignore[arg-type]
    control.engage()
    control.advance(servos.reading(), 0.01)
    assert control.activity is Activity.FOLLOWING
    control.follow(target)
    control.advance(servos.reading(), 0.01)
    return control, servos


def test_a_stop_holds_where_the_arm_is_and_not_where_it_was_sent() -> None:
    control, servos = following(START + 1.0)
    servos.held_back = True
    for _ in range(100):
        control.advance(servos.reading(), 0.01)
    gripper = ROBOT.names.index(GRIPPER)
    before = servos.goal[gripper]
    assert np.abs(servos.goal - servos.position).min() > 100
    control.stop()
    arm = np.arange(6) != gripper
    assert np.abs(servos.goal - servos.position)[arm].max() <= 1
    # What is gripped is not dropped.
    assert servos.goal[gripper] == before
    assert servos.torque
    assert control.activity is Activity.HOLDING


def test_a_stopped_arm_follows_nothing_and_does_not_sink_at_every_further_stop() -> None:
    control, servos = following(START + 1.0)
    control.stop()
    held = servos.goal.copy()
    for _ in range(20):
        servos.position = held - 5
        control.follow(START)
        control.stop()
        control.advance(servos.reading(), 0.01)
    assert servos.goal.tolist() == held.tolist()


def test_a_stop_does_not_switch_the_torque_on() -> None:
    servos = Servos()
    control = ArmControl(servos, CALIBRATION, ROBOT, lambda: SETTINGS, servos.reading())  # type: ignore[arg-type]
    control.stop()
    control.advance(servos.reading(), 0.01)
    assert not servos.torque
    assert control.activity is Activity.LIMP


def test_a_stop_while_the_arm_is_let_go_catches_it() -> None:
    control, servos = following(START + 0.2)
    control.rest()
    control.release()
    control.stop()
    control.advance(servos.reading(), 0.01)
    assert servos.torque
    assert control.activity is Activity.HOLDING
