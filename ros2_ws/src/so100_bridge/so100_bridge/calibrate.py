"""Calibrates an arm by commands, each of which does one thing and asks nothing back.

    so100_calibrate --port /dev/ttyACM0 release            # support the arm: it sinks
    so100_calibrate --port /dev/ttyACM0 centre             # all joints in the middle of their range
    so100_calibrate --port /dev/ttyACM0 ranges --seconds 20 --file arm.json
                                                           # move each joint from stop to stop
    so100_calibrate --port /dev/ttyACM0 save --file arm.json       # servos -> file
    so100_calibrate --port /dev/ttyACM0 restore --file arm.json    # file -> servos

The file is the one that lerobot uses.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from planner_core.clock import SystemClock, nanoseconds, seconds
from planner_core.errors import DriftpilotError, NotReadyError
from planner_core.robot import Robot
from planner_core.robots import so100

from so100_bridge.calibration import COUNTS, FULL_TURN, Calibration, JointCalibration, load
from so100_bridge.servos import Servos

HALF_TURN: Final = COUNTS // 2 - 1
_SAMPLE_S: Final = 0.02
_RELEASE_STEPS: Final = 30
_ANSWER_TIMEOUT_S: Final = 0.1
_RETRIES: Final = 5


def centre(servos: Servos) -> None:
    """Make the present pose the middle of every joint's range."""
    _require_limp(servos)
    blank = {
        name: JointCalibration(joint.id, 0, 0, 0, COUNTS - 1)
        for name, joint in servos.calibration().items()
    }
    servos.keep(blank)
    raw = servos.read().position
    offsets = np.clip(raw - HALF_TURN, -HALF_TURN, HALF_TURN)
    servos.keep(
        {
            name: replace(joint, homing_offset=int(offset))
            for (name, joint), offset in zip(blank.items(), offsets, strict=True)
        }
    )


def ranges(
    servos: Servos, robot: Robot, finished: Callable[[], bool], say: Callable[[str], None]
) -> None:
    """Record how far each joint is moved, and have the servos keep it.

    Args:
        servos: Of an arm without torque.
        robot: Whose ranges are expected.
        finished: Ends the record.
        say: Takes the ranges so far, once a second.

    Raises:
        CalibrationError: A joint was not moved through its range; nothing is kept then.
    """
    _require_limp(servos)
    kept = servos.calibration()
    low = high = servos.read().position
    clock = SystemClock()
    said_ns = clock.steady_ns()
    while not finished():
        position = servos.read().position
        low, high = np.minimum(low, position), np.maximum(high, position)
        if seconds(clock.steady_ns() - said_ns) > 1.0:
            said_ns = clock.steady_ns()
            say("  ".join(f"{n} {a}-{b}" for n, a, b in zip(kept, low, high, strict=True)))
        time.sleep(_SAMPLE_S)
    recorded = {
        name: replace(joint, range_min=int(a), range_max=int(b))
        for (name, joint), a, b in zip(kept.items(), low, high, strict=True)
    }
    recorded[FULL_TURN] = replace(recorded[FULL_TURN], range_min=0, range_max=COUNTS - 1)
    Calibration(recorded, robot)
    servos.keep(recorded)


def release(servos: Servos) -> None:
    """Switch the torque off, over half a second."""
    if servos.read().torque.any():
        for step in range(_RELEASE_STEPS):
            share = 1.0 - step / _RELEASE_STEPS
            servos.write_all("Torque_Limit", round(300 * share))
            time.sleep(_SAMPLE_S)
    servos.write_all("Torque_Enable", 0)
    servos.write_all("Torque_Limit", 1000)


def save(servos: Servos, robot: Robot, file: Path) -> None:
    """Write the file of what the servos keep."""
    Calibration(servos.calibration(), robot).save(file)


def restore(servos: Servos, robot: Robot, file: Path) -> None:
    """Have the servos keep what the file says."""
    _require_limp(servos)
    servos.keep(load(file, robot).joints)


def _require_limp(servos: Servos) -> None:
    if servos.read().torque.any():
        raise NotReadyError(
            "the torque is on: a calibration would move the arm",
            remedy="Support the arm and switch it off with so100_calibrate release.",
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="so100_calibrate", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--port", required=True, help="serial port of the servos")
    parser.add_argument("verb", choices=("release", "centre", "ranges", "save", "restore"))
    parser.add_argument("--file", type=Path, help="calibration file")
    parser.add_argument("--seconds", type=float, default=20.0, help="duration of ranges")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``so100_calibrate``.

    Returns:
        The exit code: 0 when it is done, 1 after an error, which is printed in one line.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.verb in ("save", "restore") and arguments.file is None:
        parser.error(f"{arguments.verb} needs --file")
    robot = so100()
    try:
        servos = Servos(arguments.port, robot, _ANSWER_TIMEOUT_S, _RETRIES)
        servos.open()
        try:
            _do(arguments, servos, robot)
        finally:
            servos.close()
    except DriftpilotError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _do(arguments: argparse.Namespace, servos: Servos, robot: Robot) -> None:
    if arguments.verb == "release":
        release(servos)
    elif arguments.verb == "centre":
        centre(servos)
    elif arguments.verb == "ranges":
        end_ns = SystemClock().steady_ns() + nanoseconds(arguments.seconds)
        ranges(
            servos, robot, lambda: SystemClock().steady_ns() > end_ns,
            lambda text: print(text, flush=True),
        )  # fmt: skip
        if arguments.file is not None:
            save(servos, robot, arguments.file)
    elif arguments.verb == "save":
        save(servos, robot, arguments.file)
    else:
        restore(servos, robot, arguments.file)


if __name__ == "__main__":
    sys.exit(main())
