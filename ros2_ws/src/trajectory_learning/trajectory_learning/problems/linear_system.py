"""Double integrator with a stochastic expert: Tables 10 and 11 and Figure 12 of MPDiffuser.

The expert is the infinite-horizon LQR; noise enters its action with probability ``p``, so that the
data hold worse actions than the expert's while their states remain consistent with them.

App. E leaves three things open, chosen here so:

- x_0 is uniform on [-0.2, 0.2]^2. The noise has a fixed size, so this decides how bad the data are:
  with [-1, 1]^2 they cost 1.12 of the LQR's at p = 0.4, here 4.2. The bound was chosen because the
  data then cost about what the paper's methods do; agreement in size with Table 10 is no finding.
- Control is closed loop, 8 actions of each 32-sample window, over 200 steps without noise.
- "Final state" is that of the window; the origin is asked for.

Rows at alpha = 0 belong beside each other, for a planner alone gains much from it; ranked rows
likewise. In both, the planner alone has the training of MPDiffuser's two networks; at alpha = 0
there is also one with its own, which may be better.

**Source**: "Model-based diffusion sampling for predictive control in offline decision making", App.
E and F, Eqs. 3 to 5.

Letters: ``n`` trajectories, ``E`` episodes, ``K`` candidates, ``H`` samples of a window, ``L``
steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import solve_discrete_are
from torch import Tensor
from trajectory_learning.benchmarks.interface import Measure, Row, Score, Trial
from trajectory_learning.benchmarks.step_time import step_ms
from trajectory_learning.methods.diffusion_family import Family, FamilyConfig, Sampling, Windows
from trajectory_learning.methods.diffusion_training import FitConfig

Array = NDArray[np.float64]

DT_S = 0.1
A = np.array([[1.0, DT_S], [0.0, 1.0]])
B = np.array([[DT_S**2 / 2], [DT_S]])
Q, R = np.eye(2), 0.1 * np.eye(1)
_P = solve_discrete_are(A, B, Q, R)
GAIN = -np.linalg.solve(R + B.T @ _P @ B, B.T @ _P @ A)
"""K of Eq. 4, (1, 2)."""

PAPER = {
    "p=0.1": (2.38, 2.34, 1.36, 1.27),
    "p=0.2": (3.50, 3.12, 2.63, 1.54),
    "p=0.3": (4.40, 5.48, 4.40, 3.38),
    "p=0.4": (5.27, 5.59, 5.00, 3.99),
}
"""Table 10: Diffuser, Decision Diffuser, planner, MPDiffuser."""

PAPER_NOISE = {
    "0": 1.54, "0.001": 1.97, "0.002": 2.08, "0.003": 2.19, "0.004": 2.33, "0.005": 2.56,
    "0.01": 3.67, "0.02": 5.25,
}  # fmt: skip
"""Table 11: deviation of the measurement noise, cost."""

COST, IMAGINED, EXECUTED = "cost / LQR", "imagined state error", "executed state error"


@dataclass(frozen=True)
class LinearConfig:
    """Sizes.

    Attributes:
        trajectories: ``n``.
        steps: ``L`` of trajectories and episodes.
        horizon: ``H``.
        chunk: Actions executed of a window.
        episodes: ``E``.
        spread: Bound of the positions and velocities of x_0.
        candidates: ``K`` of the ranked rows.
        denoising_steps: DDIM steps.
        family: Networks and their training.
    """

    trajectories: int = 1000
    steps: int = 200
    horizon: int = 32
    chunk: int = 8
    episodes: int = 250
    spread: float = 0.2
    candidates: int = 16
    denoising_steps: int = 10
    family: FamilyConfig = FamilyConfig(  # noqa: RUF009, frozen
        width=128,
        blocks=2,
        prediction="v",
        fit=FitConfig(steps=2000, batch=128, learning_rate=2e-3),
    )


QUICK = LinearConfig(
    trajectories=20,
    steps=40,
    episodes=4,
    candidates=2,
    denoising_steps=3,
    family=FamilyConfig(width=32, blocks=1, levels=10, fit=FitConfig(steps=20)),
)

Planner = Callable[[Array], tuple[Array, Array]]
"""From states (E, 2) to plans: states that follow (E, H, 2), actions (E, H, 1)."""


def expert_data(
    n: int, steps: int, p: float, spread: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Trajectories of the stochastic expert (Eq. 5).

    Args:
        n: Trajectories.
        steps: ``L``.
        p: Probability of noise in an action.
        spread: Bound of x_0.
        rng: Randomness.

    Returns:
        (n, L + 1, 2) states, (n, L, 1) actions.
    """
    x = rng.uniform(-spread, spread, (n, 2))
    states, actions = [x], []
    for _ in range(steps):
        noisy = rng.random((n, 1)) < p
        u = x @ GAIN.T + noisy * rng.normal(0.0, 0.25, (n, 1))
        x = x @ A.T + u @ B.T
        states.append(x)
        actions.append(u)
    return np.stack(states, axis=1), np.stack(actions, axis=1)


