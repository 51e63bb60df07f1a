"""Objects are followed through noise, delay and gaps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from planner_core.arm_kinematics import tool_of
from planner_core.errors import InvalidMeasurementError
from planner_core.object_filter import ObjectFilter

PERIOD_NS = 33_333_333
LEVEL = np.array([0.0, 0.0, 0.0, 1.0])


def turned(yaw: float) -> np.ndarray:
    return np.array([0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2)])


def follow(path, seconds: float, noise: float = 0.001) -> tuple[ObjectFilter, int]:
    objects, rng, stamp_ns = ObjectFilter(), np.random.default_rng(0), 0
    for i in range(int(seconds * 30)):
        stamp_ns = i * PERIOD_NS
        place = np.array(path(stamp_ns * 1e-9)) + rng.normal(0.0, noise, 3)
        objects.take("cube", stamp_ns, place, turned(0.3 + rng.normal(0.0, 0.01)))
    return objects, stamp_ns


def place(objects: ObjectFilter, time_ns: int) -> np.ndarray:
    values = objects.values(time_ns)
    return np.array([values[f"cube_{axis}"] for axis in "xyz"])


def test_what_lies_still_is_known_better_than_one_sighting() -> None:
    objects, stamp_ns = follow(lambda _t: [0.2, 0.1, 0.0125], 5.0)
    later = [place(objects, stamp_ns + i * 10_000_000) for i in range(10)]
    assert np.abs(np.array(later) - [0.2, 0.1, 0.0125]).max() < 0.002
    assert objects.values(stamp_ns)["cube_yaw"] == pytest.approx(0.3, abs=0.02)


def test_what_is_carried_does_not_lag() -> None:
    objects, stamp_ns = follow(lambda t: [0.2, 0.2 * t, 0.08], 2.0)
    now_ns = stamp_ns + 60_000_000
    assert place(objects, now_ns)[1] == pytest.approx(0.2 * now_ns * 1e-9, abs=0.008)


def swung(*, shut: bool, carried: bool) -> np.ndarray:
    """Largest errors (3,) [m] in the second second of an arm that swings."""
    objects, rng = ObjectFilter(), np.random.default_rng(0)
    late: list[tuple[int, np.ndarray]] = []
    errors = []
    for i in range(200):
        now_ns, t = i * 10_000_000, i * 0.01
        joints = np.array([0.4 * math.sin(3.0 * t), -1.0, 1.2, 1.3, 0.0, 0.11 if shut else 0.6])
        objects.take_joints(now_ns, joints)
        truth = tool_of(joints if carried else np.array([0.0, -1.0, 1.2, 1.3, 0.0, 0.0]))
        truth[2] += 0.003
        if i % 3 == 0:
            late.append((now_ns, truth + rng.normal(0.0, 0.001, 3)))
        if late and now_ns - late[0][0] >= 40_000_000:
            stamp_ns, seen = late.pop(0)
            objects.take("cube", stamp_ns, seen, turned(0.3))
        if i > 100:
            errors.append(place(objects, now_ns) - truth)
    return np.asarray(np.abs(errors).max(axis=0))


def test_what_the_gripper_holds_is_where_the_gripper_is() -> None:
    assert swung(shut=True, carried=True).max() < 0.0025
    # The camera alone is late.
    assert swung(shut=False, carried=True).max() > 0.004


def test_what_lies_under_a_shut_gripper_does_not_move_with_it() -> None:
    assert swung(shut=True, carried=False).max() < 0.0025


def test_an_object_that_is_not_seen_is_not_extrapolated_for_long() -> None:
    objects, stamp_ns = follow(lambda t: [0.2, 0.2 * t, 0.08], 2.0)
    soon, late = place(objects, stamp_ns + 10**9), place(objects, stamp_ns + 10**10)
    assert soon.tolist() == late.tolist()


def test_one_outlier_is_kept_out_and_a_moved_object_is_believed() -> None:
    objects, stamp_ns = follow(lambda _t: [0.2, 0.1, 0.0125], 3.0)
    objects.take("cube", stamp_ns + PERIOD_NS, np.array([0.3, 0.1, 0.0125]), LEVEL)
    assert place(objects, stamp_ns)[0] == pytest.approx(0.2, abs=0.003)
    for i in range(2, 5):
        objects.take("cube", stamp_ns + i * PERIOD_NS, np.array([0.3, 0.1, 0.0125]), LEVEL)
    assert place(objects, stamp_ns + 5 * PERIOD_NS)[0] == pytest.approx(0.3, abs=0.003)


def test_a_cube_on_its_side_keeps_its_heading() -> None:
    objects = ObjectFilter()
    # A quarter turn about its own x axis, then 0.3 rad about the vertical.
    half = math.sqrt(0.5)
    c, s = math.cos(0.15), math.sin(0.15)
    objects.take("cube", 0, np.zeros(3), np.array([c * half, s * half, s * half, c * half]))
    assert objects.values(0)["cube_yaw"] == pytest.approx(0.3, abs=1e-9)


@pytest.mark.parametrize("quaternion", [np.zeros(4), np.full(4, np.nan)])
def test_what_is_no_pose_is_refused(quaternion: np.ndarray) -> None:
    with pytest.raises(InvalidMeasurementError):
        ObjectFilter().take("cube", 0, np.zeros(3), quaternion)
