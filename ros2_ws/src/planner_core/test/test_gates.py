from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from planner_core.errors import (
    AccelerationLimitError,
    ExecutionError,
    FrameError,
    JerkLimitError,
    JointOrderError,
    NonFiniteError,
    PlanAgeError,
    PositionLimitError,
    VelocityLimitError,
)
from planner_core.gates import PlanGate
from planner_core.plan import Array, Plan
from planner_core.robots import crazyflie
from planner_core.timed_plan import TimedPlan

ROBOT = crazyflie()
GATE = PlanGate(ROBOT, max_age_s=0.5)
NOW_NS = 10**9
GOOD: dict[str, Any] = {
    "robot": "crazyflie",
    "names": ROBOT.names,
    "frame_id": "map",
    "now_ns": NOW_NS,
}
WRONG = (np.nan, np.inf, -np.inf, 1e9, -1e9)


def plan(**changes: tuple[int, int, float]) -> TimedPlan:
    """A robot that stands for 0.7 s, with single numbers changed."""
    arrays = {name: np.zeros((8, 4)) for name in ("position", "velocity", "acceleration")}
    arrays["position"][:, 2] = 1.0
    for name, (i, j, value) in changes.items():
        arrays[name][i, j] = value
    return TimedPlan(Plan(NOW_NS, 0.1, **arrays), 1, 1, NOW_NS - 10**8)


def motion(position: Array, velocity: Array, acceleration: Array, dt_s: float = 0.1) -> TimedPlan:
    """A plan along x at a height of one metre; arrays (H,)."""
    arrays = [np.zeros((len(position), 4)) for _ in range(3)]
    arrays[0][:, 2] = 1.0
    for array, values in zip(arrays, (position, velocity, acceleration), strict=True):
        array[:, 0] = values
    return TimedPlan(Plan(NOW_NS, dt_s, *arrays), 1, 1, NOW_NS)


def of_jerk(jerk: float, horizon: int = 4, dt_s: float = 0.1) -> TimedPlan:
    """From rest, with constant jerk: positions, velocities and accelerations agree."""
    t = np.arange(horizon) * dt_s
    return motion(jerk * t**3 / 6, jerk * t**2 / 2, jerk * t, dt_s)


def test_a_good_plan_passes() -> None:
    GATE.check(plan(), **GOOD)
    # To the limit of acceleration in 0.3 s, a third of the limit of jerk.
    GATE.check(of_jerk(3.5 / 0.3), **GOOD)


@pytest.mark.parametrize(
    ("bad", "arguments", "error"),
    [
        (plan(), {"robot": "go2"}, JointOrderError),
        (plan(), {"names": ("y", "x", "z", "yaw")}, JointOrderError),
        (plan(), {"names": ("x", "y", "z")}, JointOrderError),
        (plan(), {"frame_id": "odom"}, FrameError),
        (plan(position=(3, 1, np.nan)), {}, NonFiniteError),
        (plan(velocity=(0, 0, np.inf)), {}, NonFiniteError),
        (plan(acceleration=(7, 3, -np.inf)), {}, NonFiniteError),
        (replace(plan(), measured_ns=NOW_NS - 6 * 10**8), {}, PlanAgeError),
        (replace(plan(), measured_ns=NOW_NS + 10**8), {}, PlanAgeError),
        (replace(plan(), measured_ns=NOW_NS + 10**9), {"now_ns": NOW_NS + 10**9}, PlanAgeError),
        (replace(plan(), chunk=1), {"now_ns": NOW_NS + 10**8}, PlanAgeError),
        (plan(), {"now_ns": NOW_NS - 2 * 10**9}, PlanAgeError),
        (replace(plan(), measured_ns=-(10**9)), {"now_ns": -(10**9)}, PlanAgeError),
        (plan(position=(5, 0, 6.1)), {}, PositionLimitError),
        (plan(position=(5, 2, -0.1)), {}, PositionLimitError),
        (plan(position=(5, 2, 1e9)), {}, PositionLimitError),
        (plan(velocity=(2, 1, 1.7)), {}, VelocityLimitError),
        (plan(acceleration=(2, 1, -3.9)), {}, AccelerationLimitError),
        # A step of position without velocity: the curve through the samples is the offence.
        (plan(position=(4, 0, 0.05)), {}, AccelerationLimitError),
        # 3.5 m/s^2 in 0.05 s, and from one limit to the other in 0.1 s.
        (of_jerk(70.0, 2, 0.05), {}, JerkLimitError),
        (motion(np.zeros(3), np.zeros(3), np.array([0.0, 3.4, -3.4])), {}, JerkLimitError),
    ],
)
def test_each_gate_refuses_with_its_code(
    bad: TimedPlan, arguments: dict[str, Any], error: type[ExecutionError]
) -> None:
    with pytest.raises(error) as caught:
        GATE.check(bad, **(GOOD | arguments))
    assert caught.value.code == error.code


def test_plans_of_another_width_are_refused() -> None:
    arrays = np.zeros((3, 8, 3))
    narrow = TimedPlan(Plan(NOW_NS, 0.1, *arrays), 1, 1, NOW_NS)
    with pytest.raises(JointOrderError):
        GATE.check(narrow, **GOOD)


def test_no_absurd_number_passes_at_any_index() -> None:
    """Every absurd value at every place of every array."""
    places = itertools.product(("position", "velocity", "acceleration"), range(8), range(4), WRONG)
    count = 0
    for quantity, i, j, value in places:
        with pytest.raises(ExecutionError):
            GATE.check(plan(**{quantity: (i, j, value)}), **GOOD)
        count += 1
    print(f"absurd numbers: {count} of {count} refused")
    assert count == 3 * 8 * 4 * len(WRONG)


def test_reordered_joints_are_refused() -> None:
    orders = [o for o in itertools.permutations(ROBOT.names) if o != ROBOT.names]
    for names in orders:
        with pytest.raises(JointOrderError):
            GATE.check(plan(), **(GOOD | {"names": names}))


@pytest.mark.parametrize(("horizon", "dt_s"), [(2, 61.0), (1001, 0.01)])
def test_a_plan_of_absurd_length_is_refused(horizon: int, dt_s: float) -> None:
    still = np.zeros(horizon)
    with pytest.raises(PlanAgeError, match="absurd length"):
        GATE.check(motion(still, still, still, dt_s), **GOOD)
