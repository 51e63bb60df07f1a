"""The servos' own readings, against a bus that is late."""

from __future__ import annotations

import pytest
from planner_core.errors import LinkLostError
from planner_core.robots import so100
from robot_simulation.so100.process import arm_process
from so100_bridge.servos import Servos

pytest.importorskip("lerobot")
TIMEOUT_S = 0.05


def test_a_late_answer_is_never_taken_for_the_next_one() -> None:
    """Answers that come a little after they were given up once shifted all later ones by one."""
    with arm_process() as arm:
        servos = Servos(arm.port, so100(), TIMEOUT_S, 1)
        servos.open()
        goals = dict(zip(so100().names, servos.read().position.tolist(), strict=True))
        late = 0
        for attempt in range(12):
            arm.inject("latency_s", 1.3 * TIMEOUT_S if 3 <= attempt < 6 else 0.0)
            goals["gripper"] += 7
            servos.write_goals(goals)
            try:
                reading = servos.read()
            except LinkLostError:
                late += 1
                continue
            assert reading.goal.tolist() == list(goals.values())
        servos.close()
        assert late == 3
