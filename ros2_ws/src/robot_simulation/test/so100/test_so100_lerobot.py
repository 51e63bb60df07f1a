"""lerobot's unmodified SO100Follower calibrates, reads and moves the simulated arm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from planner_core.robots import so100

ROBOT = so100()
COUNTS_RAD = 4096 / 6.283185307179586


@pytest.fixture(scope="module")
def played() -> dict[str, Any]:
    script = Path(__file__).with_name("lerobot_scenarios.py")
    done = subprocess.run(
        [sys.executable, str(script), "calibrate", "move", "faults"],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(done.stdout.rpartition("RESULT ")[2])


def test_calibrates_a_factory_fresh_arm(played: dict[str, Any]) -> None:
    result = played["calibrate"]
    assert result["calibrated"]
    spans = ROBOT.upper - ROBOT.lower
    for name, span in zip(ROBOT.names, spans, strict=True):
        low, high = result["ranges"][name]
        if name == "wrist_roll":
            assert (low, high) == (0, 4095)
            continue
        assert high - low == pytest.approx(span * COUNTS_RAD, abs=60), name
        # Half a turn is where the person held the middle of the range.
        assert (low + high) / 2 == pytest.approx(2047, abs=60), name
        assert result["file"][name]["range_min"] == low


def test_zero_degrees_is_the_middle_of_the_range(played: dict[str, Any]) -> None:
    result = played["calibrate"]
    middle = ((ROBOT.lower + ROBOT.upper) / 2).tolist()
    assert result["truth"] == pytest.approx(middle, abs=0.1)
    for name, value in result["observation"].items():
        assert value == pytest.approx(50.0 if name == "gripper.pos" else 0.0, abs=1.5), name


def test_disconnecting_takes_the_torque_away(played: dict[str, Any]) -> None:
    assert played["calibrate"]["torque"] == [False] * 6


def test_follows_and_holds_when_nothing_more_is_sent(played: dict[str, Any]) -> None:
    result = played["move"]
    assert result["end"] == pytest.approx(29.7, abs=0.5)
    assert result["drift"] < 0.01
    print(f"worst error {result['error']:.1f} deg, observation {result['read_ms']:.2f} ms")


def test_lost_and_damaged_answers_are_errors_unless_retried(played: dict[str, Any]) -> None:
    result = played["faults"]
    assert result["loss"] > 0
    assert result["loss_retried"] == 0
    assert result["corruption"] > 0


def test_a_missing_servo_and_a_dead_bus_are_errors_for_readers_only(played: dict[str, Any]) -> None:
    result = played["faults"]
    assert result["missing"] == "ConnectionError"
    assert result["silence"] == "ConnectionError"
    assert result["silence_write"] == ""


def test_an_overload_is_said_to_single_reads_only(played: dict[str, Any]) -> None:
    result = played["faults"]
    assert result["overload_sync"] == ""
    assert result["overload_read"] == "RuntimeError"
    assert result["overload_after"] == ""


def test_an_unplugged_port_is_an_error_and_comes_back(played: dict[str, Any]) -> None:
    result = played["faults"]
    assert result["unplug"]
    assert result["replugged"] == ""
    assert result["torque"] == [True] * 6