def cut_windows(states: Array, actions: Array, horizon: int) -> Windows:
    """Every window of trajectories (n, L + 1, 2), (n, L, 1), with its last state as the task."""
    begins = range(actions.shape[1] - horizon + 1)
    parts = (
        np.concatenate([states[:, b] for b in begins]),
        np.concatenate([states[:, b + horizon] for b in begins]),
        np.concatenate([states[:, b + 1 : b + horizon + 1] for b in begins]),
        np.concatenate([actions[:, b : b + horizon] for b in begins]),
    )
    return Windows(*(torch.from_numpy(part).float() for part in parts))


def stage_cost(x: Array, u: Array) -> Array:
    """(..., 2), (..., 1) -> (...) cost of one step (Eq. 3)."""
    return np.einsum("...i,ij,...j", x, Q, x) + np.einsum("...i,ij,...j", u, R, u)


def lqr(x0: Array, steps: int) -> tuple[Array, Array]:
    """The optimum from (E, 2): its cost (E,) over ``steps`` and its states (E, steps, 2)."""
    x, cost, states = x0, np.zeros(len(x0)), []
    for _ in range(steps):
        u = x @ GAIN.T
        cost = cost + stage_cost(x, u)
        x = x @ A.T + u @ B.T
        states.append(x)
    return cost, np.stack(states, axis=1)


def control(planner: Planner, x0: Array, steps: int, chunk: int) -> Array:
    """(E,) cost of executing plans, ``chunk`` actions of each, from (E, 2)."""
    x, cost = x0, np.zeros(len(x0))
    for t in range(steps):
        if t % chunk == 0:
            _, actions = planner(x)
        u = actions[:, t % chunk]
        cost = cost + stage_cost(x, u)
        x = x @ A.T + u @ B.T
    return cost


def state_errors(planner: Planner, x0: Array) -> tuple[Array, Array]:
    """Figure 12: mean distance to the expert's states over one window.

    Returns:
        (E,) of the states that were imagined, (E,) of those that the actions lead to.
    """
    imagined, actions = planner(x0)
    _, expert = lqr(x0, actions.shape[1])
    x, executed = x0, []
    for t in range(actions.shape[1]):
        x = x @ A.T + actions[:, t] @ B.T
        executed.append(x)
    return (
        np.linalg.norm(imagined - expert, axis=-1).mean(axis=1),
        np.linalg.norm(np.stack(executed, axis=1) - expert, axis=-1).mean(axis=1),
    )


@dataclass(frozen=True)
class Variant:
    """How a row plans.

    Attributes:
        method: Key of `trajectory_learning.methods.diffusion_family.PARTS`.
        ranked: Of many plans, take the one whose own states and actions cost least.
        temperature: alpha of Algorithm 1; at 0 a plan is near the mean of all.
        ancestral: The paper's sampler, a step a level; otherwise few DDIM steps.
    """

    method: str
    ranked: bool = False
    temperature: float = 1.0
    ancestral: bool = False


ROWS: Mapping[str, Variant] = {
    "Diffuser": Variant("diffuser"),
    "Decision Diffuser": Variant("decision_diffuser"),
    "planner": Variant("planner"),
    "planner, twice the training": Variant("longer_planner"),
    "planner + rank": Variant("longer_planner", ranked=True),
    "planner, alpha=0": Variant("longer_planner", temperature=0.0),
    "planner, once the training, alpha=0": Variant("planner", temperature=0.0),
    "planner, DDPM": Variant("planner", ancestral=True),
    "MPDiffuser as printed": Variant("alternating"),
    "MPDiffuser as printed, DDPM": Variant("alternating", ancestral=True),
    "MPDiffuser joint": Variant("joint"),
    "MPDiffuser joint, DDPM": Variant("joint", ancestral=True),
    "MPDiffuser joint, alpha=0": Variant("joint", temperature=0.0),
    "MPDiffuser tracked": Variant("tracked"),
    "MPDiffuser tracked in doubt": Variant("tracked_in_doubt"),
    "MPDiffuser tracked + rank": Variant("tracked", ranked=True),
    "MPDiffuser tracked, alpha=0": Variant("tracked", temperature=0.0),
    "behaviour cloning": Variant("behaviour_cloning"),
}


IN_DOUBT = "MPDiffuser tracked in doubt"
"""A row of the settings whose dynamics models learn from noise; without, it is as the one above."""


