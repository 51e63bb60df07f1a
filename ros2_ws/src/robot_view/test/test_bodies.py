"""What is drawn of jointed robots is where the simulated robots have it."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from planner_core.errors import ConfigurationError
from planner_core.joint_tree import BASE, JointTree
from robot_simulation.go2.model import make_model
from robot_simulation.so100.model import build
from robot_view.bodies import _rod, body_of, followed_points, rotated


def test_the_followed_point_of_an_arm_is_its_tool() -> None:
    body, model = body_of("so100"), build(cubes=1, step_s=0.002)
    assert body is not None
    data, rng = mujoco.MjData(model), np.random.default_rng(0)
    for _ in range(20):
        q = rng.uniform(-1.5, 1.5, len(body.tree.names))
        for name, angle in zip(body.tree.names, q, strict=True):
            data.joint(name).qpos[0] = angle
        mujoco.mj_kinematics(model, data)
        np.testing.assert_allclose(body.tip_points(q)[0], data.site("tool").xpos, atol=1e-9)


def test_the_followed_points_of_a_quadruped_are_its_feet() -> None:
    body, model = body_of("go2"), make_model()
    assert body is not None
    data, rng = mujoco.MjData(model), np.random.default_rng(0)
    feet = [f"{name.partition('_')[0]}_foot" for name in body.tree.names[::3]]
    for _ in range(20):
        place, q = rng.normal(size=3), rng.uniform(-1.0, 1.0, 12)
        turn = rng.normal(size=4)
        turn /= np.linalg.norm(turn)
        data.qpos[:7] = [*place, *turn]
        for name, angle in zip(body.tree.names, q, strict=True):
            data.joint(name).qpos[0] = angle
        mujoco.mj_kinematics(model, data)
        drawn = place + rotated(turn, body.tip_points(q))
        np.testing.assert_allclose(drawn, [data.site(foot).xpos for foot in feet], atol=1e-9)


def test_followed_points_are_found_by_names_in_any_order() -> None:
    body = body_of("so100")
    assert body is not None
    q = np.linspace(-0.5, 0.5, 6)
    backwards = followed_points(body, body.tree.names[::-1], q[::-1])
    np.testing.assert_array_equal(backwards, body.tip_points(q))
    assert followed_points(body, body.tree.names[1:], q[1:]) is None
    flown = followed_points(None, ("yaw", "z", "y", "x"), np.array([0.1, 3.0, 2.0, 1.0]))
    np.testing.assert_array_equal(flown, [[1.0, 2.0, 3.0]])
    assert body_of("crazyflie") is None


@pytest.mark.parametrize("end", [(0, 0, 1), (0, 0, -1), (1, 0, 0), (0.3, -0.4, 0.5)])
def test_a_rod_ends_where_it_should(end: tuple[float, float, float]) -> None:
    rod = _rod((0.0, 0.0, 0.0), end, 0.01, (0.0, 0.0, 0.0))
    half = np.array([0.0, 0.0, rod.size[2] / 2])
    tip = rod.centre + rotated(rod.wxyz, half)
    np.testing.assert_allclose(tip, end, atol=1e-12)


@pytest.mark.parametrize("parents", [(BASE,), (BASE, 1), (0, BASE), (BASE, -2)])
def test_a_joint_tree_wants_parents_first(parents: tuple[int, ...]) -> None:
    with pytest.raises(ConfigurationError, match="parents"):
        JointTree(("a", "b"), parents, np.zeros((2, 3)), np.zeros((2, 3)))
    with pytest.raises(ConfigurationError, match="axes"):
        JointTree(("a", "b"), (BASE, 0), np.zeros((2, 3)), np.zeros((1, 3)))
