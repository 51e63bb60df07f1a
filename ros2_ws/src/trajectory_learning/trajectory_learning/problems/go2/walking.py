"""Many walking robots at once, each a little different: the plant of training, data and evaluation.

The body is the simulated robot's own; for speed it takes larger steps than there, its feet slide
in pyramids instead of cones and only feet and trunk touch the ground. What was learned here is
shown on the simulated robot itself, which has none of these liberties.

A control period begins with joint targets that are to be reached at its end; the motors follow the
straight line there, as they follow a plan's samples. Masses, friction, motors and delays differ
from robot to robot, and now and then a robot is pushed.

Letters: ``n`` robots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import mujoco
import numpy as np
from mujoco import rollout
from numpy.typing import NDArray
from robot_simulation.go2.model import LOWER_RAD, TORQUE_NM, UPPER_RAD, make_model
from trajectory_learning.problems.go2.gait import STANDING_RAD

Array = NDArray[np.float64]

PERIOD_S: Final = 0.02
"""Of control."""
STEP_S: Final = 0.005
SUBSTEPS: Final = round(PERIOD_S / STEP_S)
STIFFNESS: Final = 40.0
"""[N m/rad]"""
DAMPING: Final = 1.0
"""[N m s/rad]"""
FALLEN_GRAVITY: Final = -0.5
"""The third component of gravity's direction in a body that lies on its side or nearly."""
FALLEN_HEIGHT_M: Final = 0.16
START_HEIGHT_M: Final = 0.335
STATE: Final = 33
"""Numbers of a state: angular velocity [rad/s], direction of gravity, joint positions [rad], joint
velocities [rad/s], velocity of the trunk in its own frame [m/s]."""
_PHYSICS: Final = mujoco.mjtState.mjSTATE_FULLPHYSICS


@dataclass(frozen=True, slots=True)
class Randomisation:
    """How much robots differ: half widths of uniform distributions, unless said otherwise.

    Attributes:
        friction: Range of the friction of feet on the ground.
        load_kg: Range of what the trunk carries.
        strength: Of gains and torques, as a share.
        delay_s: Greatest delay of a command; from 0.
        push_m_s: Change of velocity by a push, along each axis.
        twist_rad_s: Change of angular velocity by a push, about each axis.
        push_every_s: Mean time between pushes; 0 for none.
    """

    friction: tuple[float, float] = (0.4, 1.2)
    load_kg: tuple[float, float] = (-1.0, 2.0)
    strength: float = 0.15
    delay_s: float = 0.015
    push_m_s: float = 0.4
    twist_rad_s: float = 0.0
    push_every_s: float = 4.0


NOMINAL: Final = Randomisation((0.8, 0.8), (0.0, 0.0), 0.0, 0.0, 0.0, 0.0, 0.0)
"""Every robot as its model says."""


DISTURBED: Final = Randomisation(push_m_s=1.2, twist_rad_s=2.5, push_every_s=2.0)
"""Robots of the data and of the tests: pushed harder than the policy was in training, or there
would be no cost that planners could keep below a budget."""


