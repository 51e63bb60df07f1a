"""The script picks, places and stacks in simulated time, and what it did can be learned from."""

from __future__ import annotations

import numpy as np
import pytest
from planner_core.arm_kinematics import tool_of
from planner_core.plan import Observation, PlanBatch
from planner_core.robots import so100
from planner_core.scripted_manipulation import ScriptedPlacing
from robot_simulation.so100.demonstrations import TASKS, Demonstrations, demonstrate, scatter
from robot_simulation.so100.episodes import ArmEpisode


@pytest.mark.parametrize("task", sorted(TASKS))
@pytest.mark.parametrize("seed", [0, 1])
def test_the_script_does_what_is_asked(task: str, seed: int) -> None:
    episode = ArmEpisode(TASKS[task], task, seed)
    outcome = episode.run(ScriptedPlacing(so100()), np.random.default_rng(seed))
    assert outcome.success
    assert outcome.distance_m < 0.01
    assert all(servo.status == 0 for servo in episode.simulation.bus.servos)


def test_plans_of_the_script_keep_the_limits_of_the_arm() -> None:
    from planner_core.gates import PlanGate
    from planner_core.timed_plan import TimedPlan

    robot, seen = so100(), []

    def keep(observation: Observation, _: PlanBatch) -> None:
        seen.append(observation)

    script, gate = ScriptedPlacing(robot), PlanGate(robot)
    episode = ArmEpisode(TASKS["pick_place"], "pick_place", 2)
    episode.run(script, np.random.default_rng(2), limit_s=5.0, visit=keep)
    assert len(seen) > 100
    for observation in seen[::10]:
        plan = script.plan(observation, None, 0, np.random.default_rng(0)).plan(0)
        timed = TimedPlan(plan, 1, 1, plan.start_ns)
        gate.check(
            timed, robot=robot.name, names=robot.names, frame_id=robot.frame_id,
            now_ns=plan.start_ns,
        )  # fmt: skip


def test_demonstrations_hold_what_the_script_would_do() -> None:
    data = Demonstrations({})
    demonstrate("pick_place", 5, data, None)
    windows = np.array(data.columns["window"])
    position = np.array(data.columns["position"])
    assert len(windows) > 100
    assert windows.shape[1:] == (3, 16, 6)
    assert windows[:, 0, 0] == pytest.approx(np.clip(position, so100().lower, so100().upper))


def test_scattered_states_are_all_over_and_within_the_arm_s_limits() -> None:
    data = Demonstrations({})
    scatter(200, 5, data)
    position, window = (np.array(data.columns[name]) for name in ("position", "window"))
    robot = so100()
    assert ((robot.lower <= position) & (position <= robot.upper)).all()
    assert np.isfinite(window).all()
    assert len({row.item() for row in data.columns["episode"]}) == 200
    gap = np.linalg.norm(tool_of(position) - np.array(data.columns["object"])[:, :3], axis=1)
    held = (gap < 0.02) & (position[:, 5] < 0.0)
    assert 20 < held.sum() < 150
    assert (gap > 0.08).sum() > 20
