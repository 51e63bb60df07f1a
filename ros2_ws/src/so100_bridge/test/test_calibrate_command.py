"""Calibration by command: nothing is asked back, and what is not safe is refused."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from planner_core.robots import so100
from robot_simulation.so100.process import ArmProcess, arm_process
from so100_bridge.calibrate import main, ranges
from so100_bridge.calibration import RAD_PER_COUNT, load
from so100_bridge.servos import Servos

ROBOT = so100()
MIDDLE = tuple((ROBOT.lower + ROBOT.upper) / 2)
# Between them, each joint but the wrist's roll meets both of its stops, and none the table.
POSES = (
    (-2.3, -3.3, 1.6, -2.1, 0.0, -0.3),
    (2.3, 0.3, -0.1, -0.5, 0.0, 2.1),
    (0.0, -3.1, 3.25, 0.0, 0.0, 0.0),
    (0.0, -1.6, 0.5, 1.9, 0.0, 0.9),
)


def run(arm: ArmProcess, *arguments: str) -> int:
    return main(["--port", arm.port, *arguments])


def test_a_factory_fresh_arm_is_calibrated_saved_and_restored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "arm.json"
    with arm_process("--factory") as arm:
        arm.move_by_hand(MIDDLE)
        assert run(arm, "centre") == 0
        # Not moved at all: refused, and nothing is kept.
        assert run(arm, "ranges", "--seconds", "0.1", "--file", str(file)) == 1
        assert "[E620]" in capsys.readouterr().err
        assert not file.exists()
        done = threading.Event()

        def person() -> None:
            try:
                for pose in POSES:
                    arm.move_by_hand(pose, 0.2)
            finally:
                done.set()

        helper = threading.Thread(target=person, daemon=True)
        servos, said = Servos(arm.port, ROBOT, 0.1, 5), []
        servos.open()
        helper.start()
        ranges(servos, ROBOT, done.is_set, said.append)
        servos.close()
        helper.join()
        assert all("shoulder_pan" in line for line in said)
        assert run(arm, "save", "--file", str(file)) == 0
        saved = load(file, ROBOT)
        middles = (saved.low + saved.high) / 2
        assert middles == pytest.approx([2047] * 6, abs=60)
        spans = (saved.high - saved.low) * RAD_PER_COUNT
        assert spans == pytest.approx(ROBOT.upper - ROBOT.lower, abs=0.1)
        again = tmp_path / "again.json"
        assert run(arm, "save", "--file", str(again)) == 0
        assert again.read_text() == file.read_text()
        # It outlives a loss of power.
        arm.inject("restart")
        assert run(arm, "save", "--file", str(again)) == 0
        assert again.read_text() == file.read_text()
    with arm_process("--factory") as other:
        assert run(other, "save", "--file", str(again)) == 1
        assert run(other, "restore", "--file", str(file)) == 0
        assert run(other, "save", "--file", str(again)) == 0
        assert again.read_text() == file.read_text()


def test_an_arm_under_torque_is_not_calibrated_but_let_go(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with arm_process() as arm:
        servos = Servos(arm.port, ROBOT, 0.05, 5)
        servos.open()
        servos.write_all("Torque_Enable", 1)
        servos.close()
        assert run(arm, "centre") == 1
        assert "[E603]" in capsys.readouterr().err
        assert arm.truth.torque == [True] * 6
        assert run(arm, "release") == 0
        assert arm.truth.torque == [False] * 6


def test_no_arm_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "/nowhere/arm", "centre"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("[E601] no SO-100 answers at /nowhere/arm")
    assert error.count("\n") == 1


def test_a_file_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--port", "/nowhere/arm", "save"])
    assert "--file" in capsys.readouterr().err