class WalkingRobots:
    """``n`` robots on a floor.

    Args:
        n: How many.
        rng: Of their differences and of pushes.
        randomisation: How much they differ.
        threads: That step them.

    Attributes:
        physics: (n, ...) state of each in MuJoCo's layout: time, 19 positions, 18 velocities.
        target: (n, 12) [rad] joint targets that hold now.
    """

    def __init__(
        self,
        n: int,
        rng: np.random.Generator,
        randomisation: Randomisation | None = None,
        threads: int = 0,
    ) -> None:
        self.n, self._rng = n, rng
        self._randomisation = chosen = randomisation or Randomisation()
        self._models = [_model(rng, chosen) for _ in range(n)]
        self._delay = rng.uniform(0.0, chosen.delay_s, n) / PERIOD_S
        self._data = [mujoco.MjData(self._models[0]) for _ in range(max(1, threads))]
        self._rollout = rollout.Rollout(nthread=threads)
        self._standing = self._settle()
        self.physics = self._standing.copy()
        self.target = np.tile(STANDING_RAD, (n, 1))
        self._before = self.target.copy()

    def reset(self, which: NDArray[np.bool_] | None = None) -> None:
        """Stand still, in any heading.

        Args:
            which: (n,) robots; None for all.
        """
        rows = np.flatnonzero(np.ones(self.n, bool) if which is None else which)
        state = self._standing[rows].copy()
        half = self._rng.uniform(-np.pi, np.pi, len(rows)) / 2
        state[:, 4:8] = np.stack([np.cos(half), 0 * half, 0 * half, np.sin(half)], axis=1)
        state[:, 8:20] += self._rng.normal(0.0, 0.03, (len(rows), 12))
        self.physics[rows] = state
        self.target[rows] = self._before[rows] = STANDING_RAD

    def step(self, target: Array) -> None:
        """Let a control period pass.

        Args:
            target: (n, 12) [rad] joint targets at its end.
        """
        target = np.clip(target, LOWER_RAD, UPPER_RAD)
        self._push()
        share = (np.arange(1, SUBSTEPS + 1) / SUBSTEPS)[None] - self._delay[:, None]
        late = share < 0
        share = np.where(late, share + 1.0, share)[..., None]
        begin = np.where(late[..., None], self._before[:, None], self.target[:, None])
        end = np.where(late[..., None], self.target[:, None], target[:, None])
        # A motor's velocity target, put into its position target.
        lead = (end - begin) / PERIOD_S * (DAMPING / STIFFNESS)
        control = begin + share * (end - begin) + lead
        states, _ = self._rollout.rollout(self._models, self._data, self.physics, control)
        self.physics = states[:, -1]
        self._before, self.target = self.target, target

    def state(self) -> Array:
        """(n, 33) what a robot knows of itself, see `STATE`."""
        velocity = rotated_back(self.physics[:, 4:8], self.physics[:, 20:23])
        gravity = rotated_back(self.physics[:, 4:8], np.array([0.0, 0.0, -1.0]))
        return np.concatenate(
            [
                self.physics[:, 23:26], gravity,
                self.physics[:, 8:20], self.physics[:, 26:38], velocity,
            ],
            axis=1,
        )  # fmt: skip

    def fallen(self) -> NDArray[np.bool_]:
        """(n,) which ones lie."""
        gravity = rotated_back(self.physics[:, 4:8], np.array([0.0, 0.0, -1.0]))
        return (gravity[:, 2] > FALLEN_GRAVITY) | (self.physics[:, 3] < FALLEN_HEIGHT_M)

    def _push(self) -> None:
        chosen = self._randomisation
        if not chosen.push_every_s:
            return
        pushed = self._rng.random(self.n) < PERIOD_S / chosen.push_every_s
        push = self._rng.uniform(-chosen.push_m_s, chosen.push_m_s, (self.n, 2))
        self.physics[:, 20:22] += np.where(pushed[:, None], push, 0.0)
        twist = self._rng.uniform(-chosen.twist_rad_s, chosen.twist_rad_s, (self.n, 3))
        self.physics[:, 23:26] += np.where(pushed[:, None], twist, 0.0)

    def _settle(self) -> Array:
        """(n, ...) physics of each robot after a second of standing."""
        model, data = self._models[0], self._data[0]
        mujoco.mj_resetData(model, data)
        data.qpos[2], data.qpos[7:] = START_HEIGHT_M, STANDING_RAD
        state = np.zeros(mujoco.mj_stateSize(model, _PHYSICS))
        mujoco.mj_getState(model, data, state, _PHYSICS)
        control = np.tile(STANDING_RAD, (self.n, round(1.0 / STEP_S), 1))
        begin = np.tile(state, (self.n, 1))
        states, _ = self._rollout.rollout(self._models, self._data, begin, control)
        settled = states[:, -1].copy()
        settled[:, :3] = 0.0
        settled[:, 20:] = 0.0
        return settled


def rotated_back(quaternion: Array, vector: Array) -> Array:
    """(n, 3) vectors of the world, in bodies that are turned by (n, 4) quaternions."""
    w, axis = quaternion[:, :1], -quaternion[:, 1:]
    turned = 2.0 * np.cross(axis, vector)
    return vector + w * turned + np.cross(axis, turned)


def _model(rng: np.random.Generator, chosen: Randomisation) -> mujoco.MjModel:
    model = make_model()
    model.opt.timestep = STEP_S
    model.opt.cone, model.opt.impratio = mujoco.mjtCone.mjCONE_PYRAMIDAL, 1.0
    strength = 1.0 + rng.uniform(-chosen.strength, chosen.strength)
    model.actuator_gainprm[:, 0] = STIFFNESS * strength
    model.actuator_biastype[:] = mujoco.mjtBias.mjBIAS_AFFINE
    model.actuator_biasprm[:, 1] = -STIFFNESS * strength
    model.actuator_biasprm[:, 2] = -DAMPING * strength
    model.actuator_ctrllimited[:], model.actuator_forcelimited[:] = False, True
    model.actuator_forcerange[:] = np.stack([-TORQUE_NM, TORQUE_NM], axis=1) * strength
    for geom in range(model.ngeom):
        name = model.geom(geom).name
        if name.endswith("foot"):
            model.geom_condim[geom] = 3
        elif name not in ("floor", "trunk"):
            model.geom_conaffinity[geom] = 0
    model.geom_friction[:, 0] = rng.uniform(*chosen.friction)
    trunk = model.body("base").id
    mass = model.body_mass[trunk] + rng.uniform(*chosen.load_kg)
    model.body_inertia[trunk] *= mass / model.body_mass[trunk]
    model.body_mass[trunk] = mass
    mujoco.mj_setConst(model, mujoco.MjData(model))
    return model
