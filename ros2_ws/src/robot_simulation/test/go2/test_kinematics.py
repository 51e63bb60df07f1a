"""Closed-form legs, against the model and against each other."""

from __future__ import annotations

import mujoco
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from robot_simulation.go2.gait import STANCE_XY_M
from robot_simulation.go2.kinematics import foot_positions, joint_positions, support_torques
from robot_simulation.go2.model import LEGS, MASS_KG, make_model

ANGLES = st.tuples(
    *(st.floats(-0.6, 0.6), st.floats(0.1, 1.5), st.floats(-2.5, -0.9)) * 4
).map(np.array)  # fmt: skip


@given(ANGLES)
def test_inverse_undoes_forward(q: np.ndarray) -> None:
    feet = foot_positions(q)
    again = foot_positions(joint_positions(feet))
    np.testing.assert_allclose(again, feet, atol=1e-6)


def test_feet_are_where_the_model_has_them() -> None:
    model = make_model()
    data = mujoco.MjData(model)
    dice = np.random.default_rng(2)
    for _ in range(10):
        q = np.tile([0.0, 0.8, -1.6], 4) + dice.uniform(-0.5, 0.5, 12)
        data.qpos[:7], data.qpos[7:] = [0, 0, 1, 1, 0, 0, 0], q
        mujoco.mj_kinematics(model, data)
        feet = [data.geom(f"{leg}_foot").xpos - [0, 0, 1] for leg in LEGS]
        np.testing.assert_allclose(foot_positions(q), feet, atol=1e-9)


def test_a_foot_out_of_reach_is_approached() -> None:
    feet = np.column_stack((STANCE_XY_M, np.full(4, -0.9)))
    q = joint_positions(feet)
    assert np.isfinite(q).all()
    assert (foot_positions(q)[:, 2] < -0.4).all()


def test_support_torques_lift_what_they_say() -> None:
    q = joint_positions(np.column_stack((STANCE_XY_M, np.full(4, -0.28))))
    forces = np.full(4, 40.0)
    step = 1e-6
    for joint in range(12):
        moved = q.copy()
        moved[joint] += step
        rise = (foot_positions(moved) - foot_positions(q))[:, 2] / step
        # Virtual work: the feet press down with the forces.
        assert abs(support_torques(q, forces)[joint] + rise @ forces) < 1e-3


def test_masses_add_up() -> None:
    model = make_model()
    assert abs(model.body_mass.sum() - MASS_KG) < 1e-9
    assert abs(MASS_KG - 15.2) < 0.01
