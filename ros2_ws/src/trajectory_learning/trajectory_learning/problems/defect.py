"""A defect, and fine-tuning on a little data of the defective robot: cf. Table 3 of MPDiffuser.

The paper limits one ankle of a walker. Here it is a smaller system, the double integrator of
`linear_system`: planners learn from its stochastic expert, then the actuator gives 40 % of what it
is told. Control is closed loop, 8 actions of each plan of 32: the optimal plans of the sound plant
then cost 1.65 times the optimum of the defective one. Each method is tested on the sound plant, on
the defective one as it is, and on the defective one after some of its networks were trained
further on 100 short trajectories of it. The cost is over that of an LQR that knows the plant.

What is fine-tuned is the dynamics alone where a method has a model of it: the dynamics model of
MPDiffuser, the forward model of tracking, the inverse dynamics of Decision Diffuser. The others
have one network, and that is fine-tuned. All have the same trajectories and as many optimiser steps
a network; a row that trains two networks says so. Plans are sampled at alpha = 0, near their mean,
because at 1 all planners repeat the noise of their data.

The trajectories are of one of two kinds. Random ones have actions that mean nothing. "Its own" are
those of the planner on the defective plant, as in the paper; the task of a window is where it
ended, for every method.

**Source**: "Model-based diffusion sampling for predictive control in offline decision making", Sec.
4.1, Table 3; the protocol is that of G. Zhou et al., "Diffusion model predictive control", 2025.

Letters: ``n`` trajectories, ``E`` episodes, ``H`` samples of a window, ``L`` steps.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy.linalg import solve_discrete_are
from trajectory_learning.benchmarks.interface import Measure, Row, Score, Trial
from trajectory_learning.methods.diffusion_family import Family, Windows
from trajectory_learning.methods.diffusion_training import FitConfig
from trajectory_learning.problems import linear_system
from trajectory_learning.problems.linear_system import (
    A,
    Array,
    B,
    LinearConfig,
    Planner,
    Q,
    R,
    Variant,
    cut_windows,
    make_planner,
    stage_cost,
)

RANDOM, OWN = "random trajectories", "its own trajectories"

SOUND, DEFECTIVE, TUNED = "before the defect", "after it", "fine-tuned"
COST, DEVIATION = "cost / LQR", "state imagined to realised"


@dataclass(frozen=True)
class DefectConfig:
    """Sizes.

    Attributes:
        plant: Data, networks, training and episodes.
        p: Probability of noise in an action of the data.
        effect: Share of an action that the defective actuator gives.
        trajectories: ``n`` of the defective plant.
        steps: ``L`` of these.
        action: Deviation of random actions.
        tuning: Further training of each network.
    """

    plant: LinearConfig = LinearConfig()  # noqa: RUF009, frozen
    p: float = 0.2
    effect: float = 0.4
    trajectories: int = 100
    steps: int = 40
    action: float = 0.25
    tuning: FitConfig = FitConfig(steps=300, batch=128, learning_rate=5e-4)  # noqa: RUF009, frozen


QUICK = DefectConfig(linear_system.QUICK, trajectories=8, tuning=FitConfig(steps=10))

ROWS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "behaviour cloning": ("behaviour_cloning", ("cloning",)),
    "Diffuser": ("diffuser", ("diffuser",)),
    "Decision Diffuser": ("decision_diffuser", ("inverse",)),
    "Decision Diffuser, both networks tuned": ("decision_diffuser", ("states", "inverse")),
    "planner": ("planner", ("planner",)),
    "planner, twice the training": ("longer_planner", ("longer_planner",)),
    "MPDiffuser as printed": ("alternating", ("dynamics",)),
    "MPDiffuser joint": ("joint", ("dynamics",)),
    "MPDiffuser joint, both networks tuned": ("joint", ("planner", "dynamics")),
    "MPDiffuser tracked": ("tracked", ("forward",)),
}
"""Method of the family, and the networks that are fine-tuned."""

UNAWARE = "LQR plans of the sound plant (not learned)"

Policy = Callable[[Array, int], Array]
"""From states (n, 2) and the number of the step to actions (n, 1)."""


@functools.cache
def feedback(effect: float) -> Array:
    """(1, 2) gain of the LQR that knows what the actuator gives."""
    weak = effect * B
    value = solve_discrete_are(A, weak, Q, R)
    return -np.linalg.solve(R + weak.T @ value @ weak, weak.T @ value @ A)


def run(policy: Policy, x: Array, steps: int, effect: float) -> tuple[Array, Array]:
    """A policy on a plant: (n, L + 1, 2) states and (n, L, 1) actions as commanded."""
    states, actions = [x], []
    for step in range(steps):
        actions.append(policy(x, step))
        x = x @ A.T + effect * actions[-1] @ B.T
        states.append(x)
    return np.stack(states, axis=1), np.stack(actions, axis=1)


class Pilot:
    """A policy that plans, and executes part of each plan.

    Args:
        planner: Planner.
        chunk: Actions of a plan to execute.
    """

    def __init__(self, planner: Planner, chunk: int) -> None:
        self._planner, self._chunk = planner, chunk
        self._states, self._actions = np.empty(0), np.empty(0)
        self.imagined: list[Array] = []
        """(n, 2) states that each executed action was to lead to, by step."""

    def __call__(self, x: Array, step: int) -> Array:
        """See `Policy`."""
        t = step % self._chunk
        if t == 0:
            self._states, self._actions = self._planner(x)
        self.imagined.append(self._states[:, t])
        return self._actions[:, t]


def unaware(horizon: int) -> Planner:
    """Optimal plans for the sound plant."""

    def plan(x: Array) -> tuple[Array, Array]:
        states, actions = run(lambda x, _: x @ feedback(1.0).T, x, horizon, effect=1.0)
        return states[:, 1:], actions

    return plan


def measured(
    planner: Planner, x: Array, config: DefectConfig, effect: float
) -> tuple[Measure, ...]:
    """Cost over the optimum of that plant, and how far states were from the imagined ones."""
    pilot, steps = Pilot(planner, config.plant.chunk), config.plant.steps
    states, actions = run(pilot, x, steps, effect)
    best = run(lambda x, _: x @ feedback(effect).T, x, steps, effect)
    apart = np.stack(pilot.imagined, axis=1) - states[:, 1:]
    costs = (stage_cost(x[:, :-1], u).sum(axis=1) for x, u in ((states, actions), best))
    return Measure(*costs), Measure(np.linalg.norm(apart, axis=-1).mean(axis=1))


@functools.cache
def sound_family(config: DefectConfig, seed: int) -> Family:
    """The methods on the sound plant: one object, so that both kinds of data share its training."""
    return linear_system.make_family(config.plant, Trial(f"p={config.p}", seed))


def starts(n: int, config: DefectConfig, rng: np.random.Generator) -> Array:
    """(n, 2) as in the data of the sound plant."""
    return rng.uniform(-config.plant.spread, config.plant.spread, (n, 2))


def trajectories_of_the_defective_plant(kind: str, family: Family, config: DefectConfig) -> Windows:
    """What methods are fine-tuned on, the same for all of them."""
    rng = np.random.default_rng(3)
    x = starts(config.trajectories, config, rng)
    policy: Policy
    if kind == RANDOM:
        held = rng.normal(0.0, config.action, (-(-config.steps // 4), len(x), 1))

        def policy(x: Array, step: int) -> Array:
            # For four steps: noise of every step would cancel out.
            return held[step // 4]
    else:
        family.train("planner")
        policy = Pilot(_planner(family, config, "planner", seed=3), config.plant.chunk)
    return cut_windows(*run(policy, x, config.steps, config.effect), config.plant.horizon)


def _planner(family: Family, config: DefectConfig, method: str, seed: int) -> Planner:
    return make_planner(family, config.plant, Variant(method, temperature=0.0), seed)


class Defect:
    """The benchmark problem; see the module."""

    name = "defect"
    title = "A weak actuator, and fine-tuning on 100 trajectories of it (cf. MPDiffuser, Table 3)"

    def settings(self) -> Sequence[str]:
        """See `Problem.settings`: what the trajectories of the defective plant are."""
        return (RANDOM, OWN)

    def rows(self, setting: str) -> Sequence[Row]:
        """See `Problem.rows`."""
        return [*(Row(name, "all", seeded=True) for name in ROWS), Row(UNAWARE)]

    def configuration(self, quick: bool) -> Mapping[str, Any]:
        """See `Problem.configuration`."""
        return asdict(QUICK if quick else DefectConfig())

    def run(self, methods: Sequence[str], trial: Trial) -> Mapping[str, Score]:
        """See `Problem.run`."""
        config = QUICK if trial.quick else DefectConfig()
        episodes = 0 if trial.episode_seed is None else trial.episode_seed
        x = starts(config.plant.episodes, config, np.random.default_rng([2, episodes]))

        def outcome(planner: Planner, when: str) -> dict[str, Measure]:
            effect = 1.0 if when == SOUND else config.effect
            cost, deviation = measured(planner, x, config, effect)
            return {f"{COST}, {when}": cost, f"{DEVIATION}, {when}": deviation}

        if tuple(methods) == (UNAWARE,):
            planner = unaware(config.plant.horizon)
            return {UNAWARE: Score({**outcome(planner, DEFECTIVE), **outcome(planner, SOUND)})}
        family = sound_family(config, trial.seed)
        data = trajectories_of_the_defective_plant(trial.setting, family, config)
        scores = {}
        for name in methods:
            method, parts = ROWS[name]
            seconds = family.train(method)
            tuned = family.fine_tuned(parts, data, replace(config.tuning, seed=trial.seed))
            measures: dict[str, Measure] = {}
            for of, when in ((tuned, TUNED), (family, DEFECTIVE), (family, SOUND)):
                measures |= outcome(_planner(of, config, method, trial.seed), when)
            seconds += sum(tuned.train_cpu_s[part] for part in parts)
            scores[name] = Score(measures, seconds)
        return scores


PROBLEM = Defect()