class LinearSystem:
    """The benchmark problem; see the module."""

    name = "linear_system"
    title = "Linear system with a stochastic expert (MPDiffuser, Tables 10 and 11, Figure 12)"

    def settings(self) -> Sequence[str]:
        """See `Problem.settings`: noise in the actions, then noise in the dynamics model's data."""
        return [*PAPER, *(f"p=0.8, sigma={sigma}" for sigma in PAPER_NOISE)]

    def rows(self, setting: str) -> Sequence[Row]:
        """See `Problem.rows`."""
        alone = ("Diffuser", "Decision Diffuser", "behaviour cloning")
        paper: dict[str, float] = {}
        if setting in PAPER:
            columns = ("Diffuser", "Decision Diffuser", "planner", "MPDiffuser as printed")
            paper = dict(zip(columns, PAPER[setting], strict=True))
            names = [name for name in ROWS if name != IN_DOUBT]
        else:
            paper["MPDiffuser as printed"] = PAPER_NOISE[setting.rpartition("=")[2]]
            names = ["planner", "MPDiffuser as printed", "MPDiffuser joint", "MPDiffuser tracked"]
            names.append(IN_DOUBT)
        return [
            Row(
                name,
                "" if name in alone else "mpdiffuser",
                {COST: paper[name]} if name in paper else {},
                setting in PAPER and name not in alone,
            )
            for name in names
        ]

    def configuration(self, quick: bool) -> Mapping[str, Any]:
        """See `Problem.configuration`."""
        return asdict(QUICK if quick else LinearConfig())

    def run(self, methods: Sequence[str], trial: Trial) -> Mapping[str, Score]:
        """See `Problem.run`."""
        config = QUICK if trial.quick else LinearConfig()
        family = make_family(config, trial)
        episodes = 0 if trial.episode_seed is None else trial.episode_seed
        rng = np.random.default_rng([2, episodes])
        x0 = rng.uniform(-config.spread, config.spread, (config.episodes, 2))
        optimum, _ = lqr(x0, config.steps)
        scores = {}
        for name in methods:
            variant = ROWS[name]
            seconds = family.train(variant.method)
            planner = make_planner(family, config, variant, trial.seed)
            cost = control(planner, x0, config.steps, config.chunk)
            imagined, executed = state_errors(planner, x0)
            measures = {
                COST: Measure(cost, optimum),
                IMAGINED: Measure(imagined),
                EXECUTED: Measure(executed),
            }
            took = None
            if not trial.quick:
                took = step_ms(lambda planner=planner: planner(x0[:1]), calls=10)
            scores[name] = Score(measures, seconds, took)
        return scores


def data(config: LinearConfig, setting: str) -> tuple[Array, Array, Array]:
    """The data of a setting.

    Returns:
        (n, L + 1, 2) states, (n, L, 1) actions, and the states (n, L + 1, 2) that a dynamics model
        is taught, which are measured where the setting has a sigma.
    """
    p, _, sigma = setting.removeprefix("p=").partition(", sigma=")
    rng = np.random.default_rng(1)
    states, actions = expert_data(config.trajectories, config.steps, float(p), config.spread, rng)
    measured = states + rng.normal(0.0, float(sigma), states.shape) if sigma else states
    return states, actions, measured


def make_family(config: LinearConfig, trial: Trial) -> Family:
    """Methods over the data of a setting."""
    states, actions, measured = data(config, trial.setting)
    windows = cut_windows(states, actions, config.horizon)
    noisy = None if measured is states else cut_windows(measured, actions, config.horizon)
    fit = replace(config.family.fit, seed=trial.seed)
    return Family(windows, replace(config.family, fit=fit), noisy)


def make_planner(family: Family, config: LinearConfig, variant: Variant, seed: int) -> Planner:
    """Plans to the origin."""
    generator = torch.Generator().manual_seed(seed)
    steps = config.family.levels if variant.ancestral else config.denoising_steps
    sampling = Sampling(steps, temperature=variant.temperature, ancestral=variant.ancestral)
    K = config.candidates if variant.ranked else 1

    def plan(x: Array) -> tuple[Array, Array]:
        state = torch.from_numpy(x).float().repeat_interleave(K, dim=0)
        plans = family.plan(variant.method, state, torch.zeros_like(state), generator, sampling)
        states, actions = (_by_candidate(part, K) for part in plans)
        # The state that an action meets is the one before the state that it leads to; the present
        # state costs all candidates the same.
        costs = stage_cost(states, actions).sum(axis=-1)
        best = costs.argmin(axis=1)
        rows = np.arange(len(x))
        return states[rows, best], actions[rows, best]

    return plan


def _by_candidate(part: Tensor, candidates: int) -> Array:
    return part.unflatten(0, (-1, candidates)).double().numpy()


PROBLEM = LinearSystem()
