"""What encoder counts mean, and the file that keeps it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planner_core.robots import crazyflie, so100
from so100_bridge.calibration import (
    RAD_PER_COUNT,
    Calibration,
    JointCalibration,
    load,
)
from so100_bridge.errors import CalibrationError

ROBOT = so100()
SPANS = (ROBOT.upper - ROBOT.lower) / RAD_PER_COUNT


def joints() -> dict[str, JointCalibration]:
    """A plausible arm."""
    made = {
        name: JointCalibration(i + 1, 0, 100 * i - 250, round(2047 - s / 2), round(2047 + s / 2))
        for i, (name, s) in enumerate(zip(ROBOT.names, SPANS, strict=True))
    }
    made["wrist_roll"] = JointCalibration(5, 0, 0, 0, 4095)
    return made


def test_golden_angles() -> None:
    calibration = Calibration(joints(), ROBOT)
    centre = (ROBOT.lower + ROBOT.upper) / 2
    assert calibration.positions([2047, 2047, 2047, 2047, 2047.5, 2047]) == pytest.approx(
        centre, abs=RAD_PER_COUNT
    )
    quarter = calibration.positions([2047 + 1024] * 6) - calibration.positions([2047] * 6)
    assert quarter == pytest.approx([math.pi / 2] * 6)
    assert calibration.velocities([4096] * 6) == pytest.approx([2 * math.pi] * 6)


@given(st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6), st.sampled_from([1, -1]))
def test_there_and_back(shares: list[float], direction: int) -> None:
    calibration = Calibration(joints(), ROBOT, [direction] * 6)
    counts = calibration.low + np.array(shares) * (calibration.high - calibration.low)
    back = calibration.counts(calibration.positions(counts))
    assert back == pytest.approx(counts, abs=0.5 + 1e-6)


def test_goals_stay_in_the_recorded_range() -> None:
    calibration = Calibration(joints(), ROBOT)
    assert calibration.counts([100.0] * 6) == calibration.high.astype(int).tolist()
    assert calibration.counts([-100.0] * 6) == calibration.low.astype(int).tolist()


def test_a_turned_servo_counts_the_other_way() -> None:
    plain, turned = Calibration(joints(), ROBOT), Calibration(joints(), ROBOT, [-1] * 6)
    assert plain.velocities([100] * 6) == pytest.approx(-turned.velocities([100] * 6))


def test_the_file_survives_and_is_the_one_of_lerobot(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "arm.json"
    Calibration(joints(), ROBOT).save(path)
    assert load(path, ROBOT).joints == joints()
    assert json.loads(path.read_text())["shoulder_pan"] == {
        "id": 1, "drive_mode": 0, "homing_offset": -250, "range_min": 613, "range_max": 3481,
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"shoulder_pan": 3}', '{"shoulder_pan": {"id": 1}}']
)
def test_bad_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "arm.json"
    path.write_text(text)
    with pytest.raises(CalibrationError, match=r"\[E620\] calibration file"):
        load(path, ROBOT)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="E620"):
        load(tmp_path / "none.json", ROBOT)


def test_values_that_are_no_whole_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "arm.json"
    Calibration(joints(), ROBOT).save(path)
    path.write_text(path.read_text().replace("613", '"613"'))
    with pytest.raises(CalibrationError, match="not whole numbers"):
        load(path, ROBOT)


def test_a_joint_that_was_not_moved_is_refused() -> None:
    made = joints()
    made["elbow_flex"] = JointCalibration(3, 0, 0, 2000, 2100)
    with pytest.raises(CalibrationError, match="elbow_flex"):
        Calibration(made, ROBOT)


def test_another_robot_is_refused() -> None:
    with pytest.raises(CalibrationError, match="joints of the calibration"):
        Calibration(joints(), crazyflie())


def test_servos_that_disagree_with_the_file_are_refused() -> None:
    file, servos = joints(), joints()
    servos["gripper"] = JointCalibration(6, 0, 1, 1330, 2764)
    with pytest.raises(CalibrationError, match="gripper"):
        Calibration(file, ROBOT).check_against(Calibration(servos, ROBOT))
    Calibration(file, ROBOT).check_against(Calibration(joints(), ROBOT))
