"""What lerobot's unmodified SO100Follower does with a simulated arm: run as a script, prints JSON.

It runs in a process of its own, for the sake of what lerobot imports, and of its standard input.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lerobot_library
from planner_core.robots import so100
from robot_simulation.so100.process import ArmProcess, arm_process

SO100Follower, SO100FollowerConfig = lerobot_library.load()
ROBOT = so100()
MIDDLE = tuple((ROBOT.lower + ROBOT.upper) / 2)
# Between them, each joint but the wrist's roll meets both of its stops, and none the table.
POSES = (
    (-2.3, -3.3, 1.6, -2.1, 0.0, -0.3),
    (2.3, 0.3, -0.1, -0.5, 0.0, 2.1),
    (0.0, -3.1, 3.25, 0.0, 0.0, 0.0),
    (0.0, -1.6, 0.5, 1.9, 0.0, 0.9),
)


def follower(arm: ArmProcess, folder: Path, **options: Any) -> Any:
    """A robot that keeps its calibration in a folder."""
    config = SO100FollowerConfig(port=arm.port, id="arm", calibration_dir=folder, **options)
    return SO100Follower(config)


def calibrated(arm: ArmProcess, folder: Path, **options: Any) -> Any:
    """A connected robot that takes the calibration which its servos keep."""
    robot = follower(arm, folder, **options)
    robot.bus.connect()
    robot.calibration = robot.bus.calibration = robot.bus.read_calibration()
    robot.configure()
    return robot


def attempt(action: Callable[[], object]) -> str:
    """The name of the exception that it raises."""
    try:
        action()
    except Exception as error:
        return type(error).__name__
    return ""


def calibrate(folder: Path) -> dict[str, Any]:
    """A person moves a factory-fresh arm about and presses ENTER where asked."""
    keyboard, enter = os.pipe()
    os.dup2(keyboard, 0)
    sys.stdin = os.fdopen(0)
    with arm_process("--factory") as arm:

        def person() -> None:
            arm.move_by_hand(MIDDLE)
            os.write(enter, b"\n")
            # The record has begun when the offsets are written.
            arm.wait(lambda: "record" in seen)
            for pose in POSES:
                arm.move_by_hand(pose, 0.2)
            arm.move_by_hand(MIDDLE)
            os.write(enter, b"\n")

        seen: list[str] = []
        robot = follower(arm, folder)
        record = robot.bus.record_ranges_of_motion

        def announced(*arguments: Any) -> Any:
            seen.append("record")
            return record(*arguments, display_values=False)

        robot.bus.record_ranges_of_motion = announced
        helper = threading.Thread(target=person, daemon=True)
        helper.start()
        robot.connect()
        helper.join()
        arm.hand()
        result = {
            "calibrated": robot.is_calibrated,
            "ranges": {k: [c.range_min, c.range_max] for k, c in robot.calibration.items()},
            "file": json.loads((folder / "arm.json").read_text()),
        }
        robot.send_action({f"{name}.pos": 50.0 if name == "gripper" else 0.0 for name in MOTORS})
        time.sleep(1.5)
        result["truth"] = arm.truth.positions
        result["observation"] = robot.get_observation()
        robot.disconnect()
        result["torque"] = arm.truth.torque
    return result


MOTORS = ROBOT.names


def move(folder: Path) -> dict[str, Any]:
    """Follow a slow wave with one joint, then stop sending."""
    with arm_process() as arm:
        robot = calibrated(arm, folder)
        start = robot.get_observation()
        taken, errors = [], []
        for step in range(100):
            target = dict(start)
            target["shoulder_pan.pos"] += 0.3 * step
            robot.send_action(target)
            began = time.perf_counter()
            seen = robot.get_observation()
            taken.append(time.perf_counter() - began)
            errors.append(abs(seen["shoulder_pan.pos"] - target["shoulder_pan.pos"]))
            time.sleep(0.01)
        arm.wait(lambda: max(abs(v) for v in arm.truth.velocities) < 0.01)
        held = arm.truth.positions
        time.sleep(0.5)
        result = {
            "end": robot.get_observation()["shoulder_pan.pos"] - start["shoulder_pan.pos"],
            "error": max(errors),
            "read_ms": sorted(taken)[50] * 1e3,
            "drift": max(abs(a - b) for a, b in zip(arm.truth.positions, held, strict=True)),
        }
        robot.disconnect()
    return result


def faults(folder: Path) -> dict[str, Any]:
    """What reaches the user of lerobot when things go wrong."""
    result: dict[str, Any] = {}
    with arm_process() as arm:
        robot = calibrated(arm, folder)
        arm.inject("status_loss", 0.02)
        result["loss"] = sum(bool(attempt(robot.get_observation)) for _ in range(60))
        result["loss_retried"] = sum(
            bool(attempt(lambda: robot.bus.sync_read("Present_Position", num_retry=5)))
            for _ in range(60)
        )
        arm.inject("status_loss", 0.0)
        arm.inject("corruption", 0.2)
        result["corruption"] = sum(bool(attempt(robot.get_observation)) for _ in range(20))
        arm.inject("corruption", 0.0)
        arm.inject("missing_servo", 3)
        result["missing"] = attempt(robot.get_observation)
        arm.inject("missing_servo", 0)
        arm.inject("silence")
        result["silence"] = attempt(robot.get_observation)
        result["silence_write"] = attempt(lambda: robot.send_action({"gripper.pos": 10.0}))
        arm.inject("silence", 0)
        arm.inject("overload", 6)
        result["overload_sync"] = attempt(robot.get_observation)
        result["overload_read"] = attempt(lambda: robot.bus.read("Present_Load", "gripper"))
        robot.bus.enable_torque()
        result["overload_after"] = attempt(lambda: robot.bus.read("Present_Load", "gripper"))
        arm.inject("unplug")
        arm.wait(lambda: not Path(arm.port).exists())
        result["unplug"] = attempt(robot.get_observation)
        arm.inject("unplug", 0)
        arm.wait(lambda: Path(arm.port).exists())
        again = calibrated(arm, folder)
        result["replugged"] = attempt(again.get_observation)
        result["torque"] = arm.truth.torque
        again.disconnect()
    return result


def main() -> None:
    """Run the scenarios that are named."""
    results = {}
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            results[name] = globals()[name](Path(folder))
    print("RESULT " + json.dumps(results))


if __name__ == "__main__":
    main()
