"""What waits while the servos' line is busy, without servos."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from planner_core.clock import SystemClock
from planner_core.robots import so100
from so100_bridge.arm_link import ArmLink
from so100_bridge.arm_state import Activity
from so100_bridge.calibration import COUNTS, RAD_PER_COUNT, Calibration, JointCalibration
from so100_bridge.parameters import So100Parameters
from so100_bridge.servos import Reading, Status

ROBOT = so100()
MIDDLE = COUNTS // 2


class StallingServos:
    """Servos that hold, take every goal over, and answer only while they may."""

    def __init__(self) -> None:
        self.goal = np.full(ROBOT.n_q, MIDDLE)
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked = threading.Event()

    def open(self) -> None: ...

    def close(self) -> None: ...

    def read(self) -> Reading:
        self.asked.set()
        self.may_answer.wait()
        still = np.zeros(ROBOT.n_q, dtype=np.int64)
        return Reading(
            torque=np.ones(ROBOT.n_q, dtype=bool), goal=self.goal.copy(), position=self.goal.copy(),
            velocity=still, load=0.0 * still, voltage_v=5.0 + still, temperature_c=still + 30,
            status=(Status(0),) * ROBOT.n_q,
        )  # fmt: skip

    def write(self, register: str, values: dict[str, int]) -> None: ...

    def write_goals(self, counts: dict[str, int]) -> None:
        self.goal = np.array(list(counts.values()))


def calibration(_servos: object) -> Calibration:
    """Ranges about the middle of the encoders."""
    half = ((ROBOT.upper - ROBOT.lower) / 2 / RAD_PER_COUNT).astype(int)
    return Calibration(
        {
            name: JointCalibration(i + 1, 0, 0, MIDDLE - int(half[i]), MIDDLE + int(half[i]))
            for i, name in enumerate(ROBOT.names)
        },
        ROBOT,
    )


@pytest.fixture
def servos() -> StallingServos:
    return StallingServos()


@pytest.fixture
def link(servos: StallingServos) -> Iterator[ArmLink]:
    link = ArmLink(
        servos, calibration, ROBOT, lambda: So100Parameters().settings,  # type: ignore[arg-type]
        SystemClock(), lambda _sample: None,
    )  # fmt: skip
    link.start()
    yield link
    servos.may_answer.set()
    link.close()


def test_commands_do_not_push_a_wish_to_rest_out(
    link: ArmLink, servos: StallingServos, wait_until
) -> None:
    wait_until(lambda: link.report.position is not None, "the link")
    link.wish(lambda control: control.engage())
    wait_until(lambda: link.report.activity is Activity.FOLLOWING, "following")
    servos.may_answer.clear()
    servos.asked.clear()
    wait_until(servos.asked.is_set, "a line that stalls")
    link.wish(lambda control: control.rest())
    here = (ROBOT.lower + ROBOT.upper) / 2
    for i in range(100):
        link.follow(here + 1e-3 * i)
    servos.may_answer.set()
    wait_until(lambda: link.report.activity is Activity.HOLDING, "the rest")


def test_the_newest_command_is_followed(link: ArmLink, servos: StallingServos, wait_until) -> None:
    wait_until(lambda: link.report.position is not None, "the link")
    link.wish(lambda control: control.engage())
    wait_until(lambda: link.report.activity is Activity.FOLLOWING, "following")
    here = (ROBOT.lower + ROBOT.upper) / 2
    for i in range(100):
        link.follow(here + 1e-3 * i)
    wait_until(
        lambda: np.abs(link.report.position - here - 0.099).max() < 2 * RAD_PER_COUNT, "the last"
    )
